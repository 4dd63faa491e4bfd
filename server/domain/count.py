"""Counting: from ballot rows to what stands in each cell (subject × group × dimension).

`count_ballots` reads the rows once, one ballot after the other, and keeps of them only how often each
value stands in each cell, so that its memory does not grow with their number. It can do so while
each rater's rows stand together and the raters' names rise; rows in any other order are gathered by
rater first, which needs room for all of them. The result is the same.

A row that cannot be used is a `BallotFileInvalid` with its number (the header is row 1); the first
one in the file is named.

Source: the contract, "Rules and ballots"; docs/rules.md, "Which sheets count"; why it counts as it reads:
docs/decisions/0016-counting-as-it-is-read.md.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from server.domain.ballot_file import FIRST_ROW, BallotFileInvalid
from server.domain.ballots import BallotJudge, Fault, Reading, reading_of
from server.domain.explained import shown
from server.domain.rules import ABSTAIN, DONT_KNOW, VOID, Rules

Row = Sequence[str]
"""subject, rater, group, dimension, value (and a channel, which is not looked at here)."""

INCOMPLETE = "incomplete"
"""Why a sheet with marks does not count: a dimension that is required has none. The other reasons are
the codes of `BallotJudge.fault`."""

Marks = dict[str, int]
"""How often each mark stands in a cell, by its one spelling."""


@dataclass(slots=True)
class Extremes:
    """Of the totals of one group for one subject: how many there are, and those that may leave.

    Kept are only as many of the highest and lowest as the rules could trim: (amount, row of the
    sheet's first mark, the sheet's marks).
    """

    n: int = 0
    high: list[tuple[int, int, Mapping[str, Reading]]] = field(default_factory=list)
    low: list[tuple[int, int, Mapping[str, Reading]]] = field(default_factory=list)

    def add(self, total: int, row: int, marks: Mapping[str, Reading], high: int, low: int) -> None:
        """One more total. Among equal ones the earlier row is the one to leave."""
        self.n += 1
        _keep(self.high, (total, -row, marks), high)
        _keep(self.low, (-total, -row, marks), low)


def _keep(
    heap: list[tuple[int, int, Mapping[str, Reading]]],
    one: tuple[int, int, Mapping[str, Reading]],
    most: int,
) -> None:
    """Rows differ, so that two entries are never compared by their marks."""
    if len(heap) < most:
        heapq.heappush(heap, one)
    elif most:
        heapq.heappushpop(heap, one)


@dataclass(slots=True)
class GroupCount:
    """One group's valid sheets for one subject: their number, their marks by dimension, and where the
    rules ask for it the places (rank points) and the totals (trim)."""

    valid: int = 0
    marks: dict[str, Marks] = field(default_factory=dict)
    places: dict[str, dict[int, int]] = field(default_factory=dict)
    totals: Extremes = field(default_factory=Extremes)


@dataclass(slots=True)
class SubjectCount:
    """The sheets for one subject by kind, those with marks that do not count (the row of the first
    mark, why), and each group's."""

    valid: int = 0
    abstain: int = 0
    dont_know: int = 0
    void: int = 0
    struck: list[tuple[int, str]] = field(default_factory=list)
    groups: dict[str, GroupCount] = field(default_factory=dict)


class _NotInOrder(Exception):
    """The raters' names do not rise: the rows must be gathered first."""


def count_ballots(
    rules: Rules, rows: Callable[[], Iterable[tuple[int, Row]]]
) -> dict[str, SubjectCount]:
    """What stands in every cell, subjects in the order of their first rows.

    `rows` gives the numbered rows afresh each time it is called; it is called a second time where
    they must be gathered. Raises `BallotFileInvalid`.
    """
    try:
        return _Count(rules).of(_ballots_in_order(_Reader(rules), rows()))
    except _NotInOrder:
        reader = _Reader(rules)
        ballots = _gathered(reader, rows())
        count = _Count(rules)
        for subject in reader.subjects:
            count.subjects[subject] = SubjectCount()
        return count.of(ballots)


