"""What the panel's tablets show: who is evaluated, the question on stage, the rounds, one sheet.

The fragments are the same on every tablet (law 8): what is only for one seat bears its number, and
the tablet's own style sheet shows it. The sheet is fetched once and belongs to the tablet alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from server.domain.ballots import top_of
from server.domain.comments import LONGEST
from server.domain.exact import exact_text
from server.domain.rounds import TAKES_BALLOTS, Round
from server.domain.rule_file import parse_draft
from server.domain.rules import BallotQuota, Dimension, LabelScale, NumberScale
from server.domain.secrecy import who_sees
from server.domain.view import HearingView, SubjectView, source_name
from web.layout.language import say
from web.pages import results, shared

MOST_BUTTONS = 25
"""A scale with more marks than this gets a row of coarse marks and − / + instead of a button each:
0–20 by ones is one tap, 0–100 is two or three."""
COARSE = 10
"""Into how many parts the row of coarse marks divides a long scale."""
FREE_STEP = Fraction(1, 100)
"""What − / + go by where the rules name no step."""
TOTALLED = frozenset({"mean", "sum", "median"})
"""Ways of counting under which a seat's own total is a figure that people know."""


@dataclass(frozen=True)
class Now:
    """The head of the tablet. `now` is None before the show begins and after it has ended."""

    status: str
    over: bool
    now: shared.Now | None


def now(view: HearingView, lang: str) -> Now:
    """Where the show stands."""
    status = view.hearing.status
    over = status in shared.OVER
    return Now(status=status, over=over, now=None if over else shared.now(view, lang))


@dataclass(frozen=True)
class Stage:
    """The question on stage, or None."""

    question: shared.OnStage | None


def stage(view: HearingView, lang: str) -> Stage:
    """What is asked now."""
    return Stage(shared.on_stage(view, lang))


@dataclass(frozen=True)
class GivenQuestion:
    """A queued question that a panelist is to ask. `place` counts from 1."""

    seat: int
    place: int
    text: str
    origin: str


@dataclass(frozen=True)
class Given:
    """Every question given to a panelist, in the queue's order."""

    questions: tuple[GivenQuestion, ...]


def given(view: HearingView, lang: str) -> Given:
    """Given questions; a tablet shows those of its own seat. Support is left out of the origin:
    it is counted by pulses that this page does not show."""
    return Given(
        tuple(
            GivenQuestion(seat, place, q.text, source_name(q, lang))
            for place, q in enumerate(view.queue.questions, 1)
            if (seat := view.queue.given.get(q.id)) is not None
        )
    )


@dataclass(frozen=True)
class Wish:
    """A request for the floor: `open`, or `granted` or `declined` in this item. What the seat wrote
    is for the host and for itself; its tablet fetches it."""

    id: int
    seat: int
    kind: str
    at: int
    status: str


@dataclass(frozen=True)
class Floor:
    """Requests and what became of them; a tablet shows those of its own seat."""

    wishes: tuple[Wish, ...]


def floor(view: HearingView, lang: str) -> Floor:
    """Who has asked for the floor, and what the host made of it."""
    del lang
    return Floor(tuple(Wish(r.id, r.seat, r.kind, r.at, r.status) for r in view.requests))


@dataclass(frozen=True)
class RoundLine:
    """One panel round: its state, and its figures once they are published in the hall."""

    round: results.RoundView
    void_reason: str


@dataclass(frozen=True)
class Rounds:
    """Every panel round (测评), in the show's order."""

    lines: tuple[RoundLine, ...]


def rounds(view: HearingView, lang: str) -> Rounds:
    """The panel rounds; the script fetches a sheet for each that runs."""
    return Rounds(
        tuple(
            RoundLine(results.round_view(view, one, lang, "hall"), one.void_reason or "")
            for one in view.rounds
            if one.audience == "panel"
        )
    )


@dataclass(frozen=True)
class Mark:
    """One mark that a finger can hit: its value as it is sent, and what stands on the button."""

    value: str
    label: str
    points: str = ""


@dataclass(frozen=True)
class Line:
    """One dimension. `kind` is `labels`, `buttons` (a button each) or `stepper` (a long scale).

    `marks` are the labels, the buttons, or the coarse marks of a long scale. `free`: every decimal
    in between is a mark, and `step` is only what the buttons go by. `top` are the full marks.
    """

    key: str
    label: str
    kind: str
    marks: tuple[Mark, ...]
    low: str = ""
    high: str = ""
    step: str = ""
    free: bool = False
    factor: str = "1"
    top: tuple[str, ...] = ()


@dataclass(frozen=True)
class Quota:
    """How many of a ballot's totals may lie at or above (else: below) a figure, and the rule in
    words."""

    figure: str
    at_least: bool
    most: int | None
    least: int | None
    words: str


