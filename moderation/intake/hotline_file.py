"""Reads a file of work orders as the 12345 hotline hands it over: ``.csv``, ``.xlsx``, ``.xls``.

The road: bound the bytes → tell the kind by content → bound what the bytes unpack to → find the
header → every row becomes an item or a refusal (:mod:`moderation.intake.normal_form`).

A workbook may be made to hurt and is opened with care (:mod:`moderation.intake.workbook`); in a CSV
``=1+1`` is four characters of text.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from moderation.intake.cells import Cell, is_filled
from moderation.intake.columns import Columns, match_columns
from moderation.intake.normal_form import IncomingItem, Repeat, item_from_row, settle_repeats
from moderation.intake.refusals import FileRefused, RowRefusal, refused
from moderation.intake.table_bytes import (
    HEADER_WITHIN,
    ROWS_MAX,
    Kind,
    check_csv,
    csv_rows,
    encoding_of,
    kind_of,
)
from moderation.intake.workbook import COLUMNS_MAX, XLS_UNPACKS, check_zip, open_workbook

CSV_BYTES_MAX: Final = 64 * 1024 * 1024
WORKBOOK_BYTES_MAX: Final = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class HotlineFile:
    """What a file says.

    ``items``: one entry for each row kept or refused, in the order of the file; ``repeats``: rows
    that say the same as another row with their number. ``mapping`` tells what each of ``columns``
    was taken for (``None`` = unknown, kept in ``extra``) and may be given back as a mapping.
    ``encoding`` and ``sheet`` are ``""`` where they do not apply.
    """

    kind: Kind
    encoding: str
    sheet: str
    columns: tuple[str, ...]
    mapping: Mapping[str, str | None]
    items: tuple[IncomingItem | RowRefusal, ...]
    repeats: tuple[Repeat, ...]

    @property
    def rows(self) -> int:
        """How many filled rows stand below the header: each is an item, refused or a repeat."""
        return len(self.items) + len(self.repeats)

    @property
    def refusals(self) -> tuple[RowRefusal, ...]:
        return tuple(entry for entry in self.items if isinstance(entry, RowRefusal))


def read_hotline_file(
    path: str | os.PathLike[str], mapping: Mapping[str, str | None] | None = None
) -> HotlineFile:
    """Read the file at ``path``. See :func:`read_hotline_bytes`; also ``file_unreadable``."""
    try:
        with open(path, "rb") as file:
            data = file.read(CSV_BYTES_MAX + 1)
    except OSError as error:
        raise refused("file_unreadable", reason=error.strerror or "") from None
    return read_hotline_bytes(data, mapping)


def read_hotline_bytes(data: bytes, mapping: Mapping[str, str | None] | None = None) -> HotlineFile:
    """Read the bytes of a CSV, XLSX or XLS file, whatever its name was.

    ``mapping``: header → canonical name or ``None``, see
    :func:`~moderation.intake.columns.match_columns`.

    Raises :class:`FileRefused` with a code of :data:`FILE_REFUSALS` or of ``match_columns``.
    Rows are counted with the header as row 1; empty rows are passed over.
    """
    kind = kind_of(data)
    limit = CSV_BYTES_MAX if kind == "csv" else WORKBOOK_BYTES_MAX
    if len(data) > limit:
        raise refused("file_too_large", limit=limit >> 20)
    if kind == "csv":
        encoding = encoding_of(data)
        check_csv(data, encoding)
        rows = csv_rows(data, encoding)
        return _read(kind, encoding, "", *_find_header(rows, mapping))
    unpacked = check_zip(data) if kind == "xlsx" else XLS_UNPACKS * len(data)
    with open_workbook(data, unpacked) as workbook:
        sheet = _sheet_of(workbook.heads, mapping)
        return _read(kind, "", sheet, *_find_header(workbook.rows(sheet), mapping))


def _read(
    kind: Kind, encoding: str, sheet: str, columns: Columns, rows: Iterator[Sequence[Cell]]
) -> HotlineFile:
    items, repeats = settle_repeats(
        (
            item_from_row(number, cells, columns)
            for number, cells in _bounded(enumerate(rows, start=2))
        ),
        columns.header_of("external_id"),
    )
    return HotlineFile(kind, encoding, sheet, columns.headers, columns.as_mapping(), items, repeats)


def _bounded(rows: Iterable[tuple[int, Sequence[Cell]]]) -> Iterator[tuple[int, Sequence[Cell]]]:
    """The filled rows, no more than :data:`ROWS_MAX`."""
    filled = ((number, cells) for number, cells in rows if is_filled(cells))
    for count, row in enumerate(filled, start=1):
        if count > ROWS_MAX:
            raise refused("too_many_rows", limit=ROWS_MAX)
        yield row


# ── Header ───────────────────────────────────────────────────────────────────────────────────


def _find_header(
    rows: Iterator[Sequence[Cell]], mapping: Mapping[str, str | None] | None
) -> tuple[Columns, Iterator[Sequence[Cell]]]:
    """The first row that can be a header, and the rows below it.

    When none can, the refusal speaks of the fullest row, which is what a person calls the header.
    """
    refusals: list[tuple[int, FileRefused]] = []
    for cells in islice(filter(is_filled, rows), HEADER_WITHIN):
        width = max(place for place, cell in enumerate(cells, start=1) if is_filled([cell]))
        if width > COLUMNS_MAX:
            raise refused("too_many_columns", limit=COLUMNS_MAX)
        try:
            return match_columns(cells, mapping), rows
        except FileRefused as refusal:
            if refusal.code == "columns_conflict":
                raise
            refusals.append((width, refusal))
    if not refusals:
        raise refused("file_empty")
    raise max(refusals, key=lambda each: each[0])[1]


def _sheet_of(
    heads: Mapping[str, Sequence[Sequence[Cell]]], mapping: Mapping[str, str | None] | None
) -> str:
    """The one visible sheet whose header can be read."""
    if not heads:
        raise refused("file_empty")
    readable: list[str] = []
    refusals: list[FileRefused] = []
    for name, head in heads.items():
        try:
            _find_header(iter(head), mapping)
        except FileRefused as refusal:
            refusals.append(refusal)
        else:
            readable.append(name)
    if not readable:
        raise refusals[0]
    if len(readable) > 1:
        raise refused("sheets_ambiguous", sheets="、".join(readable))
    return readable[0]
