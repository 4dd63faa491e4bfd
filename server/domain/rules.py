"""The rule set of a round: what it says, as frozen values, and its hash.

`rule_file.py` reads one from its JSON document, `tally.py` works by it, `rules_in_words.py` says it
in sentences; what each key means, to the last case, stands in docs/rules.md. All numbers are exact.

Source: the contract, "Rules and ballots"; the practice behind each rule: T1–T23 of the field's notes.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from operator import ge, gt, le, lt
from typing import Any, Literal

from server.domain.exact import MOST_PLACES
from server.domain.exact import RoundingMode as RoundingMode
from server.domain.explained import Sentence

EmptyGroup = Literal["renormalise", "zero", "refuse"]
Required = Literal["any", "all"]
Within = Literal["mean", "sum", "median", "rate", "verdict", "rank_points", "best_ratio"]
Across = Literal["sum", "mean"]
TrimOn = Literal["dimension", "total", "none"]
Denominator = Literal["valid", "present", "due", "members"]
Counted = Literal["present", "due", "members"]
Order = Literal["descending", "ascending"]
Compare = Literal[">", ">=", "<", "<="]
AfterKind = Literal["bonus", "deduction", "cap", "veto"]
Together = Literal["ballot", "sheet", "nothing"]

ABSTAIN: Literal["abstain"] = "abstain"
DONT_KNOW: Literal["dont_know"] = "dont_know"
VOID: Literal["void"] = "void"
WORDS = (ABSTAIN, DONT_KNOW, VOID)
"""Values that are no marks. A label may not take one of them for its key."""

HIGHEST_MARK = "highest_mark"
OFFICE_ORDER = "office_order"
DIMENSION_TIE = "dimension:"
CHANNEL_TIE = "channel:"
"""A tie key is `highest_mark`, `office_order`, `dimension:` and a dimension's key, or in a composite
`channel:` and a channel's."""

COUNTING = frozenset({"rate", "verdict"})
"""Ways from raters to one mark that count labels and need no points."""

COMPARED: Mapping[Compare, Callable[[Fraction, Fraction], bool]] = {
    ">": gt,
    ">=": ge,
    "<": lt,
    "<=": le,
}


# Scales -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NumberScale:
    """Numbers from `minimum` to `maximum`, both included, on the grid `minimum` + k × `step`.

    Without `step`, every decimal in between. `maximum` need not lie on the grid.
    """

    minimum: Fraction
    maximum: Fraction
    step: Fraction | None

    @property
    def grain(self) -> int:
        """An integer g such that every mark × g is an integer."""
        if self.step is None:
            return int(10**MOST_PLACES)
        return math.lcm(self.minimum.denominator, self.step.denominator)


@dataclass(frozen=True, slots=True)
class Label:
    """One answer of a scale of labels: its key in ballots, its words for people, its points (None
    where the rules only count it)."""

    key: str
    label: str
    points: Fraction | None


@dataclass(frozen=True, slots=True)
class LabelScale:
    """A scale of named answers, e.g. 好 20, 一般 17, 差 14; as the document lists them."""

    labels: tuple[Label, ...]

    @property
    def grain(self) -> int:
        """An integer g such that every mark × g is an integer."""
        return math.lcm(*(one.points.denominator for one in self.labels if one.points is not None))

    @property
    def keys(self) -> frozenset[str]:
        """The keys of all labels."""
        return frozenset(one.key for one in self.labels)


Scale = NumberScale | LabelScale


@dataclass(frozen=True, slots=True)
class Dimension:
    """One line of the rubric; `scale` is its own or else that of the whole document."""

    key: str
    factor: Fraction
    scale: Scale


# Who rates, and whose sheets count --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Group:
    """A group of raters and the weight of its mark, 0 or more."""

    key: str
    weight: Fraction


@dataclass(frozen=True, slots=True)
class BallotQuota:
    """How many of a ballot's sheet totals may be `at_least` the figure (else: below it)."""

    figure: Fraction
    at_least: bool
    most: int | None
    least: int | None

    def counts(self, total: Fraction) -> bool:
        """Whether a sheet's total is one of those that are counted."""
        return total >= self.figure if self.at_least else total < self.figure

    def holds(self, number: int) -> bool:
        """Whether so many are allowed."""
        return (self.most is None or number <= self.most) and (
            self.least is None or number >= self.least
        )

    @property
    def limit(self) -> Sentence:
        """How many they may be, in words."""
        said: list[Sentence] = []
        if self.most is not None:
            said.append((f"最多 {self.most} 名", f"at most {self.most}"))
        if self.least is not None:
            said.append((f"至少 {self.least} 名", f"at least {self.least}"))
        return "、".join(zh for zh, _ in said), " and ".join(en for _, en in said)


@dataclass(frozen=True, slots=True)
class BallotRules:
    """What makes a sheet (`required`) or a whole ballot (the others) void."""

    required: Required = "any"
    void_all_equal: bool = False
    void_all_full: bool = False
    quotas: tuple[BallotQuota, ...] = ()

    @property
    def of_whole_ballots(self) -> bool:
        """Whether a rule looks at all sheets of a rater together."""
        return self.void_all_equal or self.void_all_full or bool(self.quotas)


@dataclass(frozen=True, slots=True)
class Trim:
    """`high` highest and `low` lowest leave when there are `least` or more (`from`)."""

    high: int
    low: int
    least: int
    on: TrimOn


# Shares and counts ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Threshold:
    """A share and how it is compared with: exactly the share is decided by `compare`."""

    share: Fraction
    compare: Compare

    def holds(self, value: Fraction) -> bool:
        """Whether `value` compares as said."""
        return COMPARED[self.compare](value, self.share)


