"""The tally: from ballot rows to ranked totals, exact, step by step, with a trace.

`tally(rules, rows, csv_bytes)` is a pure function of its arguments and gives the same result, byte
for byte, each time: validate → per ballot → per group → weight → post-rules → grade → rank. Marks
are integers of the scale's grain, everything after them `Fraction`s; nothing is rounded but at the
four named steps. What each rule means, to the last case, and what each step of the trace holds
stands in docs/rules.md; `count.py` counts the ballots, `totals.py` does what comes after the total.

Source: the contract, "Rules and ballots".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from typing import ClassVar, TypedDict

from server.domain.ballot_file import BallotFileInvalid
from server.domain.ballots import BallotJudge, Reading, reading_of
from server.domain.count import (
    Extremes,
    GroupCount,
    Marks,
    Row,
    SubjectCount,
    count_ballots,
    numbered,
)
from server.domain.exact import exact_text, mark_text, rounded
from server.domain.explained import Explained, Sentence, shown
from server.domain.rules import (
    HIGHEST_MARK,
    Composite,
    Dimension,
    Group,
    LabelScale,
    LabelShare,
    Rules,
    Threshold,
    canonical_bytes,
    rules_hash,
)
from server.domain.totals import Step, Subject, finish

ALWAYS = Threshold(Fraction(0), ">=")
ONE_GROUP = Group("", Fraction(1))
"""Everybody, where the rules have no groups."""

Rows = Callable[[], Iterable[tuple[int, Row]]]
"""Gives the numbered rows afresh each time it is called."""


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


class CompositeSubject(SubjectResult):
    """One subject of a composite: the total of each channel, and neither dimensions nor groups."""

    channels: dict[str, str | None]


class Result(TypedDict):
    """The whole result, subjects in the order of their first row."""

    subjects: list[SubjectResult]
    valid: bool
    rules_hash: str
    ballots_hash: str
    trace: list[Step]


class TallyRefused(Explained):
    """The rules themselves forbid this tally."""

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
        "channel_empty": (
            "渠道“{channel}”对述法人“{subject}”没有成绩，按计票规则不予计票。",
            (
                "Channel “{channel}” has no total for subject “{subject}”, and the rules refuse"
                " the tally then."
            ),
        ),
        "best_is_zero": (
            "维度“{dimension}”的最好成绩为 0，无法与最好成绩相比。",
            "The best mark of dimension “{dimension}” is 0, and nothing can be compared with it.",
        ),
    }


# The whole tally --------------------------------------------------------------------------------


def tally(rules: Rules | Composite, rows: Sequence[Row], csv_bytes: bytes) -> Result:
    """The result of `rows` under `rules`.

    `csv_bytes` are the bytes of the `BALLOTS.csv` that holds exactly these rows; they are only
    hashed. Raises `BallotFileInvalid` when a row does not fit the rules and `TallyRefused` when
    the rules refuse.
    """
    return tally_rows(rules, lambda: numbered(rows), hashlib.sha256(csv_bytes).hexdigest())


def tally_rows(rules: Rules | Composite, rows: Rows, ballots_hash: str) -> Result:
    """The same from rows that are read afresh each time `rows` is called, so that they need not all
    be in memory."""
    trace: list[Step] = []
    if isinstance(rules, Composite):
        subjects, valid = _composite(rules, rows, trace)
    else:
        subjects, valid = _one(rules, rows, trace)
    finished, held = finish(rules.ending, subjects, trace)
    return Result(
        subjects=[
            _printed(rules, subject, rank, grade)
            for subject, (rank, grade) in zip(subjects, finished, strict=True)
        ],
        valid=valid and held,
        rules_hash=rules_hash(rules),
        ballots_hash=ballots_hash,
        trace=trace,
    )


def result_bytes(result: Result) -> bytes:
    """The result as canonical JSON: sorted keys, no spaces, UTF-8, one final newline."""
    return canonical_bytes(result)


def _printed(
    rules: Rules | Composite, one: Subject, rank: int | None, grade: str | None
) -> SubjectResult:
    rounding = rules.ending.rounding
    printed = SubjectResult(
        subject=one.subject,
        total=mark_text(one.total, rounding.total),
        rank=rank,
        grade=grade,
        dimensions={
            key: mark_text(mark, rounding.dimension) for key, mark in one.dimensions.items()
        },
        groups={key: mark_text(mark, rounding.group) for key, mark in one.groups.items()},
        ballots=Counts(
            valid=one.ballots["valid"],
            abstain=one.ballots["abstain"],
            dont_know=one.ballots["dont_know"],
            void=one.ballots["void"],
        ),
    )
    if isinstance(rules, Composite):
        return CompositeSubject(**printed, channels=dict(one.channels))
    return printed


# One electorate ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Electorate:
    """What the steps of one electorate share: the rules, the groups, how each dimension's marks read,
    the grain of totals and the trace."""

    rules: Rules
    groups: Sequence[Group]
    readings: Mapping[str, dict[str, Reading]]
    grain: int
    trace: list[Step]

    def denominator(self, n: int) -> int:
        """What a share of `n` marks is taken of."""
        if self.rules.denominator == "valid":
            return n
        return self.rules.ending.session.counts[self.rules.denominator]

    def units(self, dimension: str, mark: str) -> int:
        """A mark's points in grains of its scale."""
        known = self.readings[dimension]
        if mark not in known:
            one = next(d for d in self.rules.dimensions if d.key == dimension)
            reading = reading_of(one, mark)
            assert isinstance(reading, Reading)
            known[mark] = reading
        return known[mark].units


