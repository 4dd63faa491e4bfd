#!/usr/bin/env python3
"""Checks the bundle of a round: `python3 verify.py BUNDLE.zip [--root HEX] [--lang zh|en]`.

One file, standard library only, Python 3.9 or newer: it knows nothing of the program that made the
bundle. It works the result out again from the rules and the ballots by an arithmetic of its own,
written from docs/rules.md and docs/bundle.md alone, and holds everything in the bundle against the
one root: 64 hex digits that were shown on stage and stand on the printed sheet.

Exit status: 0 everything holds, 1 the first difference in one sentence, 2 wrong usage or a file that
cannot be read. Without `--root` it prints the root, to be compared by eye.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
import zipfile
import zlib
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from operator import ge, gt, le, lt
from typing import IO, Any, NamedTuple, NoReturn

COMMON = (
    "ballots.csv",
    "edition.txt",
    "journal.jsonl",
    "README.txt",
    "receipts.csv",
    "result.json",
    "rules.json",
    "turnout.json",
    "verify.html",
    "verify.py",
)
MEMBERS = {
    "public": frozenset((*COMMON, "figures.json")),
    "sealed": frozenset((*COMMON, "salts.json")),
}
"""What each edition holds, beside `manifest.json`."""

EDITIONS = {"public": ("公开版", "public edition"), "sealed": ("完整版", "sealed edition")}
RECOMPUTABLE, COMMITTED = "recomputable", "committed"
LEAST_GROUP = 5
"""A group with fewer marks for a subject is left out of the public edition, whatever the rules say."""

CHECKS = {
    "zip": ("压缩包", "The zip"),
    "root": ("根值", "The root"),
    "members": ("清单与各文件", "The manifest and its members"),
    "journal": ("日志链与本轮记录", "The journal's chain and this round's entries"),
    "receipts": ("回执", "The receipts"),
    "turnout": ("到场人数与票数", "The turnout"),
    "result": ("计票结果", "The result, worked out again"),
    "figures": ("逐项说明", "What is said of each figure"),
}
"""The checks in their order, each with its name in Chinese and English."""

MOST_MEMBERS = 40
MOST_BYTES = 256 << 20
MOST_JOURNAL = 4 << 30
MOST_LINE = 4 << 20
MOST_DEPTH = 40
MOST_INTEGER = 2**53 - 1
MOST_NAMED = 40
"""Limits against what a stranger may send; no true bundle comes near them."""


class Difference(Exception):
    """Something does not hold: in which check, in which member, and one sentence in each language."""

    def __init__(self, check: str, member: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.check = check
        self.member = member
        self.zh = zh
        self.en = en

    def sentence(self, lang: str) -> str:
        """The one sentence, with the member in front."""
        if lang == "zh":
            return f"{CHECKS[self.check][0]}不符：{self.member}：{self.zh}。"
        return f"{CHECKS[self.check][1]}: {self.member}: {self.en}."


class Refused(Exception):
    """The rules and ballots cannot be worked out; a sentence in each language."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh
        self.en = en


class Report(NamedTuple):
    """What holds: the root, the edition, the round, and which figures were worked out again."""

    root: str
    edition: str
    round: str
    title: str
    cast: int
    entries: int
    figures: dict[str, str]


def seen(text: object) -> str:
    """A text from the bundle, fit for a sentence."""
    clean = "".join(c if c.isprintable() else "�" for c in str(text)[:81])
    return f"{clean[:80]}…" if len(clean) > 80 else clean


# Numbers ----------------------------------------------------------------------------------------

PLACES = 12
UNIT = 10**PLACES
"""Marks are kept as whole numbers of 10⁻¹²: no value of a ballot has more places."""

_DECIMAL = re.compile(r"(-?)([0-9]{1,18})(?:\.([0-9]{1,12}))?", re.ASCII)
_SHARE = re.compile(r"([0-9]{1,18})/([0-9]{1,18})", re.ASCII)


def units(text: object) -> int:
    """A plain decimal in units of 10⁻¹²."""
    found = _DECIMAL.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise Refused(f"“{seen(text)}”不是数", f"“{seen(text)}” is not a number")
    sign, whole, part = found.groups()
    number: int = int(whole) * UNIT + int((part or "").ljust(PLACES, "0"))
    return -number if sign else number


def exact(text: object) -> Fraction:
    """A plain decimal, or a fraction such as 1/3."""
    found = _SHARE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return Fraction(units(text), UNIT)
    if int(found[2]) == 0:
        raise Refused(f"“{seen(text)}”不是数", f"“{seen(text)}” is not a number")
    return Fraction(int(found[1]), int(found[2]))


def rounded(value: Fraction, places: int | None, mode: str) -> Fraction:
    """Rounded once, in the way that the rules name; unchanged where they name no places."""
    if places is None:
        return value
    scaled = abs(value) * 10 ** counted(places, PLACES)
    whole, rest = divmod(scaled.numerator, scaled.denominator)
    half = 2 * rest - scaled.denominator
    if (mode == "half_up" and half >= 0) or (
        mode == "half_even" and (half > 0 or (half == 0 and whole % 2 == 1))
    ):
        whole += 1
    elif mode not in ("half_up", "half_even", "down"):
        raise Refused(f"没有舍入方式“{seen(mode)}”", f"there is no rounding “{seen(mode)}”")
    result = Fraction(whole, 10**places)
    return -result if value < 0 else result


def counted(number: object, most: int = MOST_INTEGER) -> int:
    """A count or a number of places."""
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= most:
        raise Refused(f"“{seen(number)}”不是个数", f"“{seen(number)}” is not a count")
    return number


def exact_text(number: int | None) -> str | None:
    """A mark in units as text."""
    return None if number is None else written(Fraction(number, UNIT), None)


def written(value: Fraction | None, places: int | None) -> str | None:
    """A mark as text: with its places where it fits them, else the exact decimal, else a fraction."""
    if value is None:
        return None
    if places is not None and (value * 10**places).denominator == 1:
        return _decimal_text(value, places)
    for enough in range(PLACES + 1):
        if (value * 10**enough).denominator == 1:
            return _decimal_text(value, enough)
    return f"{value.numerator}/{value.denominator}"


def _decimal_text(value: Fraction, places: int) -> str:
    number = int(value * 10**places)
    digits = str(abs(number)).rjust(places + 1, "0")
    sign = "-" if number < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {">": gt, ">=": ge, "<": lt, "<=": le}


# Ballots ----------------------------------------------------------------------------------------


class Row(NamedTuple):
    """One row of `ballots.csv`; `channel` is empty but in a composite."""

    subject: str
    rater: str
    group: str
    dimension: str
    value: str
    channel: str = ""


Cell = tuple[str, str, str]
"""(channel, group, subject): what is left out of the public edition, whole or not at all. The channel
is empty but in a composite, the group where the rules have no groups."""

WORDS = ("void", "abstain", "dont_know")
"""Values that are no marks. A sheet without a mark is the first of these that it holds."""


def read_table(text: str, member: str, check: str) -> Iterator[list[str]]:
    """The lines of a table as this program's counterpart writes them: line feeds, and a cell is quoted
    only when it holds a comma or a quotation mark. There is one way to write a row, so that two
    readers cannot read two things."""
    lines = text.split("\n")
    if lines.pop() != "":
        raise Difference(check, member, "末尾没有换行", "the last line does not end")
    for number, line in enumerate(lines, 1):
        cells = line.split(",") if '"' not in line else _quoted_cells(line)
        if cells is None or "\r" in line or "\0" in line:
            raise Difference(
                check, member, f"第 {number} 行不是规定的写法", f"row {number} is not well written"
            )
        yield cells


def _quoted_cells(line: str) -> list[str] | None:
    cells, rest = [], line
    while True:
        if rest.startswith('"'):
            found = re.match(r'"((?:[^"]|"")*)"', rest)
            if found is None:
                return None
            cell, rest = found[1].replace('""', '"'), rest[found.end() :]
            if "," not in cell and '"' not in cell:
                return None
            if rest and not rest.startswith(","):
                return None
            rest, more = rest[1:], bool(rest)
        else:
            cell, comma, rest = rest.partition(",")
            if '"' in cell:
                return None
            more = bool(comma)
        cells.append(cell)
        if not more:
            return cells


def read_rows(text: str, composite: bool, member: str = "ballots.csv") -> list[Row]:
    """The rows of `ballots.csv`."""
    table = read_table(text, member, "result")
    header = next(table, [])
    columns = Row._fields if composite else Row._fields[:5]
    if sorted(header) != sorted(columns):
        raise Difference("result", member, "表头不对", "the header is not the one it should be")
    order = [header.index(name) for name in columns]
    rows = []
    for number, cells in enumerate(table, 2):
        if len(cells) != len(columns):
            raise Difference(
                "result",
                member,
                f"第 {number} 行格数不对",
                f"row {number} has too many or few cells",
            )
        row = Row(*[cells[place] for place in order])
        if not (row.subject and row.rater and row.dimension and (row.channel or not composite)):
            raise Difference(
                "result", member, f"第 {number} 行有空格", f"row {number} lacks a cell"
            )
        rows.append(row)
    return rows


# The tally --------------------------------------------------------------------------------------


Step = dict[str, Any]
"""One step of the trace."""
Place = tuple[str, str, str]
"""(subject, dimension, group): a cell."""


class Mark(NamedTuple):
    """A value that is a number or a label: its points, what it is (to compare), its row."""

    points: int | None
    said: object
    row: int


class Group(NamedTuple):
    """A group's mark for a subject: its dimensions, what they give, and that rounded."""

    parts: list[tuple[str, Fraction]]
    exact: Fraction | None
    mark: Fraction | None


class Worked(NamedTuple):
    """A subject before bands and all that follows."""

    groups: dict[str, Group]
    dimensions: dict[str, Fraction | None]
    exact: Fraction | None
    total: Fraction | None


class Scale:
    """Which values are marks in a dimension, and how many points each is."""

    def __init__(self, scale: Mapping[str, Any]) -> None:
        self._known: dict[str, tuple[int | None, object]] = {}
        self.labels = scale["kind"] == "labels"
        if self.labels:
            for label in scale["labels"]:
                points = units(label["points"]) if "points" in label else None
                self._known[label["key"]] = (points, label["key"])
            self._places = {key: place for place, key in enumerate(self._known)}
            every = [points for points, _ in self._known.values() if points is not None]
            self.top = max(every) if every else None
            return
        self.least, self.top = units(scale["min"]), units(scale["max"])
        self.step = units(scale["step"]) if "step" in scale else None

    @property
    def points(self) -> dict[str, str | None]:
        """label → points, as text."""
        return {key: exact_text(points) for key, (points, _) in self._known.items()}

    def text(self, mark: Mark) -> str:
        """The mark as a value of the ballots."""
        return str(mark.said) if self.labels else str(exact_text(mark.points))

    def order(self, mark: Mark) -> tuple[int, int]:
        """The most points first; labels of equal points in the order of the scale."""
        return -(mark.points or 0), self._places[str(mark.said)] if self.labels else 0

    def mark(self, value: str, row: int) -> Mark:
        """The mark that the value is, or `Refused`."""
        found = self._known.get(value)
        if found is None:
            found = self._known[value] = self._number(value, row)
        return Mark(found[0], found[1], row)

    def _number(self, value: str, row: int) -> tuple[int, object]:
        zh = f"ballots.csv 第 {row} 行的值“{seen(value)}”不在量表内"
        en = f"row {row} of ballots.csv says “{seen(value)}”, which is not on the scale"
        if self.labels or not _DECIMAL.fullmatch(value):
            raise Refused(zh, en)
        number = units(value)
        on_grid = self.step is None or (number - self.least) % self.step == 0
        if self.top is None or not (self.least <= number <= self.top and on_grid):
            raise Refused(zh, en)
        return number, number


