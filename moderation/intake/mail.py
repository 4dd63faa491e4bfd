"""A letter by e-mail: bytes of a message to the one normal form, or why not. Pure, and never raises.

What is slightly wrong is read as well as it can be; what has nothing to read, is a machine's answer or
goes beyond the bounds is told by a code of :data:`LETTER_REFUSALS` and kept apart whole.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from typing import Final

from moderation.intake.cells import SHANGHAI, clean_cell, one_line
from moderation.intake.html_text import text_of_html
from moderation.intake.mime import (
    DEPTH_MOST,
    PARTS_MOST,
    Headers,
    Part,
    Unreadable,
    read_message,
    text_of,
)
from moderation.intake.normal_form import IncomingItem
from server.domain.questions import TEXT_LONGEST

LETTER_LARGEST: Final = 10 * 1024 * 1024
"""Bytes of a message that is fetched at all."""
TITLE_LONGEST: Final = 200
NAME_LONGEST: Final = 80
FILES_MOST: Final = 20
"""Names of attachments that are told."""

LETTER_REFUSALS: Final[Mapping[str, tuple[str, str]]] = {
    "letter_large": (
        f"邮件超过 {LETTER_LARGEST // 1024 // 1024} MB，没有取回，仍在邮箱里",
        f"the message is larger than {LETTER_LARGEST // 1024 // 1024} MB: it was left in the mailbox",
    ),
    "letter_parts": (
        f"邮件多于 {PARTS_MOST} 个部分",
        f"the message has more than {PARTS_MOST} parts",
    ),
    "letter_depth": (
        f"邮件嵌套超过 {DEPTH_MOST} 层",
        f"the message is nested more than {DEPTH_MOST} deep",
    ),
    "letter_headers": ("邮件头过长", "the message's headers are too long"),
    "letter_empty": ("邮件里没有可读的文字", "the message holds no readable text"),
    "letter_bounce": ("退信通知，不是来信", "a notice about an undelivered message, not a letter"),
    "letter_automatic": ("对方系统的自动答复，不是来信", "an automatic answer, not a letter"),
    "letter_unfetched": (
        "邮箱服务器交不出这封邮件，仍在邮箱里",
        "the mail server could not hand this message over: it was left in the mailbox",
    ),
    "letter_unreadable": ("邮件无法读取", "the message cannot be read"),
}
"""Every reason for which a letter is kept apart: stable code → Chinese and English sentence."""

CUT: Final = "\n\n（来信过长，以下从略；原件已封存。）"
"""What stands at the end of a text that was cut."""
FORWARDED: Final = "———— 转发的邮件 ————"
CHANNEL: Final = "电子邮件"
CHECKED: Final = "邮件验证"
"""The extra column that tells what the receiving server found of SPF, DKIM and DMARC."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter that can be read. `answer_to` is where an acknowledgement may go, "" = nowhere;
    `message_id` is what it would refer to."""

    item: IncomingItem
    answer_to: str = ""
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that is kept apart: a code of :data:`LETTER_REFUSALS`, and the number that it would
    have had."""

    code: str
    external_id: str

    @property
    def zh(self) -> str:
        return LETTER_REFUSALS[self.code][0]

    @property
    def en(self) -> str:
        return LETTER_REFUSALS[self.code][1]


def read_letter(
    raw: bytes, *, row: int = 0, arrived: datetime | None = None, own: str = ""
) -> Letter | Refused:
    """Read a message. `arrived` is when the mailbox got it; `own` is the address that acknowledgements
    come from, which is never answered."""
    number = number_of(raw)
    if len(raw) > LETTER_LARGEST:
        return Refused("letter_large", number)
    try:
        return _read(raw, number, row, arrived, own.lower())
    except Unreadable as refusal:
        return Refused(refusal.code, number)
    except Exception:  # Whatever nobody thought of is kept apart as well, and the next one goes on.
        return Refused("letter_unreadable", number)


_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_MESSAGE_ID: Final = re.compile(rb"(?:\A|\n)message-id:\s*(<[^<>\s]{1,500}>)", re.IGNORECASE)


