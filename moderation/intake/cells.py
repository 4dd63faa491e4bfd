"""What one cell of a table says: text, a moment, a count, a path, tags. Pure.

Nothing is guessed: what cannot be read is a :class:`ValueError` without the text in its message.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final, TypeAlias

from moderation.policy import clean_public_text

Cell: TypeAlias = str | int | float | bool | date | datetime | time | timedelta | None
"""What a table's cell may hold; a true date of a workbook is a ``date`` or ``datetime``."""

SHANGHAI: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
"""A fixed +08:00 (no summer time since 1991), so that no time zone file has to be read."""

CELL_MAX: Final = 32_767
COUNT_MAX: Final = 1_000_000_000

_ESCAPE: Final = re.compile(r"_x(00[01][0-9A-Fa-f]|005[Ff])_")
_SPACES: Final = re.compile(r"\s+")


def unescape(text: str) -> str:
    """Undo how workbooks write control characters (``_x000D_``) and their own underscore."""
    if "_x00" not in text:
        return text
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)


def text_of(cell: Cell) -> str:
    """A cell as the text that a person saw in it, not yet cleaned."""
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="seconds")
    return str(cell)


def clean_cell(cell: Cell) -> str:
    """A cell as clean text (several lines allowed): escapes undone, then the one cleaning."""
    if cell is None or cell == "":
        return ""
    text = text_of(cell)
    return _clean_short(text) if len(text) <= _SHORT else _clean(text)


_SHORT: Final = 24
"""Characters of what is likely chosen from a list: a hundred thousand rows say the same few of them,
and hold one of each."""


def _clean(text: str) -> str:
    return clean_public_text(unescape(text))


_clean_short = lru_cache(maxsize=4096)(_clean)


def one_line(text: str) -> str:
    if not text:
        return ""
    return _SPACES.sub(" ", clean_public_text(unescape(text)))


def is_filled(cells: Iterable[Cell]) -> bool:
    """Whether any of the cells says anything."""
    return any(cell.strip() if isinstance(cell, str) else cell is not None for cell in cells)


# Six numbers and an offset each. The seconds' fraction is not kept.
_MOMENT: Final = re.compile(
    r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?"
    r"(?:(?:\s*T\s*|\s+|(?<=日))([0-9]{1,2})[:时]([0-9]{1,2})分?"
    r"(?::?([0-9]{1,2})(?:\.[0-9]+)?秒?)?)?\s*(?P<offset>Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_COMPACT_MOMENT: Final = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})(?:([0-9]{2})([0-9]{2})([0-9]{2}))?(?P<offset>Z)?"
)
_NOTHING: Final = frozenset(
    ("", "-", "--", "—", "——", "/", "\\", "无", "null", "none", "nan", "n/a")
)
_SERIAL_ZERO: Final = datetime(1899, 12, 30, tzinfo=SHANGHAI)
_YEARS: Final = range(1949, 2101)


def parse_moment(cell: Cell) -> datetime | None:
    """Read a date and time as Asia/Shanghai; ``None`` for an empty cell or a stroke.

    Read: true dates; ``2019/2/28 11:25:05``, ``2019-02-28 11:25``, ``2019年2月28日 11时25分``,
    ``20190228112505``, ISO 8601 with an offset; a bare date is midnight; a *number* is a workbook
    serial (a *text* of digits is not: it may be anything). Years 1949–2100.

    Raises :class:`ValueError` for anything else, without the text in its message.
    """
    if isinstance(cell, datetime):
        moment = cell if cell.tzinfo else cell.replace(tzinfo=SHANGHAI)
    elif isinstance(cell, date):
        moment = datetime(cell.year, cell.month, cell.day, tzinfo=SHANGHAI)
    elif isinstance(cell, (int, float)) and not isinstance(cell, bool) and 0 < cell < 100_000:
        moment = _SERIAL_ZERO + timedelta(days=cell)
    else:
        read = _moment_of_text(text_of(cell)) if cell not in (None, "") else None
        if read is None:
            return None
        moment = read
    if moment.year not in _YEARS:
        raise ValueError("a year out of range")
    return (moment + timedelta(milliseconds=500)).replace(microsecond=0).astimezone(SHANGHAI)


def _moment_of_text(text: str) -> datetime | None:
    found = _MOMENT.fullmatch(text)
    if found is None:
        text = one_line(unicodedata.normalize("NFKC", text))
        if text.lower() in _NOTHING:
            return None
        found = _MOMENT.fullmatch(text) or _COMPACT_MOMENT.fullmatch(text)
    if found is None:
        raise ValueError("not a date")
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    return datetime(year, month, day, hour, minute, second, tzinfo=_offset(found["offset"]))


def _offset(text: str | None) -> tzinfo:
    if text is None or text == "Z":
        return SHANGHAI if text is None else UTC
    sign = -1 if text.startswith("-") else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))


def parse_count(cell: Cell) -> int:
    """Read a whole number of things, 0 for an empty cell. Raises :class:`ValueError`."""
    if cell in (None, ""):
        return 0
    text = one_line(unicodedata.normalize("NFKC", text_of(cell)))
    if text.lower() in _NOTHING:
        return 0
    if not re.fullmatch(r"[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+(?:\.0+)?", text) or len(text) > 16:
        raise ValueError("not a count")
    count = int(text.replace(",", "").partition(".")[0])
    if count > COUNT_MAX:
        raise ValueError("too large")
    return count


@lru_cache(maxsize=4096)
def split_path(text: str) -> tuple[str, ...]:
    """``1.城乡建设>施工管理`` or ``城乡建设->施工管理`` → its steps, without list numbers."""
    steps = re.split(r"\s*(?:-+>|[>＞→])\s*", one_line(text))
    return tuple(step for raw in steps if (step := re.sub(r"^[0-9]+[.、．]\s*(?=\D)", "", raw)))


def split_tags(text: str) -> tuple[str, ...]:
    """A comma list, Chinese or Western commas, each tag once, in the order given."""
    tags = (tag.strip() for tag in re.split(r"[,，、;；|\n]", text))
    return tuple(dict.fromkeys(tag for tag in tags if tag))
