"""The tally: from ballot rows to ranked totals, exact, step by step, with a trace.

`tally(rules, rows, csv_bytes)` is a pure function of its arguments and gives the same result,
byte for byte, each time. Marks are integers of the scale's grain, everything after them
`Fraction`s; nothing is rounded but at the four named steps.

**Order of work**, for each subject: cell → points → validity of the sheet → trim within
(subject, dimension, group) → `within` → round `dimension` → × factor → round `weighted` →
`across` → round `group` → Σ weight × group / Σ weights → round `total` → rank.

What the contract leaves open, and what is done:

* A **sheet** (a rater's rows for one subject) counts once: `valid` with one mark or more, under
  `required: all` with a mark in every dimension; a sheet that holds marks and is not valid is
  `void` and its marks do not count; a sheet without marks is `void` when it holds that word, else
  `abstain` when it holds that, else `dont_know`; a sheet that says nothing at all is none.
* **Trim**: the highest leave first, then the lowest of those left; among equals the earlier row.
  For `trim.on: total` a rater's row is his first one with a mark, his total takes the dimensions
  in which he gave a mark, and nothing else is trimmed afterwards.
* A dimension without a mark is left out of `across` (never zero); `across: mean` divides by the
  dimensions that have one. A group without any mark for the subject is **empty**.
* `empty_group: zero` counts an empty group as 0 in the total and in each dimension of the result;
  in `groups` it stands as null, having no mark. A subject to whom no group gave a mark has no
  total (null), never zero. `refuse` refuses the whole tally (`TallyRefused`), also where there
  are no groups and a subject has no mark.
* A dimension of the result is the mean of the groups that have a mark in it (an empty group as
  above). Where the weights of those groups add up to 0 there is no mark, and no total likewise.
* **Without `groups`** everybody is one group of weight 1; `groups` in the result is then `{}`.
* **Ties** compare what is printed: `dimension:KEY` the dimension's mark in the result, in the
  direction of `order`, no mark being last; `highest_mark` the highest points of any single mark in
  a valid sheet, trimmed ones included, in the direction of `order`; `office_order` the earlier
  subject first. What is still equal after all keys shares the place (1, 2, 2, 4).
* A subject without a total has no rank. `grade` is null and `valid` true: the rules that could
  say otherwise are refused by `parse_rules`.

**Trace**: one object for each step, subjects in order, then the ranks. `step` is

* `points` — what the labels of a dimension are worth;
* `sheets` — sheets of a subject by kind, and `struck`, the rows of marks that do not count;
* `totals` — trim on totals: each rater's first row and total, who left as `high` and as `low`;
* `dimension` — `marks`: each mark as "row of the file: value"; `high` and `low`: the rows trimmed;
  `n` marks kept, `exact` unrounded, `mark` rounded, `factor`, `weighted`;
* `group` — the weighted dimensions put together; `total` — the groups; `rank` — the place, and
  where totals are equal `by`: what was compared to tell them apart.

Rows, not raters, stand in the trace: row 2 is the first after the header of `BALLOTS.csv`, so
whoever may see the file can follow each mark to its rater, and whoever may not cannot.

Source: the contract, "Rules and ballots".
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from operator import itemgetter
from typing import ClassVar, TypedDict

from server.domain.ballot_file import FIRST_ROW, check_rows
from server.domain.ballots import BallotRow, Reading
from server.domain.exact import exact_text, places_text
from server.domain.explained import Explained, Sentence, shown
from server.domain.rules import (
    ABSTAIN,
    DIMENSION_TIE,
    DONT_KNOW,
    HIGHEST_MARK,
    VOID,
    Dimension,
    Group,
    LabelScale,
    RoundingMode,
    Rules,
    Trim,
    Within,
    canonical_bytes,
    rules_hash,
)

ONE_GROUP = Group("", Fraction(1))
"""Everybody, where the rules have no groups."""


class Counts(TypedDict):
    """Sheets of one subject by kind."""

    valid: int
    abstain: int
    dont_know: int
    void: int


class SubjectResult(TypedDict):
    """One subject; marks are text, null where there is none."""

    subject: str
    total: str | None
    rank: int | None
    grade: str | None
    dimensions: dict[str, str | None]
    groups: dict[str, str | None]
    ballots: Counts


class Result(TypedDict):
    """The whole result, subjects in the order of their first row."""

    subjects: list[SubjectResult]
    valid: bool
    rules_hash: str
    ballots_hash: str
    trace: list[dict[str, object]]


class TallyRefused(Explained):
    """The rules themselves forbid this tally: `empty_group: refuse` and a group is empty."""

    sentences: ClassVar[Mapping[str, Sentence]] = {
        "group_empty": (
            "组“{group}”对述法人“{subject}”没有有效打分，按计票规则不予计票。",
            (
                "Group “{group}” gave subject “{subject}” no mark, and the rules refuse the tally"
                " then."
            ),
        ),
        "subject_empty": (
            "述法人“{subject}”没有任何有效打分，按计票规则不予计票。",
            "Nobody gave subject “{subject}” a mark, and the rules refuse the tally then.",
        ),
    }


def tally(rules: Rules, rows: Sequence[BallotRow], csv_bytes: bytes) -> Result:
    """The result of `rows` under `rules`.

    `csv_bytes` are the bytes of the `BALLOTS.csv` that holds exactly these rows; they are only
    hashed. Raises `BallotFileInvalid` when a row does not fit the rules and `TallyRefused` when
    the rules refuse.
    """
    cells = _Cells(rows, check_rows(rules, rows))
    trace: list[dict[str, object]] = list(_points_steps(rules))
    subjects = [
        _subject(rules, cells, subject, sheets, trace)
        for subject, sheets in _sheets_by_subject(rules, cells).items()
    ]
    ranks = _ranks(rules, subjects, trace)
    return Result(
        subjects=[_printed(rules, one, rank) for one, rank in zip(subjects, ranks, strict=True)],
        valid=True,
        rules_hash=rules_hash(rules),
        ballots_hash=hashlib.sha256(csv_bytes).hexdigest(),
        trace=trace,
    )


def result_bytes(result: Result) -> bytes:
    """The result as canonical JSON: sorted keys, no spaces, UTF-8, one final newline."""
    return canonical_bytes(result)


# Rounding ---------------------------------------------------------------------------------------


def rounded(value: Fraction, places: int | None, mode: RoundingMode) -> Fraction:
    """`value` at `places` decimal places, as it is when `places` is None.

    `half_up` takes an exact half away from zero, `half_even` to the even digit, `down` towards 0.
    """
    if places is None:
        return value
    scale = 10**places
    whole, rest = divmod(abs(value.numerator) * scale, value.denominator)
    twice = 2 * rest
    if mode == "half_up":
        whole += twice >= value.denominator
    elif mode == "half_even":
        whole += twice > value.denominator or (twice == value.denominator and whole % 2 == 1)
    return Fraction(-whole if value < 0 else whole, scale)


def mark_text(value: Fraction | None, places: int | None) -> str | None:
    """A mark as the result prints it; `value` must already be rounded to `places`."""
    if value is None:
        return None
    return exact_text(value) if places is None else places_text(value, places)


# From rows to sheets and marks ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Cells:
    """All ballot rows and what they say. Everything below names a row by its number in the file,
    which makes one small integer of a mark: there may be hundreds of thousands."""

    rows: Sequence[BallotRow]
    readings: Sequence[Reading]

    def units(self, marks: Iterable[int]) -> list[int]:
        """The points of each mark, in grains of its dimension's scale."""
        readings = self.readings
        return [readings[row - FIRST_ROW].units for row in marks]

    def texts(self, marks: Iterable[int]) -> list[str]:
        """Each mark as the trace shows it: the row of the file and the value there."""
        rows = self.rows
        return [f"{row}: {rows[row - FIRST_ROW].value}" for row in marks]


