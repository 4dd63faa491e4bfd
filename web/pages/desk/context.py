"""What the moderators' desk shows: counts by state, a page of the list, one question, the queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.domain.desk import Done, Group
from server.domain.escalations import KINDS, Escalation
from server.domain.orders import FACTS, SOLVED, facts
from server.domain.questions import (
    EDITABLE,
    HIDDEN,
    NEXT,
    REJECTION_REASONS,
    STAGE_LONGEST,
    Question,
)
from server.domain.reviews import OUTCOMES
from server.domain.topics import Suggestion
from server.domain.twins import REASONS, Twin
from server.domain.view import HearingView, SubjectView, source_name
from server.domain.words import DOER
from web.layout.language import say
from web.layout.texts import Texts, side
from web.pages import shared
from web.pages.desk.differences import Piece, differences

LIVE = "live"
"""The lane of the live page's questions, the newest first."""
MINE = "mine"
"""The questions that I work on."""
APPEALED = "appealed"
"""The questions whose authors appealed and have no answer yet; left out while there are none."""
STATES_OF: tuple[tuple[str, str], ...] = (
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
"""(states of a list, its word), in the order in which a question passes through them. What was escalated
is in none: it is not even counted for anybody but the duty person."""
OPTIONAL = frozenset(
    {
        "on_stage",
        "answered",
        "replied_in_writing",
        "rejected",
        "merged",
        "withdrawn",
        "converted",
        "closed",
    }
)
"""Lists that are left out while they are empty."""
TYPED_LATER = frozenset({"on_stage", "answered"})


@dataclass(frozen=True)
class CountLine:
    """One list, how many questions it holds (None = only its owner knows), and whether it is a lane of
    its own rather than a state."""

    states: str
    word: str
    count: int | None
    lane: str = ""


@dataclass(frozen=True)
class Counts:
    """The lists."""

    lines: tuple[CountLine, ...]


def counts(view: HearingView, lang: str) -> Counts:
    """How many questions are in each list."""
    texts = Texts(lang)
    lines = []
    waiting = "received,screened"
    for states, word in STATES_OF:
        if states:
            count = sum(view.counts.get(state, 0) for state in states.split(","))
        else:
            count = sum(n for state, n in view.counts.items() if state not in HIDDEN)
        if count or word not in OPTIONAL:
            name = texts.question(word) if states else texts.word(word)
            lines.append(CountLine(states, name, count))
        if states == waiting:
            lines.append(CountLine("", texts.word("live_lane"), view.live_waiting, LIVE))
            lines.append(CountLine("", texts.word("mine"), None, MINE))
            if view.appeals:
                lines.append(CountLine("", texts.word("appeals"), view.appeals, APPEALED))
    return Counts(tuple(lines))


@dataclass(frozen=True)
class Claimed:
    """Who works on a question (`id`), as a list's row and the pane say it."""

    id: int
    actor: str
    name: str
    at: int
    firm: bool


@dataclass(frozen=True)
class Claims:
    """Every question that somebody works on."""

    lines: tuple[Claimed, ...]


def claims(view: HearingView, lang: str) -> Claims:
    """Who works on what, for the page's script to mark it where it stands."""
    return Claims(
        tuple(Claimed(one.question, one.actor, one.name, one.at, one.firm) for one in view.claims)
    )


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
    title: str
    source: str
    subject: str
    proposed: bool
    district: str
    solved: str
    solved_word: str
    tags: tuple[str, ...]
    flags: int
    askers: int
    support: int
    likes: int
    when: str
    rewritten: bool
    appealed: bool
    seconded: bool
    verified: str


@dataclass(frozen=True)
class Listing:
    """A page of the list. `more` is the address of the next one."""

    rows: tuple[Row, ...]
    more: str


ROW_TITLE = 60
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
        title=one.title[:ROW_TITLE],
        source=source_name(one, lang),
        subject=names.get(one.subject or one.proposed or "", ""),
        proposed=not one.subject and one.proposed in names,
        district=one.district,
        solved=one.solved,
        solved_word=side(SOLVED[one.solved], lang) if one.solved else "",
        tags=one.tags,
        flags=len(one.flags),
        askers=one.askers,
        support=one.support,
        likes=one.likes,
        when=Texts(lang).moment(one.created_at, now),
        rewritten=one.rewritten,
        appealed=one.appeal_waits,
        seconded=bool(one.seconded_by),
        verified=_outcome(one, lang),
    )


def _outcome(one: Question, lang: str) -> str:
    """What came of its 核实, in a word."""
    outcome = str((one.verification or {}).get("outcome"))
    return side(OUTCOMES[outcome], lang) if outcome in OUTCOMES else ""


# ── groups ──


@dataclass(frozen=True)
class GroupRow:
    """Questions that ask alike."""

    cluster: int
    title: str
    text: str
    questions: int
    people: int
    unsolved: int
    solved: int
    repeated: bool


