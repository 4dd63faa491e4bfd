"""Letters as mail programs write them, and as nobody should. All people and places are invented."""

from __future__ import annotations

import base64
import quopri
import random
from collections.abc import Mapping

WORDS = "您好，乡道坑洼多年，雨天无法通行，请问何时维修？我的电话13912345678，王小明。"
TITLE = "关于乡道维修的来信"
HTML = (
    "<html><head><title>x</title><style>p{color:red}</style></head><body><script>alert('坏')</script>"
    "<!-- 看不见 --><p>您好，乡道坑洼多年，</p><div>请问何时维修？<br>电话&nbsp;13912345678</div>"
    '<img src="http://tracker.invalid/1.gif" alt="a > b"><table><tr><td>甲</td><td>乙</td></tr></table>'
)


def word(text: str, charset: str = "utf-8", *, label: str = "", how: str = "B") -> bytes:
    """An encoded word (RFC 2047)."""
    return word_of(text.encode(charset), label or charset, how)


def word_of(data: bytes, label: str, how: str = "B") -> bytes:
    inner = base64.b64encode(data) if how == "B" else b"".join(b"=%02X" % byte for byte in data)
    return b"=?%s?%s?%s?=" % (label.encode(), how.encode(), inner)


def letter(
    body: bytes = WORDS.encode(),
    kind: bytes = b"text/plain; charset=utf-8",
    *,
    subject: bytes = word(TITLE),
    sender: bytes = word("王小明") + b" <wang@citizen.example>",
    message_id: bytes = b"<1.letter@citizen.example>",
    encoding: bytes = b"8bit",
    more: bytes = b"",
) -> bytes:
    """A message; `more` are further header lines, each with its line break."""
    lines = [
        b"From: " + sender,
        b"To: mayor@city.example",
        b"Subject: " + subject,
        b"Date: Fri, 20 Nov 2026 08:00:00 +0800",
        *([b"Message-ID: " + message_id] if message_id else []),
        b"MIME-Version: 1.0",
        b"Content-Type: " + kind,
        b"Content-Transfer-Encoding: " + encoding,
    ]
    return b"\r\n".join(lines) + b"\r\n" + more + b"\r\n" + body


def part(body: bytes, kind: bytes = b"text/plain; charset=utf-8", more: bytes = b"") -> bytes:
    return b"Content-Type: " + kind + b"\r\n" + more + b"\r\n" + body


def multipart(*parts: bytes, kind: bytes = b"mixed", end: bool = True) -> bytes:
    """A whole message of these parts."""
    body = b"preamble\r\n" + b"".join(b"--cut\r\n" + one + b"\r\n" for one in parts)
    return letter(
        body + (b"--cut--\r\n" if end else b""), b"multipart/" + kind + b'; boundary="cut"'
    )


def nested(depth: int) -> bytes:
    """A message in a message in a message."""
    inner = letter(b"inside")
    for _ in range(depth):
        inner = letter(inner, b"message/rfc822")
    return inner


GBK = WORDS.replace("坑洼", "坑窪") + "镕喆"
"""Signs that GB2312 does not have."""
_half = TITLE.encode("gbk")

