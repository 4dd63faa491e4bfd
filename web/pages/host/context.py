"""What the host's console shows: run of show, question, queue, floor, rounds, screens, controls.

Nothing here gives a value before it was released (a round's figures come with its first
publication; live counts of a public round only where its rules show them).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from server.actions.publish_round import reveal_steps
from server.domain.contests import waiting
from server.domain.fairness import DIMENSIONS, Comparison
from server.domain.hearing import LEASES, Item, following, preceding
from server.domain.questions import PHASE_NEXT, PHASES, STAGE_LONGEST, Question
from server.domain.rounds import (
    AUDIENCES,
    NEXT,
    TAKES_BALLOTS,
    Round,
    awaited,
    may_publish,
    may_see_result,
    may_sign,
)
from server.domain.rule_file import parse_rules, with_counts
from server.domain.totals import quorum_of
from server.domain.view import (
    SOURCE_NAMES,
    FloorRequest,
    HearingView,
    SeatView,
    SubjectView,
    Takeover,
    source_name,
)
from web.layout.language import say
from web.layout.texts import Texts, side
from web.pages import results, shared

UNDER_WAY = frozenset({"live", "paused"})


def under_way(view: HearingView) -> bool:
    """Whether acts of the show are taken now."""
    return view.hearing.status in UNDER_WAY


# ── the bar on top ──


@dataclass(frozen=True)
class Status:
    """The hearing's status and who is there."""

    status: str
    viewers: int
    present: int
    seats: int


def status(view: HearingView, lang: str) -> Status:
    """What the bar says of the whole hearing."""
    return Status(
        Texts(lang).word(view.hearing.status),
        view.viewers,
        sum(seat.present for seat in view.seats),
        len(view.seats),
    )


@dataclass(frozen=True)
class ScreensNow:
    """垫片 on or off."""

    slug: str
    cleared: bool


def screens(view: HearingView, lang: str) -> ScreensNow:
    """What the holding-card key does next."""
    del lang
    return ScreensNow(view.hearing.slug, view.screens.cleared)


@dataclass(frozen=True)
class LeaseLine:
    """One control. `at` lets a console recognise the hold that it took itself."""

    kind: str
    word: str
    name: str
    at: int


@dataclass(frozen=True)
class Leases:
    """The three controls in their fixed order."""

    slug: str
    lines: tuple[LeaseLine, ...]


def leases(view: HearingView, lang: str) -> Leases:
    """Who holds which control; nobody is an empty name."""
    held = {one.kind: one for one in view.leases}
    texts = Texts(lang)
    return Leases(
        view.hearing.slug,
        tuple(
            LeaseLine(
                kind,
                texts.word(f"lease_{kind}"),
                held[kind].name if kind in held else "",
                held[kind].at if kind in held else 0,
            )
            for kind in LEASES
        ),
    )


# ── run of show ──


@dataclass(frozen=True)
class StepLine:
    """A step to jump to."""

    key: str
    word: str
    seconds: int
    current: bool


@dataclass(frozen=True)
class ItemLine:
    """An agenda item. `name` is who speaks, `subject` says that a deputy can be named."""

    id: str
    title: str
    name: str
    deputy: str
    subject: bool
    status: str
    word: str
    steps: tuple[StepLine, ...]


@dataclass(frozen=True)
class Show:
    """The agenda with what a jump needs."""

    slug: str
    version: int
    can_move: bool
    lines: tuple[ItemLine, ...]


def show(view: HearingView, lang: str) -> Show:
    """Items in their order, the present step marked."""
    return Show(
        view.hearing.slug,
        view.position.version if view.position else 0,
        under_way(view),
        tuple(_item_line(view, item, lang) for item in view.items),
    )


def _item_line(view: HearingView, item: Item, lang: str) -> ItemLine:
    texts, at = Texts(lang), view.position
    subject = view.subject(item.subject)
    here = at is not None and at.item == item.id
    return ItemLine(
        id=item.id,
        title=item.title,
        name=view.speaker(item),
        deputy=item.deputy,
        subject=subject is not None,
        status=item.status,
        word=texts.item(item.status),
        steps=tuple(
            StepLine(
                step.key,
                texts.step(step.key),
                step.seconds,
                here and at is not None and at.step == step.key,
            )
            for step in item.steps
        ),
    )


@dataclass(frozen=True)
class Ahead:
    """Where Next or Back leads."""

    item: str
    step: str
    title: str
    word: str
    name: str
    seconds: int