@dataclass(slots=True)
class _Cell:
    """The unrounded mark of one dimension of one group for one subject, and its step of the trace."""

    exact: Fraction
    step: Step


@dataclass(slots=True)
class _GroupTally:
    """A group's cells by dimension, and its rounded mark."""

    group: Group
    count: GroupCount
    cells: dict[str, _Cell] = field(default_factory=dict)
    mark: Fraction | None = None


def _one(rules: Rules, rows: Rows, trace: list[Step]) -> tuple[list[Subject], bool]:
    """The subjects with their totals, and whether no cell had more marks than its denominator."""
    counts = count_ballots(rules, rows)
    known: dict[str, dict[str, Reading]] = {key: {} for key in rules.dimension_keys}
    grain = BallotJudge(rules).grain
    here = _Electorate(rules, rules.groups or (ONE_GROUP,), known, grain, trace)
    trace.extend(_points_steps(rules))
    tallies = {
        subject: _cells(here, count)
        for subject, count in counts.items()
        if not _below_floor(here, count)
    }
    if rules.best_times is not None:
        _to_best(here, tallies.values())
    subjects = [
        _subject(here, subject, count, tallies.get(subject)) for subject, count in counts.items()
    ]
    return subjects, _fits(here, counts.values())


def _fits(here: _Electorate, counts: Iterable[SubjectCount]) -> bool:
    """Whether no cell has more marks than its denominator, those of subjects below the floor among them:
    that nothing is worked out for them does not make the session's counts right."""
    given = (
        sum(marks.values())
        for count in counts
        for group in count.groups.values()
        for marks in group.marks.values()
    )
    return all(n <= here.denominator(n) for n in given)


def _points_steps(rules: Rules) -> Iterable[Step]:
    for dimension in rules.dimensions:
        if isinstance(dimension.scale, LabelScale):
            labels = dimension.scale.labels
            points = {one.key: exact_text(one.points) for one in labels if one.points is not None}
            if points:
                yield {"step": "points", "dimension": dimension.key, "points": points}


def _below_floor(here: _Electorate, count: SubjectCount) -> bool:
    floor = here.rules.ending.floor
    return count.valid < floor or any(
        _group_count(count, group).valid < floor for group in here.rules.groups
    )


def _group_count(count: SubjectCount, group: Group) -> GroupCount:
    return count.groups.get(group.key) or GroupCount()