@dataclass(frozen=True, slots=True)
class LabelShare:
    """A condition on the share of `labels` among the marks."""

    labels: frozenset[str]
    threshold: Threshold


@dataclass(frozen=True, slots=True)
class VerdictRule:
    """A grade, and when it is given; without `when` always."""

    grade: str
    when: LabelShare | None


@dataclass(frozen=True, slots=True)
class Quorum:
    """`present` compared with a share of the due or of the members."""

    threshold: Threshold
    of: Counted


@dataclass(frozen=True, slots=True)
class Session:
    """The counts of the session, each None where it is not given."""

    counts: Mapping[str, int]
    quorum: Quorum | None = None


@dataclass(frozen=True, slots=True)
class RankPoints:
    """Points of a place: first − step × (place − 1)."""

    first: Fraction
    step: Fraction


# After the total --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rounding:
    """Decimal places at each named step, `None` = unrounded there.

    `half_up` takes an exact half away from zero, `down` goes towards zero.
    """

    mode: RoundingMode
    dimension: int | None
    weighted: int | None
    group: int | None
    total: int | None


@dataclass(frozen=True, slots=True)
class Band:
    """What a total becomes that is at least `least` and whose marks are as `when` says."""

    value: Fraction
    least: Fraction | None
    when: LabelShare | None


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One line of `after`. `subject` None = all (a cap); a veto has a grade, the others a value."""

    kind: AfterKind
    subject: str | None
    value: Fraction
    grade: str
    reason: str


@dataclass(frozen=True, slots=True)
class GradeRule:
    """A grade and the total that it takes; None = any."""

    grade: str
    least: Fraction | None


@dataclass(frozen=True, slots=True)
class OutcomeQuota:
    """At most this share of the subjects keep `grade`; the others fall to `falls_to`."""

    grade: str
    share: Fraction
    falls_to: str


@dataclass(frozen=True, slots=True)
class Ending:
    """All that happens to totals, of one electorate or of a composite.

    `ties` empty = places are shared; `floor` 0 = no least number of sheets.
    """

    rounding: Rounding
    empty_group: EmptyGroup
    session: Session
    bands: tuple[Band, ...]
    after: tuple[Adjustment, ...]
    grades: tuple[GradeRule, ...]
    quotas: tuple[OutcomeQuota, ...]
    order: Order
    ties: tuple[str, ...]
    floor: int


# The rule set -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one electorate. `canonical` is the document itself in canonical form, from which
    `rules_hash` comes."""

    version: int
    dimensions: tuple[Dimension, ...]
    groups: tuple[Group, ...]
    ballot: BallotRules
    trim: Trim | None
    within: Within
    across: Across
    denominator: Denominator
    positive: frozenset[str]
    verdict: tuple[VerdictRule, ...]
    rank_points: RankPoints | None
    best_times: Fraction | None
    ending: Ending
    canonical: bytes

    @property
    def dimension_keys(self) -> tuple[str, ...]:
        """The keys of all dimensions in the document's order."""
        return tuple(dimension.key for dimension in self.dimensions)

    @property
    def needs_together(self) -> Together:
        """Which of a rater's marks some rule looks at together: those of the whole `ballot`, those of
        one `sheet`, or `nothing`. What no rule needs is cut apart in a secret round and in what is
        handed to the public."""
        if self.ballot.of_whole_ballots or self.within == "rank_points":
            return "ballot"
        on_totals = self.trim is not None and self.trim.on == "total"
        of_sheets = self.ballot.required == "all" or self.ending.floor > 0 or on_totals
        return "sheet" if of_sheets and len(self.dimensions) > 1 else "nothing"

    @property
    def marks_are_shares(self) -> bool:
        """Whether marks by dimension and group are shares of raters (满意率), which people read as
        percentages: nothing multiplies them or adds them up."""
        summed = self.across == "sum" and len(self.dimensions) > 1
        return (
            self.within == "rate" and not summed and all(one.factor == 1 for one in self.dimensions)
        )

    @property
    def totals_are_shares(self) -> bool:
        """The same of totals: no band and no bonus makes a figure of another kind of them."""
        changed = self.ending.bands or any(one.kind != "veto" for one in self.ending.after)
        return self.marks_are_shares and not changed

    @property
    def counted_by_mark(self) -> bool:
        """Whether the sheets of a secret round's result are single marks: cut apart, each dimension's
        mark of a sheet has a name of its own."""
        return self.needs_together == "nothing" and len(self.dimensions) > 1


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of a composite, tallied by its own rules; weight 0 = shown, not counted."""

    key: str
    weight: Fraction
    rules: Rules


@dataclass(frozen=True, slots=True)
class Composite:
    """Several electorates (panel, room, online, written report, indicators …) to one total."""

    version: int
    channels: tuple[Channel, ...]
    ending: Ending
    canonical: bytes


def canonical_bytes(document: object) -> bytes:
    """JSON with sorted keys, no spaces, UTF-8 and one final newline: the canonical form."""
    text = json.dumps(
        document, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )
    return f"{text}\n".encode()


def rules_hash(rules: Rules | Composite) -> str:
    """Lower-case SHA-256 of the rule set in canonical form, its final newline included.

    The hash is of the document as it was given, not of what its missing keys mean, so that
    anybody can work it out from `RULES.json` without knowing a default; written in canonical
    form, that file's own SHA-256 is the hash.
    """
    return hashlib.sha256(rules.canonical).hexdigest()


def document_hash(document: Mapping[str, Any]) -> str:
    """The same of a rule set that may still lack the counts of the hall."""
    return hashlib.sha256(canonical_bytes(dict(document))).hexdigest()