def number_of(raw: bytes) -> str:
    """What a letter is known by wherever it lies: its Message-ID and its body. The headers on its way
    may grow; and whoever takes another letter's Message-ID does not take its place. It tells nothing
    of the sender, as a Message-ID often does."""
    head = _HEAD_END.search(raw, 0, 1024 * 1024)
    found = _MESSAGE_ID.search(raw, 0, head.start() + 1 if head else min(len(raw), 1024 * 1024))
    told = hashlib.sha256(found[1] + b"\0" if found else b"")
    told.update(memoryview(raw)[head.end() :] if found and head else raw)
    return f"M-{told.hexdigest()[:24]}"


def _read(
    raw: bytes, number: str, row: int, arrived: datetime | None, own: str
) -> Letter | Refused:
    message = read_message(raw)
    headers = message.headers
    automatic = headers.get("auto-submitted").split(b";")[0].strip().lower()
    if message.kind == "multipart/report" and message.report in {"delivery-status", ""}:
        return Refused("letter_bounce", number)
    if automatic == b"auto-replied":
        return Refused("letter_automatic", number)
    texts = list(_texts(raw, message))
    content = _content(texts)
    title = one_line(headers.text("subject"))[:TITLE_LONGEST]
    if not content:
        content = title
    if not content:
        return Refused("letter_empty", number)
    name, address = _sender(headers)
    checked = _checked(headers)
    item = IncomingItem(
        row=row,
        external_id=number,
        content=content,
        title=title,
        channel=CHANNEL,
        requester_name=name,
        requester_phone=address,
        accepted_at=_moment(headers, arrived),
        attachments="、".join(_files(message)),
        extra={CHECKED: checked} if checked else {},
    )
    letter = Letter(item)
    if _may_be_answered(headers, address, checked, own):
        found = re.fullmatch(rb"<[!-;=?-~]{1,240}>", headers.get("message-id"))
        letter = replace(
            letter, answer_to=address, message_id=found[0].decode("ascii") if found else ""
        )
    return letter


# ── What it says ─────────────────────────────────────────────────────────────────────────────


def _texts(raw: bytes, part: Part) -> Iterator[tuple[str, bool]]:
    """The texts that a reader sees, in their order, and whether each was cut."""
    if part.attached and part.kind != "message/rfc822":
        return
    if part.kind == "multipart/alternative":
        yield from _best(raw, part)
    elif part.kind == "message/rfc822":
        for inner in part.parts:
            title = one_line(inner.headers.text("subject"))[:TITLE_LONGEST]
            found = [one for one in _texts(raw, inner) if one[0].strip()]
            if found or title:
                yield f"{FORWARDED}\n{title}", False
                yield from found
    elif part.parts:
        for one in part.parts:
            yield from _texts(raw, one)
    elif part.kind == "text/html":
        text, cut = text_of(raw, part)
        yield text_of_html(text), cut
    elif part.kind in {"text/plain", "text/enriched", "text"} and not part.name:
        yield text_of(raw, part)


def _best(raw: bytes, part: Part) -> Iterator[tuple[str, bool]]:
    """Of the forms of one text the plain one, unless it is empty."""
    forms = sorted(part.parts, key=lambda one: one.kind != "text/plain")
    for one in forms:
        found = list(_texts(raw, one))
        if any(text.strip() for text, _ in found):
            yield from found
            return


def _content(texts: list[tuple[str, bool]]) -> str:
    # What a cleaning may take away (control characters, empty lines) is not counted against the text.
    whole = "\n\n".join(text[: 4 * TEXT_LONGEST] for text, _ in texts if text.strip())
    cut = any(cut or len(text) > 4 * TEXT_LONGEST for text, cut in texts)
    content = clean_cell(whole[: 4 * TEXT_LONGEST])
    if not content or content == FORWARDED:
        return ""
    if len(content) > TEXT_LONGEST or (cut or len(whole) > 4 * TEXT_LONGEST):
        return content[: TEXT_LONGEST - len(CUT)].rstrip() + CUT
    return content