def _subject(
    here: _Electorate, subject: str, count: SubjectCount, groups: list[_GroupTally] | None
) -> Subject:
    """A subject's marks up to the rounded total; `groups` None where it is below the floor."""
    rules = here.rules
    ballots = {
        "valid": count.valid,
        "abstain": count.abstain,
        "dont_know": count.dont_know,
        "void": count.void,
    }
    struck = [list(one) for one in count.struck]
    here.trace.append({"step": "sheets", "subject": subject, **ballots, "struck": struck})
    one = Subject(subject, ballots)
    if groups is None:
        here.trace.append({"step": "floor", "subject": subject, "floor": rules.ending.floor})
        one.dimensions = dict.fromkeys(rules.dimension_keys)
        one.groups = dict.fromkeys(group.key for group in rules.groups)
        one.below_floor = True
        return one
    for group in groups:
        _finish_group(here, subject, group)
    one.highest = _highest(here, groups) if HIGHEST_MARK in rules.ending.ties else None
    if rules.within == "verdict":
        one.dimensions = dict.fromkeys(rules.dimension_keys)
        one.groups = dict.fromkeys(group.key for group in rules.groups)
        one.grade = _verdict(here, subject, groups)
        return one
    _refuse_empty(rules, subject, groups)
    one.dimensions = _dimensions_of(rules, groups)
    one.groups = {group.group.key: group.mark for group in groups} if rules.groups else {}
    one.total = _total(here, subject, groups)
    one.shares = tuple(
        None if band.when is None else _share(here, groups, band.when)
        for band in rules.ending.bands
    )
    return one


def _refuse_empty(rules: Rules, subject: str, groups: Sequence[_GroupTally]) -> None:
    empty = [one.group.key for one in groups if one.mark is None]
    if rules.ending.empty_group == "refuse" and empty:
        raise _empty(rules, subject, empty[0])


def _empty(rules: Rules, subject: str, group: str) -> TallyRefused:
    if not rules.groups:
        return TallyRefused("subject_empty", subject=shown(subject))
    return TallyRefused("group_empty", subject=shown(subject), group=shown(group))


def _highest(here: _Electorate, groups: Sequence[_GroupTally]) -> Fraction | None:
    """The best points of any single mark on a valid sheet, trimmed ones included, before its factor:
    the highest, with `order: ascending` the lowest."""
    best = max if here.rules.ending.order == "descending" else min
    found = [
        Fraction(here.units(dimension.key, mark), dimension.scale.grain)
        for one in groups
        for dimension in here.rules.dimensions
        for mark in one.count.marks.get(dimension.key, ())
    ]
    return best(found, default=None)


def weighted_mean(parts: Iterable[tuple[Fraction, Fraction]]) -> Fraction | None:
    """Σ weight × mark / Σ weights of (weight, mark); None when the weights add up to 0."""
    listed = list(parts)
    weights = sum((weight for weight, _ in listed), Fraction(0))
    if not weights:
        return None
    return sum((weight * mark for weight, mark in listed), Fraction(0)) / weights


def _total(here: _Electorate, subject: str, groups: Sequence[_GroupTally]) -> Fraction | None:
    rules, rounding = here.rules, here.rules.ending.rounding
    zero = rules.ending.empty_group == "zero" and any(one.mark is not None for one in groups)
    parts = [
        (one.group, Fraction(0) if one.mark is None else one.mark)
        for one in groups
        if zero or one.mark is not None
    ]
    exact = weighted_mean((group.weight, mark) for group, mark in parts)
    total = None if exact is None else rounded(exact, rounding.total, rounding.mode)
    step: Step = {"step": "total", "subject": subject}
    if rules.groups:
        step["groups"] = [
            [group.key, exact_text(group.weight), mark_text(mark, rounding.group)]
            for group, mark in parts
        ]
    step["exact"] = mark_text(exact, None)
    step["total"] = mark_text(total, rounding.total)
    here.trace.append(step)
    return total


def _dimensions_of(rules: Rules, groups: Sequence[_GroupTally]) -> dict[str, Fraction | None]:
    """Each dimension over the groups: the weighted mean of their unrounded marks, rounded."""
    rounding = rules.ending.rounding
    marks: dict[str, Fraction | None] = {}
    for key in rules.dimension_keys:
        parts = [(one.group.weight, one.cells[key].exact) for one in groups if key in one.cells]
        if parts and rules.ending.empty_group == "zero":
            parts += [(one.group.weight, Fraction(0)) for one in groups if one.mark is None]
        exact = weighted_mean(parts)
        marks[key] = None if exact is None else rounded(exact, rounding.dimension, rounding.mode)
    return marks


# Cells ------------------------------------------------------------------------------------------


def _cells(here: _Electorate, count: SubjectCount) -> list[_GroupTally]:
    """Every cell of a subject, up to its unrounded mark."""
    return [_group_cells(here, group, _group_count(count, group)) for group in here.groups]


