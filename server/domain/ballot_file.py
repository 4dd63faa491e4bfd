"""`BALLOTS.csv`: read, and written the same each time.

**Row numbers** are those of the file: the header is row 1, the first ballot row is row 2.

Source: the contract, "Rules and ballots".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar

from server.domain.ballots import VALUE_FAULTS, BallotRow, placed
from server.domain.explained import Explained, Sentence, shown
from server.domain.keys import LONGEST_KEY, is_key

COLUMNS = ("subject", "rater", "group", "dimension", "value")
"""The columns of `BALLOTS.csv`, in the order in which they are written."""
CHANNEL = "channel"
"""One column more where the rules are a composite."""
HEADER_ROW = 1
FIRST_ROW = HEADER_ROW + 1

_MAY_BE_EMPTY = frozenset({"group", "value"})
_RATER = COLUMNS.index("rater")
_MOST_REMEMBERED = 100_000


class BallotFileInvalid(Explained):
    """Ballot rows that cannot be used: `code`, and `row` (header = 1) and `column` where."""

    sentences: ClassVar[Mapping[str, Sentence]] = {
        "not_utf8": (
            "票表不是 UTF-8 文本（工作簿须先另存为 UTF-8 的 CSV）。",
            "The ballots are not UTF-8 text (save a workbook as CSV UTF-8 first).",
        ),
        "file_empty": (
            "票表是空的，连表头也没有。",
            "The ballots are empty, without even a header.",
        ),
        "not_csv": (
            "票表第 {row} 行附近不是有效的 CSV。",
            "The ballots are not valid CSV near row {row}.",
        ),
        "column_missing": (
            "票表缺少“{column}”列。",
            "The ballots lack the column “{column}”.",
        ),
        "column_unknown": (
            "票表有未知的“{column}”列。",
            "The ballots have an unknown column “{column}”.",
        ),
        "column_twice": (
            "票表的“{column}”列出现了两次。",
            "The ballots have the column “{column}” twice.",
        ),
        "row_empty": (
            "票表第 {row} 行是空行。",
            "Row {row} of the ballots is empty.",
        ),
        "row_width": (
            "票表第 {row} 行有 {cells} 格，应为 {width} 格。",
            "Row {row} of the ballots has {cells} cells instead of {width}.",
        ),
        "cell_bad": (
            "票表第 {row} 行“{column}”列应为 1 至 {most} 个可见字符，首尾无空格。",
            (
                "Row {row}, column “{column}”: 1 to {most} visible characters without a space at"
                " either end are wanted."
            ),
        ),
        "channel_unknown": (
            "票表第 {row} 行：计票规则没有渠道“{channel}”。",
            "Row {row}: the rules have no channel “{channel}”.",
        ),
        "dimension_unknown": (
            "票表第 {row} 行：计票规则没有维度“{dimension}”。",
            "Row {row}: the rules have no dimension “{dimension}”.",
        ),
        "group_unknown": (
            "票表第 {row} 行：计票规则没有组“{group}”。",
            "Row {row}: the rules have no group “{group}”.",
        ),
        "rater_in_two_groups": (
            "票表第 {row} 行：“{rater}”先前在组“{earlier}”，这里在组“{group}”。",
            "Row {row}: rater “{rater}” was in group “{earlier}” before and is in “{group}” here.",
        ),
        "row_twice": (
            "票表第 {row} 行与第 {earlier} 行重复：同一述法人、同一成员、同一维度。",
            "Row {row} repeats row {earlier}: the same subject, rater and dimension.",
        ),
        **placed("票表第 {row} 行：", "Row {row}: ", VALUE_FAULTS),
    }

    def __init__(
        self,
        code: str,
        row: int | None = None,
        column: str | None = None,
        **detail: str | Sentence,
    ) -> None:
        self.row = row
        self.column = column
        detail["row"] = "" if row is None else str(row)
        detail["column"] = shown(column or "")
        super().__init__(code, **detail)


# Reading and writing ----------------------------------------------------------------------------


def decode_ballots(data: bytes) -> str:
    """The text of a `BALLOTS.csv`, UTF-8 with or without a byte order mark."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BallotFileInvalid("not_utf8") from None


def read_ballots(text: str, *, channels: bool = False) -> tuple[BallotRow, ...]:
    """The rows of a `BALLOTS.csv`, in its order; row i stands in line i + 2 of the file."""
    lines = io.StringIO(text.removeprefix("\ufeff"), newline="")
    return tuple(BallotRow(*row) for row in ballot_rows(lines, channels=channels))