@dataclass(slots=True)
class _Sheet:
    """A rater's rows for one subject: those with a mark, by dimension, and the words given."""

    group: str
    marks: dict[str, int] = field(default_factory=dict)
    words: frozenset[str] = frozenset()

    @property
    def first_row(self) -> int:
        """The first row with a mark."""
        return min(self.marks.values())


_Sheets = Mapping[str, _Sheet]
"""The sheets for one subject by rater, in the order of their first rows."""


def _sheets_by_subject(rules: Rules, cells: _Cells) -> Mapping[str, _Sheets]:
    subjects: dict[str, dict[str, _Sheet]] = {}
    grouped = bool(rules.groups)
    both = zip(cells.rows, cells.readings, strict=True)
    for number, (row, reading) in enumerate(both, start=FIRST_ROW):
        sheets = subjects.get(row.subject)
        if sheets is None:
            sheets = subjects[row.subject] = {}
        sheet = sheets.get(row.rater)
        if sheet is None:
            sheet = sheets[row.rater] = _Sheet(row.group if grouped else ONE_GROUP.key)
        if reading.points is not None:
            sheet.marks[row.dimension] = number
        elif reading.word is not None:
            sheet.words |= {reading.word}
    return subjects


def _is_valid(rules: Rules, sheet: _Sheet) -> bool:
    needed = len(rules.dimensions) if rules.required == "all" else 1
    return len(sheet.marks) >= needed