def _group_cells(here: _Electorate, group: Group, count: GroupCount) -> _GroupTally:
    rules = here.rules
    tally_ = _GroupTally(group, count)
    if rules.within == "verdict":
        return tally_
    gone = _trimmed_totals(here, count.totals)
    for dimension in rules.dimensions:
        marks = _without(count.marks.get(dimension.key, {}), gone.get(dimension.key, ()))
        if marks or (rules.within == "rate" and rules.denominator != "valid"):
            tally_.cells[dimension.key] = _cell(here, dimension, marks, count)
    return tally_


def _without(marks: Marks, gone: Iterable[str]) -> Marks:
    left = dict(marks)
    for mark in gone:
        left[mark] -= 1
        if not left[mark]:
            del left[mark]
    return left


def _cell(here: _Electorate, dimension: Dimension, marks: Marks, count: GroupCount) -> _Cell:
    rules, key = here.rules, dimension.key
    ordered = sorted(marks, key=lambda mark: (-here.units(key, mark), _place_of(dimension, mark)))
    step: Step = {"marks": [[mark, marks[mark]] for mark in ordered], "high": [], "low": []}
    kept = marks
    if rules.trim is not None and rules.trim.on == "dimension":
        n = sum(marks.values())
        if n >= rules.trim.least:
            most = rules.trim.high + rules.trim.low
            spread = [mark for mark in ordered for _ in range(min(marks[mark], most))]
            high = spread[: rules.trim.high]
            low = list(islice(reversed(spread[rules.trim.high :]), rules.trim.low))
            step["high"], step["low"] = high, low
            kept = _without(marks, [*high, *low])
    n = sum(kept.values())
    step["n"] = n
    step["within"] = rules.within
    if rules.within == "rate":
        return _Cell(_rate(here, kept, step), step)
    if rules.within == "rank_points":
        return _Cell(_rank_points(here, count.places.get(key, {}), step), step)
    grain = dimension.scale.grain
    if rules.within == "median":
        exact = Fraction(_middle(here, key, kept, n), 2 * grain)
    else:
        total = sum(here.units(key, mark) * times for mark, times in kept.items())
        exact = Fraction(total, grain if rules.within == "sum" else grain * n)
    return _Cell(exact, step)


def _place_of(dimension: Dimension, mark: str) -> int:
    """Where a label stands on its scale, so that labels of equal points have an order."""
    if isinstance(dimension.scale, LabelScale):
        return [label.key for label in dimension.scale.labels].index(mark)
    return 0


