"""What several pages show alike: who is speaking, the question on stage, what follows.

Pure builders from the read model.
"""

from __future__ import annotations

from dataclasses import dataclass

from server.domain.hearing import following
from server.domain.questions import SUPPORTABLE, Question
from server.domain.view import HearingView, source_name
from web.layout.language import say
from web.layout.texts import Texts

OVER = frozenset({"ended", "certified", "archived"})
"""Statuses of a hearing after which nothing new is asked or shown as running."""
BEFORE = frozenset({"draft", "ready", "check_in"})
"""Statuses of a hearing that has not begun."""


@dataclass(frozen=True)
class StepView:
    """One step of the present item."""

    word: str
    current: bool


@dataclass(frozen=True)
class Now:
    """Where the show stands. `name` is who speaks: the deputy where one stands in.

    `in_place_of` is then the subject's own name. `ends_at` runs, `remaining` stands still.
    """

    title: str
    step: str
    step_key: str
    name: str
    post: str
    unit: str
    in_place_of: str
    ends_at: int | None
    remaining: int | None
    steps: tuple[StepView, ...]


def now(view: HearingView, lang: str) -> Now | None:
    """The present item and step, or None before the show begins."""
    at, item = view.position, view.current
    if at is None or item is None:
        return None
    texts = Texts(lang)
    subject = view.now_subject
    return Now(
        title=item.title,
        step=texts.step(at.step),
        step_key=at.step,
        name=view.speaker(item),
        post=subject.post if subject and not item.deputy else "",
        unit=subject.unit if subject else "",
        in_place_of=subject.name if subject and item.deputy else "",
        ends_at=at.ends_at,
        remaining=at.remaining,
        steps=tuple(StepView(texts.step(s.key), s.key == at.step) for s in item.steps),
    )


def going_on(view: HearingView, lang: str) -> Now | None:
    """The same, and None once the hearing has ended: no time is left then."""
    return None if view.hearing.status in OVER else now(view, lang)


@dataclass(frozen=True)
class Head:
    """Where the show stands. `status` is said where nothing is going on."""

    now: Now | None
    status: str
    paused: bool
    cleared: bool
    rehearsal: bool


def head(view: HearingView, lang: str) -> Head:
    """Who, which step, how long still: for a screen before somebody who speaks."""
    return Head(
        now=going_on(view, lang),
        status=Texts(lang).word(view.hearing.status),
        paused=view.hearing.status == "paused",
        cleared=view.screens.cleared,
        rehearsal=view.rehearsal,
    )


@dataclass(frozen=True)
class OnStage:
    """The question on stage. `size` is the step of type in which its text fits a big screen.

    `origin` is its source with the number of people behind it, where it came from the public;
    `asker` is the panelist who asks it, or empty when the source itself stands as asker.
    """

    code: str
    text: str
    asker: str
    source: str
    askers: int
    origin: str
    phase: str
    phase_key: str
    size: str
    seat: int | None


SIZES: tuple[tuple[int, str], ...] = (
    (36, "xxl"),
    (80, "xl"),
    (150, "l"),
    (260, "m"),
    (420, "s"),
)
"""Up to so many characters → step of type; a longer text gets `xs`."""


def text_size(text: str) -> str:
    """The step of type for a text: a Latin letter takes about half the room of a Chinese one."""
    wide = sum(1 if ord(letter) > 0x2E7F else 0.55 for letter in text)
    return next((size for most, size in SIZES if wide <= most), "xs")


def on_stage(view: HearingView, lang: str) -> OnStage | None:
    """The question on stage, or None."""
    stage = view.stage
    if stage is None:
        return None
    question = stage.question
    source = source_name(question, lang)
    public = not question.off_cuff
    own_source = stage.asker in {"", source, source_name(question)}
    askers = question.askers + question.support
    return OnStage(
        code=question.code,
        text=question.text or say(lang, "（现场提问，文字稍后补记）"),
        asker="" if own_source else stage.asker,
        source=source,
        askers=askers if public else 0,
        origin=origin(question, lang) if public else "",
        phase=Texts(lang).word(stage.phase),
        phase_key=stage.phase,
        size=text_size(question.text),
        seat=stage.seat,
    )


@dataclass(frozen=True)
class Asked:
    """The question on stage, as a fragment of its own."""

    question: OnStage | None


def asked(view: HearingView, lang: str) -> Asked:
    """The question with its asker, whole."""
    return Asked(on_stage(view, lang))


def origin(question: Question, lang: str) -> str:
    """“12345热线 · 37人同问”; one asker alone is not counted aloud."""
    source = source_name(question, lang)
    askers = question.askers + question.support
    return f"{source} · {say(lang, '%(n)s人同问', n=askers)}" if askers > 1 else source


def can_support(question: Question) -> bool:
    """Whether 同问 is still counted."""
    return question.status in SUPPORTABLE


@dataclass(frozen=True)
class Upcoming:
    """What comes next in the agenda."""

    title: str
    step: str
    name: str
    same_item: bool


def upcoming(view: HearingView, lang: str) -> Upcoming | None:
    """The next step, or None at the end of the show."""
    ahead = following(view.items, view.position)
    item = view.item(ahead[0]) if ahead else None
    if ahead is None or item is None:
        return None
    return Upcoming(
        title=item.title,
        step=Texts(lang).step(ahead[1]),
        name=view.speaker(item),
        same_item=view.position is not None and view.position.item == item.id,
    )


@dataclass(frozen=True)
class NextQuestion:
    """The first of the queue. `given` is the seat number it was given to."""

    text: str
    origin: str
    given: int | None
    more: int


def next_question(view: HearingView, lang: str) -> NextQuestion | None:
    """Next, or None when the queue is empty."""
    if not view.queue.questions:
        return None
    first = view.queue.questions[0]
    return NextQuestion(
        text=first.text,
        origin=origin(first, lang),
        given=view.queue.given.get(first.id),
        more=len(view.queue.questions) - 1,
    )


@dataclass(frozen=True)
class Ahead:
    """What follows."""

    step: Upcoming | None
    question: NextQuestion | None


def ahead(view: HearingView, lang: str) -> Ahead:
    """The next step, and the next question."""
    return Ahead(upcoming(view, lang), next_question(view, lang))