@dataclass(frozen=True)
class OfOne:
    """The groups of one official (`key`, `-` = of nobody yet); `more` are not shown here."""

    key: str
    name: str
    unit: str
    groups: tuple[GroupRow, ...]
    more: int


@dataclass(frozen=True)
class Grouped:
    """Official by official."""

    officials: tuple[OfOne, ...]


SHOWN_OF_ONE = 8
"""Groups of an official that are shown before somebody asks for more."""


def grouped(
    groups: Sequence[Group], subjects: Sequence[SubjectView], whole: bool, lang: str
) -> Grouped:
    """The groups in their order, under the officials in theirs; what is nobody's yet comes last. `whole`
    shows all of an official's."""
    known = {subject.key: (subject.name, subject.unit) for subject in subjects}
    found: dict[str, list[Group]] = {key: [] for key in (*known, "-")}
    for group in groups:
        found[group.subject if group.subject in known else "-"].append(group)
    nobody = (say(lang, "未分配"), "")
    most = len(groups) if whole else SHOWN_OF_ONE
    return Grouped(
        tuple(
            OfOne(
                key, *known.get(key, nobody), tuple(_group(one) for one in of_one[:most]),
                max(0, len(of_one) - most),
            )
            for key, of_one in found.items()
            if of_one
        )
    )  # fmt: skip


def _group(one: Group) -> GroupRow:
    return GroupRow(
        cluster=one.cluster,
        title=one.title[:ROW_TITLE],
        text=one.text[:ROW_TEXT],
        questions=one.questions,
        people=one.people,
        unsolved=one.unsolved,
        solved=one.solved,
        repeated=one.repeated,
    )


@dataclass(frozen=True)
class ToWrite:
    """What a question may be written from: the orders of a group."""

    slug: str
    cluster: int
    subject: str
    subjects: tuple[SubjectView, ...]
    orders: tuple[Row, ...]
    questions: int
    people: int
    unsolved: int
    longest: int


def to_write(
    slug: str,
    cluster: int,
    subject: str,
    orders: Sequence[Question],
    people: int,
    subjects: Sequence[SubjectView],
    now: int,
    lang: str,
) -> ToWrite:
    """The form in which a question is written from these orders."""
    names = {one.key: one.name for one in subjects}
    return ToWrite(
        slug=slug,
        cluster=cluster,
        subject=subject,
        subjects=tuple(subjects),
        orders=tuple(_row(one, names, now, lang) for one in orders),
        questions=len(orders),
        people=people,
        unsolved=sum(one.solved in {"unsolved", "partly"} for one in orders),
        longest=STAGE_LONGEST,
    )


# ── one question ──


@dataclass(frozen=True)
class Reason:
    """A reason for sending a question back, with the digit that picks it."""

    key: str
    word: str


@dataclass(frozen=True)
class TwinLine:
    """A likely twin: its text in pieces (text, whether the chosen question has it too), the people
    behind it, and why a merge is proposed ("" = only similar)."""

    id: int
    code: str
    status: str
    word: str
    pieces: tuple[tuple[str, bool], ...]
    askers: int
    source: str
    reason: str
    shared: int


TWIN_TEXT = 200
"""Characters of a twin's text that are shown."""


def twin_line(twin: Twin, lang: str) -> TwinLine:
    """What the pane shows of a likely twin: from a little before the first shared words."""
    one = twin.question
    start = max(0, min((s for s, _ in twin.marks), default=0) - 20)
    end = start + TWIN_TEXT
    pieces: list[tuple[str, bool]] = [("…", False)] if start else []
    done = start
    for s, e in twin.marks:
        if s >= end:
            break
        pieces += [(one.text[done:s], False), (one.text[s : min(e, end)], True)]
        done = min(e, end)
    pieces.append((one.text[done:end] + ("…" if len(one.text) > end else ""), False))
    return TwinLine(
        id=one.id,
        code=one.code,
        status=one.status,
        word=Texts(lang).question(one.status),
        pieces=tuple((text, marked) for text, marked in pieces if text),
        askers=one.askers + one.support,
        source=source_name(one, lang),
        reason=side(REASONS[twin.reason], lang) if twin.reason else "",
        shared=twin.shared,
    )


@dataclass(frozen=True)
class TopicLine:
    """A topic that the question may have, and why, in words."""

    topic: str
    why: str