def _middle(here: _Electorate, key: str, marks: Marks, n: int) -> int:
    """Twice the median in grains: the sum of the middle two of so many marks, or twice the middle."""
    wanted = ((n - 1) // 2, n // 2)
    seen, total = 0, 0
    for units, times in sorted((here.units(key, mark), times) for mark, times in marks.items()):
        total += sum(units for place in wanted if seen <= place < seen + times)
        seen += times
    return total


def _rate(here: _Electorate, marks: Marks, step: Step) -> Fraction:
    """The share of the positive marks."""
    of = here.denominator(sum(marks.values()))
    positive = sum(times for mark, times in marks.items() if mark in here.rules.positive)
    step["positive"], step["of"] = positive, of
    return Fraction(positive, of)


def _rank_points(here: _Electorate, places: Mapping[int, int], step: Step) -> Fraction:
    """The mean of the points of all places."""
    points = here.rules.rank_points
    assert points is not None
    step["places"] = [[place, places[place]] for place in sorted(places)]
    total = sum(
        ((points.first - points.step * (place - 1)) * n for place, n in places.items()), Fraction(0)
    )
    return total / sum(places.values())


def _to_best(here: _Electorate, tallies: Iterable[list[_GroupTally]]) -> None:
    """Each mean becomes its ratio to the best mean of its dimension and group."""
    times = here.rules.best_times
    assert times is not None
    listed = list(tallies)
    best_of = max if here.rules.ending.order == "descending" else min
    for index in range(len(here.groups)):
        for key in here.rules.dimension_keys:
            cells = [one[index].cells[key] for one in listed if key in one[index].cells]
            if not cells:
                continue
            best = best_of(cell.exact for cell in cells)
            if not best:
                raise TallyRefused("best_is_zero", dimension=shown(key))
            for cell in cells:
                cell.step["mean"], cell.step["best"] = exact_text(cell.exact), exact_text(best)
                cell.exact = cell.exact / best * times


def _finish_group(here: _Electorate, subject: str, one: _GroupTally) -> None:
    """Rounds, weighs and puts together a group's dimensions, with the steps for the trace."""
    rules, rounding = here.rules, here.rules.ending.rounding
    place = {"subject": subject, "group": one.group.key or None}
    if one.count.totals.n:
        here.trace.append({"step": "totals", **place, **_totals_step(here, one.count.totals)})
    weighted: dict[str, Fraction] = {}
    for dimension in rules.dimensions:
        cell = one.cells.get(dimension.key)
        if cell is None:
            continue
        mark = rounded(cell.exact, rounding.dimension, rounding.mode)
        worth = rounded(mark * dimension.factor, rounding.weighted, rounding.mode)
        weighted[dimension.key] = worth
        here.trace.append(
            {
                "step": "dimension",
                **place,
                "dimension": dimension.key,
                **cell.step,
                "exact": exact_text(cell.exact),
                "mark": mark_text(mark, rounding.dimension),
                "factor": exact_text(dimension.factor),
                "weighted": mark_text(worth, rounding.weighted),
            }
        )
    if not weighted:
        return
    exact = sum(weighted.values(), Fraction(0))
    if rules.across == "mean":
        exact /= len(weighted)
    one.mark = rounded(exact, rounding.group, rounding.mode)
    here.trace.append(
        {
            "step": "group",
            **place,
            "dimensions": [
                [key, mark_text(worth, rounding.weighted)] for key, worth in weighted.items()
            ],
            "across": rules.across,
            "exact": exact_text(exact),
            "mark": mark_text(one.mark, rounding.group),
        }
    )


# Trim on totals ---------------------------------------------------------------------------------


def _leaving(
    here: _Electorate, totals: Extremes
) -> tuple[
    list[tuple[int, int, Mapping[str, Reading]]], list[tuple[int, int, Mapping[str, Reading]]]
]:
    """(total, row, marks) of those who leave as the highest and as the lowest, the first to go first."""
    trim = here.rules.trim
    if trim is None or trim.on != "total" or totals.n < trim.least:
        return [], []
    high = [(total, -row, marks) for total, row, marks in sorted(totals.high, reverse=True)]
    gone = {row for _, row, _ in high}
    low = [(-total, -row, marks) for total, row, marks in sorted(totals.low, reverse=True)]
    return high, [one for one in low if one[1] not in gone][: trim.low]


def _trimmed_totals(here: _Electorate, totals: Extremes) -> dict[str, list[str]]:
    """The marks that leave with their raters, by dimension."""
    gone: dict[str, list[str]] = {}
    for end in _leaving(here, totals):
        for _, _, marks in end:
            for key, one in marks.items():
                gone.setdefault(key, []).append(one.mark or "")
    return gone


def _totals_step(here: _Electorate, totals: Extremes) -> Step:
    high, low = (
        [[row, exact_text(Fraction(total, here.grain))] for total, row, _ in end]
        for end in _leaving(here, totals)
    )
    return {"n": totals.n, "high": high, "low": low}


# Shares of labels -------------------------------------------------------------------------------


def _share(here: _Electorate, groups: Sequence[_GroupTally], when: LabelShare) -> Fraction | None:
    """The share of the labels among the marks of the one dimension; over several groups the weighted
    mean of theirs, an empty one as the rules say. None where there is nothing to take a share of."""
    key = here.rules.dimensions[0].key
    parts: list[tuple[Fraction, Fraction]] = []
    some = False
    for one in groups:
        marks = one.count.marks.get(key, {})
        of = here.denominator(sum(marks.values()))
        if of:
            some = True
            found = sum(times for mark, times in marks.items() if mark in when.labels)
            parts.append((one.group.weight, Fraction(found, of)))
        elif here.rules.ending.empty_group == "zero":
            parts.append((one.group.weight, Fraction(0)))
    return weighted_mean(parts) if some else None


def _verdict(here: _Electorate, subject: str, groups: Sequence[_GroupTally]) -> str | None:
    """The grade of the first rule whose share holds; none where no share can be worked out."""
    rules, dimension = here.rules, here.rules.dimensions[0]
    for one in groups:
        marks = one.count.marks.get(dimension.key, {})
        if not marks and rules.ending.empty_group == "refuse":
            raise _empty(rules, subject, one.group.key)
        ordered = sorted(marks, key=lambda mark: _place_of(dimension, mark))
        step = {"step": "counts", "subject": subject, "group": one.group.key or None}
        counted = [[mark, marks[mark]] for mark in ordered]
        of = here.denominator(sum(marks.values()))
        here.trace.append({**step, "marks": counted, "of": of})
    shares: list[list[str | None]] = []
    grade: str | None = None
    for rule in rules.verdict:
        share = _share(here, groups, rule.when or LabelShare(frozenset(), ALWAYS))
        if rule.when is not None:
            shares.append([rule.grade, mark_text(share, None)])
        if share is not None and (rule.when is None or rule.when.threshold.holds(share)):
            grade = rule.grade
            break
    here.trace.append({"step": "verdict", "subject": subject, "shares": shares, "grade": grade})
    return grade


# Composites -------------------------------------------------------------------------------------


def _composite(rules: Composite, rows: Rows, trace: list[Step]) -> tuple[list[Subject], bool]:
    """Each channel by its own rules, then their totals by weight."""
    order: dict[str, None] = {}
    keys = frozenset(channel.key for channel in rules.channels)
    for number, row in rows():
        if row[5] not in keys:
            raise BallotFileInvalid("channel_unknown", number, "channel", channel=shown(row[5]))
        order.setdefault(row[0])
    valid = True
    by_channel: dict[str, dict[str, Subject]] = {}
    for channel in rules.channels:
        key = channel.key
        steps: list[Step] = []

        def of_channel(key: str = key) -> Iterable[tuple[int, Row]]:
            return (one for one in rows() if one[1][5] == key)

        subjects, fine = _one(channel.rules, of_channel, steps)
        _, held = finish(channel.rules.ending, subjects, steps)
        valid = valid and fine and held
        by_channel[key] = {one.subject: one for one in subjects}
        trace.extend({"channel": key, **step} for step in steps)
    return [_together(rules, subject, by_channel, trace) for subject in order], valid


def _together(
    rules: Composite,
    subject: str,
    by_channel: Mapping[str, Mapping[str, Subject]],
    trace: list[Step],
) -> Subject:
    """One subject's total over the channels."""
    ending = rules.ending
    found = {key: subjects.get(subject) for key, subjects in by_channel.items()}
    totals = {key: None if one is None else one.total for key, one in found.items()}
    ballots = {
        kind: sum(one.ballots[kind] for one in found.values() if one is not None)
        for kind in ("valid", "abstain", "dont_know", "void")
    }
    places = {channel.key: channel.rules.ending.rounding.total for channel in rules.channels}
    together = Subject(subject, ballots)
    together.channels = {key: mark_text(total, places[key]) for key, total in totals.items()}
    together.channel_marks = totals
    hidden = any(
        one is not None and one.below_floor and channel.weight
        for channel, one in zip(rules.channels, found.values(), strict=True)
    )
    too_few = ballots["valid"] < ending.floor
    if too_few:
        together.channels = dict.fromkeys(totals)
    if hidden or too_few:
        trace.append({"step": "floor", "subject": subject, "floor": ending.floor})
        together.below_floor = True
        return together
    empty = [one.key for one in rules.channels if totals[one.key] is None and one.weight]
    if empty and ending.empty_group == "refuse":
        raise TallyRefused("channel_empty", subject=shown(subject), channel=shown(empty[0]))
    counting = [one.key for one in rules.channels if one.weight]
    zero = ending.empty_group == "zero" and len(empty) < len(counting)
    parts: list[tuple[str, Fraction, Fraction]] = []
    for channel in rules.channels:
        total = totals[channel.key]
        if total is not None or zero:
            parts.append((channel.key, channel.weight, total or Fraction(0)))
    exact = weighted_mean((weight, total) for _, weight, total in parts)
    rounding = ending.rounding
    together.total = None if exact is None else rounded(exact, rounding.total, rounding.mode)
    trace.append(
        {
            "step": "total",
            "subject": subject,
            "channels": [
                [key, exact_text(weight), mark_text(total, places[key])]
                for key, weight, total in parts
            ],
            "exact": mark_text(exact, None),
            "total": mark_text(together.total, rounding.total),
        }
    )
    return together
