"""What documents print of a round's sheet: tables, and the bars of a chart. Pure.

The workbook, the DOCX and the PDF all print these, so the three cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from server.domain.exact import number_of
from server.reports.sheet import NONE, Named, Sheet

Kind = Literal["text", "mark", "count"]


@dataclass(frozen=True)
class Column:
    """One column of a table; marks and counts stand to the right."""

    label: str
    kind: Kind = "text"


@dataclass(frozen=True)
class Table:
    """A table as every document prints it."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Bar:
    """One bar of the chart; `start` and `length` are shares of its width, 0 to 1000."""

    label: str
    text: str
    start: int
    length: int


def shown(mark: str | None) -> str:
    """A mark as every document prints it."""
    return NONE if mark is None else mark


def summary(sheet: Sheet) -> Table:
    """The result in brief: a line for each subject, or for each choice."""
    w = sheet.word
    if sheet.public:
        columns = (Column(w("choice")), Column(w("count"), "count"), Column(w("share"), "mark"))
        return Table(
            w("summary_public"),
            columns,
            tuple((one.label, str(one.count), one.share) for one in sheet.choices),
        )
    graded = any(one.grade for one in sheet.subjects)
    heads = [Column(w("no"), "count"), Column(w("subject")), Column(w("unit"))]
    if sheet.has_totals:
        heads += [Column(w("total"), "mark"), Column(w("rank"), "count")]
    if graded:
        heads.append(Column(w("grade")))
    rows = []
    for number, one in enumerate(sheet.subjects, start=1):
        row = [str(number), one.name, one.unit]
        if sheet.has_totals:
            row += [shown(one.total), NONE if one.rank is None else str(one.rank)]
        if graded:
            row.append(one.grade or NONE)
        rows.append((*row, str(one.valid)))
    return Table(w("summary"), (*heads, Column(w(_valid(sheet)), "count")), tuple(rows))


def details(sheet: Sheet, most: int | None = None) -> tuple[Table, ...]:
    """Marks by dimension, by group, by channel, and the sheets by kind. On paper no table has more
    than `most` columns of marks, and one that says nothing new is left out."""
    w = sheet.word
    found = [
        *_marks(sheet, w("by_dimension"), sheet.dimensions, "dimensions", most),
        *_marks(sheet, w("by_group"), sheet.groups, "groups", most),
        *_marks(sheet, w("by_channel"), sheet.channels, "channels", most),
    ]
    if sheet.subjects:
        found.append(
            Table(
                w("sheets"),
                (
                    Column(w("subject")),
                    *(
                        Column(w(key), "count")
                        for key in (_valid(sheet), "abstain", "dont_know", "void")
                    ),
                ),
                tuple(
                    (s.name, *map(str, (s.valid, s.abstain, s.dont_know, s.void)))
                    for s in sheet.subjects
                ),
            )
        )
    return tuple(found)


def _valid(sheet: Sheet) -> str:
    return "valid_marks" if sheet.counted_by_mark else "valid"


def _marks(
    sheet: Sheet, title: str, keys: Sequence[Named], where: str, most: int | None
) -> Iterable[Table]:
    marks = [[getattr(s, where).get(one.key) for one in keys] for s in sheet.subjects]
    totals = [s.total for s in sheet.subjects]
    if most and (
        all(mark is None for line in marks for mark in line)
        or (len(keys) == 1 and [line[0] for line in marks] == totals)
    ):
        return
    step = most or max(1, len(keys))
    for start in range(0, len(keys) if marks else 0, step):
        some = slice(start, start + step)
        yield Table(
            title,
            (Column(sheet.word("subject")), *(Column(one.label, "mark") for one in keys[some])),
            tuple(
                (s.name, *map(shown, line[some]))
                for s, line in zip(sheet.subjects, marks, strict=True)
            ),
        )


def on_paper(sheet: Sheet, most: int) -> tuple[Table, ...]:
    """The tables of a printed result. Where there is a grade and no mark, it stands on the counts of
    the answers, so these are among them."""
    spread = None if sheet.has_totals else distribution(sheet)
    tables = (summary(sheet), *((spread,) if spread else ()), *details(sheet, most))
    return tuple(one for one in tables if one.rows)


def lacks_marks(sheet: Sheet) -> bool:
    """Whether “—” stands somewhere and has to be explained."""
    marks = [(s.total, *s.dimensions.values(), *s.groups.values()) for s in sheet.subjects]
    return sheet.has_totals and any(None in one for one in marks)


MOST_LABELS = 8
"""Answers of a scale that get a column each."""


def distribution(sheet: Sheet) -> Table | None:
    """How often each value was given, where the trace tells: a column for each label, or one line
    of values where they are numbers."""
    if not sheet.values:
        return None
    w = sheet.word
    heads = (Column(w("subject")), Column(w("dimension")))
    labels = [value for value, _ in sheet.values[0].counts]
    alike = all([value for value, _ in one.counts] == labels for one in sheet.values)
    if sheet.labelled and alike and len(labels) <= MOST_LABELS:
        columns = (*heads, *(Column(label, "count") for label in labels))
        rows = [
            (one.subject, one.dimension, *(str(n) for _, n in one.counts)) for one in sheet.values
        ]
        return Table(w("distribution"), columns, tuple(rows))
    gap = ", " if sheet.lang == "en" else "、"
    rows = [
        (one.subject, one.dimension, gap.join(f"{value} × {n}" for value, n in one.counts) or NONE)
        for one in sheet.values
    ]
    return Table(w("distribution"), (*heads, Column(w("values"))), tuple(rows))


def bars(sheet: Sheet) -> tuple[Bar, ...]:
    """A bar for each total, or for each choice; nothing where there are no totals."""
    if sheet.public:
        found = [(one.label, str(one.count), Fraction(one.count)) for one in sheet.choices]
    else:
        found = [
            (one.name, shown(one.total), value)
            for one in sheet.subjects
            if (value := number_of((one.total or "").removesuffix("%"))) is not None
        ]
    if not found:
        return ()
    low = min(Fraction(0), *(value for _, _, value in found))
    high = max(Fraction(0), *(value for _, _, value in found))
    whole = (high - low) or Fraction(1)
    return tuple(
        Bar(label, text, round(1000 * (min(value, Fraction(0)) - low) / whole),
            round(1000 * abs(value) / whole))
        for label, text, value in found
    )  # fmt: skip


PAGE = 156
"""What a page has between its margins, in mm."""
BROKEN = 26
"""A column of so many mm or less is not made narrower for the sake of the others."""


def widths(table: Table, whole: int) -> list[int]:
    """Widths that add up to `whole`: what texts need, between a least and a most. Where that is more
    than a page has, the widest take another line, and no figure is broken."""
    wanted = []
    for i, column in enumerate(table.columns):
        texts = [column.label, *(row[i] for row in table.rows)]
        longest = max(half_characters(text) for text in texts)
        most = 60 if column.kind == "text" else 30
        wanted.append(min(max(longest * 2.4 + 6, 13), most))
    over, spare = sum(wanted) - PAGE, sum(max(0, one - BROKEN) for one in wanted)
    if over > 0 and spare:
        part = min(1, over / spare)
        wanted = [one - max(0, one - BROKEN) * part for one in wanted]
    scale = whole / sum(wanted)
    found = [max(9, int(one * scale)) for one in wanted]
    found[found.index(max(found))] += whole - sum(found)
    return found


def half_characters(text: str) -> int:
    """The width of a text: a Chinese character counts as two."""
    return sum(2 if ord(letter) > 0x2E7F else 1 for letter in text)