def ballot_rows(lines: Iterable[str], *, channels: bool = False) -> Iterator[list[str]]:
    """Row after row of a `BALLOTS.csv` as it is read: subject, rater, group, dimension, value, and
    with `channels` (the rules are a composite) the channel.

    The columns may stand in any order; there must be no other. Empty lines may stand only at the
    end. Raises `BallotFileInvalid` with the row (header = 1) and the column. Whether the rows fit a
    rule set is for `count_ballots`.
    """
    records = _records(lines)
    header = next(records, None)
    if header is None:
        raise BallotFileInvalid("file_empty")
    columns = (*COLUMNS, CHANNEL) if channels else COLUMNS
    order = _column_order(header, columns)
    in_order = tuple(header) == columns
    check = _CellCheck(columns)
    for number, record in enumerate(records, start=FIRST_ROW):
        if len(record) != len(columns):
            sizes = {"cells": str(len(record)), "width": str(len(columns))}
            raise BallotFileInvalid("row_width", number, **sizes)
        cells = record if in_order else [record[place] for place in order]
        check.cells(cells, number)
        yield cells


def write_ballots(rows: Iterable[BallotRow], *, channels: bool = False) -> str:
    """The text of a `BALLOTS.csv` with `rows` in their order: the same bytes each time.

    Lines end with a line feed; a cell is quoted only when it holds a comma or a quotation mark.
    `read_ballots` gives the same rows back. Raises `BallotFileInvalid` for a row that could not
    be read back, e.g. one without a rater.
    """
    return "".join(ballot_lines(rows, channels=channels))


def ballot_lines(rows: Iterable[BallotRow], *, channels: bool = False) -> Iterator[str]:
    """The lines of `write_ballots` one after the other, the header first."""
    columns = (*COLUMNS, CHANNEL) if channels else COLUMNS
    check = _CellCheck(columns)
    yield ",".join(columns) + "\n"
    for number, row in enumerate(rows, start=FIRST_ROW):
        cells = row[: len(columns)]
        check.cells(cells, number)
        yield ",".join(map(_quoted, cells)) + "\n"


def _quoted(cell: str) -> str:
    if '"' in cell or "," in cell:
        return '"' + cell.replace('"', '""') + '"'
    return cell


def _records(lines: Iterable[str]) -> Iterator[list[str]]:
    """The records of a CSV text without the empty lines at its end."""
    reader = csv.reader(lines, strict=True)
    row, empty = 0, 0
    while True:
        row += 1
        try:
            record = next(reader, None)
        except csv.Error:
            raise BallotFileInvalid("not_csv", row) from None
        except UnicodeDecodeError:
            raise BallotFileInvalid("not_utf8") from None
        if record is None:
            return
        if record and empty:
            raise BallotFileInvalid("row_empty", empty)
        if record:
            yield record
        elif not empty:
            empty = row


def _column_order(header: Sequence[str], columns: Sequence[str]) -> tuple[int, ...]:
    """Where each of the columns stands."""
    for name in columns:
        if header.count(name) > 1:
            raise BallotFileInvalid("column_twice", HEADER_ROW, name)
        if name not in header:
            raise BallotFileInvalid("column_missing", HEADER_ROW, name)
    for name in header:
        if name not in columns:
            raise BallotFileInvalid("column_unknown", HEADER_ROW, name)
    return tuple(header.index(name) for name in columns)


class _CellCheck:
    """Checks the cells of rows and remembers the texts that were fine: most occur often. A rater's
    name occurs in rows that stand together, and is looked at anew when it changes."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        self._fine: set[str] = set()
        self._rater = ""

    def cells(self, cells: Sequence[str], number: int) -> None:
        """Raise `BallotFileInvalid` unless each cell of row `number` can stand in its column."""
        fine = self._fine
        subject, rater, group, dimension, value, *channel = cells
        if (
            rater == self._rater
            and subject in fine
            and dimension in fine
            and (not group or group in fine)
            and (not value or value in fine)
            and (not channel or channel[0] in fine)
        ):
            return
        for place, cell in enumerate(cells):
            if cell in fine or (not cell and self._columns[place] in _MAY_BE_EMPTY):
                continue
            if not is_key(cell):
                column = self._columns[place]
                raise BallotFileInvalid("cell_bad", number, column, most=str(LONGEST_KEY))
            if place != _RATER and len(fine) < _MOST_REMEMBERED:
                fine.add(cell)
        self._rater = rater
