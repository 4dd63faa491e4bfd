"""The one normal form of an incoming item, and how a row of a sender's table becomes it. Pure.

Every road in (hotline file, mailbox, webhook) ends in an :class:`IncomingItem`. A row of a table
becomes one by :func:`item_from_row`, or a :class:`RowRefusal` that names row, column and reason.
Nothing is guessed silently: what cannot be told is refused, what is not known is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from moderation.intake.cells import (
    CELL_MAX,
    Cell,
    clean_cell,
    one_line,
    parse_count,
    parse_moment,
    split_path,
    split_tags,
    text_of,
)
from moderation.intake.columns import Columns
from moderation.intake.refusals import RowRefusal
from server.domain.questions import TEXT_LONGEST

EXTERNAL_ID_MAX: Final = 128
EXACT_DIGITS: Final = 15
"""A workbook keeps numbers as binary fractions: digits beyond these are already lost."""


@dataclass(frozen=True, slots=True)
class IncomingItem:
    """One letter, call or work order as its sender knows it, cleaned, with nothing masked yet.

    Two items are equal when they say the same, wherever they stood: ``row`` does not count.
    Texts are never ``None``; an absent one is ``""``. ``extra`` holds the columns nobody here
    knows, by header, without the empty cells. Times are aware, in :data:`SHANGHAI`.
    ``office`` is the section inside the handling agency, not the owner of the data.
    """

    row: int = field(compare=False)
    external_id: str
    content: str
    title: str = ""
    channel: str = ""
    request_type: str = ""
    requester_name: str = ""
    requester_phone: str = ""
    district: str = ""
    subdistrict: str = ""
    community: str = ""
    location: str = ""
    category_path: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    agency: str = ""
    office: str = ""
    role: str = ""
    accepted_at: datetime | None = None
    dispatched_at: datetime | None = None
    due_at: datetime | None = None
    closed_at: datetime | None = None
    status: str = ""
    result: str = ""
    reply: str = ""
    public_reply: str = ""
    resolved: str = ""
    satisfaction: str = ""
    urgency: str = ""
    warning: str = ""
    enterprise: str = ""
    dispatcher: str = ""
    attachments: str = ""
    public_consent: str = ""
    likes: int = 0
    extra: Mapping[str, str] = field(default_factory=dict, hash=False)


# ── Rows ─────────────────────────────────────────────────────────────────────────────────────


_DATES: Final = ("accepted_at", "dispatched_at", "due_at", "closed_at")
_NOT_PLAIN_TEXT: Final = frozenset(
    {"external_id", "content", "category_path", "category_major", "category_minor", "tags", "likes"}
    | set(_DATES)
)


class _Refused(Exception):
    """Inside this module only: a value's refusal on its way to becoming a row's."""

    def __init__(self, canonical: str, code: str) -> None:
        self.canonical = canonical
        self.code = code


def item_from_row(row: int, cells: Sequence[Cell], columns: Columns) -> IncomingItem | RowRefusal:
    """Turn one row into an item, or say why not.

    A row has at most one refusal, the first of: a cell or row out of bounds, the sender's
    number, the content, the time of acceptance (it decides which record is newer), the count.
    An unreadable time of another kind (``5个工作日`` is a usual limit) is kept in ``extra``.
    """
    for place, cell in enumerate(cells):
        if isinstance(cell, str) and len(cell) > CELL_MAX:
            header = columns.headers[place] if place < len(columns.headers) else None
            return RowRefusal(row, header, "cell_too_long")
    if any(clean_cell(cell) for cell in cells[len(columns.headers) :]):
        return RowRefusal(row, None, "too_many_cells")
    known: dict[str, Cell] = {}
    extra: dict[str, str] = {}
    for header, meaning, cell in zip(columns.headers, columns.meanings, cells, strict=False):
        if meaning is not None:
            known[meaning] = cell
        elif text := clean_cell(cell):
            extra[header] = text
    try:
        return _item(row, known, extra, columns)
    except _Refused as refused:
        return RowRefusal(row, columns.header_of(refused.canonical), refused.code)


def _item(
    row: int, known: Mapping[str, Cell], extra: dict[str, str], columns: Columns
) -> IncomingItem:
    external_id = _external_id(known.get("external_id"))
    content = _content(known.get("content"))
    try:
        accepted_at = parse_moment(known.get("accepted_at"))
    except ValueError:
        raise _Refused("accepted_at", "date_invalid") from None
    try:
        likes = parse_count(known.get("likes"))
    except ValueError:
        raise _Refused("likes", "count_invalid") from None
    moments: dict[str, datetime | None] = {}
    for name in _DATES[1:]:
        try:
            moments[name] = parse_moment(known.get(name))
        except ValueError:
            extra[columns.header_of(name) or name] = clean_cell(known.get(name))
    texts = {name: clean_cell(cell) for name, cell in known.items() if name not in _NOT_PLAIN_TEXT}
    return IncomingItem(
        row=row,
        external_id=external_id,
        content=content,
        category_path=_category(known),
        tags=split_tags(clean_cell(known.get("tags"))),
        accepted_at=accepted_at,
        dispatched_at=moments.get("dispatched_at"),
        due_at=moments.get("due_at"),
        closed_at=moments.get("closed_at"),
        likes=likes,
        extra=extra,
        **texts,
    )


_SCIENTIFIC: Final = re.compile(r"[0-9](?:\.[0-9]+)?[Ee]\+?[0-9]+")


def _external_id(cell: Cell) -> str:
    text = one_line(text_of(cell))
    if not text or isinstance(cell, bool):
        raise _Refused("external_id", "external_id_missing")
    rounded = isinstance(cell, float) and abs(cell) >= 10**EXACT_DIGITS
    if rounded or _SCIENTIFIC.fullmatch(text):
        raise _Refused("external_id", "external_id_rounded")
    if len(text) > EXTERNAL_ID_MAX:
        raise _Refused("external_id", "external_id_too_long")
    return text


def _content(cell: Cell) -> str:
    text = clean_cell(cell)
    if not text:
        raise _Refused("content", "content_missing")
    if len(text) > TEXT_LONGEST:
        raise _Refused("content", "content_too_long")
    return text


def _category(known: Mapping[str, Cell]) -> tuple[str, ...]:
    """The path column, then what the two-column form adds to it."""
    path: list[str] = []
    for name in ("category_path", "category_major", "category_minor"):
        steps = split_path(text_of(known.get(name)))
        path += [step for step in steps if step not in path] if path else steps
    return tuple(path)


# ── Repeats ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Repeat:
    """A row that says the same as another row of the file, which was kept: nothing is lost with it."""

    row: int
    kept_row: int


@dataclass(frozen=True, slots=True)
class Entries:
    """What a message or an answer holds: one entry for each item kept or refused, in its order (``row``
    counts from 1), and items that say the same as another with their number."""

    items: tuple[IncomingItem | RowRefusal, ...]
    repeats: tuple[Repeat, ...]

    @property
    def refusals(self) -> tuple[RowRefusal, ...]:
        return tuple(entry for entry in self.items if isinstance(entry, RowRefusal))


def settle_repeats(
    entries: Iterable[IncomingItem | RowRefusal], column: str | None = None
) -> tuple[tuple[IncomingItem | RowRefusal, ...], tuple[Repeat, ...]]:
    """Keep one item for each number: the later ``accepted_at``, else the later row.

    Returns, both in the order of the file: what is kept or refused, and the rows that said the
    same. An older row that said something else is refused as ``row_repeated``: what it said does
    not come in, so somebody is told. ``column`` is the header of the sender's number.
    Settling here, not while storing, is what makes a second import of a file change nothing.
    """
    rows: dict[int, IncomingItem | RowRefusal] = {}
    kept: dict[str, IncomingItem] = {}
    older: list[IncomingItem] = []
    for entry in entries:
        rows[entry.row] = entry
        if isinstance(entry, RowRefusal):
            continue
        rival = kept.get(entry.external_id)
        kept[entry.external_id] = entry if rival is None else max(entry, rival, key=_age)
        if rival is not None:
            older.append(min(entry, rival, key=_age))
    repeats: list[Repeat] = []
    for item in sorted(older, key=lambda item: item.row):
        winner = kept[item.external_id]
        if item == winner:
            del rows[item.row]
            repeats.append(Repeat(item.row, winner.row))
        else:
            rows[item.row] = RowRefusal(item.row, column, "row_repeated", winner.row)
    return tuple(rows.values()), tuple(repeats)


def _age(item: IncomingItem) -> tuple[float, int]:
    return (item.accepted_at.timestamp() if item.accepted_at else float("-inf"), item.row)