# Rows to ballots --------------------------------------------------------------------------------


@dataclass(slots=True)
class _Ballot:
    """All rows of one rater: by subject and dimension what was said, and in which row."""

    group: str
    sheets: dict[str, dict[str, tuple[Reading, int]]] = field(default_factory=dict)


class _Reader:
    """Checks each row against the rules and adds it to its ballot."""

    def __init__(self, rules: Rules) -> None:
        self._dimensions = {one.key: one for one in rules.dimensions}
        self._groups = frozenset(one.key for one in rules.groups)
        self._known: dict[str, dict[str, Reading]] = {key: {} for key in self._dimensions}
        self.subjects: dict[str, None] = {}

    def ballot(self, number: int, row: Row) -> _Ballot:
        """A new ballot, of the rater of this row."""
        group = row[2] if self._groups else ""
        if self._groups and group not in self._groups:
            raise BallotFileInvalid("group_unknown", number, "group", group=shown(group))
        return _Ballot(group)

    def add(self, ballot: _Ballot, number: int, row: Row) -> None:
        """One row more; raises `BallotFileInvalid` where it does not fit the rules or the ballot."""
        subject, _, group, dimension, value, *_ = row
        values = self._known.get(dimension)
        if values is None:
            name = shown(dimension)
            raise BallotFileInvalid("dimension_unknown", number, "dimension", dimension=name)
        if self._groups and group != ballot.group:
            raise _two_groups(number, row, ballot.group)
        sheet = ballot.sheets.get(subject)
        if sheet is None:
            self.subjects[subject] = None
            sheet = ballot.sheets[subject] = {}
        elif dimension in sheet:
            raise BallotFileInvalid("row_twice", number, earlier=str(sheet[dimension][1]))
        reading = values.get(value)
        if reading is None:
            reading = self._read(number, dimension, value)
        sheet[dimension] = (reading, number)

    def _read(self, number: int, dimension: str, value: str) -> Reading:
        reading = reading_of(self._dimensions[dimension], value)
        if isinstance(reading, Fault):
            raise BallotFileInvalid(
                reading.code,
                number,
                "value",
                value=shown(value),
                dimension=shown(dimension),
                choices=", ".join(reading.choices),
                **reading.detail,
            )
        self._known[dimension][value] = reading
        return reading


def _two_groups(number: int, row: Row, earlier: str) -> BallotFileInvalid:
    return BallotFileInvalid(
        "rater_in_two_groups",
        number,
        "group",
        rater=shown(row[1]),
        earlier=shown(earlier),
        group=shown(row[2]),
    )


def _ballots_in_order(reader: _Reader, rows: Iterable[tuple[int, Row]]) -> Iterator[_Ballot]:
    """Ballot after ballot, while the raters' names rise; raises `_NotInOrder` when they do not."""
    rater, ballot = "", None
    for number, row in rows:
        if ballot is None or row[1] != rater:
            if ballot is not None:
                yield ballot
            if row[1] < rater:
                raise _NotInOrder
            rater, ballot = row[1], reader.ballot(number, row)
        reader.add(ballot, number, row)
    if ballot is not None:
        yield ballot


def _gathered(reader: _Reader, rows: Iterable[tuple[int, Row]]) -> Iterable[_Ballot]:
    """All ballots, in the order of their first rows."""
    ballots: dict[str, _Ballot] = {}
    for number, row in rows:
        ballot = ballots.get(row[1])
        if ballot is None:
            ballot = ballots[row[1]] = reader.ballot(number, row)
        reader.add(ballot, number, row)
    return ballots.values()


# Ballots to cells -------------------------------------------------------------------------------