FORMS: Mapping[str, tuple[bytes, str]] = {
    "utf-8": (letter(), WORDS),
    "gb2312": (letter(WORDS.encode("gb2312"), b"text/plain; charset=gb2312"), WORDS),
    "gb2312 label on GBK": (letter(GBK.encode("gbk"), b'text/plain; charset="GB2312"'), GBK),
    "gb2312 label on UTF-8": (letter(kind=b"text/plain; charset=GB2312"), WORDS),
    "utf-8 label on GBK": (letter(WORDS.encode("gbk")), WORDS),
    "latin-1 label on GBK": (
        letter(WORDS.encode("gbk"), b"text/plain; charset=iso-8859-1"),
        WORDS,
    ),
    "unknown-8bit": (letter(WORDS.encode("gb18030"), b"text/plain; charset=unknown-8bit"), WORDS),
    "no label": (letter(WORDS.encode("gbk"), b"text/plain"), WORDS),
    "big5": (letter("鄉道何時維修".encode("big5"), b"text/plain; charset=big5"), "鄉道何時維修"),
    "hz": (letter(TITLE.encode("hz"), b"text/plain; charset=hz-gb-2312"), TITLE),
    "no headers at all": (letter(kind=b"", encoding=b"").replace(b"Content-Type: ", b"X: "), WORDS),
    "base64": (letter(base64.encodebytes(WORDS.encode()), encoding=b"base64"), WORDS),
    "quoted-printable": (
        letter(quopri.encodestring(WORDS.encode("gbk")), b"text/plain; charset=gbk",
               encoding=b"quoted-printable"),
        WORDS,
    ),
    "html only": (
        letter(HTML.encode(), b"text/html; charset=utf-8"),
        "您好，乡道坑洼多年，\n\n请问何时维修？\n电话\xa013912345678\n\n甲 乙",
    ),
    "html that names its charset": (
        letter(('<meta charset="gbk">' + HTML).encode("gbk"), b"text/html"),
        "您好，乡道坑洼多年，\n\n请问何时维修？\n电话\xa013912345678\n\n甲 乙",
    ),
    "alternative": (
        multipart(part(WORDS.encode()), part(HTML.encode(), b"text/html"), kind=b"alternative"),
        WORDS,
    ),
    "alternative with an empty plain form": (
        multipart(part(b" "), part("<b>您好</b>".encode(), b"text/html"), kind=b"alternative"),
        "您好",
    ),
    "quoted reply": (
        letter("收到。\r\n> 原来的话".encode()),
        "收到。\n> 原来的话",
    ),
    "forwarded": (
        multipart(part("请看转发的信。".encode()), part(letter(), b"message/rfc822")),
        f"请看转发的信。\n\n———— 转发的邮件 ————\n{TITLE}\n\n{WORDS}",
    ),
}  # fmt: skip
"""Each form of a letter with the text that is in it."""

SUBJECTS: Mapping[str, bytes] = {
    "one word": word(TITLE),
    "q": word(TITLE, how="Q"),
    "split inside a character": (
        word_of(_half[:5], "gb2312") + b"\r\n " + word_of(_half[5:], "gb2312")
    ),
    "split inside a character without a space": (
        word_of(TITLE.encode()[:4], "utf-8") + word_of(TITLE.encode()[4:], "UTF-8")
    ),
    "gb2312 label on UTF-8": word(TITLE, label="gb2312"),
    "bare UTF-8": TITLE.encode(),
    "bare GBK": TITLE.encode("gbk"),
    "several charsets": word(TITLE[:3], "gbk") + b" " + word(TITLE[3:], "utf-8"),
}