class Sheet:
    """What one rater says of one subject."""

    def __init__(self, subject: str, rater: str, group: str) -> None:
        self.subject = subject
        self.rater = rater
        self.group = group
        self.marks: dict[str, Mark] = {}
        self.words: set[str] = set()
        self.state = ""
        self.why = ""

    @property
    def first_row(self) -> int:
        """The row of its first mark."""
        return min(mark.row for mark in self.marks.values())


class Tally:
    """One rule set on its rows. `partial` = some rows were left out (the public edition): what would
    refuse a tally is then only unknown. `result()` is the whole answer but for the hashes."""

    def __init__(
        self,
        rules: Mapping[str, Any],
        rows: Iterable[tuple[int, Row]],
        order: Sequence[str] | None = None,
        partial: bool = False,
    ) -> None:
        self.rules = rules
        self.partial = partial
        self.within: str = rules.get("within", "mean")
        self.across: str = rules.get("across", "sum")
        self.ascending = rules.get("order", "descending") == "ascending"
        self.rounding: Mapping[str, Any] = rules.get("rounding", {})
        self.denominator: str = rules.get("denominator", "valid")
        self.session: Mapping[str, Any] = rules.get("session", {})
        self.floor = counted(rules.get("floor", 0))
        self.grouped = bool(rules.get("groups"))
        self.weights = {
            group["key"]: exact(group.get("weight", "1")) for group in rules.get("groups") or ()
        } or {"": Fraction(1)}
        self.factors = {d["key"]: exact(d.get("factor", "1")) for d in rules["dimensions"]}
        self.scales = {
            d["key"]: Scale(d["scale"] if "scale" in d else rules["scale"])
            for d in rules["dimensions"]
        }
        if self.within not in _WITHIN or self.across not in ("sum", "mean"):
            raise Refused("不认识的合成方式", "a way of putting marks together that is not known")
        self.subjects: list[str] = list(order or ())
        self.sheets: dict[tuple[str, str], Sheet] = {}
        self._read(rows, frozenset(self.subjects) if order is not None else None)
        self.ballots: dict[str, list[Sheet]] = defaultdict(list)
        for sheet in self.sheets.values():
            self.ballots[sheet.rater].append(sheet)
        self._judge()
        self.cells: dict[tuple[str, str, str], list[Sheet]] = defaultdict(list)
        for sheet in self.sheets.values():
            if sheet.state == "valid":
                for dimension in sheet.marks:
                    self.cells[sheet.subject, dimension, sheet.group].append(sheet)
        self.below = self._below_floor()
        self.leaving = self._leaving_by_total()
        self.facts: dict[Place, Step] = {}
        self.worked: dict[str, Worked] = {}

    # ── rows to sheets, and which of them count ──

    def _read(self, rows: Iterable[tuple[int, Row]], allowed: frozenset[str] | None) -> None:
        known = set(self.subjects)
        group_of: dict[str, str] = {}
        twice: set[tuple[str, str, str]] = set()
        for number, row in rows:
            if row.subject not in known:
                if allowed is not None:
                    raise _row_refused(
                        number, "述法人不在结果里", "its subject is not in the result"
                    )
                known.add(row.subject)
                self.subjects.append(row.subject)
            if row.dimension not in self.factors:
                raise _row_refused(number, "规则没有这个维度", "the rules have no such dimension")
            group = row.group if self.grouped else ""
            if group not in self.weights:
                raise _row_refused(number, "规则没有这个组", "the rules have no such group")
            if group_of.setdefault(row.rater, group) != group:
                raise _row_refused(number, "同一成员在两个组", "its rater is in two groups")
            place = (row.subject, row.rater, row.dimension)
            if place in twice:
                raise _row_refused(number, "重复", "it repeats an earlier row")
            twice.add(place)
            sheet = self.sheets.get(place[:2])
            if sheet is None:
                sheet = self.sheets[place[:2]] = Sheet(row.subject, row.rater, group)
            if row.value in WORDS:
                sheet.words.add(row.value)
            elif row.value:
                sheet.marks[row.dimension] = self.scales[row.dimension].mark(row.value, number)

    def _judge(self) -> None:
        """`valid`, `void`, `abstain`, `dont_know` or, for a sheet that says nothing, an empty text."""
        ballot = self.rules.get("ballot", {})
        needs_all = ballot.get("required", "any") == "all"
        for sheet in self.sheets.values():
            if not sheet.marks:
                sheet.state = next((word for word in WORDS if word in sheet.words), "")
            elif needs_all and len(sheet.marks) < len(self.factors):
                sheet.state, sheet.why = "void", "incomplete"
            else:
                sheet.state = "valid"
        for sheets in self.ballots.values():
            why = self._why_void(ballot, [sheet for sheet in sheets if sheet.state == "valid"])
            for sheet in sheets:
                if why and (sheet.marks or sheet.words):
                    sheet.state, sheet.why = "void", why

    def _why_void(self, ballot: Mapping[str, Any], valid: Sequence[Sheet]) -> str:
        """The rule by which a whole ballot does not count, or an empty text."""
        marks = [(d, mark) for sheet in valid for d, mark in sheet.marks.items()]
        equal = len(marks) >= 2 and len({mark.said for _, mark in marks}) == 1
        if ballot.get("void_all_equal") and equal:
            return "ballot_all_equal"
        full = bool(marks) and all(mark.points == self.scales[d].top for d, mark in marks)
        if ballot.get("void_all_full") and full:
            return "ballot_all_full"
        for quota in ballot.get("quota", ()):
            totals = [self.sheet_total(sheet) for sheet in valid]
            if "at_least" in quota:
                n = sum(total >= exact(quota["at_least"]) for total in totals)
            else:
                n = sum(total < exact(quota["below"]) for total in totals)
            if n > counted(quota.get("most", MOST_INTEGER)) or n < counted(quota.get("least", 0)):
                return "ballot_quota"
        return ""

    def sheet_total(self, sheet: Sheet) -> Fraction:
        """A rater's own total of a subject: marks × factor, put together, unrounded."""
        parts = [self.factors[d] * _points(mark) for d, mark in sheet.marks.items()]
        total: Fraction = sum(parts, Fraction(0)) / UNIT
        return total / len(parts) if self.across == "mean" else total

    def _below_floor(self) -> set[str]:
        valid = Counter((s.subject, s.group) for s in self.sheets.values() if s.state == "valid")
        return {
            subject
            for subject in self.subjects
            if any(valid[subject, group] < self.floor for group in self.weights)
        }

    # ── trim ──

    def _leaving_by_total(self) -> dict[tuple[str, str], tuple[list[Sheet], list[Sheet]]]:
        """(subject, group) → the sheets that leave as the highest and as the lowest totals."""
        trim = self.rules.get("trim") or {}
        none = not trim.get("high") and not trim.get("low")
        if trim.get("on", "dimension") != "total" or none:
            return {}
        together: dict[tuple[str, str], list[Sheet]] = defaultdict(list)
        for sheet in self.sheets.values():
            if sheet.state == "valid":
                together[sheet.subject, sheet.group].append(sheet)
        found = {}
        for place, sheets in together.items():
            high, low = self._how_many_leave(trim, len(sheets))
            ranked = sorted(sheets, key=lambda s: (-self.sheet_total(s), s.first_row))
            left = sorted(ranked[high:], key=lambda s: (self.sheet_total(s), s.first_row))
            found[place] = (ranked[:high], left[:low])
        return found

    @staticmethod
    def _how_many_leave(trim: Mapping[str, Any], n: int) -> tuple[int, int]:
        high, low = counted(trim.get("high", 0)), counted(trim.get("low", 0))
        return (high, low) if n >= counted(trim.get("from", high + low + 1)) else (0, 0)

    def _marks_in(self, place: Place) -> list[Mark]:
        """The marks of a cell without those of raters who left by their totals, in their order."""
        subject, dimension, group = place
        high, low = self.leaving.get((subject, group), ([], []))
        gone = {sheet.rater for sheet in (*high, *low)}
        sheets = [sheet for sheet in self.cells.get(place, []) if sheet.rater not in gone]
        marks = [sheet.marks[dimension] for sheet in sheets]
        return sorted(marks, key=self.scales[dimension].order)

    def _points_of(self, place: Place) -> list[int]:
        """The points of a cell that are left after trimming, from low to high."""
        marks, trim = self._marks_in(place), self.rules.get("trim") or {}
        high, low = 0, 0
        if trim and trim.get("on", "dimension") == "dimension":
            high, low = self._how_many_leave(trim, len(marks))
        left = marks[high:]
        edge = max(0, len(left) - low)
        left, bottom = left[:edge], left[edge:]
        text = self.scales[place[1]].text
        self.facts[place] = {
            "marks": self._counts(place[1], marks),
            "high": [text(mark) for mark in marks[:high]],
            "low": [text(mark) for mark in bottom[::-1]],
            "n": len(left),
        }
        return [_points(mark) for mark in left[::-1]]

    def _counts(self, dimension: str, marks: Sequence[Mark]) -> list[list[Any]]:
        """[value, how often] of marks that are in order."""
        return [list(one) for one in Counter(map(self.scales[dimension].text, marks)).items()]

    # ── raters to one mark ──

    def _cell_marks(self) -> dict[Place, Fraction | None]:
        """(subject, dimension, group) → the mark before any rounding; subjects below the floor have none."""
        places = [
            (subject, dimension, group)
            for subject in self.subjects
            if subject not in self.below
            for dimension in self.factors
            for group in self.weights
        ]
        if self.within == "rate":
            positive = frozenset(self.rules["positive"])
            return {place: self._rate(place, positive) for place in places}
        if self.within == "verdict":
            return dict.fromkeys(places)
        if self.within == "rank_points":
            return self._rank_points(places)
        marks = {place: _put_together(self.within, self._points_of(place)) for place in places}
        return self._best_ratio(marks) if self.within == "best_ratio" else marks

    def _share(self, place: Place, positive: frozenset[str]) -> Fraction | None:
        """The share of these labels in a cell, by the denominator that the rules name."""
        n, whole = self._part(place, positive)
        return Fraction(n, whole) if whole else None

    def _part(self, place: Place, positive: frozenset[str]) -> tuple[int, int]:
        """(how many marks of a cell are among these labels, of how many)."""
        sheets = self.cells.get(place, [])
        n = sum(sheet.marks[place[1]].said in positive for sheet in sheets)
        if self.denominator == "valid":
            return n, len(sheets)
        return n, counted(self.session[self.denominator])

    def _rate(self, place: Place, positive: frozenset[str]) -> Fraction | None:
        self._points_untrimmed(place)
        n, whole = self._part(place, positive)
        self.facts[place].update(positive=n, of=whole)
        return Fraction(n, whole) if whole else None

    def _points_untrimmed(self, place: Place) -> None:
        marks = self._marks_in(place)
        self.facts[place] = {
            "marks": self._counts(place[1], marks),
            "high": [],
            "low": [],
            "n": len(marks),
        }

    def _rank_points(self, places: Sequence[Place]) -> dict[Place, Fraction | None]:
        first = units(self.rules["rank_points"]["first"])
        step = units(self.rules["rank_points"]["step"])
        given: dict[Place, list[int]] = defaultdict(list)
        for sheets in self.ballots.values():
            for dimension in self.factors:
                ranked = [s for s in sheets if s.state == "valid" and dimension in s.marks]
                sign = 1 if self.ascending else -1
                order = sorted(sign * _points(s.marks[dimension]) for s in ranked)
                for sheet in ranked:
                    better = bisect_left(order, sign * _points(sheet.marks[dimension]))
                    given[sheet.subject, dimension, sheet.group].append(better)
        for place in places:
            self._points_untrimmed(place)
            counts = sorted(Counter(given.get(place, [])).items())
            self.facts[place]["places"] = [[better + 1, n] for better, n in counts]
        return {
            place: _put_together("mean", [first - step * n for n in given.get(place, [])])
            for place in places
        }

    def _best_ratio(self, means: Mapping[Place, Fraction | None]) -> dict[Place, Fraction | None]:
        times = exact(self.rules["best_ratio"]["times"])
        marks: dict[Place, Fraction | None] = {}
        best: dict[tuple[str, str], Fraction] = {}
        for (_, dimension, group), mean in means.items():
            if mean is not None:
                other = best.get((dimension, group), mean)
                better = min(mean, other) if self.ascending else max(mean, other)
                best[dimension, group] = better
        for place, mean in means.items():
            top = best.get((place[1], place[2]))
            if top == 0 and not self.partial:
                zh, en = "最佳均值为 0，比值无从算起", "the best mean is 0, no ratio to it exists"
                raise Refused(zh, en)
            marks[place] = mean / top * times if mean is not None and top else None
            self.facts[place].update(mean=written(mean, None), best=written(top, None))
        return marks

    # ── groups to a total ──

    def _weigh(self, parts: Mapping[str, Fraction | None]) -> Fraction | None:
        """The weighted mean of the groups' figures, with the rule for an empty group."""
        how = self.rules.get("empty_group", "renormalise")
        return weighed([(self.weights[g], part) for g, part in parts.items()], how, self.partial)

    def _subject(self, subject: str, cells: Mapping[Place, Fraction | None]) -> Worked:
        """What a subject gets, rounded step by step."""
        groups = {group: self._group(subject, group, cells) for group in self.weights}
        # A verdict has no marks to weigh: its shares are weighed when the grade is worked out.
        marks = {group: one.mark for group, one in groups.items()}
        total = None if self.within == "verdict" else self._weigh(marks)
        dimensions = {}
        zero = self.rules.get("empty_group") == "zero"
        for dimension in self.factors:
            parts = {g: cells[subject, dimension, g] for g in self.weights}
            counting = [
                (self.weights[g], part if part is not None else Fraction(0))
                for g, part in parts.items()
                if part is not None or (zero and marks[g] is None)
            ]
            some = any(part is not None for part in parts.values())
            mean = weighed(counting, "renormalise", True) if some else None
            dimensions[dimension] = self._rounded(mean, "dimension")
        return Worked(groups, dimensions, total, self._rounded(total, "total"))

    def _group(self, subject: str, group: str, cells: Mapping[Place, Fraction | None]) -> Group:
        parts = []
        for dimension, factor in self.factors.items():
            mark = self._rounded(cells[subject, dimension, group], "dimension")
            if mark is not None:
                weight = rounded(mark * factor, self.rounding.get("weighted"), self._mode)
                parts.append((dimension, weight))
        if not parts:
            return Group([], None, None)
        whole = sum((part for _, part in parts), Fraction(0))
        mark = whole / len(parts) if self.across == "mean" else whole
        return Group(parts, mark, self._rounded(mark, "group"))

    @property
    def _mode(self) -> str:
        return str(self.rounding.get("mode", "half_up"))

    def _rounded(self, value: Fraction | None, step: str) -> Fraction | None:
        return None if value is None else rounded(value, self.rounding.get(step), self._mode)

    def labels_share(self, subject: str, labels: Iterable[str]) -> Fraction | None:
        """The share of these labels in a subject's marks, over all groups; one dimension only."""
        wanted = frozenset(labels)
        (dimension,) = self.factors
        return self._weigh({g: self._share((subject, dimension, g), wanted) for g in self.weights})

    def highest_mark(self, subject: str) -> int | None:
        """The best points of any single mark on a valid sheet, trimmed ones included."""
        every = [
            mark.points
            for sheet in self.sheets.values()
            if sheet.subject == subject and sheet.state == "valid"
            for mark in sheet.marks.values()
            if mark.points is not None
        ]
        return (min if self.ascending else max)(every, default=None)

    def holds(self) -> bool:
        """Whether the session is valid."""
        if not session_holds(self.session):
            return False
        if self.denominator == "valid":
            return True
        most = counted(self.session[self.denominator])
        return all(len(sheets) <= most for sheets in self.cells.values())

    # ── the answer ──

    def result(self) -> dict[str, Any]:
        """The result's `subjects`, `valid` and `trace`."""
        cells = self._cell_marks()
        self.worked = {s: self._subject(s, cells) for s in self.subjects if s not in self.below}
        end = self.end = Ending(self.rules, self.subjects, self.below)
        end.totals = {s: self.worked[s].total if s in self.worked else None for s in self.subjects}
        trace = self._points_steps()
        for subject in self.subjects:
            trace += self._subject_steps(subject, cells)
        trace += end.work(self.labels_share)
        trace += session_steps(self.session)
        ranks, steps = end.ranks(self._tie, self._tie_places)
        states = Counter((s.subject, s.state) for s in self.sheets.values())
        answer = []
        for subject in self.subjects:
            one = self.worked.get(subject) or Worked({}, {}, None, None)
            answer.append(
                {
                    "subject": subject,
                    "total": written(end.totals[subject], self.rounding.get("total")),
                    "rank": ranks.get(subject),
                    "grade": end.grades.get(subject),
                    "dimensions": {
                        d: written(one.dimensions.get(d), self.rounding.get("dimension"))
                        for d in self.factors
                    },
                    "groups": {
                        g: written(one.groups[g].mark, self.rounding.get("group"))
                        if g in one.groups
                        else None
                        for g in self.weights
                        if self.grouped
                    },
                    "ballots": {word: states[subject, word] for word in STATES},
                }
            )
        return {"subjects": answer, "valid": self.holds(), "trace": trace + steps}

    def _tie(self, key: str, subject: str) -> Fraction | None:
        if key == "highest_mark":
            points = self.highest_mark(subject)
            return None if points is None else Fraction(points, UNIT)
        return self.worked[subject].dimensions[key.split(":", 1)[1]]

    def _tie_places(self, key: str) -> int | None:
        places: int | None = self.rounding.get("dimension")
        return None if key == "highest_mark" else places

    # ── the trace ──

    def _points_steps(self) -> list[Step]:
        return [
            {"step": "points", "dimension": dimension, "points": scale.points}
            for dimension, scale in self.scales.items()
            if scale.labels and scale.top is not None
        ]

    def _subject_steps(self, subject: str, cells: Mapping[Place, Fraction | None]) -> list[Step]:
        sheets = [sheet for sheet in self.sheets.values() if sheet.subject == subject]
        counts = Counter(sheet.state for sheet in sheets)
        struck = [[s.first_row, s.why] for s in sheets if s.marks and s.state != "valid"]
        steps: list[Step] = [
            {"step": "sheets", **{word: counts[word] for word in STATES}, "struck": sorted(struck)}
        ]
        if subject in self.below:
            steps.append({"step": "floor", "floor": self.floor})
            return [{**step, "subject": subject} for step in steps]
        worked = self.worked[subject]
        for group, one in worked.groups.items():
            steps += self._totals_steps(subject, group, sheets)
            steps += self._group_steps(subject, group, one, cells)
        if self.within == "verdict":
            steps += self._verdict_steps(subject)
        else:
            told: Step = {"step": "total", "exact": written(worked.exact, None)}
            told["total"] = written(worked.total, self.rounding.get("total"))
            if self.grouped:
                told["groups"] = self._counting_groups(worked)
            steps.append(told)
        return [{**step, "subject": subject} for step in steps]

    def _counting_groups(self, worked: Worked) -> list[list[str | None]]:
        """[group, weight, mark] of the groups that count in the total."""
        some = any(one.mark is not None for one in worked.groups.values())
        zero = some and self.rules.get("empty_group") == "zero"
        places = self.rounding.get("group")
        counting = []
        for group, one in worked.groups.items():
            mark = Fraction(0) if zero and one.mark is None else one.mark
            if mark is not None:
                counting.append([group, written(self.weights[group], None), written(mark, places)])
        return counting

    def _totals_steps(self, subject: str, group: str, sheets: Sequence[Sheet]) -> list[Step]:
        if (subject, group) not in self.leaving:
            return []
        n = sum(sheet.state == "valid" and sheet.group == group for sheet in sheets)
        step: Step = {"step": "totals", "group": group or None, "n": n}
        for name, gone in zip(("high", "low"), self.leaving[subject, group]):  # noqa: B905
            step[name] = [[s.first_row, written(self.sheet_total(s), None)] for s in gone]
        return [step]

    def _group_steps(
        self, subject: str, group: str, one: Group, cells: Mapping[Place, Fraction | None]
    ) -> list[Step]:
        steps: list[Step] = []
        own = {"group": group or None}
        weighted = {
            dimension: written(part, self.rounding.get("weighted")) for dimension, part in one.parts
        }
        for dimension, text in weighted.items():
            place = (subject, dimension, group)
            mark = self._rounded(cells[place], "dimension")
            steps.append(
                {
                    "step": "dimension",
                    "dimension": dimension,
                    **self.facts[place],
                    "within": self.within,
                    "exact": written(cells[place], None),
                    "mark": written(mark, self.rounding.get("dimension")),
                    "factor": written(self.factors[dimension], None),
                    "weighted": text,
                    **own,
                }
            )
        if one.parts:
            steps.append(
                {
                    "step": "group",
                    "dimensions": [list(pair) for pair in weighted.items()],
                    "across": self.across,
                    "exact": written(one.exact, None),
                    "mark": written(one.mark, self.rounding.get("group")),
                    **own,
                }
            )
        return steps

    def _verdict_steps(self, subject: str) -> list[Step]:
        (dimension,) = self.factors
        steps: list[Step] = []
        for group in self.weights:
            place = (subject, dimension, group)
            counts = self._counts(dimension, self._marks_in(place))
            refuses = self.rules.get("empty_group") == "refuse" and not self.partial
            if refuses and not counts:
                raise Refused("有的组没有票", "a group has no mark")
            _, of = self._part(place, frozenset())
            steps.append({"step": "counts", "group": group or None, "marks": counts, "of": of})
        shares: list[list[str | None]] = []
        grade = None
        for rule in self.rules["verdict"]:
            share = self.labels_share(subject, rule.get("positive", ()))
            if "share" in rule:
                shares.append([str(rule["grade"]), written(share, None)])
            if share is None:
                continue
            if "share" not in rule or COMPARE[rule["compare"]](share, exact(rule["share"])):
                grade = str(rule["grade"])
                break
        self.end.grades[subject] = grade
        steps.append({"step": "verdict", "shares": shares, "grade": grade})
        return steps


