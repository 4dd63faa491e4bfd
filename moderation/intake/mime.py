"""A message's headers and parts, found within bounds. Pure.

Python's own parser keeps every line of a message as an object of its own: ten megabytes of line breaks
are half a gigabyte. Here parts are places in the bytes, found in one pass for each level, and only what
is read is decoded.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from typing import Final

from moderation.intake.charsets import decoded, label_of

PARTS_MOST: Final = 200
DEPTH_MOST: Final = 20
HEADERS_MOST: Final = 256 * 1024
"""Bytes of a message's headers, and the most of each of its parts'."""
LINES_MOST: Final = 2_000
VALUE_MOST: Final = 8 * 1024
PARAMETERS_MOST: Final = 2_000
"""Bytes of a header with parameters: Python reads them in quadratic time."""
DECODED_MOST: Final = 1024 * 1024
"""Bytes of one part that are read as text."""


class Unreadable(Exception):
    """A message beyond the bounds; `code` says which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Headers:
    """Headers in their order, names in small letters, values unfolded and still bytes."""

    all: tuple[tuple[str, bytes], ...]

    def get(self, name: str) -> bytes:
        """The first of this name, or nothing."""
        return next((value for one, value in self.all if one == name), b"")

    def text(self, name: str) -> str:
        """The first of this name as it was meant to be read."""
        return words(self.get(name))

    def any(self, beginning: str) -> bool:
        """Whether a header's name begins so."""
        return any(one.startswith(beginning) for one, _ in self.all)


@dataclass(frozen=True, slots=True)
class Part:
    """One part: ``raw[start:end]`` is its body as it was sent. A multipart or a forwarded message has
    `parts`. `name` is its file's name."""

    kind: str
    headers: Headers
    start: int
    end: int
    charset: str = ""
    name: str = ""
    attached: bool = False
    parts: tuple[Part, ...] = ()
    report: str = field(default="", repr=False)


def read_message(raw: bytes) -> Part:
    """The message as a tree. Raises :class:`Unreadable` (``letter_parts``, ``letter_depth``,
    ``letter_headers``)."""
    return _Reader(raw).message(0, len(raw), 0)


class _Reader:
    """One message being read; counts its parts."""

    def __init__(self, raw: bytes) -> None:
        self._raw, self._seen = raw, 0

    def message(self, start: int, end: int, depth: int) -> Part:
        headers, body = self._headers(start, end)
        return self._part(headers, body, end, depth)

    def _part(self, headers: Headers, start: int, end: int, depth: int) -> Part:
        self._seen += 1
        if self._seen > PARTS_MOST:
            raise Unreadable("letter_parts")
        if depth > DEPTH_MOST:
            raise Unreadable("letter_depth")
        told = _told(headers)
        kind = told.get_content_type()
        parts: tuple[Part, ...] = ()
        if kind.startswith("multipart/"):
            parts = tuple(self._children(_boundary(told), start, end, depth + 1))
            kind = kind if parts else "text/plain"
        elif kind == "message/rfc822" and _encoding(headers) not in {"base64", "quoted-printable"}:
            parts = (self.message(start, end, depth + 1),)
        disposition = told.get_content_disposition()
        return Part(
            kind=kind,
            headers=headers,
            start=start,
            end=end,
            charset=_parameter(told, "charset"),
            name=_parameter(told, "filename", "content-disposition") or _parameter(told, "name"),
            attached=disposition == "attachment",
            parts=parts,
            report=_parameter(told, "report-type").lower(),
        )

    def _children(self, boundary: bytes, start: int, end: int, depth: int) -> Iterator[Part]:
        if not boundary:
            return
        # Possessive: what a line of spaces has taken is never given back.
        line = re.compile(rb"\n--" + re.escape(boundary) + rb"(--)?[ \t]*+\r?(?:\n|\Z)")
        at, begun = max(start - 1, 0), -1
        while True:
            found = line.search(self._raw, at, end)
            if begun >= 0:
                until = found.start() if found else end
                if self._raw[until - 1 : until] == b"\r" and until > begun:
                    until -= 1
                yield self.message(begun, max(until, begun), depth)
            if found is None or found[1]:
                return
            begun = found.end()
            at = begun - 1

    def _headers(self, start: int, end: int) -> tuple[Headers, int]:
        """The headers that begin at `start`, and where what follows them begins."""
        raw = self._raw
        if raw[start : start + 2] == b"\r\n" or raw[start : start + 1] == b"\n":
            return Headers(()), min(end, start + (2 if raw[start : start + 1] == b"\r" else 1))
        blank = _BLANK.search(raw, start, min(end, start + HEADERS_MOST))
        if blank is None and end - start > HEADERS_MOST:
            raise Unreadable("letter_headers")
        block = raw[start : blank.start() if blank else end]
        if block.count(b"\n") > LINES_MOST:
            raise Unreadable("letter_headers")
        return Headers(tuple(_lines(block))), blank.end() if blank else end