@dataclass(frozen=True)
class Official:
    """One subject on the sheet; `deputy` speaks in their place."""

    key: str
    name: str
    post: str
    unit: str
    deputy: str


@dataclass(frozen=True)
class Sheet:
    """A panel round's sheet. `secrecy` says in one sentence who can ever see what, `unsent` what becomes
    of a whole sheet that is not sent at the closing; `comments` and `reason_below` what may and must
    be written beside the marks; `own` are the subjects whom this seat does not rate. `across` is how a
    seat's marks make a total, where they do; `sums` says that the total is shown. `quotas`, `unequal`
    and `unfull` are what the rules ask of a whole ballot, which the tablet counts along."""

    round: str
    title: str
    named: bool
    secrecy: str
    final: bool
    unsent: str
    comments: bool
    reason_below: str
    text_longest: int
    required_all: bool
    across: str
    sums: bool
    quotas: tuple[Quota, ...]
    unequal: bool
    unfull: bool
    officials: tuple[Official, ...]
    own: tuple[str, ...]
    lines: tuple[Line, ...]
    rules: tuple[str, ...]


def sheet(view: HearingView, round_: Round, lang: str, own: Sequence[str] = ()) -> Sheet:
    """The sheet of a panel round, from its rules and its words, without the heads of the seat's own
    unit."""
    rules = parse_draft(dict(round_.rules or {}))
    pointed = all(_has_points(d) for d in rules.dimensions)
    return Sheet(
        round=round_.id,
        title=round_.title,
        named=not round_.sealed,
        secrecy=who_sees(round_, rules.needs_together)[lang],
        final=round_.replacing == "first",
        unsent=round_.unsent,
        comments=round_.comments,
        reason_below=round_.reason_below or "",
        text_longest=LONGEST,
        required_all=rules.ballot.required == "all",
        across=rules.across if pointed else "",
        sums=pointed and len(rules.dimensions) > 1 and rules.within in TOTALLED,
        quotas=tuple(_quota(one, lang) for one in rules.ballot.quotas),
        unequal=rules.ballot.void_all_equal,
        unfull=rules.ballot.void_all_full,
        officials=tuple(_official(view, key) for key in round_.subjects if key not in own),
        own=tuple(_official(view, key).name for key in own),
        lines=tuple(_line(d, round_.labels) for d in rules.dimensions),
        rules=results.rules_said(view, round_, lang),
    )


def takes_ballots(round_: Round) -> bool:
    """Whether the round has a sheet to fill in now."""
    return round_.audience == "panel" and round_.status in TAKES_BALLOTS


def _official(view: HearingView, key: str) -> Official:
    subject = view.subject(key) or SubjectView(key, key, "", "")
    item = next((i for i in view.items if i.subject == key and i.deputy), None)
    return Official(
        subject.key, subject.name, subject.post, subject.unit, item.deputy if item else ""
    )


def _has_points(dimension: Dimension) -> bool:
    scale = dimension.scale
    return isinstance(scale, NumberScale) or all(one.points is not None for one in scale.labels)


def _quota(one: BallotQuota, lang: str) -> Quota:
    figure = exact_text(one.figure)
    which = (
        say(lang, "%(figure)s 分及以上", figure=figure)
        if one.at_least
        else say(lang, "%(figure)s 分以下", figure=figure)
    )
    ends = [
        say(lang, "最多 %(n)s 名", n=one.most) if one.most is not None else "",
        say(lang, "至少 %(n)s 名", n=one.least) if one.least is not None else "",
    ]
    told = say(lang, "、").join(end for end in ends if end)
    return Quota(
        figure,
        one.at_least,
        one.most,
        one.least,
        say(lang, "%(which)s%(limit)s", which=which, limit=told),
    )


def _line(dimension: Dimension, labels: Mapping[str, str]) -> Line:
    label = labels.get(dimension.key, dimension.key)
    scale = dimension.scale
    top = tuple(sorted(top_of(dimension)))
    factor = exact_text(dimension.factor)
    if isinstance(scale, LabelScale):
        marks = tuple(
            Mark(
                one.key,
                labels.get(one.key, one.label),
                "" if one.points is None else exact_text(one.points),
            )
            for one in scale.labels
        )
        return Line(dimension.key, label, "labels", marks, factor=factor, top=top)
    step = scale.step or FREE_STEP
    count = int((scale.maximum - scale.minimum) / step) + 1
    if count <= MOST_BUTTONS:
        kind = "buttons"
        values = [scale.minimum + k * step for k in range(count)]
    else:
        kind = "stepper"
        values = [scale.minimum + (count - 1) * k // COARSE * step for k in range(COARSE + 1)]
    return Line(
        dimension.key,
        label,
        kind,
        tuple(Mark(exact_text(v), exact_text(v)) for v in values),
        exact_text(scale.minimum),
        exact_text(scale.maximum),
        exact_text(step),
        scale.step is None,
        factor,
        top,
    )