STATES = ("valid", "abstain", "dont_know", "void")
_WITHIN = ("mean", "sum", "median", "rate", "verdict", "rank_points", "best_ratio")


def _row_refused(number: int, zh: str, en: str) -> Refused:
    return Refused(f"ballots.csv 第 {number} 行：{zh}", f"row {number} of ballots.csv: {en}")


def _points(mark: Mark) -> int:
    if mark.points is None:
        raise Refused("标签没有分值", "a label has no points")
    return mark.points


def _put_together(within: str, points: Sequence[int]) -> Fraction | None:
    """One mark from the points of a cell; `best_ratio` begins with the mean."""
    n = len(points)
    if not n:
        return None
    if within == "median":
        return Fraction(points[(n - 1) // 2] + points[n // 2], 2 * UNIT)
    return Fraction(sum(points), UNIT * (1 if within == "sum" else n))


def weighed(
    parts: Sequence[tuple[Fraction, Fraction | None]], how: str, partial: bool
) -> Fraction | None:
    """Σ weight × figure / Σ weights, where `how` says what a missing figure does."""
    given = [(weight, part) for weight, part in parts if part is not None]
    if len(given) < len(parts) and how == "refuse" and not partial:
        raise Refused("有的组没有分", "a group or channel has no mark")
    if not given:
        return None
    whole = sum((weight for weight, _ in (parts if how == "zero" else given)), Fraction(0))
    return sum((weight * part for weight, part in given), Fraction(0)) / whole if whole else None


def session_holds(session: Mapping[str, Any]) -> bool:
    """Quorum, and no more returned than issued."""
    quorum = session.get("quorum")
    if quorum is not None:
        of = counted(session[quorum["of"]])
        if not COMPARE[quorum["compare"]](counted(session["present"]), exact(quorum["share"]) * of):
            return False
    if "returned" in session and "issued" in session:
        return counted(session["returned"]) <= counted(session["issued"])
    return True


class Ending:
    """What comes after the total: bands, bonus and veto, grades, quotas, places."""

    def __init__(
        self, rules: Mapping[str, Any], subjects: Sequence[str], below: Iterable[str]
    ) -> None:
        self.rules = rules
        self.subjects = subjects
        self.below = frozenset(below)
        self.ascending = rules.get("order", "descending") == "ascending"
        self.totals: dict[str, Fraction | None] = {}
        self.grades: dict[str, str | None] = {}

    def work(self, share: Callable[[str, Iterable[str]], Fraction | None]) -> list[Step]:
        """Changes totals and grades in the order of the work, and tells the steps."""
        steps = self._bands(share)
        vetoed, more = self._after()
        steps += more
        for subject, total in self.totals.items():
            if "grades" in self.rules and total is not None:
                self.grades[subject] = self._grade(total)
                if subject not in vetoed:
                    steps.append(self._told("grade", subject, grade=self.grades[subject]))
        steps += self._quota(vetoed)
        self.grades.update(vetoed)
        return steps

    def _told(self, name: str, subject: str, **more: Any) -> Step:
        return {"step": name, "subject": subject, "total": self._text(subject), **more}

    def _text(self, subject: str) -> str | None:
        return written(self.totals[subject], self.rules.get("rounding", {}).get("total"))

    def _bands(self, share: Callable[[str, Iterable[str]], Fraction | None]) -> list[Step]:
        bands = self.rules.get("bands")
        steps: list[Step] = []
        if not bands:
            return steps
        for subject, total in self.totals.items():
            if total is None:
                continue
            before, self.totals[subject] = self._text(subject), None
            shares: list[str | None] = []
            chosen = None
            for number, band in enumerate(bands, 1):
                when = band.get("when")
                part = None if when is None else share(subject, when["of"])
                if "composite" not in self.rules:
                    shares.append(written(part, None))
                holds = "from" not in band or total >= exact(band["from"])
                if when is not None:
                    limit = exact(when["share"])
                    holds = holds and part is not None and COMPARE[when["compare"]](part, limit)
                if holds and chosen is None:
                    chosen, self.totals[subject] = number, exact(band["value"])
            steps.append(self._told("band", subject, before=before, shares=shares, band=chosen))
        return steps

    def _after(self) -> tuple[dict[str, str | None], list[Step]]:
        """Works the list; the grades that were given by veto, and the steps."""
        vetoed: dict[str, str | None] = {}
        steps: list[Step] = []
        for act in self.rules.get("after", ()):
            kind = act["kind"]
            everybody: list[Any] = [*self.subjects] or [None]
            for subject in [act["subject"]] if "subject" in act else everybody:
                step: Step = {"step": "after", "kind": kind, "reason": act.get("reason", "")}
                step |= {"subject": subject, "done": False}
                total = self.totals.get(subject)
                if kind == "veto" and subject in self.totals and subject not in self.below:
                    vetoed[subject] = str(act["grade"])
                    step |= {"done": True, "grade": vetoed[subject]}
                elif kind != "veto" and total is not None:
                    before, value = self._text(subject), exact(act["value"])
                    after = _afterwards(kind, total, value)
                    if kind == "cap" and after == total:
                        continue
                    self.totals[subject] = after
                    step |= {"done": True, "value": written(value, None), "before": before}
                    step["total"] = self._text(subject)
                elif "subject" not in act and self.subjects:
                    continue
                steps.append(step)
        return vetoed, steps

    def _grade(self, total: Fraction) -> str | None:
        for grade in self.rules["grades"]:
            if "from" not in grade or total >= exact(grade["from"]):
                return str(grade["grade"])
        return None

    def _quota(self, vetoed: Mapping[str, str | None]) -> list[Step]:
        sign = 1 if self.ascending else -1
        with_total = {s: sign * t for s, t in self.totals.items() if t is not None}
        steps: list[Step] = []
        for quota in self.rules.get("quota", ()):
            most = exact(quota["share"]) * len(with_total)
            keep = most.numerator // most.denominator
            holders = [
                subject
                for subject, _ in sorted(with_total.items(), key=lambda one: one[1])
                if self.grades.get(subject) == quota["grade"] and subject not in vetoed
            ]
            edge = with_total[holders[keep]] if len(holders) > keep else None
            fell = [s for s in holders if edge is not None and with_total[s] >= edge]
            self.grades.update(dict.fromkeys(fell, str(quota["falls_to"])))
            steps.append(
                {
                    "step": "quota",
                    "grade": quota["grade"],
                    "falls_to": quota["falls_to"],
                    "share": written(exact(quota["share"]), None),
                    "subjects": len(with_total),
                    "most": keep,
                    "kept": [s for s in holders if s not in fell],
                    "fell": fell,
                }
            )
        return steps

    def ranks(
        self, tie: Callable[[str, str], Fraction | None], places: Callable[[str], int | None]
    ) -> tuple[dict[str, int], list[Step]]:
        """The places: equal totals are told apart by the rules' keys, or share the better place."""
        keys = self.rules.get("ties", "shared")
        keys = [] if keys == "shared" else keys
        sign = 1 if self.ascending else -1
        strength: dict[str, tuple[tuple[bool, Fraction], ...]] = {}
        looked: dict[str, list[list[Any]]] = {}
        for place, subject in enumerate(self.subjects):
            total = self.totals[subject]
            if total is None:
                continue
            own = [(False, sign * total)]
            looked[subject] = []
            for key in keys:
                mark = Fraction(sign * place) if key == "office_order" else tie(key, subject)
                own.append((mark is None, sign * (mark or Fraction(0))))
                said: Any = place + 1 if key == "office_order" else written(mark, places(key))
                looked[subject].append([key, said])
            strength[subject] = tuple(own)
        order = sorted(strength.values())
        ranks = {subject: 1 + bisect_left(order, own) for subject, own in strength.items()}
        equal = Counter(own[0] for own in strength.values())
        steps = []
        for subject in sorted(ranks, key=lambda s: ranks[s]):
            step = self._told("rank", subject, rank=ranks[subject])
            if keys and equal[strength[subject][0]] > 1:
                step["by"] = looked[subject]
            steps.append(step)
        return ranks, steps


def _afterwards(kind: str, total: Fraction, value: Fraction) -> Fraction:
    if kind == "bonus":
        return total + value
    if kind == "deduction":
        return total - value
    if kind == "cap":
        return min(total, value)
    raise Refused(f"不认识“{seen(kind)}”", f"“{seen(kind)}” is not known")


def session_steps(session: Mapping[str, Any]) -> list[Step]:
    """The counts of the session, where they are given."""
    if not session:
        return []
    step: Step = {"step": "session", "valid": session_holds(session)}
    for key in ("present", "due", "members", "returned", "issued"):
        if key in session:
            step[key] = counted(session[key])
    quorum = session.get("quorum")
    if quorum is not None:
        needed = exact(quorum["share"]) * counted(session[quorum["of"]])
        step |= {"of": quorum["of"], "compare": quorum["compare"], "needed": written(needed, None)}
    return [step]


class Composite:
    """Several channels to one total."""

    def __init__(
        self,
        rules: Mapping[str, Any],
        rows: Sequence[tuple[int, Row]],
        order: Sequence[str] | None = None,
        left: frozenset[Cell] = frozenset(),
    ) -> None:
        self.rules = rules
        self.partial = bool(left)
        self.weights = {one["channel"]: exact(one["weight"]) for one in rules["composite"]}
        self.subjects = list(dict.fromkeys(order or (row.subject for _, row in rows)))
        apart: dict[str, list[tuple[int, Row]]] = {channel: [] for channel in self.weights}
        for number, row in rows:
            if row.channel not in apart:
                raise _row_refused(number, "规则没有这个渠道", "the rules have no such channel")
            apart[row.channel].append((number, row))
        self.channels: dict[str, Tally] = {}
        for one in rules["composite"]:
            channel, own = one["channel"], apart[one["channel"]]
            within = {row.subject for _, row in own} | {s for c, _, s in left if c == channel}
            subjects = None if order is None else [s for s in order if s in within]
            self.channels[channel] = Tally(one["rules"], own, subjects, self.partial)

    def result(self) -> dict[str, Any]:
        """The result's `subjects`, `valid` and `trace`."""
        results = {channel: tally.result() for channel, tally in self.channels.items()}
        self.totals = {c: tally.end.totals for c, tally in self.channels.items()}
        texts = {c: {s["subject"]: s for s in r["subjects"]} for c, r in results.items()}
        none = {
            "total": None,
            "ballots": dict.fromkeys(("valid", "abstain", "dont_know", "void"), 0),
        }
        per = {s: {c: texts[c].get(s, none) for c in self.weights} for s in self.subjects}
        ballots = {
            subject: {
                word: sum(one["ballots"][word] for one in parts.values())
                for word in ("valid", "abstain", "dont_know", "void")
            }
            for subject, parts in per.items()
        }
        floor = counted(self.rules.get("floor", 0))
        below = {s for s in self.subjects if ballots[s]["valid"] < floor}
        rounding = self.rules.get("rounding", {})
        within = [self.channels[c].below for c, weight in self.weights.items() if weight]
        end = Ending(self.rules, self.subjects, below.union(*within))
        trace = [{**step, "channel": c} for c, one in results.items() for step in one["trace"]]
        for subject in self.subjects:
            total = None if subject in end.below else self._total(subject)
            step: Step = {"step": "total", "subject": subject, "exact": written(total, None)}
            if total is not None:
                mode = str(rounding.get("mode", "half_up"))
                total = rounded(total, rounding.get("total"), mode)
            end.totals[subject] = total
            if subject in end.below:
                trace.append({"step": "floor", "subject": subject, "floor": floor})
                continue
            step["total"] = written(total, rounding.get("total"))
            step["channels"] = [
                [c, written(weight, None), per[subject][c]["total"]]
                for c, weight in self.weights.items()
                if per[subject][c]["total"] is not None
            ]
            trace.append(step)
        trace += end.work(_no_share)
        trace += session_steps(self.rules.get("session", {}))
        ranks, steps = end.ranks(self._tie, self._tie_places)
        answer = [
            {
                "subject": subject,
                "total": written(end.totals[subject], rounding.get("total")),
                "rank": ranks.get(subject),
                "grade": end.grades.get(subject),
                "dimensions": {},
                "groups": {},
                "channels": {
                    c: None if subject in below else one["total"] for c, one in per[subject].items()
                },
                "ballots": ballots[subject],
            }
            for subject in self.subjects
        ]
        valid = session_holds(self.rules.get("session", {}))
        valid = valid and all(one["valid"] for one in results.values())
        return {"subjects": answer, "valid": valid, "trace": trace + steps}

    def _total(self, subject: str) -> Fraction | None:
        parts = []
        for channel, weight in self.weights.items():
            if weight:
                parts.append((weight, self.totals[channel].get(subject)))
        return weighed(parts, self.rules.get("empty_group", "renormalise"), self.partial)

    def _tie(self, key: str, subject: str) -> Fraction | None:
        return self.totals[key.split(":", 1)[1]].get(subject)

    def _tie_places(self, key: str) -> int | None:
        places: int | None = self.channels[key.split(":", 1)[1]].rounding.get("total")
        return places


def _no_share(subject: str, labels: Iterable[str]) -> Fraction | None:
    raise Refused("合成规则的分段不能看标签", "a composite's bands cannot look at labels")


def tallied(rules: Mapping[str, Any], rows: Iterable[Sequence[str]]) -> dict[str, Any]:
    """`subjects`, `valid` and `trace` of the result of a rule document on rows `(subject, rater, group,
    dimension, value)`, in a composite with the channel as a sixth. `Refused` says why there is none.
    """
    return work_out(rules, [Row(*row) for row in rows])


def work_out(
    rules: Mapping[str, Any],
    rows: Sequence[Row],
    order: Sequence[str] | None = None,
    left: frozenset[Cell] = frozenset(),
) -> dict[str, Any]:
    """The result but for its hashes. In the public edition `order` gives the subjects and
    `left` says which rows were left out."""
    numbered = list(enumerate(rows, 2))
    try:
        if "composite" in rules:
            return Composite(rules, numbered, order, left).result()
        return Tally(rules, numbered, order, bool(left)).result()
    except (
        AttributeError,
        IndexError,
        KeyError,
        OverflowError,
        RecursionError,
        TypeError,
        ValueError,
        ZeroDivisionError,
    ) as error:
        what = type(error).__name__
        raise Refused(
            f"规则无法执行（{what}）", f"the rules cannot be worked by ({what})"
        ) from None


# The public edition -----------------------------------------------------------------------------


def channels_of(rules: Mapping[str, Any]) -> dict[str, tuple[Mapping[str, Any], int]]:
    """channel → (its rules, the floor under which its sheets are counted)."""
    floor = counted(rules.get("floor", 0))
    if "composite" not in rules:
        return {"": (rules, floor)}
    return {
        one["channel"]: (one["rules"], max(floor, counted(one["rules"].get("floor", 0))))
        for one in rules["composite"]
    }


def read_together(rules: Mapping[str, Any], floor: int) -> str:
    """Which marks of one rater a rule looks at together: of the whole `ballot`, of one `sheet`, or
    `nothing`. Only so far may they bear one name in the public edition."""
    if _of_ballots(rules):
        return "ballot"
    several = len(rules["dimensions"]) > 1
    on_total = (rules.get("trim") or {}).get("on") == "total"
    of_sheets = rules.get("ballot", {}).get("required") == "all" or floor > 0 or on_total
    return "sheet" if several and of_sheets else "nothing"


def _of_ballots(rules: Mapping[str, Any]) -> bool:
    """Whether what one subject gets depends on what the same rater says of others."""
    ballot = rules.get("ballot", {})
    void = ballot.get("void_all_equal") or ballot.get("void_all_full") or ballot.get("quota")
    return bool(void) or rules.get("within") == "rank_points"


def cell_of(rules: Mapping[str, Any], row: Row) -> Cell:
    """The cell that the row belongs to."""
    own = channels_of(rules)[row.channel][0]
    return row.channel, row.group if own.get("groups") else "", row.subject


def small_cells(rules: Mapping[str, Any], rows: Iterable[Row]) -> frozenset[Cell]:
    """The cells that are left out of the public edition: in no dimension as many marks as the floor,
    which is at least five."""
    channels = channels_of(rules)
    marks: dict[Cell, Counter[str]] = defaultdict(Counter)
    for row in rows:
        grouped = channels[row.channel][0].get("groups")
        cell = (row.channel, row.group if grouped else "", row.subject)
        marks[cell][row.dimension] += bool(row.value) and row.value not in WORDS
    return frozenset(
        cell
        for cell, by_dimension in marks.items()
        if max(by_dimension.values()) < max(LEAST_GROUP, channels[cell[0]][1])
    )


def commitment(salt: bytes, lines: Iterable[str]) -> str:
    """What stands for the rows of a cell: SHA-256 of the salt and of the rows as the sealed edition
    has them, each with its line feed."""
    text = "".join(f"{line}\n" for line in lines)
    return hashlib.sha256(salt + text.encode()).hexdigest()


def figures_of(
    rules: Mapping[str, Any], subjects: Sequence[str], left: frozenset[Cell], named: bool
) -> dict[str, Any]:
    """For each figure of a result whether the public edition recomputes it or is only committed to it
    (docs/bundle.md, "Figures")."""
    channels = {
        channel: _known(own, floor, subjects, {(g, s) for c, g, s in left if c == channel}, named)
        for channel, (own, floor) in channels_of(rules).items()
    }
    composite = "composite" in rules
    total = {s: all(one.total[s] for one in channels.values()) for s in subjects}
    every = all(total.values())
    graded = {s: every if rules.get("quota") else total[s] for s in subjects}
    own = None if composite else channels[""]
    found: dict[str, Any] = {}
    for s in subjects:
        found[s] = {
            "total": _kind(total[s]),
            "rank": _kind(every),
            "grade": _kind(graded[s]),
            "dimensions": {d["key"]: _kind(total[s]) for d in rules["dimensions"]} if own else {},
            "groups": {g: _kind(own.group[g, s]) for g in own.groups if g} if own else {},
            "ballots": _kind(all(one.ballots[s] for one in channels.values())),
        }
        if composite:
            # A floor of the composite looks at the sheets of all channels together.
            alone = not rules.get("floor")
            found[s]["channels"] = {
                c: _kind(total[s] or (alone and one.total[s])) for c, one in channels.items()
            }
    return {"subjects": found, "valid": _kind(all(one.valid for one in channels.values()))}


class _Known(NamedTuple):
    groups: Sequence[str]
    group: Mapping[tuple[str, str], bool]
    total: Mapping[str, bool]
    ballots: Mapping[str, bool]
    valid: bool


def _known(
    rules: Mapping[str, Any],
    floor: int,
    subjects: Sequence[str],
    left: set[tuple[str, str]],
    named: bool,
) -> _Known:
    """What can be worked out of one rule set's figures without the rows that were left out."""
    groups = [group["key"] for group in rules.get("groups") or ()] or [""]
    ratio = rules.get("within") == "best_ratio"
    hidden = set(left)
    if ratio or _of_ballots(rules):
        hidden = {(g, s) for g in {g for g, _ in left} for s in subjects}
    whole = {s: not any((g, s) in hidden for g in groups) for s in subjects}
    group = {(g, s): whole[s] if floor else (g, s) not in hidden for g in groups for s in subjects}
    apart = read_together(rules, floor) == "nothing" and len(rules["dimensions"]) > 1
    ballots = {s: whole[s] and not (apart and named) for s in subjects}
    by_marks = rules.get("denominator", "valid") == "valid"
    return _Known(groups, group, whole, ballots, by_marks or not left)


def _kind(known: bool) -> str:
    return RECOMPUTABLE if known else COMMITTED


def public_result(result: Mapping[str, Any], left: frozenset[Cell]) -> dict[str, Any]:
    """A result as the public edition has it: without the trace, which names rows, and without the
    marks of groups that are left out."""
    shown = {key: value for key, value in result.items() if key != "trace"}
    if "subjects" in result:
        shown["subjects"] = [
            {
                **one,
                "groups": {
                    g: None if ("", g, one["subject"]) in left else mark
                    for g, mark in one["groups"].items()
                },
            }
            for one in result["subjects"]
        ]
    return shown


# Reading a bundle -------------------------------------------------------------------------------


def _no_float(text: str) -> NoReturn:
    raise ValueError(text)


def _integer(text: str) -> int:
    number = int(text)
    if abs(number) > MOST_INTEGER:
        raise ValueError(text)
    return number


_DECODER = json.JSONDecoder(parse_float=_no_float, parse_int=_integer, parse_constant=_no_float)
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def canonical(value: object) -> bytes:
    """JSON with sorted keys and no spaces, in UTF-8, without a final newline."""
    return _ENCODER.encode(value).encode()


def read_json(data: bytes, member: str, check: str, place: str = "") -> Any:
    """Canonical JSON: any other way to write the same is a difference. Numbers are integers that every
    reader can hold."""
    try:
        value = _DECODER.decode(data.decode())
        if data.count(b"[") + data.count(b"{") > MOST_DEPTH and _depth(value) > MOST_DEPTH:
            raise ValueError(member)
        if canonical(value) != data:
            raise ValueError(member)
    except (ValueError, RecursionError, MemoryError):
        zh, en = f"{place}不是规范的 JSON", f"{place} is not canonical JSON"
        raise Difference(check, member, zh, en.strip()) from None
    return value


def _depth(value: object) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        inner: list[object] = []
        for one in level:
            if isinstance(one, dict):
                inner.extend(one.values())
            elif isinstance(one, list):
                inner.extend(one)
        level = inner
    return depth


def read_document(data: bytes, member: str, check: str) -> Any:
    """A member that is one canonical JSON document with its final newline."""
    if not data.endswith(b"\n"):
        raise Difference(check, member, "末尾没有换行", "the last line does not end")
    return read_json(data[:-1], member, check)


_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_CODE = re.compile(r"[0-9A-Za-z-]{4,64}", re.ASCII)


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and _HASH.fullmatch(value) is not None


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Zip:
    """The members of a bundle, read once and within limits. What `zipfile` does not know (a way of
    packing, a version) or cannot open (an encrypted member) it tells by kinds of `RuntimeError`."""

    def __init__(self, path: str | IO[bytes]) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, ValueError, RuntimeError) as error:
            raise _broken(error) from None
        names = [info.filename for info in self._zip.infolist()]
        if len(names) > MOST_MEMBERS:
            raise Difference("zip", "zip", "文件太多", "it holds too many members")
        if len(set(names)) < len(names):
            raise Difference("zip", "zip", "有两个同名文件", "two members have one name")
        self.names = frozenset(names)

    def close(self) -> None:
        """Closes the file."""
        self._zip.close()

    def read(self, name: str) -> bytes:
        """The whole of a member."""
        return b"".join(self.chunks(name, MOST_BYTES))

    def chunks(self, name: str, most: int) -> Iterator[bytes]:
        """A member in pieces, `most` bytes and no more, whatever the zip says of its size."""
        if name not in self.names:
            raise Difference("members", name, "缺少", "it is missing")
        got = 0
        try:
            info = self._zip.getinfo(name)
            with self._zip.open(info) as stream:
                while True:
                    chunk = stream.read(1 << 20)
                    if not chunk:
                        return
                    got += len(chunk)
                    if got > most:
                        raise Difference("zip", name, "太大", "it is too large")
                    yield chunk
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            RuntimeError,
            ValueError,
            KeyError,
        ) as error:
            raise _broken(error, name) from None