class _Count:
    """Adds ballots to the cells."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._judge = BallotJudge(rules)
        self._needed = len(rules.dimensions) if rules.ballot.required == "all" else 1
        trim = rules.trim if rules.trim is not None and rules.trim.on == "total" else None
        self._high = trim.high if trim else 0
        self._low = trim.high + trim.low if trim else 0
        self._places = rules.within == "rank_points"
        self._sign = -1 if rules.ending.order == "descending" else 1
        self.subjects: dict[str, SubjectCount] = {}

    def of(self, ballots: Iterable[_Ballot]) -> dict[str, SubjectCount]:
        """Counts them all."""
        for ballot in ballots:
            self._add(ballot)
        for subject in self.subjects.values():
            subject.struck.sort()
        return self.subjects

    def _add(self, ballot: _Ballot) -> None:
        valid: dict[str, dict[str, Reading]] = {}
        rows: dict[str, int] = {}
        for subject, sheet in ballot.sheets.items():
            marks = {key: one for key, (one, _) in sheet.items() if one.mark is not None}
            if marks:
                rows[subject] = min(row for one, row in sheet.values() if one.mark is not None)
                if len(marks) >= self._needed:
                    valid[subject] = marks
        fault = self._judge.fault(valid.values()) if self._rules.ballot.of_whole_ballots else None
        places = self._placed(valid) if self._places and fault is None else {}
        for subject, sheet in ballot.sheets.items():
            count = self.subjects.get(subject)
            if count is None:
                count = self.subjects[subject] = SubjectCount()
            if fault is not None:
                self._strike(count, sheet, rows.get(subject), fault.code)
            elif subject in valid:
                count.valid += 1
                self._count(count, ballot.group, valid[subject], rows[subject])
                for key, place in places.get(subject, {}).items():
                    at = count.groups[ballot.group].places.setdefault(key, {})
                    at[place] = at.get(place, 0) + 1
            elif subject in rows:
                self._strike(count, sheet, rows[subject], INCOMPLETE)
            else:
                _count_words(count, sheet)

    def _count(
        self, count: SubjectCount, group: str, marks: Mapping[str, Reading], row: int
    ) -> None:
        """A valid sheet."""
        here = count.groups.get(group)
        if here is None:
            here = count.groups[group] = GroupCount()
        here.valid += 1
        for key, one in marks.items():
            cell = here.marks.get(key)
            if cell is None:
                cell = here.marks[key] = {}
            mark = one.mark or ""
            cell[mark] = cell.get(mark, 0) + 1
        if self._low:
            here.totals.add(self._judge.total(marks), row, marks, self._high, self._low)

    @staticmethod
    def _strike(
        count: SubjectCount, sheet: Mapping[str, tuple[Reading, int]], row: int | None, why: str
    ) -> None:
        """A sheet that is void, and says anything."""
        if any(one.given for one, _ in sheet.values()):
            count.void += 1
        if row is not None:
            count.struck.append((row, why))

    def _placed(self, valid: Mapping[str, Mapping[str, Reading]]) -> dict[str, dict[str, int]]:
        """Subject → dimension → place among the ballot's marks; equals share the better place."""
        places: dict[str, dict[str, int]] = {}
        for dimension in self._rules.dimension_keys:
            marked = [
                (self._sign * marks[dimension].units, subject)
                for subject, marks in valid.items()
                if dimension in marks
            ]
            marked.sort()
            place, before = 0, None
            for n, (amount, subject) in enumerate(marked, start=1):
                if amount != before:
                    place, before = n, amount
                places.setdefault(subject, {})[dimension] = place
        return places


def _count_words(count: SubjectCount, sheet: Mapping[str, tuple[Reading, int]]) -> None:
    """A sheet without a mark; one that says nothing at all is none."""
    words = {one.word for one, _ in sheet.values()}
    if VOID in words:
        count.void += 1
    elif ABSTAIN in words:
        count.abstain += 1
    elif DONT_KNOW in words:
        count.dont_know += 1


def numbered(rows: Iterable[Row]) -> Iterator[tuple[int, Row]]:
    """Rows with the numbers that they have in a file: the header is row 1."""
    return enumerate(rows, start=FIRST_ROW)
