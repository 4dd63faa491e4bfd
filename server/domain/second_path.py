"""The second path to a secret round's result: from a histogram of the stored marks, not from ballots.

A wrong tally is found by whoever works it out in another way. So this file takes nothing from
`tally.py` and what that stands on: it reads the rule set's document itself, starts from numbers that
SQL counted (how often each value stands in each cell), and comes to the marks by sums over values where
the tally goes through ballots. It knows the rules that need no ballot as a whole: mean, sum, median and
rate, with or without trimming in a dimension. For the others it holds the numbers of values against the
rows that the tally read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

Histogram = Mapping[tuple[str, str, str, str], int]
"""(subject, dimension, group, value) → how often."""
Sheets = Mapping[tuple[str, str], int]
"""(subject, group) → sheets with a mark."""

_NO_MARKS = frozenset({"abstain", "dont_know", "void", ""})
_ADDS_UP = frozenset({"mean", "sum", "median", "rate"})
_WHOLE_BALLOTS = ("void_all_equal", "void_all_full", "quota")
_CHANGES_TOTALS = ("bands", "after")


def difference(
    document: Mapping[str, Any],
    histogram: Histogram,
    sheets: Sheets,
    rows: Iterable[tuple[str, str, str, str]],
    result: Mapping[str, Any],
) -> str | None:
    """The first thing on which the two paths disagree, or None. `rows` are (subject, dimension, group,
    value) as the tally read them."""
    counted = Counter(rows)
    for cell in sorted({*counted, *histogram}):
        if counted[cell] != histogram.get(cell, 0):
            return _told(" ".join(cell), counted[cell], histogram.get(cell, 0))
    named = sorted(told["subject"] for told in result["subjects"])
    marked = sorted({subject for subject, *_ in histogram})
    if named != marked:
        return _told("subjects", named, marked)
    if not _is_known(document):
        return None
    path = _Path(document, histogram, sheets)
    for told in result["subjects"]:
        found = _compare(path, told, with_total=not any(document.get(k) for k in _CHANGES_TOTALS))
        if found:
            return found
    return None


def _is_known(document: Mapping[str, Any]) -> bool:
    ballot = document.get("ballot") or {}
    return (
        document.get("within", "mean") in _ADDS_UP
        and (document.get("trim") or {}).get("on") != "total"
        and not any(ballot.get(key) for key in _WHOLE_BALLOTS)
    )


def _compare(path: _Path, told: Mapping[str, Any], *, with_total: bool) -> str | None:
    subject = told["subject"]
    valid = path.valid(subject)
    if valid != told["ballots"]["valid"]:
        return _told(f"{subject} ballots", told["ballots"]["valid"], valid)
    dimensions, groups, total = path.marks(subject)
    pairs: list[tuple[str, str | None, Fraction | None]] = [
        *((f"{subject} {key}", told["dimensions"][key], mark) for key, mark in dimensions.items()),
        *((f"{subject} {key}", told["groups"][key], groups[key]) for key in told["groups"]),
    ]
    if with_total:
        pairs.append((f"{subject} total", told["total"], total))
    for place, printed, mark in pairs:
        if (None if printed is None else Fraction(printed)) != mark:
            return _told(place, printed, mark)
    return None


def _told(place: str, first: object, second: object) -> str:
    return f"{place}: {first} / {second}"


@dataclass(frozen=True)
class _Path:
    """The way from the histogram to the marks of a subject."""

    document: Mapping[str, Any]
    histogram: Histogram
    sheets: Sheets

    @property
    def groups(self) -> dict[str, Fraction]:
        """The groups that are told apart and what they weigh; without groups, none."""
        return {
            one["key"]: Fraction(one.get("weight", "1"))
            for one in self.document.get("groups") or ()
        }

    def valid(self, subject: str, group: str | None = None) -> int:
        """Sheets with a mark, of one group or of all."""
        return sum(
            n for (who, of), n in self.sheets.items() if who == subject and group in {None, of}
        )

    def marks(
        self, subject: str
    ) -> tuple[dict[str, Fraction | None], dict[str, Fraction | None], Fraction | None]:
        """(marks by dimension, marks by group, total before bands and what comes after)."""
        keys = [one["key"] for one in self.document["dimensions"]]
        floor = self.document.get("floor", 0)
        if self.valid(subject) < floor or any(self.valid(subject, g) < floor for g in self.groups):
            return dict.fromkeys(keys), dict.fromkeys(self.groups), None
        weights: dict[str | None, Fraction] = {None: Fraction(1)}
        if self.groups:
            weights = dict(self.groups.items())
        cells = {group: self._cells(subject, group) for group in weights}
        marks = {group: self._group_mark(cells[group]) for group in weights}
        some = {group: mark for group, mark in marks.items() if mark is not None}
        empty_counts = self.document.get("empty_group", "renormalise") == "zero" and bool(some)
        dimensions = {}
        for key in keys:
            parts = [(weights[g], cells[g][key]) for g in weights if key in cells[g]]
            if parts and empty_counts:
                parts += [(weights[g], Fraction(0)) for g in weights if g not in some]
            dimensions[key] = self._round("dimension", _weighted(parts))
        counting = weights if empty_counts else some
        total = _weighted([(weights[g], some.get(g, Fraction(0))) for g in counting])
        by_group = {g: marks[g] for g in weights if g is not None}
        return dimensions, by_group, self._round("total", total)

    def _cells(self, subject: str, group: str | None) -> dict[str, Fraction]:
        """The unrounded mark of each dimension that has one."""
        cells = {}
        for one in self.document["dimensions"]:
            values: Counter[str] = Counter()
            for (who, dimension, of, value), n in self.histogram.items():
                here = who == subject and dimension == one["key"] and group in {None, of}
                if here and value not in _NO_MARKS:
                    values[value] += n
            mark = self._cell(one, values)
            if mark is not None:
                cells[one["key"]] = mark
        return cells

    def _cell(self, dimension: Mapping[str, Any], values: Counter[str]) -> Fraction | None:
        within = self.document.get("within", "mean")
        if within == "rate":
            return self._rate(values)
        if not values:
            return None
        scale = dimension.get("scale") or self.document["scale"]
        points = Counter[Fraction]()
        for value, n in values.items():
            points[_points(scale, value)] += n
        points = self._trimmed(points)
        number = sum(points.values())
        together = sum((point * n for point, n in points.items()), Fraction(0))
        if within == "median":
            upper, lower = _nth(points, number // 2), _nth(points, (number - 1) // 2)
            return (upper + lower) / 2
        return together if within == "sum" else together / number

    def _rate(self, values: Counter[str]) -> Fraction | None:
        of = self.document.get("denominator", "valid")
        number = values.total() if of == "valid" else self.document["session"][of]
        if of == "valid" and not number:
            return None
        return Fraction(sum(values[key] for key in self.document["positive"]), number)

    def _trimmed(self, points: Counter[Fraction]) -> Counter[Fraction]:
        trim = self.document.get("trim") or {}
        high, low = trim.get("high", 0), trim.get("low", 0)
        if trim.get("on", "dimension") != "dimension" or points.total() < trim.get(
            "from", high + low + 1
        ):
            return points
        left = Counter(points)
        _take(left, high, sorted(left, reverse=True))
        _take(left, low, sorted(left))
        return +left

    def _group_mark(self, cells: Mapping[str, Fraction]) -> Fraction | None:
        if not cells:
            return None
        factors = {
            one["key"]: Fraction(one.get("factor", "1")) for one in self.document["dimensions"]
        }
        weighted = [
            self._rounded("weighted", self._rounded("dimension", mark) * factors[key])
            for key, mark in cells.items()
        ]
        mark = sum(weighted, Fraction(0))
        if self.document.get("across", "sum") == "mean":
            mark /= len(weighted)
        return self._rounded("group", mark)

    def _round(self, step: str, mark: Fraction | None) -> Fraction | None:
        return None if mark is None else self._rounded(step, mark)

    def _rounded(self, step: str, mark: Fraction) -> Fraction:
        rounding = self.document.get("rounding") or {}
        places = rounding.get(step)
        if places is None:
            return mark
        whole, rest = divmod(abs(mark) * 10**places, 1)
        mode = rounding.get("mode", "half_up")
        up = rest > Fraction(1, 2) or (
            rest == Fraction(1, 2) and (mode == "half_up" or int(whole) % 2 == 1)
        )
        grains = Fraction(whole + (1 if up and mode != "down" else 0), 10**places)
        return -grains if mark < 0 else grains


def _points(scale: Mapping[str, Any], value: str) -> Fraction:
    if scale["kind"] == "labels":
        return Fraction(next(one["points"] for one in scale["labels"] if one["key"] == value))
    return Fraction(value)


def _weighted(parts: Sequence[tuple[Fraction, Fraction]]) -> Fraction | None:
    weights = sum((weight for weight, _ in parts), Fraction(0))
    if not weights:
        return None
    return sum((weight * mark for weight, mark in parts), Fraction(0)) / weights


def _take(points: Counter[Fraction], number: int, from_end: Sequence[Fraction]) -> None:
    for point in from_end:
        gone = min(number, points[point])
        points[point] -= gone
        number -= gone


def _nth(points: Counter[Fraction], n: int) -> Fraction:
    """The mark at place `n` of the marks in order, counted from 0."""
    for point in sorted(points):
        n -= points[point]
        if n < 0:
            return point
    raise IndexError(n)