def _broken(error: Exception, name: str = "zip") -> Difference:
    what = seen(type(error).__name__)
    return Difference("zip", name, f"读不出来（{what}）", f"it cannot be unpacked ({what})")


class Manifest(NamedTuple):
    """`manifest.json`, read."""

    round: str
    receipts_root: str
    editions: Mapping[str, Mapping[str, str]]


def read_manifest(data: bytes) -> Manifest:
    """The manifest, if it is one."""
    value = read_document(data, "manifest.json", "members")
    zh, en = "不是规定的样子", "it does not have the shape that it should have"
    wrong = Difference("members", "manifest.json", zh, en)
    if not isinstance(value, dict) or set(value) != {
        "version",
        "round",
        "receipts_root",
        "editions",
    }:
        raise wrong
    editions = value["editions"]
    if value["version"] != 1 or value["version"] is True or not isinstance(value["round"], str):
        raise wrong
    if not _is_hash(value["receipts_root"]) or not isinstance(editions, dict):
        raise wrong
    if set(editions) != set(MEMBERS):
        raise wrong
    for edition, members in editions.items():
        if not isinstance(members, dict) or set(members) != MEMBERS[edition]:
            raise wrong
        if not all(_is_hash(one) for one in members.values()):
            raise wrong
    for name in COMMON:
        if name in _SAME and editions["public"][name] != editions["sealed"][name]:
            raise Difference(
                "members",
                "manifest.json",
                f"两个版本的 {name} 不同",
                f"the two editions hold a different {name}",
            )
    return Manifest(value["round"], value["receipts_root"], editions)


