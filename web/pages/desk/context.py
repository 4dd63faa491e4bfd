"""What the moderators' desk shows: counts by state, a page of the list, one question, the queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server.domain.questions import EDITABLE, NEXT, REJECTION_REASONS, STAGE_LONGEST, Question
from server.domain.view import HearingView, SubjectView, source_name
from web.layout.texts import Texts, side
from web.pages import shared

GROUPS: tuple[tuple[str, str], ...] = (
    ("received,screened", "screened"),
    ("approved", "approved"),
    ("shortlisted", "shortlisted"),
    ("queued", "queued"),
    ("on_stage", "on_stage"),
    ("answered", "answered"),
    ("replied_in_writing", "replied_in_writing"),
    ("rejected", "rejected"),
    ("merged", "merged"),
    ("withdrawn", "withdrawn"),
    ("converted", "converted"),
    ("closed", "closed"),
    ("", "all"),
)
"""(states of a list, its word), in the order in which a question passes through them."""
OPTIONAL = frozenset({"withdrawn", "converted", "closed"})
"""Lists that are left out while they are empty."""
TYPED_LATER = frozenset({"on_stage", "answered"})


@dataclass(frozen=True)
class CountLine:
    """One list and how many questions it holds."""

    states: str
    word: str
    count: int


@dataclass(frozen=True)
class Counts:
    """The lists."""

    lines: tuple[CountLine, ...]


def counts(view: HearingView, lang: str) -> Counts:
    """How many questions are in each list."""
    texts = Texts(lang)
    lines = []
    for states, word in GROUPS:
        if states:
            count = sum(view.counts.get(state, 0) for state in states.split(","))
        else:
            count = sum(view.counts.values())
        if count or word not in OPTIONAL:
            name = texts.question(word) if states else texts.word(word)
            lines.append(CountLine(states, name, count))
    return Counts(tuple(lines))


# ── the list ──


@dataclass(frozen=True)
class Row:
    """One question in the list."""

    id: int
    version: int
    code: str
    status: str
    word: str
    text: str
    source: str
    subject: str
    tags: tuple[str, ...]
    askers: int
    support: int
    likes: int
    when: str
    rewritten: bool
    appealed: bool


@dataclass(frozen=True)
class Listing:
    """A page of the list. `more` is the address of the next one."""

    rows: tuple[Row, ...]
    more: str


ROW_TEXT = 140
"""Characters of a question in the list: two lines of it."""


def listing(
    questions: Sequence[Question],
    subjects: Sequence[SubjectView],
    more: str,
    now: int,
    lang: str,
) -> Listing:
    """A page of the list as it is looked at `now` (ms since 1970)."""
    names = {subject.key: subject.name for subject in subjects}
    return Listing(tuple(_row(one, names, now, lang) for one in questions), more)


def _row(one: Question, names: Mapping[str, str], now: int, lang: str) -> Row:
    return Row(
        id=one.id,
        version=one.version,
        code=one.code,
        status=one.status,
        word=Texts(lang).question(one.status),
        text=one.text[:ROW_TEXT],
        source=source_name(one, lang),
        subject=names.get(one.subject or "", ""),
        tags=one.tags,
        askers=one.askers,
        support=one.support,
        likes=one.likes,
        when=Texts(lang).moment(one.created_at, now),
        rewritten=one.rewritten,
        appealed=one.appealed,
    )


# ── one question ──


@dataclass(frozen=True)
class Reason:
    """A reason for sending a question back, with the digit that picks it."""

    key: str
    word: str


@dataclass(frozen=True)
class Pane:
    """One question with everything that may be done with it (`can`)."""

    slug: str
    question: Question
    word: str
    source: str
    subject: str
    subjects: tuple[SubjectView, ...]
    can: frozenset[str]
    editable: bool
    too_long: bool
    wordings: tuple[tuple[int, str], ...]
    appeal: str
    reason: str
    reasons: tuple[Reason, ...]


def pane(
    slug: str,
    question: Question,
    subjects: Sequence[SubjectView],
    wordings: Sequence[tuple[int, str]],
    appeal: str | None,
    lang: str,
) -> Pane:
    """The chosen question."""
    # A person may decide before the screener looked: what is new counts as ready for review.
    status = "screened" if question.status == "received" else question.status
    names = {subject.key: subject.name for subject in subjects}
    reason = question.reason or ""
    return Pane(
        slug=slug,
        question=question,
        word=Texts(lang).question(question.status),
        source=source_name(question, lang),
        subject=names.get(question.subject or "", ""),
        subjects=tuple(subjects),
        can=frozenset(act for act, states in NEXT.items() if status in states),
        editable=question.status in EDITABLE
        or (question.off_cuff and question.status in TYPED_LATER),
        too_long=len(question.text) > STAGE_LONGEST,
        wordings=tuple(wordings),
        appeal=appeal or "",
        reason=side(REJECTION_REASONS[reason], lang) if reason in REJECTION_REASONS else reason,
        reasons=tuple(Reason(key, side(words, lang)) for key, words in REJECTION_REASONS.items()),
    )


# ── the queue ──


@dataclass(frozen=True)
class Queued:
    """A question in the queue."""

    id: int
    text: str
    source: str
    subject: str
    seat: int | None


@dataclass(frozen=True)
class QueueNow:
    """Now, Next and what follows."""

    version: int
    on_stage: shared.OnStage | None
    on_stage_id: int
    lines: tuple[Queued, ...]


def queue(view: HearingView, lang: str) -> QueueNow:
    """The queue in its order."""
    names = {subject.key: subject.name for subject in view.subjects}
    return QueueNow(
        version=view.queue.version,
        on_stage=shared.on_stage(view, lang),
        on_stage_id=view.stage.question.id if view.stage else 0,
        lines=tuple(
            Queued(
                one.id,
                one.text,
                source_name(one, lang),
                names.get(one.subject or "", ""),
                view.queue.given.get(one.id),
            )
            for one in view.queue.questions
        ),
    )


@dataclass(frozen=True)
class Where:
    """What the bar on top says of the show."""

    status: str
    now: shared.Now | None


def where(view: HearingView, lang: str) -> Where:
    """Where the show stands."""
    return Where(Texts(lang).word(view.hearing.status), shared.now(view, lang))
