"""Ballots: what one cell says, a panelist's sheet checked, `BALLOTS.csv` read and written.

A **row** is one value of one rater for one subject in one dimension. A **sheet** is all rows of
one rater for one subject, a **ballot** all rows of one rater. A value is

* a number on the scale (a plain decimal, `7.25`) or a label's key: a mark, worth points;
* `abstain`, `dont_know` or `void`: no mark, but counted;
* empty: nothing given, the same as no row (left out, never zero).

`void` is a teller's word: it may stand in a file and is not something a panelist may send.

**What `ballot.required` asks.** `any`: a sheet is valid with one mark or more. `all`: it is valid
only with a mark in every dimension; a panelist's ballot is then taken only when every subject
from whom he has not recused himself has a whole sheet, which is either marked in every dimension
or answered in every dimension with `abstain` or `dont_know`. (A sheet half marked and half
abstained would lose its marks in the tally, so it is refused while it can still be mended.)

**Row numbers** are those of the file: the header is row 1, the first ballot row is row 2.

Source: the contract, "Rules and ballots".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar

from server.domain.exact import decimal_of, exact_text
from server.domain.explained import Explained, Sentence, shown
from server.domain.rules import (
    LONGEST_KEY,
    VOID,
    WORDS,
    Dimension,
    LabelScale,
    NumberScale,
    Rules,
    is_key,
)

COLUMNS = ("subject", "rater", "group", "dimension", "value")
"""The columns of `BALLOTS.csv`, in the order in which they are written."""
HEADER_ROW = 1
FIRST_ROW = HEADER_ROW + 1

_MAY_BE_EMPTY = frozenset({"group", "value"})
_GREATEST_NUMBER = Decimal(10) ** 18
"""Numbers from here on are on no scale; they are only printed, and shortly."""


@dataclass(frozen=True, slots=True)
class BallotRow:
    """One line of `BALLOTS.csv`. `group` may be empty where the rules have no groups; `value` as
    it was written. Rows that a panelist's sheet gives have no rater yet (see `rows_of`)."""

    subject: str
    rater: str
    group: str
    dimension: str
    value: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What one value says: `points` when it is a mark, else a `word`, else nothing was given.

    `units` are the points in grains of the dimension's scale (points × `scale.grain`).
    """

    points: Fraction | None = None
    units: int = 0
    word: str | None = None

    @property
    def given(self) -> bool:
        """Whether there is anything at all, a mark or a word."""
        return self.points is not None or self.word is not None


# What is wrong with a value, a sheet or a file --------------------------------------------------

_VALUE_FAULTS: Mapping[str, Sentence] = {
    "value_not_number": (
        "“{value}”不是维度“{dimension}”所用的数字。",
        "“{value}” is not a number, which dimension “{dimension}” asks for.",
    ),
    "value_not_label": (
        "“{value}”不是维度“{dimension}”的选项，可用：{choices}。",
        "“{value}” is not a label of dimension “{dimension}”, which are: {choices}.",
    ),
    "value_out_of_range": (
        "“{value}”超出维度“{dimension}”的范围 {low} 至 {high}。",
        "“{value}” is outside the scale of dimension “{dimension}”, {low} to {high}.",
    ),
    "value_off_step": (
        "“{value}”不在维度“{dimension}”的分档上（自 {low} 起每档 {step}）。",
        (
            "“{value}” is not on the scale of dimension “{dimension}”, which goes from {low} in"
            " steps of {step}."
        ),
    ),
}


def _placed(zh: str, en: str, faults: Mapping[str, Sentence]) -> dict[str, Sentence]:
    return {code: (zh + sentence[0], en + sentence[1]) for code, sentence in faults.items()}


class BallotInvalid(Explained):
    """A panelist's ballot that cannot be taken: `code`, and `subject` and `dimension` where."""

    sentences: ClassVar[Mapping[str, Sentence]] = {
        "marks_type": (
            "测评内容应为“述法人 → 维度 → 分值”的对象。",
            "The marks must be an object of subjects, each an object of dimensions.",
        ),
        "sheet_type": (
            "述法人“{subject}”的测评内容应为“维度 → 分值”的对象。",
            "The marks of subject “{subject}” must be an object of dimensions.",
        ),
        "recused_type": (
            "回避名单应为述法人的列表。",
            "The recused subjects must be a list of subjects.",
        ),
        "ballot_empty": (
            "这张票没有任何打分。",
            "This ballot says nothing.",
        ),
        "subject_unknown": (
            "本轮没有述法人“{subject}”。",
            "There is no subject “{subject}” in this round.",
        ),
        "recused_marked": (
            "述法人“{subject}”已声明回避，不能再打分。",
            "Subject “{subject}” is recused and may not be marked as well.",
        ),
        "dimension_unknown": (
            "述法人“{subject}”：没有维度“{dimension}”。",
            "Subject “{subject}”: there is no dimension “{dimension}”.",
        ),
        "dimension_missing": (
            "述法人“{subject}”：还差维度“{dimension}”。",
            "Subject “{subject}”: dimension “{dimension}” is still missing.",
        ),
        "sheet_mixed": (
            (
                "述法人“{subject}”：须每个维度都打分，或每个维度都选弃权或不了解；"
                "维度“{dimension}”没有打分。"
            ),
            (
                "Subject “{subject}”: mark every dimension, or answer every one with abstain or"
                " “don't know”; “{dimension}” has no mark."
            ),
        ),
        "value_type": (
            "述法人“{subject}”：维度“{dimension}”的值应为数字或字符串。",
            "Subject “{subject}”: the value of “{dimension}” must be a number or a string.",
        ),
        "value_void": (
            "述法人“{subject}”：维度“{dimension}”不能填“void”。",
            "Subject “{subject}”: “void” may not be sent as the value of “{dimension}”.",
        ),
        **_placed("述法人“{subject}”：", "Subject “{subject}”: ", _VALUE_FAULTS),
    }

    def __init__(
        self,
        code: str,
        subject: str | None = None,
        dimension: str | None = None,
        **detail: str | Sentence,
    ) -> None:
        self.subject = subject
        self.dimension = dimension
        detail["subject"] = shown(subject or "")
        detail["dimension"] = shown(dimension or "")
        super().__init__(code, **detail)


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
        **_placed("票表第 {row} 行：", "Row {row}: ", _VALUE_FAULTS),
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