def topic_line(one: Suggestion, lang: str) -> TopicLine:
    """A suggested topic with its reason."""
    said = []
    if one.words:
        said.append(say(lang, "含“%(words)s”", words="、".join(one.words)))
    if one.chosen:
        said.append(say(lang, "以前选过 %(n)s 次", n=one.chosen))
    return TopicLine(one.topic, " · ".join(said))


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
    changed: tuple[tuple[Piece, ...], tuple[Piece, ...]] | None
    appeal: str
    reason: str
    reasons: tuple[Reason, ...]
    twins: tuple[TwinLine, ...]
    proposed: str
    solved: str
    facts: tuple[Fact, ...]
    same_asker: int
    merged_in: int
    flags: tuple[tuple[str, str], ...]
    verified: Verified | None
    outcomes: tuple[Reason, ...]
    kinds: tuple[Reason, ...]
    can_second: bool
    topics: tuple[TopicLine, ...]
    has_topics: bool


@dataclass(frozen=True)
class Verified:
    """The last 核实."""

    word: str
    good: bool
    note: str
    name: str
    at: int


@dataclass(frozen=True)
class Fact:
    """What the source says of its order."""

    word: str
    value: str


@dataclass(frozen=True)
class Beside:
    """What is known of a question beside itself: its source's fields, other messages of the same person,
    how many were merged into it."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    same_asker: int = 0
    merged_in: int = 0


def pane(
    slug: str,
    question: Question,
    subjects: Sequence[SubjectView],
    wordings: Sequence[tuple[int, str]],
    appeal: str | None,
    lang: str,
    twins: Sequence[Twin] = (),
    beside: Beside = Beside(),
    topics: Sequence[Suggestion] = (),
    has_topics: bool = False,
) -> Pane:
    """The chosen question; `topics` are suggested, `has_topics` = the office has a scheme of them."""
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
        twins=tuple(twin_line(one, lang) for one in twins),
        changed=(
            differences(wordings[0][1], question.text)
            if wordings and wordings[0][1] != question.text
            else None
        ),
        proposed=names.get(question.proposed or "", "") if not question.subject else "",
        solved=side(SOLVED[question.solved], lang) if question.solved else "",
        facts=tuple(
            Fact(side(FACT_WORDS.get(name, (name, name)), lang), value)
            for name, value in facts(beside.fields)
        ),
        same_asker=beside.same_asker,
        merged_in=beside.merged_in,
        flags=tuple(_flag(one) for one in question.flags),
        verified=_verified(question, lang),
        outcomes=tuple(Reason(key, side(words, lang)) for key, words in OUTCOMES.items()),
        kinds=tuple(Reason(key, side(words, lang)) for key, words in KINDS.items()),
        can_second=question.status in SECONDED and not question.seconded_by,
        topics=tuple(topic_line(one, lang) for one in topics),
        has_topics=has_topics,
    )


SECONDED = frozenset({"approved", "shortlisted", "queued"})
"""States in which a second person looks at a question."""
FACT_WORDS = {name: (zh, en) for name, zh, en in FACTS}


def _flag(flag: str) -> tuple[str, str]:
    """(list, word) of a flag."""
    name, _, word = flag.partition(":")
    return name, word


def _verified(question: Question, lang: str) -> Verified | None:
    told = question.verification
    if not told:
        return None
    good = told["outcome"] != "unfounded"
    return Verified(_outcome(question, lang), good, told["note"], told["name"], told["at"])


# ── history ──


@dataclass(frozen=True)
class Step:
    """One thing that was done to a question."""

    at: int
    word: str
    who: str


@dataclass(frozen=True)
class Past:
    """All of them, the newest first."""

    steps: tuple[Step, ...]


def past(done: Sequence[Done], lang: str) -> Past:
    """A question's history in words."""
    texts = Texts(lang)
    return Past(
        tuple(
            Step(
                one.at,
                texts.act(one.event, str(one.body.get("act") or "")),
                _doer(one, texts),
            )
            for one in reversed(done)
        )
    )


def _doer(one: Done, texts: Texts) -> str:
    """Who did it: a person by name, else what he is here. What only the author's secret allows is done
    by the author, whom the house does not know."""
    if one.name or not one.role:
        return one.name
    by_secret = one.event == "question_rated" or one.body.get("act") == "appeal"
    role = "public" if by_secret else one.role
    return side(DOER[role], texts.lang) if role in DOER else texts.role(role)


# ── the duty person ──


@dataclass(frozen=True)
class Escalated:
    """One question that was handed to the duty person."""

    id: int
    slug: str
    kind: str
    note: str
    at: int
    seen: bool
    question: Question
    source: str


@dataclass(frozen=True)
class OnDuty:
    """What waits for the duty person; `unseen` keeps the banner up."""

    lines: tuple[Escalated, ...]
    unseen: int


def on_duty(slug: str, found: Sequence[tuple[Escalation, Question]], lang: str) -> OnDuty:
    """The open escalations, the newest first."""
    lines = tuple(
        Escalated(
            one.id, slug, side(KINDS[one.kind], lang), one.note, one.at, one.seen_at is not None,
            question, source_name(question, lang),
        )
        for one, question in found
    )  # fmt: skip
    return OnDuty(lines, sum(not one.seen for one in lines))


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