@dataclass(frozen=True)
class Now:
    """The present step, and in words what Next does and what it leaves alone."""

    slug: str
    version: int
    can_move: bool
    paused: bool
    now: shared.Now | None
    script: str
    next: Ahead | None
    back: Ahead | None
    running_rounds: tuple[str, ...]
    on_stage: bool


def now(view: HearingView, lang: str) -> Now:
    """Where the show stands."""
    at = view.position
    return Now(
        slug=view.hearing.slug,
        version=at.version if at else 0,
        can_move=under_way(view),
        paused=view.hearing.status == "paused",
        now=shared.now(view, lang),
        script=view.script,
        next=_ahead(view, following(view.items, at), lang),
        back=_ahead(view, preceding(view.items, at), lang),
        running_rounds=tuple(r.title for r in view.rounds if r.status in TAKES_BALLOTS),
        on_stage=view.stage is not None,
    )


def _ahead(view: HearingView, to: tuple[str, str] | None, lang: str) -> Ahead | None:
    item = view.item(to[0]) if to else None
    if to is None or item is None:
        return None
    return Ahead(
        item=item.id,
        step=to[1],
        title=item.title,
        word=Texts(lang).step(to[1]),
        name=view.speaker(item),
        seconds=item.step(to[1]).seconds,
    )


# ── questions ──


@dataclass(frozen=True)
class PhaseButton:
    """A phase of the question on stage, and whether it may come next."""

    key: str
    word: str
    current: bool
    allowed: bool


@dataclass(frozen=True)
class Queued:
    """A question in the queue. `seat` is the panelist it was given to; `fits` the stage."""

    id: int
    code: str
    text: str
    source: str
    askers: int
    support: int
    subject: str
    seat: int | None
    seat_name: str
    fits: bool


@dataclass(frozen=True)
class ReactionButton:
    """One light round that a press opens."""

    kind: str
    audience: str
    word: str


@dataclass(frozen=True)
class StageNow:
    """The question on stage. `needs_text`: it was asked off the cuff and its text is still to be
    typed. `then` is the first of the queue, which one press can bring on."""

    slug: str
    can_take: bool
    id: int
    version: int
    question: shared.OnStage | None
    support: int
    needs_text: bool
    phases: tuple[PhaseButton, ...]
    reactions: tuple[ReactionButton, ...]
    then: Queued | None


def stage(view: HearingView, lang: str) -> StageNow:
    """What is asked now, and the ways on."""
    texts, at = Texts(lang), view.stage
    lines = _queued(view, lang)
    return StageNow(
        slug=view.hearing.slug,
        can_take=under_way(view),
        id=at.question.id if at else 0,
        version=at.question.version if at else 0,
        question=shared.on_stage(view, lang),
        support=at.question.support if at else 0,
        needs_text=at is not None and at.question.off_cuff and not at.question.text,
        phases=tuple(
            PhaseButton(key, texts.word(key), key == at.phase, key in PHASE_NEXT[at.phase])
            for key in PHASES
        )
        if at
        else (),
        reactions=_reactions(view, lang),
        then=lines[0] if lines else None,
    )


def _reactions(view: HearingView, lang: str) -> tuple[ReactionButton, ...]:
    """What may be asked about the answer on stage, once it is being given; not twice at a time."""
    at = view.stage
    if at is None or at.phase == "asking":
        return ()
    running = {
        r.audience for r in view.rounds if r.about == at.question.code and r.status in TAKES_BALLOTS
    }
    offered = (
        ReactionButton("answer", "public", say(lang, "请观众评价答复")),
        ReactionButton("mood", "public", say(lang, "请观众亮表情")),
        ReactionButton("mood", "panel", say(lang, "请评议团亮牌")),
    )
    return tuple(one for one in offered if one.audience not in running)


@dataclass(frozen=True)
class QueueNow:
    """The queue in its order."""

    slug: str
    version: int
    can_take: bool
    occupied: bool
    lines: tuple[Queued, ...]


def queue(view: HearingView, lang: str) -> QueueNow:
    """Next and what follows it."""
    return QueueNow(
        view.hearing.slug,
        view.queue.version,
        under_way(view),
        view.stage is not None,
        _queued(view, lang),
    )


def _queued(view: HearingView, lang: str) -> tuple[Queued, ...]:
    names = {seat.number: seat.name for seat in view.seats}
    return tuple(
        _one_queued(view, one, view.queue.given.get(one.id), names, lang)
        for one in view.queue.questions
    )