def _counts(rules: Rules, sheets: Iterable[_Sheet]) -> Counts:
    """How many sheets there are of each kind; one that says nothing is none."""
    counts = Counts(valid=0, abstain=0, dont_know=0, void=0)
    for sheet in sheets:
        if _is_valid(rules, sheet):
            counts["valid"] += 1
        elif sheet.marks or VOID in sheet.words:
            counts["void"] += 1
        elif ABSTAIN in sheet.words:
            counts["abstain"] += 1
        elif DONT_KNOW in sheet.words:
            counts["dont_know"] += 1
    return counts


def _sheets_step(subject: str, counts: Counts, struck: Iterable[_Sheet]) -> dict[str, object]:
    rows = sorted(row for sheet in struck for row in sheet.marks.values())
    return {"step": "sheets", "subject": subject, **counts, "struck": rows}


def _points_steps(rules: Rules) -> Iterable[dict[str, object]]:
    for dimension in rules.dimensions:
        if isinstance(dimension.scale, LabelScale):
            points = {one.key: exact_text(one.points) for one in dimension.scale.labels}
            yield {"step": "points", "dimension": dimension.key, "points": points}


# One subject ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _SubjectTally:
    """What is known of a subject before the ranking; None where there is no mark.

    `dimensions` and `total` are rounded, so are `groups`; `highest` is the highest single mark.
    """

    subject: str
    counts: Counts
    dimensions: Mapping[str, Fraction | None]
    groups: Mapping[str, Fraction | None]
    total: Fraction | None
    highest: Fraction | None


@dataclass(frozen=True, slots=True)
class _GroupTally:
    """A group's unrounded mark in each dimension that has one, and its rounded mark."""

    group: Group
    exact: Mapping[str, Fraction]
    mark: Fraction | None


def _subject(
    rules: Rules,
    cells: _Cells,
    subject: str,
    sheets: _Sheets,
    trace: list[dict[str, object]],
) -> _SubjectTally:
    counts = _counts(rules, sheets.values())
    valid = [sheet for sheet in sheets.values() if _is_valid(rules, sheet)]
    struck = [sheet for sheet in sheets.values() if not _is_valid(rules, sheet)]
    trace.append(_sheets_step(subject, counts, struck))
    groups = [
        _group(
            rules, cells, subject, group, [one for one in valid if one.group == group.key], trace
        )
        for group in rules.groups or (ONE_GROUP,)
    ]
    _refuse_empty(rules, subject, groups)
    return _SubjectTally(
        subject=subject,
        counts=counts,
        dimensions=_dimensions_of(rules, groups),
        groups={one.group.key: one.mark for one in groups} if rules.groups else {},
        total=_total(rules, subject, groups, trace),
        highest=_highest(rules, cells, valid) if HIGHEST_MARK in rules.ties else None,
    )