def _files(part: Part) -> list[str]:
    """Names of what is attached."""
    names: list[str] = []
    waiting = [part]
    while waiting and len(names) < FILES_MOST:
        one = waiting.pop()
        if one.kind != "message/rfc822" and one.parts:
            waiting += reversed(one.parts)
            continue
        shown = not one.attached and not one.name and one.kind in {"text/plain", "text/html"}
        if not shown and one.kind != "multipart/alternative":
            name = one_line(one.name)
            if one.kind == "message/rfc822" and one.parts and not name:
                name = one_line(one.parts[0].headers.text("subject"))
            names.append((name or one.kind)[:NAME_LONGEST])
    return names


# ── Who sent it, and when ────────────────────────────────────────────────────────────────────

_ADDRESS: Final = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}"
)
_ANGLED: Final = re.compile(r"<([^<>\s]{3,320})>")


def _sender(headers: Headers) -> tuple[str, str]:
    """(name, address); either may be empty. Names hold commas and brackets as people like, so that the
    address is looked for first and the name is what stands before it."""
    told = headers.text("from")[:1000]
    angled = _ANGLED.findall(told)
    if angled:
        name, address = told[: told.rfind(f"<{angled[-1]}>")], angled[-1]
    else:
        found = _ADDRESS.search(told)
        name, address = "", found[0] if found else ""
    name = one_line(name.strip().strip("\"'"))[:NAME_LONGEST]
    address = one_line(address)[:200]
    return ("" if name.lower() == address.lower() else name), address


_SOON: Final = timedelta(days=1)


def _moment(headers: Headers, arrived: datetime | None) -> datetime | None:
    """When it was written, as it says itself; not after it came."""
    come = arrived.astimezone(SHANGHAI).replace(microsecond=0) if arrived else None
    told = parsedate_tz(headers.get("date")[:100].decode("ascii", "replace"))
    if told is None:
        return come
    try:
        zone = timezone(timedelta(seconds=told[9])) if told[9] is not None else SHANGHAI
        written = datetime(*told[:6], tzinfo=UTC).replace(tzinfo=zone).astimezone(SHANGHAI)
    except (ValueError, OverflowError, TypeError):
        return come
    if not 1990 <= written.year <= 2100 or (come and written > come + _SOON):
        return come
    return written


_VERDICT: Final = re.compile(r"\b(spf|dkim|dmarc)\s*=\s*([a-z]{1,12})", re.IGNORECASE)


def _checked(headers: Headers) -> str:
    """`spf=pass dkim=none`, as the topmost server says that checked it. It is told, not relied on."""
    found = {
        kind.lower(): verdict.lower()
        for kind, verdict in reversed(
            _VERDICT.findall(headers.get("authentication-results").decode("ascii", "replace"))
        )
    }
    return " ".join(f"{kind}={found[kind]}" for kind in ("spf", "dkim", "dmarc") if kind in found)


# ── Whether it may be answered by a machine (RFC 3834) ───────────────────────────────────────

_MACHINES: Final = re.compile(
    r"mailer-daemon|postmaster|no-?_?reply.*|do-?_?not-?_?reply.*|bounces?([+-].*)?|"
    r".*-(request|owner|bounces)|owner-.*|listserv|majordomo|root|daemon|nobody"
)
ANSWERED_ALREADY: Final = b".pingyi@"
"""Stands in the Message-ID of every acknowledgement: who answers one is not answered again."""


def _may_be_answered(headers: Headers, address: str, checked: str, own: str) -> bool:
    """Whether a person wrote it, from an address that is likely the person's own."""
    local = address.partition("@")[0].lower()
    submitted = headers.get("auto-submitted").strip().lower()
    return (
        bool(_ADDRESS.fullmatch(address))
        and address.lower() != own
        and not _MACHINES.fullmatch(local)
        and headers.get("return-path").replace(b" ", b"") != b"<>"
        and submitted in {b"", b"no"}
        and not headers.get("precedence")
        and not headers.any("list-")
        and not headers.any("x-auto-response-suppress")
        and not headers.any("x-autoreply")
        and ANSWERED_ALREADY not in headers.get("in-reply-to") + headers.get("references")
        and "spf=fail" not in checked
        and "dmarc=fail" not in checked
    )