def _one_queued(
    view: HearingView, one: Question, seat: int | None, names: dict[int, str], lang: str
) -> Queued:
    subject = view.subject(one.subject)
    return Queued(
        id=one.id,
        code=one.code,
        text=one.text,
        source=source_name(one, lang),
        askers=one.askers,
        support=one.support,
        subject=subject.name if subject else "",
        seat=seat,
        seat_name=names.get(seat, "") if seat is not None else "",
        fits=len(one.text) <= STAGE_LONGEST,
    )


@dataclass(frozen=True)
class Floor:
    """Open requests, oldest first."""

    slug: str
    wishes: tuple[FloorRequest, ...]


@dataclass(frozen=True)
class Takeovers:
    """Spare tablets that ask for a seat."""

    slug: str
    waiting: tuple[Takeover, ...]


def takeovers(view: HearingView, lang: str) -> Takeovers:
    """Spare tablets that wait for an answer."""
    del lang
    return Takeovers(view.hearing.slug, view.takeovers)


def floor(view: HearingView, lang: str) -> Floor:
    """Who asks to speak."""
    del lang
    return Floor(
        view.hearing.slug,
        tuple(one for one in view.requests if one.status == "open"),
    )


# ── what was asked beside what was received ──


@dataclass(frozen=True)
class FairLine:
    """One value: how many were received and asked, each also in per cent of all of its kind."""

    word: str
    received: int
    received_share: str
    asked: int
    asked_share: str


@dataclass(frozen=True)
class FairPart:
    """One dimension."""

    word: str
    lines: tuple[FairLine, ...]


@dataclass(frozen=True)
class Fairness:
    """Every dimension that says something."""

    received: int
    asked: int
    parts: tuple[FairPart, ...]


def fairness(
    compared: Sequence[Comparison], subjects: Sequence[SubjectView], lang: str
) -> Fairness:
    """The chart: a dimension in which nothing is named is left out. Officials stand in the office's order,
    never by how much was asked of them."""
    order = {one.key: n for n, one in enumerate(subjects)}
    names = {"subject": {one.key: one.name for one in subjects}}
    names["source"] = {key: side(pair, lang) for key, pair in SOURCE_NAMES.items()}
    share = Texts(lang).share

    def word(dimension: str, value: str | None) -> str:
        if value is None:
            return say(lang, "其他")
        return names.get(dimension, {}).get(value, value) or say(lang, "未注明")

    parts = tuple(
        FairPart(
            side(DIMENSIONS[one.dimension], lang),
            tuple(
                FairLine(
                    word(one.dimension, part.value),
                    part.received,
                    share(part.received, one.received),
                    part.asked,
                    share(part.asked, one.asked),
                )
                for part in (
                    sorted(one.shares, key=lambda part: order.get(part.value or "", len(order)))
                    if one.dimension == "subject"
                    else one.shares
                )
            ),
        )
        for one in compared
        if any(part.value for part in one.shares)
    )
    whole = compared[0]
    return Fairness(whole.received, whole.asked, parts)


# ── rounds ──


@dataclass(frozen=True)
class Signature:
    """A signer that the show names."""

    word: str
    signed: bool


@dataclass(frozen=True)
class Quorum:
    """How many are present of how many, and whether the round's rules are content with it."""

    present: int
    of: int
    holds: bool


@dataclass(frozen=True)
class Publication:
    """One audience; each publication is an act of its own."""

    key: str
    word: str
    done: bool


@dataclass(frozen=True)
class RoundLine:
    """One round with the acts that its state and the show allow the host (`can`). `here`: it belongs
    to the present item. `awaited`: signers still to come while it is tallied; `publisher`: who
    publishes it, where that is not the host. `seats` are the entitled ones in the order of the pulses' letters."""

    round: results.RoundView
    here: bool
    can: frozenset[str]
    seats: tuple[SeatView, ...]
    signatures: tuple[Signature, ...]
    awaited: tuple[str, ...]
    publisher: tuple[str, ...]
    publications: tuple[Publication, ...]
    can_repeat: bool
    quorum: Quorum | None
    reveal: int
    reveal_of: int
    can_reveal: bool
    preview: bool
    void_reason: str
    tally_refused: str
    rules: tuple[str, ...]


