"""`BALLOTS.csv`: read, written the same each time, and its rows held against a rule set.

**Row numbers** are those of the file: the header is row 1, the first ballot row is row 2.

Source: the contract, "Rules and ballots".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar

from server.domain.ballots import VALUE_FAULTS, BallotRow, Fault, Reading, placed, reading_of
from server.domain.explained import Explained, Sentence, shown
from server.domain.rules import LONGEST_KEY, Dimension, Rules, is_key

COLUMNS = ("subject", "rater", "group", "dimension", "value")
"""The columns of `BALLOTS.csv`, in the order in which they are written."""
HEADER_ROW = 1
FIRST_ROW = HEADER_ROW + 1

_MAY_BE_EMPTY = frozenset({"group", "value"})


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
        "column_later": (
            "票表的“{column}”列（多渠道合成）本版本尚不支持。",
            "The column “{column}” (a composite of channels) is not supported yet.",
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


def read_ballots(text: str) -> tuple[BallotRow, ...]:
    """The rows of a `BALLOTS.csv`, in its order; row i stands in line i + 2 of the file.

    The five columns may stand in any order; there must be no other. Empty lines may stand only
    at the end. Raises `BallotFileInvalid` with the row (header = 1) and the column. Whether the
    rows fit a rule set is for `check_rows`.
    """
    records = _records(text)
    header = next(records, None)
    if header is None:
        raise BallotFileInvalid("file_empty")
    order = _column_order(header)
    check = _CellCheck()
    rows: list[BallotRow] = []
    for number, record in enumerate(records, start=FIRST_ROW):
        if len(record) != len(COLUMNS):
            sizes = {"cells": str(len(record)), "width": str(len(COLUMNS))}
            raise BallotFileInvalid("row_width", number, **sizes)
        cells = [record[place] for place in order]
        check.cells(cells, number)
        rows.append(BallotRow(*cells))
    return tuple(rows)


def write_ballots(rows: Iterable[BallotRow]) -> str:
    """The text of a `BALLOTS.csv` with `rows` in their order: the same bytes each time.

    Lines end with a line feed; a cell is quoted only when it holds a comma or a quotation mark.
    `read_ballots` gives the same rows back. Raises `BallotFileInvalid` for a row that could not
    be read back, e.g. one without a rater.
    """
    check = _CellCheck()
    lines = [",".join(COLUMNS)]
    for number, row in enumerate(rows, start=FIRST_ROW):
        cells = (row.subject, row.rater, row.group, row.dimension, row.value)
        check.cells(cells, number)
        lines.append(",".join(map(_quoted, cells)))
    return "\n".join(lines) + "\n"


def _quoted(cell: str) -> str:
    if '"' in cell or "," in cell:
        return '"' + cell.replace('"', '""') + '"'
    return cell


def _records(text: str) -> Iterator[list[str]]:
    """The records of a CSV text without the empty lines at its end."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    row, empty = 0, 0
    while True:
        row += 1
        try:
            record = next(reader, None)
        except csv.Error:
            raise BallotFileInvalid("not_csv", row) from None
        if record is None:
            return
        if record and empty:
            raise BallotFileInvalid("row_empty", empty)
        if record:
            yield record
        elif not empty:
            empty = row


def _column_order(header: Sequence[str]) -> tuple[int, ...]:
    """Where each of the five columns stands."""
    for name in COLUMNS:
        if header.count(name) > 1:
            raise BallotFileInvalid("column_twice", HEADER_ROW, name)
        if name not in header:
            raise BallotFileInvalid("column_missing", HEADER_ROW, name)
    for name in header:
        if name not in COLUMNS:
            code = "column_later" if name == "channel" else "column_unknown"
            raise BallotFileInvalid(code, HEADER_ROW, name)
    return tuple(header.index(name) for name in COLUMNS)


class _CellCheck:
    """Checks the cells of rows and remembers the texts that were fine: most occur often."""

    def __init__(self) -> None:
        self._fine: set[str] = set()

    def cells(self, cells: Sequence[str], number: int) -> None:
        """Raise `BallotFileInvalid` unless each cell of row `number` can stand in its column."""
        if self._fine.issuperset(cells):
            return
        for place, cell in enumerate(cells):
            if cell in self._fine or (not cell and COLUMNS[place] in _MAY_BE_EMPTY):
                continue
            if not is_key(cell):
                raise BallotFileInvalid("cell_bad", number, COLUMNS[place], most=str(LONGEST_KEY))
            self._fine.add(cell)


# Rows against rules -----------------------------------------------------------------------------


def check_rows(rules: Rules, rows: Sequence[BallotRow]) -> tuple[Reading, ...]:
    """What each row says under `rules`, row by row.

    Raises `BallotFileInvalid` for a dimension, group or value that the rules do not know, for a
    second row of the same subject, rater and dimension (also when one of them is empty: which
    one was meant nobody can tell), and, where the rules have groups, for a rater in two groups.
    Where they have none, the group column is not looked at.
    """
    dimensions = {dimension.key: dimension for dimension in rules.dimensions}
    groups = {group.key for group in rules.groups}
    known: dict[str, dict[str, Reading]] = {key: {} for key in dimensions}
    group_of: dict[str, str] = {}
    first: dict[tuple[str, str, str], int] = {}
    readings: list[Reading] = []
    for number, row in enumerate(rows, start=FIRST_ROW):
        values = known.get(row.dimension)
        if values is None:
            name = shown(row.dimension)
            raise BallotFileInvalid("dimension_unknown", number, "dimension", dimension=name)
        if groups and group_of.setdefault(row.rater, row.group) != row.group:
            raise _two_groups(row, number, group_of[row.rater])
        if groups and row.group not in groups:
            raise BallotFileInvalid("group_unknown", number, "group", group=shown(row.group))
        earlier = first.setdefault((row.subject, row.rater, row.dimension), number)
        if earlier != number:
            raise BallotFileInvalid("row_twice", number, earlier=str(earlier))
        reading = values.get(row.value)
        if reading is None:
            reading = values[row.value] = _row_reading(dimensions[row.dimension], row, number)
        readings.append(reading)
    return tuple(readings)


def _two_groups(row: BallotRow, number: int, earlier: str) -> BallotFileInvalid:
    return BallotFileInvalid(
        "rater_in_two_groups",
        number,
        "group",
        rater=shown(row.rater),
        earlier=shown(earlier),
        group=shown(row.group),
    )


def _row_reading(dimension: Dimension, row: BallotRow, number: int) -> Reading:
    reading = reading_of(dimension, row.value)
    if isinstance(reading, Fault):
        raise BallotFileInvalid(
            reading.code,
            number,
            "value",
            value=shown(row.value),
            dimension=shown(row.dimension),
            choices=", ".join(reading.choices),
            **reading.detail,
        )
    return reading