SEALED_HASH = frozenset(("ballots.csv", "journal.jsonl", "result.json"))
"""Members of the sealed edition whose hashes are taken with a random `seal` in front: what the public
edition leaves out of them could else be tried until the hash is met."""
_SAME = frozenset(COMMON) - SEALED_HASH - {"edition.txt"}
"""Members that are the same in both editions."""


def seal_of(salts: bytes) -> bytes:
    """The seal that `salts.json` holds; empty when it holds none."""
    try:
        seal = json.loads(salts)["seal"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return b""
    return bytes.fromhex(seal) if _is_hash(seal) else b""


# The journal ------------------------------------------------------------------------------------

STEPS: Mapping[str, Mapping[str, str]] = {
    "round_created": {"": "ready"},
    "round_opened": {"": "open", "ready": "open"},
    "round_closing": {"open": "closing"},
    "round_closed": {"open": "closed", "closing": "closed"},
    "tally_refused": {"closed": "closed"},
    "round_tallied": {"closed": "tallied"},
    "round_signed": {"tallied": "tallied"},
    "round_certified": {"tallied": "certified"},
    "round_voided": {},
}
"""event → {state of the round before it: after it}; an event that is not here changes no state. A
copied round has no entry of its making, and a voided one has no bundle."""

_WHOLE = frozenset(("seq", "at", "event", "actor", "role", "body", "rooms", "prev", "hash"))
_LINK = frozenset(("seq", "prev", "hash"))


class Journal:
    """The journal's chain, entry by entry, and what it says of one round."""

    def __init__(self, round_id: str, links_allowed: bool) -> None:
        self.round = round_id
        self.state = ""
        self.bodies: dict[str, Mapping[str, Any]] = {}
        self.entries = 0
        self._links_allowed = links_allowed
        self._prev = "0" * 64

    def take(self, line: bytes) -> None:
        """The next line, without its line feed."""
        n = self.entries = self.entries + 1
        entry = read_json(line, "journal.jsonl", "journal", f"第 {n} 行 / line {n}")
        keys = set(entry) if isinstance(entry, dict) else set()
        if keys != _WHOLE and not (keys == _LINK and self._links_allowed):
            raise self._wrong("不是一条记录", "is no entry")
        if entry["seq"] != n or entry["seq"] is True:
            raise self._wrong("序号不连续", "does not bear the next number")
        if entry["prev"] != self._prev or not _is_hash(entry["hash"]):
            raise self._wrong("没有接上前一条", "does not chain to the one before")
        if keys == _WHOLE:
            content = [self._prev, n]
            content += [entry[key] for key in ("at", "event", "actor", "role", "body", "rooms")]
            if _sha256(canonical(content)) != entry["hash"]:
                raise self._wrong("内容与其哈希不符", "is not what its hash says")
            body = entry["body"]
            if isinstance(body, dict) and body.get("round") == self.round:
                self._step(entry["event"], body)
        self._prev = entry["hash"]

    def _step(self, event: object, body: Mapping[str, Any]) -> None:
        if not isinstance(event, str) or event not in STEPS:
            return
        if self.state not in STEPS[event]:
            raise self._wrong(f"本轮此时不能有 {event}", f"tells a {event} that cannot come here")
        self.state = STEPS[event][self.state]
        self.bodies[event] = body

    def _wrong(self, zh: str, en: str) -> Difference:
        n = self.entries
        return Difference("journal", "journal.jsonl", f"第 {n} 条{zh}", f"entry {n} {en}")

    def says(self, event: str, key: str, value: object, member: str) -> None:
        """A difference unless the entry, which the round's states prove to be there, says this."""
        said = self.bodies[event].get(key)
        if said != value or isinstance(said, bool):
            raise Difference(
                "journal",
                "journal.jsonl",
                f"{event} 的 {key} 与 {member} 不同",
                f"its {event} says another {key} than {member}",
            )


def read_journal(
    chunks: Iterable[bytes],
    journal: Journal,
    seal: bytes = b"",
    progress: Callable[[int], None] | None = None,
) -> tuple[str, Difference | None]:
    """SHA-256 of the seal and the member, and the first difference in it."""
    digest, rest, wrong = hashlib.sha256(seal), b"", None
    for chunk in chunks:
        digest.update(chunk)
        if wrong is not None:
            continue
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        try:
            for line in lines:
                journal.take(line)
            if len(rest) > MOST_LINE:
                raise Difference("journal", "journal.jsonl", "有一行太长", "a line is too long")
        except Difference as difference:
            wrong = difference
        if progress is not None:
            progress(journal.entries)
    if rest and wrong is None:
        zh, en = "末尾没有换行", "the last line does not end"
        wrong = Difference("journal", "journal.jsonl", zh, en)
    return digest.hexdigest(), wrong


# Receipts ---------------------------------------------------------------------------------------


def merkle_root(leaves: Sequence[bytes]) -> str:
    """The Merkle tree hash of RFC 9162 with SHA-256."""
    level = [hashlib.sha256(b"\0" + leaf).digest() for leaf in leaves]
    if not level:
        return _sha256(b"")
    while len(level) > 1:
        # A tree of n leaves has the largest power of two below n on its left: the same as joining
        # neighbours level by level and carrying an odd last one up.
        joined = [
            hashlib.sha256(b"\1" + level[i] + level[i + 1]).digest()
            for i in range(0, len(level) - 1, 2)
        ]
        level = joined + ([level[-1]] if len(level) % 2 else [])
    return level[0].hex()


def check_receipts(text: str, cast: int, root: str) -> list[str]:
    """The codes: sorted, distinct, as many as were cast, under the root."""
    wrong = Difference("receipts", "receipts.csv", "不是规定的样子", "it is not a list of codes")
    table = list(read_table(text, "receipts.csv", "receipts"))
    if not table or table[0] != ["receipt"]:
        raise wrong
    codes = []
    for cells in table[1:]:
        if len(cells) != 1 or not _CODE.fullmatch(cells[0]):
            raise wrong
        codes.append(cells[0])
    for n in range(1, len(codes)):
        if codes[n - 1] >= codes[n]:
            zh, en = f"第 {n + 2} 行顺序不对或重复", f"row {n + 2} is out of order or twice"
            raise Difference("receipts", "receipts.csv", zh, en)
    if len(codes) != cast:
        zh = f"有 {len(codes)} 个回执，而票有 {cast} 张"
        en = f"it has {len(codes)} codes for {cast} ballots"
        raise Difference("receipts", "receipts.csv", zh, en)
    if merkle_root([code.encode() for code in codes]) != root:
        zh, en = "回执的根与清单不同", "the codes have another root than the manifest says"
        raise Difference("receipts", "receipts.csv", zh, en)
    return codes


# Turnout ----------------------------------------------------------------------------------------

_TURNOUT = frozenset(
    [
        "audience",
        "cast",
        "closed_at",
        "due",
        "groups",
        "opened_at",
        "present",
        "round",
        "secrecy",
        "title",
    ]
)


class Turnout(NamedTuple):
    """What is checked of `turnout.json`."""

    round: str
    title: str
    audience: str
    named: bool
    cast: int
    groups: Mapping[str, int]


def read_turnout(data: bytes, round_id: str) -> Turnout:
    """The turnout, if its figures fit each other."""
    value = read_document(data, "turnout.json", "turnout")
    zh, en = "不是规定的样子", "it does not have the shape that it should have"
    wrong = Difference("turnout", "turnout.json", zh, en)
    if not isinstance(value, dict) or set(value) != _TURNOUT:
        raise wrong
    if value["audience"] not in ("panel", "public") or value["secrecy"] not in ("named", "secret"):
        raise wrong
    if not isinstance(value["title"], str) or not isinstance(value["groups"], dict):
        raise wrong
    if value["round"] != round_id:
        zh, en = "说的是另一轮", "it is of another round"
        raise Difference("turnout", "turnout.json", zh, en)
    cast = value["cast"]
    whole = [value["due"], value["present"], cast]
    parts = []
    for group in value["groups"].values():
        if not isinstance(group, dict) or set(group) != {"present", "cast"}:
            raise wrong
        parts.append([group["present"], group["cast"]])
    panel = value["audience"] == "panel"
    for counts in [whole if panel else [cast], *parts]:
        if not all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in counts):
            raise wrong
        if any(counts[n] < counts[n + 1] for n in range(len(counts) - 1)):
            zh, en = "交票的比到场的多", "more have cast than were present"
            raise Difference("turnout", "turnout.json", zh, en)
    if parts and [sum(p for p, _ in parts), sum(c for _, c in parts)] != whole[1:]:
        zh, en = "各组相加与全体不等", "the groups do not add up to the whole"
        raise Difference("turnout", "turnout.json", zh, en)
    groups = {key: group["cast"] for key, group in value["groups"].items()}
    return Turnout(
        round_id, value["title"], value["audience"], value["secrecy"] == "named", cast, groups
    )