def _refuse_empty(rules: Rules, subject: str, groups: Sequence[_GroupTally]) -> None:
    empty = [one.group.key for one in groups if one.mark is None]
    if rules.empty_group != "refuse" or not empty:
        return
    if not rules.groups:
        raise TallyRefused("subject_empty", subject=shown(subject))
    raise TallyRefused("group_empty", subject=shown(subject), group=shown(empty[0]))


def _highest(rules: Rules, cells: _Cells, sheets: Sequence[_Sheet]) -> Fraction | None:
    """The highest points of any single mark, whatever its dimension and before its factor."""
    marks: list[Fraction] = []
    for dimension in rules.dimensions:
        units = cells.units(_marks_in(dimension, sheets))
        if units:
            marks.append(Fraction(max(units), dimension.scale.grain))
    return max(marks, default=None)


def _marks_in(dimension: Dimension, sheets: Iterable[_Sheet]) -> list[int]:
    """The marks in one dimension, in the order of the file."""
    key = dimension.key
    return sorted(sheet.marks[key] for sheet in sheets if key in sheet.marks)


def _weighted_mean(parts: Iterable[tuple[Fraction, Fraction]]) -> Fraction | None:
    """Σ weight × mark / Σ weights of (weight, mark); None when the weights add up to 0."""
    listed = list(parts)
    weights = sum((weight for weight, _ in listed), Fraction(0))
    if not weights:
        return None
    return sum((weight * mark for weight, mark in listed), Fraction(0)) / weights


def _total(
    rules: Rules, subject: str, groups: Sequence[_GroupTally], trace: list[dict[str, object]]
) -> Fraction | None:
    zero = rules.empty_group == "zero" and any(one.mark is not None for one in groups)
    parts = [
        (one.group, Fraction(0) if one.mark is None else one.mark)
        for one in groups
        if zero or one.mark is not None
    ]
    exact = _weighted_mean((group.weight, mark) for group, mark in parts)
    places = rules.rounding.total
    total = None if exact is None else rounded(exact, places, rules.rounding.mode)
    step: dict[str, object] = {"step": "total", "subject": subject}
    if rules.groups:
        step["groups"] = [
            [group.key, exact_text(group.weight), exact_text(mark)] for group, mark in parts
        ]
    step["exact"] = mark_text(exact, None)
    step["total"] = mark_text(total, places)
    trace.append(step)
    return total


def _dimensions_of(rules: Rules, groups: Sequence[_GroupTally]) -> Mapping[str, Fraction | None]:
    """Each dimension over the groups: the weighted mean of their unrounded marks, rounded."""
    rounding = rules.rounding
    marks: dict[str, Fraction | None] = {}
    for key in rules.dimension_keys:
        exact = _dimension_over_groups(rules, key, groups)
        marks[key] = None if exact is None else rounded(exact, rounding.dimension, rounding.mode)
    return marks


def _dimension_over_groups(
    rules: Rules, key: str, groups: Sequence[_GroupTally]
) -> Fraction | None:
    parts = [(one.group.weight, one.exact[key]) for one in groups if key in one.exact]
    if parts and rules.empty_group == "zero":
        parts += [(one.group.weight, Fraction(0)) for one in groups if one.mark is None]
    return _weighted_mean(parts)


# One group --------------------------------------------------------------------------------------


def _group(
    rules: Rules,
    cells: _Cells,
    subject: str,
    group: Group,
    sheets: Sequence[_Sheet],
    trace: list[dict[str, object]],
) -> _GroupTally:
    place = {"subject": subject, "group": group.key or None}
    if rules.trim is not None and rules.trim.on == "total" and sheets:
        sheets, step = _without_extreme_totals(rules, cells, rules.trim, sheets)
        trace.append({"step": "totals", **place, **step})
    exact: dict[str, Fraction] = {}
    weighted: dict[str, Fraction] = {}
    for dimension in rules.dimensions:
        marks = _marks_in(dimension, sheets)
        if not marks:
            continue
        one, weighted[dimension.key], step = _dimension(rules, cells, dimension, marks)
        exact[dimension.key] = one
        trace.append({"step": "dimension", **place, "dimension": dimension.key, **step})
    mark, step = _across(rules, weighted)
    if mark is not None:
        trace.append({"step": "group", **place, **step})
    return _GroupTally(group, exact, mark)