_BLANK: Final = re.compile(rb"\r?\n\r?\n")
_NAME: Final = re.compile(rb"[!-9;-~]{1,100}")


def _lines(block: bytes) -> Iterator[tuple[str, bytes]]:
    name, value = "", bytearray()
    for line in block.split(b"\n"):
        line = line.rstrip(b"\r")
        if line[:1] in {b" ", b"\t"}:
            if name and len(value) < VALUE_MOST:
                value += b" " + line.strip()[:VALUE_MOST]
            continue
        if name:
            yield name, bytes(value[:VALUE_MOST])
        before, colon, after = line.partition(b":")
        before = before.rstrip()
        name = before.decode("ascii").lower() if colon and _NAME.fullmatch(before) else ""
        value = bytearray(after.strip()[:VALUE_MOST])
    if name:
        yield name, bytes(value[:VALUE_MOST])


# ── What a header says ───────────────────────────────────────────────────────────────────────


def _told(headers: Headers) -> Message:
    """The headers that have parameters, for Python to read."""
    told = Message()
    for name in ("content-type", "content-disposition"):
        value = headers.get(name)[:PARAMETERS_MOST]
        if value:
            told[name] = decoded(value).replace("\0", "")
    return told


def _boundary(told: Message) -> bytes:
    return _parameter(told, "boundary").encode("ascii", "ignore")[:200].rstrip()


def _parameter(told: Message, name: str, header: str = "content-type") -> str:
    """A parameter in any of its forms: plain, as encoded words, or as RFC 2231 says."""
    try:
        value = told.get_param(name, "", header)
    except (ValueError, IndexError):  # Python stumbles over some broken continuations
        return ""
    if isinstance(value, tuple):
        return decoded(value[2].encode("raw-unicode-escape"), value[0] or "")
    return words(value.encode("utf-8", "replace"))


def _encoding(headers: Headers) -> str:
    return headers.get("content-transfer-encoding").decode("ascii", "replace").strip().lower()


_WORD: Final = re.compile(
    rb"=\?([A-Za-z0-9_.:-]{1,60})(?:\*[A-Za-z0-9-]{0,20})?\?([BbQq])\?([^?]*)\?="
)


def words(value: bytes) -> str:
    """A header as it was meant to be read: encoded words decoded, bare bytes by their look.

    Words of one charset that follow one another are joined before they are decoded: many programs cut
    them inside a character.
    """
    pieces: list[str] = []
    label, pending, at = "", b"", 0
    for word in _WORD.finditer(value[:VALUE_MOST]):
        between = value[at : word.start()]
        charset = word[1].decode("ascii")
        same = label_of(charset) == label_of(label) and (label_of(label) or charset == label)
        if pending and not (same and not between.strip()):
            pieces.append(decoded(pending, label))
            pending = b""
        if between.strip() or not at:
            pieces.append(decoded(between))
        label = charset
        pending += _base64(word[3]) if word[2] in b"Bb" else _quoted(word[3].replace(b"_", b" "))
        at = word.end()
    if pending:
        pieces.append(decoded(pending, label))
    return "".join((*pieces, decoded(value[at:VALUE_MOST])))


# ── What a part holds ────────────────────────────────────────────────────────────────────────


def text_of(raw: bytes, part: Part) -> tuple[str, bool]:
    """A part's text, and whether more of it stands there than is read."""
    encoding = _encoding(part.headers)
    # Base64 is 4/3 as long, a quoted character three times.
    most = DECODED_MOST * {"base64": 2, "quoted-printable": 3}.get(encoding, 1)
    body = raw[part.start : min(part.end, part.start + most)]
    if encoding == "base64" and _is_base64(body):
        data = _base64(body)
    elif encoding == "quoted-printable":
        data = _quoted(body)
    else:
        data = body
    cut = part.end - part.start > most or len(data) > DECODED_MOST
    return decoded(data[:DECODED_MOST], part.charset or _told_by_html(part, data)), cut


_META: Final = re.compile(
    rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([A-Za-z0-9_-]{1,40})", re.IGNORECASE
)


def _told_by_html(part: Part, data: bytes) -> str:
    found = _META.search(data, 0, 2048) if part.kind == "text/html" else None
    return found[1].decode("ascii") if found else ""


_NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/]+")


def _is_base64(body: bytes) -> bool:
    """Whether a body that is called so can be: a text that is not has other signs on every line."""
    head = body[:4096]
    strange = re.sub(rb"[A-Za-z0-9+/=\s]+", b"", head)
    return len(strange) * 50 <= len(head) and b" " not in head.strip()[:200].replace(b"\r\n", b"")


def _base64(text: bytes) -> bytes:
    """What can be read of it: signs that do not belong are left out, a broken end is cut off."""
    letters = _NOT_BASE64.sub(b"", text)
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


def _quoted(text: bytes) -> bytes:
    return binascii.a2b_qp(text)