def check_rows(rows: Sequence[Row], turnout: Turnout, codes: Iterable[str]) -> None:
    """The ballots against the turnout and the receipts."""
    every: Counter[tuple[str, str, str]] = Counter()
    grouped: Counter[tuple[str, str, str, str]] = Counter()
    cells: set[str] = set()
    for row in rows:
        every[row.channel, row.subject, row.dimension] += 1
        grouped[row.channel, row.subject, row.dimension, row.group] += 1
        cells.update(row)
    most = dict.fromkeys({row.group for row in rows}, turnout.cast)
    most.update(turnout.groups)
    many = any(n > turnout.cast for n in every.values())
    if many or any(n > most[place[3]] for place, n in grouped.items()):
        zh, en = "有的格子里的行比收到的票多", "a cell has more rows than ballots were cast"
        raise Difference("result", "ballots.csv", zh, en)
    if cells.intersection(codes):
        zh, en = "回执出现在票里", "a receipt stands in a row"
        raise Difference("receipts", "ballots.csv", zh, en)


# The result -------------------------------------------------------------------------------------


class Material(NamedTuple):
    """What the result is checked with."""

    edition: str
    texts: Mapping[str, bytes]
    rules: Any
    rows: Sequence[Row]
    result: Mapping[str, Any]
    turnout: Turnout
    manifest: Manifest