def _dimension(
    rules: Rules, cells: _Cells, dimension: Dimension, marks: Sequence[int]
) -> tuple[Fraction, Fraction, dict[str, object]]:
    """The group's mark in one dimension, unrounded and weighted, and the step for the trace."""
    rounding = rules.rounding
    high: Sequence[int] = ()
    low: Sequence[int] = ()
    kept = cells.units(marks)
    if rules.trim is not None and rules.trim.on == "dimension":
        high, low = _extremes(rules.trim, list(zip(marks, kept, strict=True)))
        gone = {*high, *low}
        kept = cells.units(row for row in marks if row not in gone)
    exact = _within(rules.within, kept, dimension.scale.grain)
    mark = rounded(exact, rounding.dimension, rounding.mode)
    weighted = rounded(mark * dimension.factor, rounding.weighted, rounding.mode)
    return (
        exact,
        weighted,
        {
            "marks": cells.texts(marks),
            "high": list(high),
            "low": list(low),
            "n": len(kept),
            "within": rules.within,
            "exact": exact_text(exact),
            "mark": mark_text(mark, rounding.dimension),
            "factor": exact_text(dimension.factor),
            "weighted": mark_text(weighted, rounding.weighted),
        },
    )


def _within(how: Within, units: Sequence[int], grain: int) -> Fraction:
    """Raters' marks, at least one, to one mark."""
    if how == "sum":
        return Fraction(sum(units), grain)
    if how == "mean":
        return Fraction(sum(units), grain * len(units))
    ordered = sorted(units)
    half = len(ordered) // 2
    return Fraction(ordered[half] + ordered[-half - 1], 2 * grain)


def _across(
    rules: Rules, weighted: Mapping[str, Fraction]
) -> tuple[Fraction | None, dict[str, object]]:
    """The weighted dimensions to the group's rounded mark, and the step for the trace."""
    if not weighted:
        return None, {}
    rounding = rules.rounding
    exact = sum(weighted.values(), Fraction(0))
    if rules.across == "mean":
        exact /= len(weighted)
    mark = rounded(exact, rounding.group, rounding.mode)
    return mark, {
        "dimensions": [[key, mark_text(one, rounding.weighted)] for key, one in weighted.items()],
        "across": rules.across,
        "exact": exact_text(exact),
        "mark": mark_text(mark, rounding.group),
    }


# Trim -------------------------------------------------------------------------------------------


def _extremes(
    trim: Trim, amounts: Sequence[tuple[int, int]]
) -> tuple[Sequence[int], Sequence[int]]:
    """The rows that leave as the highest and as the lowest of (row, amount), in order of rows.

    Sorting keeps equals in the order of their rows, so the earlier row stands first both ways.
    """
    if len(amounts) < trim.least:
        return (), ()
    amount = itemgetter(1)
    high = [row for row, _ in sorted(amounts, key=amount, reverse=True)[: trim.high]]
    gone = set(high)
    rest = (row for row, _ in sorted(amounts, key=amount) if row not in gone)
    return high, list(islice(rest, trim.low))


def _without_extreme_totals(
    rules: Rules, cells: _Cells, trim: Trim, sheets: Sequence[_Sheet]
) -> tuple[Sequence[_Sheet], dict[str, object]]:
    """The sheets whose raters stay when those with the extreme totals leave all dimensions."""
    by_row = {sheet.first_row: sheet for sheet in sheets}
    worth, grain = _worth(rules)
    amounts = [(row, _rater_total(rules, cells, worth, by_row[row])) for row in sorted(by_row)]
    high, low = _extremes(trim, amounts)
    gone = {*high, *low}
    texts = {units: exact_text(Fraction(units, grain)) for units in {one for _, one in amounts}}
    return [sheet for row, sheet in by_row.items() if row not in gone], {
        "totals": [f"{row}: {texts[units]}" for row, units in amounts],
        "high": list(high),
        "low": list(low),
        "n": len(amounts) - len(gone),
    }