# One value --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Fault:
    """Why a value is not on its dimension's scale."""

    code: str
    detail: Mapping[str, str]


def _points_on(scale: NumberScale | LabelScale, text: str) -> Fraction | _Fault:
    if isinstance(scale, LabelScale):
        return _points_of_label(scale, text)
    return _points_of_number(scale, text)


def _points_of_label(scale: LabelScale, text: str) -> Fraction | _Fault:
    for label in scale.labels:
        if label.key == text:
            return label.points
    choices = ", ".join(label.key for label in scale.labels)
    return _Fault("value_not_label", {"choices": choices})


def _points_of_number(scale: NumberScale, text: str) -> Fraction | _Fault:
    number = decimal_of(text)
    low = exact_text(scale.minimum)
    if number is None:
        return _Fault("value_not_number", {})
    if not scale.minimum <= number <= scale.maximum:
        return _Fault("value_out_of_range", {"low": low, "high": exact_text(scale.maximum)})
    if scale.step is not None and (number - scale.minimum) % scale.step:
        return _Fault("value_off_step", {"low": low, "step": exact_text(scale.step)})
    return number


def _reading(dimension: Dimension, text: str) -> Reading | _Fault:
    """What `text` says in `dimension`."""
    if not text:
        return Reading()
    if text in WORDS:
        return Reading(word=text)
    points = _points_on(dimension.scale, text)
    if isinstance(points, _Fault):
        return points
    return Reading(points, int(points * dimension.scale.grain))


# A panelist's ballot ----------------------------------------------------------------------------


def rows_of(
    rules: Rules,
    subjects: Sequence[str],
    marks: object,
    recused: object = (),
    *,
    rater: str = "",
    group: str = "",
) -> tuple[BallotRow, ...]:
    """The rows of one panelist's ballot, subjects in the order of `subjects` (the office's) and
    dimensions in that of the rules, whatever order the panelist sent them in.

    `marks` is `{SUBJECT: {DIMENSION: VALUE}}` and `recused` a list of subjects, both as they came
    from outside. A VALUE is a number or a number as a string, a label's key, `abstain` or
    `dont_know`; null and the empty string say nothing and give no row. Numbers are written in
    one way (`7.50` becomes `7.5`), so that no ballot is known by its spelling. `rater` and
    `group` fill the rows where the caller knows them; the sheet of a secret round gets its random
    id later. A recused subject gives no row; a ballot that recuses from everybody is taken.

    Raises `BallotInvalid` with a code and the place.
    """
    away = _recused(subjects, recused)
    sheets = _sheets(subjects, marks)
    rows: list[BallotRow] = []
    for subject in subjects:
        values = _values(rules, subject, sheets.get(subject, {}))
        if subject in away:
            if values:
                raise BallotInvalid("recused_marked", subject)
            continue
        if rules.required == "all":
            _check_whole(rules, subject, values)
        for dimension, value in values.items():
            rows.append(BallotRow(subject, rater, group, dimension, value))
    if not rows and not away:
        raise BallotInvalid("ballot_empty")
    return tuple(rows)