def _differs(zh: str, en: str) -> Difference:
    return Difference("result", "result.json", zh, en)


def check_choices(m: Material) -> dict[str, Any]:
    """A public round: the counts by choice."""
    zh, en = "不是规定的样子", "it does not have the shape that it should have"
    choices = m.rules.get("choices")
    pairs = isinstance(choices, list) and all(
        isinstance(c, list) and len(c) == 2 and all(isinstance(t, str) for t in c) for c in choices
    )
    if not pairs or set(m.rules) != {"choices", "kind"} or m.rules["kind"] != "choices":
        raise Difference("result", "rules.json", zh, en)
    keys = [key for key, _ in choices]
    for number, row in enumerate(m.rows, 2):
        if row.value not in keys or row.dimension != "choice":
            zh, en = f"第 {number} 行没有这个选项", f"row {number} has no choice of this round"
            raise Difference("result", "ballots.csv", zh, en)
    if len({row.rater for row in m.rows}) != len(m.rows) or len(m.rows) != m.turnout.cast:
        zh, en = "不是每张票一行", "it has not one row for each ballot"
        raise Difference("result", "ballots.csv", zh, en)
    counts = Counter(row.value for row in m.rows)
    again = {
        "ballots_hash": m.result.get("ballots_hash"),
        "cast": len(m.rows),
        "choices": [{"key": k, "label": label, "count": counts[k]} for k, label in choices],
        "rules_hash": None,
        "valid": True,
    }
    if canonical(again) != canonical(m.result):
        raise _differs("与重算不同", "it is not what the ballots count up to")
    return {"cast": RECOMPUTABLE, "choices": dict.fromkeys(keys, RECOMPUTABLE)}


def check_result(m: Material, left: frozenset[Cell]) -> dict[str, Any]:
    """A panel round: every figure that can be worked out again is worked out; what can be is told."""
    told = m.result.get("subjects")
    shaped = isinstance(told, list) and all(
        isinstance(one, dict) and isinstance(one.get("subject"), str) for one in told
    )
    keys = {"subjects", "valid", "rules_hash", "ballots_hash"}
    keys |= {"trace"} if m.edition == "sealed" else set()
    if not shaped or set(m.result) != keys or not isinstance(m.result["valid"], bool):
        raise _differs("不是规定的样子", "it does not have the shape that it should have")
    assert isinstance(told, list)
    order = [one["subject"] for one in told]
    public = m.edition == "public"
    try:
        again = work_out(m.rules, m.rows, order if public else None, left)
        figures = figures_of(m.rules, order, left, m.turnout.named)
    except (Refused, KeyError, TypeError, AttributeError) as error:
        zh = error.zh if isinstance(error, Refused) else "规则无法执行"
        raise Difference("result", "rules.json", zh, f"the result: {error}") from None
    subjects = again["subjects"]
    if [one["subject"] for one in subjects] != order:
        raise _differs("述法人或其顺序不同", "it has other subjects or another order")
    for one, own in zip(told, subjects):  # noqa: B905
        _compare_subject(one, own, figures["subjects"][own["subject"]], left)
    if figures["valid"] == RECOMPUTABLE and again["valid"] != m.result["valid"]:
        raise _differs("是否有效与重算不同", "whether the session is valid is not so")
    if not public:
        _compare_trace(m.result["trace"], again["trace"])
    return figures


def _compare_trace(told: object, own: Sequence[Step]) -> None:
    """Every step of the work, as the result tells it."""
    if not isinstance(told, list) or len(told) != len(own):
        raise _differs("步骤的数目不对", "the trace has other steps than it should")
    for number, (theirs, mine) in enumerate(zip(told, own), 1):  # noqa: B905
        if canonical(theirs) != canonical(mine):
            zh, en = f"第 {number} 步与重算不同", f"step {number} is not what comes out"
            raise _differs(zh, en)


def _compare_subject(
    told: Mapping[str, Any],
    own: Mapping[str, Any],
    figures: Mapping[str, Any],
    left: frozenset[Cell],
) -> None:
    """Each figure of a subject that is recomputable, against what is told."""
    subject = seen(own["subject"])
    if set(told) != set(own):
        raise _differs(f"{subject} 的项目不对", f"{subject} has other figures than it should")
    for key, mine in own.items():
        if key == "subject":
            continue
        theirs, kind = told[key], figures[key]
        if isinstance(kind, str):
            shape: Any = mine if isinstance(mine, dict) else (str, int, type(None))
            if isinstance(shape, dict):
                fits = isinstance(theirs, dict) and set(theirs) == set(shape)
            else:
                fits = isinstance(theirs, shape) and not isinstance(theirs, bool)
            if not fits or (kind == RECOMPUTABLE and theirs != mine):
                raise _figure_differs(subject, key)
            continue
        if not isinstance(theirs, dict) or set(theirs) != set(mine):
            raise _figure_differs(subject, key)
        for inner, one in mine.items():
            hidden = key == "groups" and ("", inner, own["subject"]) in left
            if hidden and theirs[inner] is not None:
                raise _figure_differs(subject, f"{key} {seen(inner)}")
            if not isinstance(theirs[inner], (str, type(None))):
                raise _figure_differs(subject, f"{key} {seen(inner)}")
            if kind[inner] == RECOMPUTABLE and theirs[inner] != one:
                raise _figure_differs(subject, f"{key} {seen(inner)}")


def _figure_differs(subject: str, figure: str) -> Difference:
    return _differs(
        f"{subject} 的 {figure} 与重算不同", f"{subject}: {figure} is not what comes out"
    )


# What is left out -------------------------------------------------------------------------------


def read_left(value: object, member: str) -> dict[Cell, str]:
    """`[[channel, group, subject, hash], …]`, sorted: the commitments, or the salts."""
    wrong = Difference("figures", member, "不是规定的样子", "it does not have its shape")
    if not isinstance(value, list):
        raise wrong
    found: dict[Cell, str] = {}
    for one in value:
        if not isinstance(one, list) or len(one) != 4 or not _is_hash(one[3]):
            raise wrong
        if not all(isinstance(text, str) for text in one[:3]):
            raise wrong
        found[one[0], one[1], one[2]] = one[3]
    if [[*cell, text] for cell, text in sorted(found.items())] != value:
        raise wrong
    return found


def check_public(
    m: Material, left: Mapping[Cell, str], figures: Mapping[str, Any], said: Any
) -> None:
    """The public edition: what it says of each figure, that no row of a left-out cell stands in it,
    and that no more marks bear one name than a rule needs."""
    if said != figures:
        zh, en = "哪些可重算与规则不符", "what it calls recomputable is not what the rules say"
        raise Difference("figures", "figures.json", zh, en)
    place: dict[tuple[str, str], str] = {}
    choices = m.turnout.audience == "public"
    needed = {} if choices else {c: read_together(*own) for c, own in channels_of(m.rules).items()}
    for number, row in enumerate(m.rows, 2):
        if not choices and cell_of(m.rules, row) in left:
            zh, en = f"第 {number} 行本应略去", f"row {number} should have been left out"
            raise Difference("figures", "ballots.csv", zh, en)
        how = needed.get(row.channel, "nothing")
        here = {"ballot": "", "sheet": row.subject, "nothing": str(number)}[how]
        if place.setdefault((row.channel, row.rater), here) != here:
            zh = f"第 {number} 行与别的行同名，而规则不需要"
            en = f"row {number} bears the name of another, which no rule needs"
            raise Difference("figures", "ballots.csv", zh, en)