LARGE = b"A" * 76 + b"\r\n"
HOSTILE: Mapping[str, tuple[bytes, str]] = {
    "a thousand parts": (multipart(*[part(b"x")] * 1000), "letter_parts"),
    "a hundred thousand delimiters": (
        letter(b"--cut\r\n" * 100_000, b"multipart/mixed; boundary=cut"),
        "letter_parts",
    ),
    "delimiters that are none": (
        letter(b"--cutx\r\n" * 1_000_000, b"multipart/mixed; boundary=cut"),
        "read",
    ),
    "delimiters of spaces": (
        letter((b"--cut" + b" " * 100_000 + b"x\r\n") * 60, b"multipart/mixed; boundary=cut"),
        "read",
    ),
    "rfc822 in rfc822, 200 deep": (nested(200), "letter_depth"),
    "multiparts that begin each other": (
        letter(
            b"".join(
                b"--a%d\r\nContent-Type: multipart/mixed; boundary=a%d\r\n\r\n" % (i, i + 1)
                for i in range(500)
            ),
            b"multipart/mixed; boundary=a0",
        ),
        "letter_depth",
    ),
    "no charset known to anybody": (letter(kind=b"text/plain; charset=x-klingon"), "read"),
    "a charset that is none of letters": (letter(kind=b"text/plain; charset=punycode"), "read"),
    "a charset that unpacks": (letter(kind=b"text/plain; charset=zlib_codec"), "read"),
    "NUL bytes": (letter(b"\0" * 1000 + WORDS.encode() + b"\0"), "read"),
    "NUL bytes in every header": (letter(subject=b"a\0b", sender=b"\0@\0", more=b"X\0: 1\r\n"), "read"),
    "an endless line": (letter(b"x" * 9_000_000), "read"),
    "nothing but an endless line": (b"x" * 9_000_000, "letter_headers"),
    "nothing but line breaks": (letter(b"\n" * 9_000_000), "read"),
    "a truncated multipart": (multipart(part(WORDS.encode()), part(b"rest"), end=False), "read"),
    "a multipart without a boundary": (letter(kind=b"multipart/mixed"), "read"),
    "a multipart without parts": (letter(kind=b"multipart/mixed; boundary=never"), "read"),
    "header bomb: many": (letter(more=b"X-A: b\r\n" * 100_000), "letter_headers"),
    "header bomb: long": (letter(more=b"X-A: " + b"b" * 1_000_000 + b"\r\n"), "letter_headers"),
    "header bomb: folded": (letter(more=b"X-A:" + b" b\r\n" * 60_000), "letter_headers"),
    "subject of a hundred thousand words": (letter(subject=b"=?x?B?YQ==?= " * 15_000), "read"),
    "parameters without end": (letter(kind=b"text/plain; " + b'a=";";' * 30_000), "read"),
    "continuations without end": (
        letter(kind=b"text/plain" + b"".join(b"; charset*%d=x" % i for i in range(9_000))),
        "read",
    ),
    "a sender without end": (letter(sender=b"(" * 100_000 + b"<a@b.example>"), "read"),
    "base64 that is none": (letter("这不是编码！".encode() * 100, encoding=b"base64"), "read"),
    "base64 that breaks off": (letter(base64.b64encode(WORDS.encode())[:-3], encoding=b"base64"), "read"),
    "quoted-printable that is none": (letter(b"=XY=Z=" * 1000, encoding=b"quoted-printable"), "read"),
    "an encoding nobody knows": (letter(encoding=b"x-uuencode"), "read"),
    "html of open tags": (letter(b"<a " * 1_000_000, b"text/html"), "read"),
    "html of open comments": (letter(b"<!-- <script " * 500_000, b"text/html"), "read"),
    "html of open quotes": (letter(b'<a b="' * 500_000 + b">", b"text/html"), "read"),
    "html of scripts": (letter(b"<script>" * 500_000 + WORDS.encode(), b"text/html"), "read"),
    "html of references": (letter(b"&" * 1_000_000 + b"#" * 1_000_000, b"text/html"), "read"),
    "nothing": (b"", "letter_empty"),
    "noise": (bytes(range(256)) * 2_000, "letter_headers"),
    "an attachment of 9 MB": (
        multipart(
            part(WORDS.encode()),
            part(LARGE * 115_000, b"application/zip; name=a.zip",
                 b"Content-Transfer-Encoding: base64\r\n"),
        ),
        "read",
    ),
    "an attachment of 9 MB that cannot be packed": (
        multipart(
            part(WORDS.encode()),
            part(base64.encodebytes(random.Random(1).randbytes(7_000_000)),
                 b"application/zip; name=a.zip", b"Content-Transfer-Encoding: base64\r\n"),
        ),
        "read",
    ),
    "an attachment of 20 MB": (
        multipart(
            part(WORDS.encode()),
            part(LARGE * 260_000, b"application/zip", b"Content-Transfer-Encoding: base64\r\n"),
        ),
        "letter_large",
    ),
    "a text of 9 MB": (letter(("字" * 3_000_000).encode()), "read"),
    "accents piled up": (letter(("e" + "\u0301" * 500_000).encode()), "read"),
    "nothing but an attachment": (
        letter(b"UEsDBA==", b"application/zip", subject=b"", encoding=b"base64"),
        "letter_empty",
    ),
    "a bounce": (
        multipart(part(b"failed"), kind=b"report; report-type=delivery-status"),
        "letter_bounce",
    ),
    "an answer by a machine": (letter(more=b"Auto-Submitted: auto-replied\r\n"), "letter_automatic"),
}  # fmt: skip
"""Each hostile letter with what becomes of it: `read`, or the code of why it is kept apart."""