def missing_marks(rules: Rules, subject: str, marks: object) -> tuple[str, ...]:
    """The dimensions, in the rules' order, in which `subject` still has nothing in `marks`
    (`{SUBJECT: {DIMENSION: VALUE}}`, a draft: what is wrong in it is not this function's concern).

    Where the rules require all, a sheet with a mark also misses the dimensions that it answers
    with a word. Whether the missing ones hinder is for `rules.required` to say.
    """
    sheet = marks.get(subject) if isinstance(marks, dict) else None
    values = sheet if isinstance(sheet, dict) else {}
    empty = [key for key in rules.dimension_keys if values.get(key) in (None, "")]
    if rules.required == "any":
        return tuple(empty)
    words = [key for key in rules.dimension_keys if values.get(key) in WORDS]
    if len(empty) + len(words) == len(rules.dimensions):
        return tuple(empty)
    return tuple(key for key in rules.dimension_keys if key in empty or key in words)


def _recused(subjects: Sequence[str], recused: object) -> frozenset[str]:
    if not isinstance(recused, list | tuple):
        raise BallotInvalid("recused_type")
    for subject in recused:
        if not isinstance(subject, str):
            raise BallotInvalid("recused_type")
        if subject not in subjects:
            raise BallotInvalid("subject_unknown", subject)
    return frozenset(recused)


def _sheets(subjects: Sequence[str], marks: object) -> Mapping[str, Mapping[object, object]]:
    if not isinstance(marks, dict):
        raise BallotInvalid("marks_type")
    for subject, sheet in marks.items():
        if not isinstance(subject, str) or subject not in subjects:
            raise BallotInvalid("subject_unknown", str(subject))
        if not isinstance(sheet, dict):
            raise BallotInvalid("sheet_type", subject)
    return marks


def _values(rules: Rules, subject: str, sheet: Mapping[object, object]) -> dict[str, str]:
    """What one sheet gives, by dimension in the rules' order, each value in its one spelling."""
    for key in sheet:
        if key not in rules.dimension_keys:
            raise BallotInvalid("dimension_unknown", subject, str(key))
    values = {
        dimension.key: _value(dimension, subject, sheet.get(dimension.key))
        for dimension in rules.dimensions
    }
    return {dimension: value for dimension, value in values.items() if value}


def _value(dimension: Dimension, subject: str, value: object) -> str:
    """The value in its one spelling, `""` when nothing was given."""
    text = _value_text(value)
    if text is None:
        raise BallotInvalid("value_type", subject, dimension.key)
    if text == VOID:
        raise BallotInvalid("value_void", subject, dimension.key)
    reading = _reading(dimension, text)
    if isinstance(reading, _Fault):
        raise BallotInvalid(
            reading.code, subject, dimension.key, value=shown(text), **reading.detail
        )
    if reading.points is not None and isinstance(dimension.scale, NumberScale):
        return exact_text(reading.points)
    return text


def _value_text(value: object) -> str | None:
    """A VALUE as text; None when it is of a type that no value has.

    A JSON number that was read as a binary float is taken as the shortest decimal that names
    it, which is what the sender wrote.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite() or abs(number) >= _GREATEST_NUMBER:
        return f"{number:.3E}"
    return f"{number:f}"


def _check_whole(rules: Rules, subject: str, values: Mapping[str, str]) -> None:
    """Whether a sheet is marked throughout, or answered throughout without a mark."""
    for dimension in rules.dimension_keys:
        if dimension not in values:
            raise BallotInvalid("dimension_missing", subject, dimension)
    without = [dimension for dimension, value in values.items() if value in WORDS]
    if without and len(without) < len(values):
        raise BallotInvalid("sheet_mixed", subject, without[0])


# BALLOTS.csv ------------------------------------------------------------------------------------


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
    reading = _reading(dimension, row.value)
    if isinstance(reading, _Fault):
        raise BallotFileInvalid(
            reading.code,
            number,
            "value",
            value=shown(row.value),
            dimension=shown(row.dimension),
            **reading.detail,
        )
    return reading