def check_sealed(m: Material, salts: Mapping[Cell, str], figures: Mapping[str, Any]) -> None:
    """The sealed edition: the public one, which stands under the same root, is made from it."""
    lines: dict[Cell, list[str]] = {cell: [] for cell in salts}
    if m.turnout.audience == "panel":
        if small_cells(m.rules, m.rows) != frozenset(salts):
            zh, en = "略去的组不对", "other groups are left out than should be"
            raise Difference("figures", "salts.json", zh, en)
        text = m.texts["ballots.csv"].decode()
        for line, row in zip(text.split("\n")[1:], m.rows):  # noqa: B905
            cell = cell_of(m.rules, row)
            if cell in lines:
                lines[cell].append(line)
    left = frozenset(salts)
    public = {
        "figures.json": {"figures": figures, "left_out": left_out(salts, lines)},
        "result.json": public_result(m.result, left),
    }
    for name, value in public.items():
        if _sha256(canonical(value) + b"\n") != m.manifest.editions["public"][name]:
            zh = f"公开版的 {name} 不是由此得出"
            en = f"the public edition's {name} is not what this edition gives"
            raise Difference("figures", "manifest.json", zh, en)


def left_out(salts: Mapping[Cell, str], lines: Mapping[Cell, Sequence[str]]) -> list[list[str]]:
    """The commitments to the cells that are left out, as `figures.json` has them."""
    return [
        [*cell, commitment(bytes.fromhex(salt), lines[cell])]
        for cell, salt in sorted(salts.items())
    ]


# The whole --------------------------------------------------------------------------------------


def verify(
    path: str | IO[bytes], root: str | None = None, progress: Callable[[int], None] | None = None
) -> Report:
    """What holds, or `Difference` with the first thing that does not; `OSError` when the file cannot be
    read."""
    bundle = Zip(path)
    try:
        return _verify(bundle, root, progress)
    finally:
        bundle.close()


def _verify(bundle: Zip, root: str | None, progress: Callable[[int], None] | None) -> Report:
    manifest_bytes = bundle.read("manifest.json")
    own_root = _sha256(manifest_bytes)
    if root is not None and root != own_root:
        raise Difference(
            "root",
            "manifest.json",
            f"这份文件的根值是 {own_root}，不是 {root}",
            f"the root of this bundle is {own_root}, not {root}",
        )
    manifest = read_manifest(manifest_bytes)
    edition, texts, journal = _members(bundle, manifest, progress)
    turnout = read_turnout(texts["turnout.json"], manifest.round)
    codes = check_receipts(_text(texts, "receipts.csv"), turnout.cast, manifest.receipts_root)
    m = _material(edition, texts, turnout, manifest)
    _journal_agrees(journal, m)
    figures = _figures(m, codes)
    return Report(
        own_root,
        edition,
        turnout.round,
        turnout.title,
        turnout.cast,
        journal.entries,
        flat(figures),
    )


def _members(
    bundle: Zip, manifest: Manifest, progress: Callable[[int], None] | None
) -> tuple[str, dict[str, bytes], Journal]:
    """Every member, held against the manifest; then the first difference of the journal."""
    edition = bundle.read("edition.txt").decode("ascii", "replace").rstrip("\n")
    if edition not in MEMBERS:
        zh, en = "没有这个版本", "there is no such edition"
        raise Difference("members", "edition.txt", zh, en)
    expected = manifest.editions[edition]
    for name in sorted(bundle.names ^ {*expected, "manifest.json"}):
        zh, en = (
            ("多余", "it should not be there")
            if name in bundle.names
            else ("缺少", "it is missing")
        )
        raise Difference("members", seen(name), zh, en)
    journal, texts, wrong = Journal(manifest.round, edition == "public"), {}, None
    sealed = seal_of(bundle.read("salts.json")) if edition == "sealed" else b""
    for name in sorted(expected):
        seal = sealed if name in SEALED_HASH else b""
        if name == "journal.jsonl":
            chunks = bundle.chunks(name, MOST_JOURNAL)
            digest, wrong = read_journal(chunks, journal, seal, progress)
        else:
            texts[name] = bundle.read(name)
            digest = _sha256(seal + texts[name])
        if digest != expected[name]:
            zh, en = "与清单的哈希不同", "it is not what the manifest says"
            raise Difference("members", name, zh, en)
    if wrong is not None:
        raise wrong
    return edition, texts, journal


def _text(texts: Mapping[str, bytes], name: str) -> str:
    try:
        return texts[name].decode()
    except UnicodeDecodeError:
        check = "receipts" if name == "receipts.csv" else "result"
        raise Difference(check, name, "不是 UTF-8 文本", "it is not UTF-8 text") from None


def _material(
    edition: str, texts: Mapping[str, bytes], turnout: Turnout, manifest: Manifest
) -> Material:
    rules = read_document(texts["rules.json"], "rules.json", "result")
    result = read_document(texts["result.json"], "result.json", "result")
    for name, value in (("rules.json", rules), ("result.json", result)):
        if not isinstance(value, dict):
            zh, en = "不是规定的样子", "it does not have the shape that it should have"
            raise Difference("result", name, zh, en)
    rows = read_rows(_text(texts, "ballots.csv"), "composite" in rules)
    return Material(edition, texts, rules, rows, result, turnout, manifest)


def _journal_agrees(journal: Journal, m: Material) -> None:
    if journal.state not in ("tallied", "certified"):
        zh, en = "本轮没有计票完成", "this round was not tallied"
        raise Difference("journal", "journal.jsonl", zh, en)
    if not _is_hash(m.result.get("ballots_hash")):
        raise _differs("没有 ballots_hash", "it has no ballots_hash")
    rules_hash = None if m.turnout.audience == "public" else _sha256(m.texts["rules.json"])
    journal.says("round_opened", "rules_hash", rules_hash, "rules.json")
    journal.says("round_closed", "cast", m.turnout.cast, "turnout.json")
    journal.says("round_closed", "receipts_root", m.manifest.receipts_root, "manifest.json")
    journal.says("round_tallied", "ballots_hash", m.result.get("ballots_hash"), "result.json")
    if m.result.get("rules_hash") != rules_hash:
        raise _differs("rules_hash 与 rules.json 不同", "its rules_hash is not that of rules.json")
    if m.edition == "sealed" and m.result.get("ballots_hash") != _sha256(m.texts["ballots.csv"]):
        raise _differs(
            "ballots_hash 与 ballots.csv 不同", "its ballots_hash is not that of ballots.csv"
        )


def _figures(m: Material, codes: Iterable[str]) -> dict[str, Any]:
    check_rows(m.rows, m.turnout, codes)
    public = m.edition == "public"
    member = "figures.json" if public else "salts.json"
    value = read_document(m.texts[member], member, "figures")
    keys = {"left_out", "figures" if public else "seal"}
    if not isinstance(value, dict) or set(value) != keys:
        raise Difference("figures", member, "不是规定的样子", "it does not have its shape")
    if not public and not _is_hash(value["seal"]):
        raise Difference("figures", member, "没有封条", "it has no seal")
    left = read_left(value["left_out"], member)
    if m.turnout.audience == "public":
        if left:
            raise Difference("figures", member, "没有可略去的", "nothing can be left out")
        figures = check_choices(m)
    else:
        figures = check_result(m, frozenset(left) if public else frozenset())
    if public:
        check_public(m, left, figures, value["figures"])
    else:
        order = [one["subject"] for one in m.result.get("subjects", ())]
        named = m.turnout.named
        public_figures = (
            figures_of(m.rules, order, frozenset(left), named)
            if m.turnout.audience == "panel"
            else figures
        )
        check_sealed(m, left, public_figures)
    return figures


def flat(figures: Mapping[str, Any], path: str = "") -> dict[str, str]:
    """Figures by their path, such as `subjects s1 groups citizens`."""
    found: dict[str, str] = {}
    for key, value in figures.items():
        name = f"{path} {key}".strip()
        found.update({name: value} if isinstance(value, str) else flat(value, name))
    return found


# The command ------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"{message}\n")
        raise SystemExit(2)


def report_lines(report: Report, compared: bool, lang: str) -> list[str]:
    """What holds, for people."""
    side = 0 if lang == "zh" else 1
    kinds = Counter(report.figures.values())
    committed = [seen(name) for name, kind in report.figures.items() if kind == COMMITTED]
    lines = [
        f"{('通过', 'ok')[side]}  {names[side]}"
        for check, names in CHECKS.items()
        if compared or check != "root"
    ]
    title, round_id = seen(report.title), seen(report.round)
    edition = EDITIONS[report.edition][side]
    known, unknown = kinds[RECOMPUTABLE], kinds[COMMITTED]
    lines += [
        (
            f"{title}（{round_id}），{edition}：{report.cast} 张票，日志 {report.entries} 条",
            f"{title} ({round_id}), {edition}: {report.cast} ballots, {report.entries} entries",
        )[side],
        (
            f"可重算 {known} 项，仅承诺 {unknown} 项",
            f"{known} figures recomputed, {unknown} committed only",
        )[side],
    ]
    lines += [f"{('仅承诺', 'committed only')[side]}  {name}" for name in committed[:MOST_NAMED]]
    if len(committed) > MOST_NAMED:
        lines.append("…")
    if not compared:
        lines.append(
            ("请与大屏或结果单上的根值比对：", "Compare with the stage or the sheet:")[side]
        )
    return [*lines, f"{('根值', 'root')[side]} {report.root}"]


def language() -> str:
    """Chinese where the environment is, else English."""
    return "zh" if os.environ.get("LANG", "").lower().startswith("zh") else "en"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit status."""
    parser = _Parser(description="Checks the bundle of a round. 核验一轮评议的结果包。")
    parser.add_argument("bundle", metavar="BUNDLE.zip")
    parser.add_argument("--root", metavar="HEX", help="the 64 hex digits shown on stage")
    parser.add_argument("--lang", choices=("zh", "en"), default=language())
    asked = parser.parse_args(arguments)
    return run(asked.bundle, asked.root, asked.lang, sys.stdout, sys.stderr)


def run(path: str, root: str | None, lang: str, out: IO[str], err: IO[str]) -> int:
    """Checks and says so; the exit status."""
    zh = lang == "zh"
    if root is not None:
        root = root.strip().lower()
        if not _is_hash(root):
            err.write("根值应为 64 位十六进制数。\n" if zh else "A root is 64 hex digits.\n")
            return 2

    def progress(entries: int) -> None:
        err.write(f"\r{entries} {'条' if zh else 'entries'} ")
        err.flush()

    terminal = err.isatty()
    try:
        report = verify(path, root, progress if terminal else None)
    except Difference as difference:
        err.write(f"{chr(13) if terminal else ''}{difference.sentence(lang)}\n")
        return 1
    except OSError as error:
        why = error.strerror or type(error).__name__
        err.write(
            f"读不了 {seen(path)}：{why}。\n" if zh else f"{seen(path)} cannot be read: {why}.\n"
        )
        return 2
    out.write(
        (chr(13) if terminal else "")
        + "\n".join(report_lines(report, root is not None, lang))
        + "\n"
    )
    return 0


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    raise SystemExit(main())
