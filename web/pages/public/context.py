"""What the public live page shows, piece by piece: the same for everyone (law 8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from server.domain.questions import Question
from server.domain.rounds import Round
from server.domain.view import MOST_SUPPORTED, NEWEST, HearingView, SubjectView, source_name
from web.layout.texts import Texts
from web.pages import results, shared

ITEM_LONGEST = 200
"""Characters of a question in the list; the one on stage is shown whole."""


@dataclass(frozen=True)
class Status:
    """The chip beside the title. `tone` colours it, the word says it."""

    word: str
    tone: str


def status(view: HearingView, lang: str) -> Status:
    """Where the hearing is."""
    key = view.hearing.status
    tone = {"live": "bad dot", "paused": "warn"}.get(key, "")
    return Status(Texts(lang).word(key), tone)


@dataclass(frozen=True)
class NowPanel:
    """Who is speaking. `phase` is before, on, over or cleared (垫片: nothing is told)."""

    now: shared.Now | None
    phase: str
    paused: bool


def now(view: HearingView, lang: str) -> NowPanel:
    """The present step with its countdown."""
    return NowPanel(shared.now(view, lang), _phase(view), view.hearing.status == "paused")


def _phase(view: HearingView) -> str:
    if view.screens.cleared:
        return "cleared"
    if view.hearing.status in shared.OVER:
        return "over"
    if view.hearing.status in shared.BEFORE:
        return "before"
    return "on"


@dataclass(frozen=True)
class StagePanel:
    """The question on stage; none while the screens are cleared, whatever is on stage."""

    question: shared.OnStage | None


def stage(view: HearingView, lang: str) -> StagePanel:
    """The question being asked."""
    return StagePanel(None if view.screens.cleared else shared.on_stage(view, lang))


@dataclass(frozen=True)
class Rounds:
    """Rounds that the public may know of: those going on first, then the latest finished."""

    slug: str
    running: tuple[results.RoundView, ...]
    finished: tuple[results.RoundView, ...]


def rounds(view: HearingView, lang: str) -> Rounds:
    """Every round that has been opened; values only where rules or a publication allow them."""
    opened = [r for r in view.rounds if r.status != "ready"]

    def views(chosen: list[Round]) -> tuple[results.RoundView, ...]:
        return tuple(results.round_view(view, r, lang, "public") for r in chosen)

    done = [r for r in opened if r.status not in {"open", "closing"}]
    done.sort(key=lambda r: (r.closed_at or r.opened_at or 0, r.ordinal), reverse=True)
    return Rounds(
        slug=view.hearing.slug,
        running=views([r for r in opened if r.status in {"open", "closing"}]),
        finished=views(done),
    )


@dataclass(frozen=True)
class AgendaItem:
    """One line of the agenda."""

    title: str
    word: str
    status: str


@dataclass(frozen=True)
class Agenda:
    """The agenda in its present order."""

    items: tuple[AgendaItem, ...]


def agenda(view: HearingView, lang: str) -> Agenda:
    """All items with what has become of them."""
    word = Texts(lang).item
    return Agenda(tuple(AgendaItem(i.title, word(i.status), i.status) for i in view.items))


@dataclass(frozen=True)
class Asking:
    """Whether questions are taken now."""

    open: bool


def asking(view: HearingView, lang: str) -> Asking:
    """Until the hearing has ended."""
    del lang
    return Asking(view.hearing.status not in shared.OVER | {"draft"})


@dataclass(frozen=True)
class QuestionItem:
    """A question in the list. `order` is its place: the latest approved first."""

    code: str
    text: str
    more: int
    about: str
    source: str
    status: str
    status_key: str
    tone: str
    support: int
    can_support: bool
    order: str


def _item(question: Question, subjects: Mapping[str, SubjectView], lang: str) -> QuestionItem:
    subject = subjects.get(question.subject or "")
    tone = {"on_stage": "accent", "answered": "ok", "replied_in_writing": "ok", "converted": "ok"}
    shown = question.status in tone
    long = len(question.text) > ITEM_LONGEST
    return QuestionItem(
        code=question.code,
        text=question.text[:ITEM_LONGEST] + ("…" if long else ""),
        more=len(question.text) if long else 0,
        about=subject.unit if subject else "",
        source=source_name(question, lang),
        # Whether a question is shortlisted or queued is the desk's business until it is taken.
        status=Texts(lang).question(question.status) if shown else "",
        status_key=question.status if shown else "approved",
        tone=tone.get(question.status, ""),
        support=question.support,
        can_support=shared.can_support(question),
        order=f"{question.approved_at or 0:013d}.{question.id:010d}",
    )


@dataclass(frozen=True)
class Questions:
    """The list of approved questions."""

    entries: tuple[QuestionItem, ...]


def questions(view: HearingView, lang: str) -> Questions:
    """As the read model has them: newest first."""
    return Questions(tuple(items(view, lang).values()))


def edge(view: HearingView, gone: int, before: int = 0) -> tuple[str, ...]:
    """Codes that moved up into the list when `gone` others left it: the last of the most supported and
    the last of the newest, but for those that `before` others had made room for. So each of many events
    brings its own share, and none of their frames grows."""
    ranked = sorted(view.questions, key=lambda q: (q.support, q.id), reverse=True)
    newest = sorted(view.questions, key=lambda q: (q.approved_at or 0, q.id), reverse=True)
    last = (
        *ranked[max(0, MOST_SUPPORTED - before - gone) : max(0, MOST_SUPPORTED - before)],
        *newest[max(0, NEWEST - before - gone) : max(0, NEWEST - before)],
    )
    return tuple(dict.fromkeys(q.code for q in last))


def items(view: HearingView, lang: str) -> Mapping[str, QuestionItem]:
    """Question items by code, for those that come and go with an event."""
    subjects = {s.key: s for s in view.subjects}
    shown = (q for q in view.questions if not (q.off_cuff and not q.text))
    return {q.code: _item(q, subjects, lang) for q in shown}
