"""What the bytes of a table are, told by themselves, and the rows of a CSV file. Pure."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, Literal, TypeAlias

from moderation.intake.cells import Cell, is_filled
from moderation.intake.refusals import refused

Kind: TypeAlias = Literal["csv", "xlsx", "xls"]
HEADER_WITHIN: Final = 10
"""Exports often put a title or two above the header: it is looked for in so many filled rows."""
ROWS_MAX: Final = 200_000
CSV_ROWS_MAX: Final = 3 * ROWS_MAX
"""Rows of a CSV with the empty ones."""
LINE_MAX: Final = 1_000_000
"""Characters of one line of a CSV: a row of a million commas would be a million cells."""

_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


def kind_of(data: bytes) -> Kind:
    """Told by content: hotline systems name web pages and text files ``.xls``."""
    if data.startswith(b"PK\x03\x04"):
        return "xlsx"
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return "xls"
    start = data[:4096]
    if not re.search(rb"\S", data):
        raise refused("file_empty")
    markup = start.removeprefix(_UTF8_MARK).lstrip()[:1] == b"<"
    binary = b"\0" in start and not start.startswith(_UTF16_MARKS)
    if markup or binary or start.startswith((b"%PDF", b"{\\rtf")):
        raise refused("file_kind_unknown")
    return "csv"


def encoding_of(data: bytes) -> str:
    """UTF-8 when every byte of it is; else GB18030, which holds GBK and GB2312. Never guessed.

    Statistics are no help: they take short Chinese texts for Korean. But GB18030 can also read
    a damaged UTF-8 file, as nonsense; so what has begun as Chinese in UTF-8 is refused instead.
    """
    if data.startswith(_UTF16_MARKS):
        candidates: tuple[str, ...] = ("utf-16",)
    elif data.startswith(_UTF8_MARK):
        candidates = ("utf-8-sig",)
    else:
        candidates = ("utf-8", "gb18030")
    broken_at: int | None = None
    for encoding in candidates:
        place = _broken_at(data, encoding)
        if place is None:
            return encoding
        broken_at = place if broken_at is None else broken_at
        if encoding == "utf-8" and _is_chinese_utf8(data, place):
            break
    raise refused("encoding_unknown", byte=(broken_at or 0) + 1)


_PIECE: Final = 1024 * 1024


def _broken_at(data: bytes, encoding: str) -> int | None:
    """Where the bytes are no text of this encoding. They are decoded piece by piece: the whole text
    would be several times as large as the file."""
    decoder, view = codecs.getincrementaldecoder(encoding)(), memoryview(data)
    for start in range(0, len(data), _PIECE):
        end = min(start + _PIECE, len(data))
        try:
            decoder.decode(view[start:end], end == len(data))
        except UnicodeDecodeError as error:
            # What it speaks of may begin with bytes that were left of the piece before.
            return end - len(error.object) + error.start
    return None


def _is_chinese_utf8(data: bytes, end: int) -> bool:
    """Twenty three-byte characters: GB18030 bytes fall out of UTF-8 after two or three."""
    found = re.compile(rb"[\xe0-\xef][\x80-\xbf]{2}").finditer(data, 0, end)
    return len(list(islice(found, 20))) == 20


# ── CSV ──────────────────────────────────────────────────────────────────────────────────────


def csv_rows(data: bytes, encoding: str) -> Iterator[Sequence[Cell]]:
    """Rows of a CSV file, the text decoded piece by piece.

    Strict about quotation marks: one that never closes would swallow the rows after it.
    """
    with io.TextIOWrapper(io.BytesIO(data), encoding, newline="") as text:
        delimiter = _delimiter_of(islice(_lines(text), HEADER_WITHIN))
    good = 0
    with io.TextIOWrapper(io.BytesIO(data), encoding, newline="") as text:
        try:
            for row in csv.reader(_lines(text), delimiter=delimiter, strict=True):
                good += 1
                yield row
        except csv.Error:
            raise refused("csv_broken", row=good + 1) from None


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    """Line by line, none of them read beyond its bound."""
    number = 0
    while line := text.readline(LINE_MAX + 1):
        number += 1
        if len(line) > LINE_MAX:
            raise refused("line_too_long", row=number, limit=LINE_MAX)
        yield line


def check_csv(data: bytes, encoding: str) -> None:
    """Goes through the rows once before any is read for what it says: that takes fifty times as long,
    and a broken file would be refused only at its end."""
    filled = 0
    for count, row in enumerate(csv_rows(data, encoding)):
        filled += is_filled(row)
        if count > CSV_ROWS_MAX or filled > ROWS_MAX + HEADER_WITHIN:
            raise refused("too_many_rows", limit=ROWS_MAX)


def _delimiter_of(lines: Iterable[str]) -> str:
    """What separates the first line that is separated at all; a comma where nothing tells."""
    for line in lines:
        best = max(",\t;", key=line.count)
        if best in line:
            return best
    return ","