def _worth(rules: Rules) -> tuple[Mapping[str, int], int]:
    """What one grain of each dimension's scale is worth in a rater's total, as an integer of one
    common grain, and that grain: a total is units / grain, exactly, also when it is a mean."""
    worth = {one.key: one.factor / one.scale.grain for one in rules.dimensions}
    grain = math.lcm(*(one.denominator for one in worth.values()))
    if rules.across == "mean":
        grain *= math.lcm(*range(1, len(worth) + 1))
    return {key: int(one * grain) for key, one in worth.items()}, grain


def _rater_total(rules: Rules, cells: _Cells, worth: Mapping[str, int], sheet: _Sheet) -> int:
    """One rater's unrounded total of the subject: marks × factor, by `across`."""
    total = 0
    for key, row in sheet.marks.items():
        total += cells.readings[row - FIRST_ROW].units * worth[key]
    return total // len(sheet.marks) if rules.across == "mean" else total


# Rank -------------------------------------------------------------------------------------------

_Place = tuple[bool, Fraction | int]
"""What is compared: (there is none, how far down), so that the smaller one comes first."""


def _ranks(
    rules: Rules, subjects: Sequence[_SubjectTally], trace: list[dict[str, object]]
) -> Sequence[int | None]:
    """The place of each subject, None without a total; equals share the better place."""
    keys = {
        index: _rank_key(rules, one, index)
        for index, one in enumerate(subjects)
        if one.total is not None
    }
    ordered = sorted(keys, key=lambda index: (keys[index], index))
    totals = [one.total for one in subjects]
    ranks: list[int | None] = [None] * len(subjects)
    for place, index in enumerate(ordered):
        before = ordered[place - 1]
        shares = place > 0 and keys[before] == keys[index]
        ranks[index] = ranks[before] if shares else place + 1
        step = _rank_step(rules, subjects[index], ranks[index])
        if rules.ties and totals.count(totals[index]) > 1:
            step["by"] = _compared(rules, subjects[index], index)
        trace.append(step)
    return ranks


def _rank_key(rules: Rules, one: _SubjectTally, index: int) -> tuple[_Place, ...]:
    sign = -1 if rules.order == "descending" else 1

    def place(value: Fraction | None) -> _Place:
        return (True, 0) if value is None else (False, sign * value)

    keys = [place(one.total)]
    for tie in rules.ties:
        if tie == HIGHEST_MARK:
            keys.append(place(one.highest))
        elif tie.startswith(DIMENSION_TIE):
            keys.append(place(one.dimensions[tie.removeprefix(DIMENSION_TIE)]))
        else:
            keys.append((False, index))
    return tuple(keys)


def _rank_step(rules: Rules, one: _SubjectTally, rank: int | None) -> dict[str, object]:
    total = mark_text(one.total, rules.rounding.total)
    return {"step": "rank", "subject": one.subject, "total": total, "rank": rank}


def _compared(rules: Rules, one: _SubjectTally, index: int) -> list[list[object]]:
    """What each tie key looked at: [key, value], the office's order counted from 1."""
    compared: list[list[object]] = []
    for tie in rules.ties:
        if tie == HIGHEST_MARK:
            compared.append([tie, mark_text(one.highest, None)])
        elif tie.startswith(DIMENSION_TIE):
            mark = one.dimensions[tie.removeprefix(DIMENSION_TIE)]
            compared.append([tie, mark_text(mark, rules.rounding.dimension)])
        else:
            compared.append([tie, index + 1])
    return compared


def _printed(rules: Rules, one: _SubjectTally, rank: int | None) -> SubjectResult:
    rounding = rules.rounding
    return SubjectResult(
        subject=one.subject,
        total=mark_text(one.total, rounding.total),
        rank=rank,
        grade=None,
        dimensions={
            key: mark_text(mark, rounding.dimension) for key, mark in one.dimensions.items()
        },
        groups={key: mark_text(mark, rounding.group) for key, mark in one.groups.items()},
        ballots=one.counts,
    )