@dataclass(frozen=True)
class Rounds:
    """All rounds, in the show's order."""

    slug: str
    can_open: bool
    lines: tuple[RoundLine, ...]


def rounds(view: HearingView, lang: str) -> Rounds:
    """Every round as far as its figures are released."""
    return Rounds(
        view.hearing.slug, under_way(view), tuple(_round(view, r, lang) for r in view.rounds)
    )


CONSOLE = ("host",)
"""Whose acts the console offers: it shows the same to everyone who opens it."""


def _quorum(view: HearingView, one: Round) -> Quorum | None:
    """Whether the quorum would hold if the round were opened now."""
    if one.rules is None or not (one.rules.get("session") or {}).get("quorum"):
        return None
    seats = len(view.seats)
    present = sum(seat.present for seat in view.seats)
    frozen = with_counts(one.rules, present=present, due=seats, members=seats)
    session = parse_rules(frozen).ending.session
    assert session.quorum is not None
    _, holds = quorum_of(session.quorum, session.counts)
    return Quorum(session.counts["present"], session.counts[session.quorum.of], holds)


def _can(one: Round) -> frozenset[str]:
    can = {act for act, states in NEXT.items() if one.status in states}
    can.discard("contest")  # It is contested on the page of those who may.
    for act, may in (("certify", may_sign(one, CONSOLE)), ("publish", may_publish(one, CONSOLE))):
        if not may:
            can.discard(act)
    return frozenset(can)


def _round(view: HearingView, one: Round, lang: str) -> RoundLine:
    texts = Texts(lang)
    seats = {seat.id: seat for seat in view.seats}
    return RoundLine(
        round=results.round_view(view, one, lang, "internal"),
        here=view.position is not None and one.item == view.position.item,
        can=_can(one),
        can_repeat=one.status == "contested" and not waiting(one, view.rounds),
        seats=tuple(seats[e.seat] for e in one.entitled if e.seat in seats),
        signatures=tuple(Signature(texts.role(r), r in one.signed) for r in one.signers),
        awaited=tuple(texts.role(r) for r in awaited(one)) if one.status == "tallied" else (),
        publisher=tuple(texts.role(r) for r in one.publishers)
        if one.status in NEXT["publish"]
        and not one.published_for("public")
        and not may_publish(one, CONSOLE)
        else (),
        publications=tuple(
            Publication(key, texts.word(f"to_{key}"), key in one.published_to) for key in AUDIENCES
        ),
        reveal=one.reveal,
        reveal_of=reveal_steps(one) if one.published_for("hall") else 0,
        can_reveal=one.published_for("hall"),
        preview=one.result is not None
        and may_see_result(one, CONSOLE)
        and one.status in {"certified", "published"}
        and one.reveal < reveal_steps(one),
        void_reason=one.void_reason or "",
        tally_refused=(one.tally_refused or {}).get(lang, ""),
        quorum=_quorum(view, one) if one.status == "ready" else None,
        # To be read before the round opens and freezes them.
        rules=results.rules_said(view, one, lang) if one.status == "ready" else (),
    )


# ── the podium and the hearing itself ──


@dataclass(frozen=True)
class NoticeNow:
    """The last message to the podium, and whether it was acknowledged."""

    text: str
    at: int | None
    seen_at: int | None


def notice(view: HearingView, lang: str) -> NoticeNow:
    """What the podium was told."""
    del lang
    one = view.notice
    return NoticeNow(one.text, one.at, one.seen_at) if one else NoticeNow("", None, None)


UNFINISHED = frozenset({"ready", "open", "closing", "closed", "tallied"})
"""States of a round that is neither certified nor voided."""


@dataclass(frozen=True)
class Unfinished:
    """A round that ending the hearing would leave as it is, with its state in words."""

    title: str
    word: str


@dataclass(frozen=True)
class RunNow:
    """The hearing's own state and the ways out of it. `unfinished` is told before it is ended, which
    neither closes nor certifies a round, and after which none begins."""

    slug: str
    version: int
    status: str
    kind: str
    unfinished: tuple[Unfinished, ...]


def run(view: HearingView, lang: str) -> RunNow:
    """What may be done with the hearing as a whole."""
    texts = Texts(lang)
    return RunNow(
        view.hearing.slug,
        view.hearing.version,
        view.hearing.status,
        view.hearing.run_kind,
        tuple(
            Unfinished(r.title, texts.round(r.status))
            for r in view.rounds
            if r.status in UNFINISHED and under_way(view)
        ),
    )
