"""Ballots: what one value says, and a panelist's ballot checked before it is taken.

A **row** is one value of one rater for one subject in one dimension. A **sheet** is all rows of
one rater for one subject, a **ballot** all rows of one rater. A value is

* a number on the scale (a plain decimal, `7.25`) or a label's key: a mark, worth points;
* `abstain`, `dont_know` or `void`: no mark, but counted;
* empty: nothing given, the same as no row (left out, never zero).

`void` is a teller's word: it may stand in a file and is not something a panelist may send
(docs/decisions/0010-void-is-not-cast.md).

**What `ballot.required` asks.** `any`: a sheet is valid with one mark or more. `all`: it is valid
only with a mark in every dimension; a panelist's ballot is then taken only when every subject
from whom he has not recused himself has a whole sheet, which is either marked in every dimension
or answered in every dimension with `abstain` or `dont_know`. (A sheet half marked and half
abstained would lose its marks in the tally, so it is refused while it can still be mended.)

Source: the contract, "Rules and ballots".
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, NamedTuple

from server.domain.exact import decimal_of, exact_text
from server.domain.explained import Explained, Sentence, shown
from server.domain.rules import (
    VOID,
    WORDS,
    BallotQuota,
    Dimension,
    LabelScale,
    NumberScale,
    Rules,
)

_GREATEST_NUMBER = Decimal(10) ** 18
"""Numbers from here on are on no scale; they are only printed, and shortly."""


class BallotRow(NamedTuple):
    """One line of `BALLOTS.csv`. `group` may be empty where the rules have no groups; `value` as
    it was written; `channel` where the rules are a composite. Rows that a panelist's sheet gives
    have no rater yet (see `rows_of`)."""

    subject: str
    rater: str
    group: str
    dimension: str
    value: str
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one value says: a `mark` in its one spelling, else a `word`, else nothing was given.

    `units` are a mark's points in grains of the dimension's scale (points × `scale.grain`), 0 for
    a label without points.
    """

    mark: str | None = None
    units: int = 0
    word: str | None = None

    @property
    def given(self) -> bool:
        """Whether there is anything at all, a mark or a word."""
        return self.mark is not None or self.word is not None


# What is wrong with a value or a sheet ----------------------------------------------------------

VALUE_FAULTS: Mapping[str, Sentence] = {
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


def placed(zh: str, en: str, faults: Mapping[str, Sentence]) -> dict[str, Sentence]:
    """The sentences with the place in front."""
    return {code: (zh + sentence[0], en + sentence[1]) for code, sentence in faults.items()}


class BallotInvalid(Explained):
    """A panelist's ballot that cannot be taken: `code`, and `subject` and `dimension` where, and the
    `choices` that the dimension has where something else was sent. All of them are keys, in the
    sentence too; `told` says it with names."""

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
        "ballot_all_equal": (
            "各项打分全部相同的票无效，请再斟酌。",
            "A ballot whose marks are all the same is void; please look at it again.",
        ),
        "ballot_all_full": (
            "各项全部打满分的票无效，请再斟酌。",
            "A ballot whose marks are all full is void; please look at it again.",
        ),
        "ballot_quota": (
            "规则要求：总分{which}的述法人{limit}；这张票有 {number} 名。",
            "The rules want {limit} with a total {which}; this ballot has {number}.",
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
            "述法人“{subject}”：维度“{dimension}”不能自填废票，可选弃权或不了解。",
            "Subject “{subject}”: “{dimension}” cannot be void; abstain or “don't know” can be chosen.",
        ),
        **placed("述法人“{subject}”：", "Subject “{subject}”: ", VALUE_FAULTS),
    }

    def __init__(
        self,
        code: str,
        subject: str | None = None,
        dimension: str | None = None,
        choices: Sequence[str] = (),
        **detail: str | Sentence,
    ) -> None:
        self.subject = subject
        self.dimension = dimension
        self.choices = tuple(choices)
        self._more = dict(detail)
        detail["subject"] = shown(subject or "")
        detail["dimension"] = shown(dimension or "")
        detail["choices"] = ("、".join(choices), ", ".join(choices))
        super().__init__(code, **detail)

    def told(self, names: Mapping[str, str], labels: Mapping[str, str]) -> Sentence:
        """The sentence in Chinese and in English as people read it: subjects by `names` and the
        rules' keys by `labels`, where there is one."""
        named = BallotInvalid(
            self.code,
            names.get(self.subject or "", self.subject),
            labels.get(self.dimension or "", self.dimension),
            [labels.get(key, key) for key in self.choices],
            **self._more,
        )
        return named.message("zh"), named.message("en")


# One value --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a value is not on its dimension's scale; `choices` are the keys of its labels."""

    code: str
    detail: Mapping[str, str]
    choices: tuple[str, ...] = ()


def reading_of(dimension: Dimension, text: str) -> Reading | Fault:
    """What `text` says in `dimension`."""
    if not text:
        return Reading()
    if text in WORDS:
        return Reading(word=text)
    if isinstance(dimension.scale, LabelScale):
        return _label_reading(dimension.scale, text)
    return _number_reading(dimension.scale, text)


def _label_reading(scale: LabelScale, text: str) -> Reading | Fault:
    for label in scale.labels:
        if label.key == text:
            return Reading(text, int((label.points or 0) * scale.grain))
    return Fault("value_not_label", {}, tuple(label.key for label in scale.labels))


def _number_reading(scale: NumberScale, text: str) -> Reading | Fault:
    number = decimal_of(text)
    low = exact_text(scale.minimum)
    if number is None:
        return Fault("value_not_number", {})
    if not scale.minimum <= number <= scale.maximum:
        return Fault("value_out_of_range", {"low": low, "high": exact_text(scale.maximum)})
    if scale.step is not None and (number - scale.minimum) % scale.step:
        return Fault("value_off_step", {"low": low, "step": exact_text(scale.step)})
    return Reading(exact_text(number), int(number * scale.grain))


# A whole ballot --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BallotFault:
    """Why a whole ballot is void: the code, and what its sentence needs."""

    code: str
    detail: Mapping[str, str | Sentence]


class BallotJudge:
    """Sheet totals and the rules about whole ballots, prepared once for many ballots."""

    def __init__(self, rules: Rules) -> None:
        self._ballot = rules.ballot
        self._mean = rules.across == "mean"
        worth = {one.key: one.factor / one.scale.grain for one in rules.dimensions}
        grain = math.lcm(*(one.denominator for one in worth.values()))
        if self._mean:
            grain *= math.lcm(*range(1, len(worth) + 1))
        self.grain = grain
        """A sheet's total is an integer of 1 / grain, exactly, also when it is a mean."""
        self._worth = {key: int(one * grain) for key, one in worth.items()}
        self._tops = {one.key: top_of(one) for one in rules.dimensions}

    def total(self, marks: Mapping[str, Reading]) -> int:
        """A sheet's total in grains: marks × factor by `across`, unrounded."""
        worth = self._worth
        total = sum(reading.units * worth[key] for key, reading in marks.items())
        return total // len(marks) if self._mean else total

    def fault(self, sheets: Collection[Mapping[str, Reading]]) -> BallotFault | None:
        """Why the ballot with these valid sheets is void, or None."""
        marks = [(key, one) for sheet in sheets for key, one in sheet.items()]
        equal = len(marks) > 1 and len({one.mark for _, one in marks}) == 1
        if self._ballot.void_all_equal and equal:
            return BallotFault("ballot_all_equal", {})
        full = bool(marks) and all(one.mark in self._tops[key] for key, one in marks)
        if self._ballot.void_all_full and full:
            return BallotFault("ballot_all_full", {})
        totals = [Fraction(self.total(sheet), self.grain) for sheet in sheets]
        for quota in self._ballot.quotas:
            number = sum(quota.counts(total) for total in totals)
            if not quota.holds(number):
                return BallotFault("ballot_quota", _quota_in_words(quota, number))
        return None


def top_of(dimension: Dimension) -> frozenset[str]:
    """The full marks of a scale, in their one spelling."""
    if isinstance(dimension.scale, NumberScale):
        return frozenset({exact_text(dimension.scale.maximum)})
    best = max((one.points or Fraction(0)) for one in dimension.scale.labels)
    return frozenset(one.key for one in dimension.scale.labels if one.points == best)


def _quota_in_words(quota: BallotQuota, number: int) -> dict[str, str | Sentence]:
    figure = exact_text(quota.figure)
    which = (
        (f"在 {figure} 以上（含）", f"of {figure} or more")
        if quota.at_least
        else (f"低于 {figure}", f"below {figure}")
    )
    return {"which": which, "limit": quota.limit, "number": str(number)}


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
        if rules.ballot.required == "all":
            _check_whole(rules, subject, values)
        for dimension, value in values.items():
            rows.append(BallotRow(subject, rater, group, dimension, value))
    if not rows and not away:
        raise BallotInvalid("ballot_empty")
    _check_whole_ballot(rules, rows)
    return tuple(rows)


def _check_whole_ballot(rules: Rules, rows: Sequence[BallotRow]) -> None:
    """Refuses a ballot that the tally would find void, while it can still be mended, and quotes the
    rule."""
    if not rules.ballot.of_whole_ballots:
        return
    fault = BallotJudge(rules).fault(marked_sheets(rules, rows).values())
    if fault is not None:
        raise BallotInvalid(fault.code, None, None, (), **fault.detail)


def marked_sheets(rules: Rules, rows: Iterable[BallotRow]) -> dict[str, dict[str, Reading]]:
    """Subject → dimension → what a ballot's mark there means; a sheet without marks is left out."""
    dimensions = {one.key: one for one in rules.dimensions}
    sheets: dict[str, dict[str, Reading]] = {}
    for row in rows:
        reading = reading_of(dimensions[row.dimension], row.value)
        if isinstance(reading, Reading) and reading.mark is not None:
            sheets.setdefault(row.subject, {})[row.dimension] = reading
    return sheets


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
    reading = reading_of(dimension, text)
    if isinstance(reading, Fault):
        raise BallotInvalid(
            reading.code,
            subject,
            dimension.key,
            reading.choices,
            value=shown(text),
            **reading.detail,
        )
    return reading.mark or text


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
