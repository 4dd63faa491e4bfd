"""What the API answers, described for `/api/v1/openapi.json`: one model for each shape.

The models describe and never run: a route names its model for the description and answers the
dict that an action or the read model made, as it is. `tests/running.py` holds every answer that
any test receives against these models, and no member may be missing here.

Members that `ABSENT` marks are left out when there is nothing to say; `null` is said where it
means something. Times are milliseconds since 1970, UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, NotRequired, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, RootModel, WithJsonSchema, create_model

from server.domain import (
    contests,
    desk,
    escalations,
    hearing,
    orders,
    questions,
    reactions,
    reviews,
    rounds,
    sources,
    tally,
    twins,
)
from server.domain.events import EVENTS
from server.domain.roles import ROLES

ABSENT: Any = Field(default_factory=lambda: None)
"""The member may be left out. (A default of its own would be documented as a value.)"""


def one_of(values: Iterable[str]) -> Any:
    """Documents the values that a text may have; the rules check them, in their own words."""
    return WithJsonSchema({"type": "string", "enum": list(values)})


HearingStatus = Annotated[str, one_of(hearing.STATUS_NEXT)]
RunKind = Annotated[str, one_of(hearing.RUN_KINDS)]
NewRunKind = Annotated[str, one_of(("rehearsal", "real"))]
StepKey = Annotated[str, one_of(hearing.STEPS)]
ItemStatus = Annotated[str, one_of(("coming", "current", "done", "skipped"))]
FloorKind = Annotated[str, one_of(("ask", "follow_up"))]
FloorOutcome = Annotated[str, one_of(("granted", "declined"))]
LeaseKind = Annotated[str, one_of(hearing.LEASES)]
QuestionStatus = Annotated[str, one_of(questions.STATES)]
QuestionPhase = Annotated[str, one_of(questions.PHASES)]
StageOutcome = Annotated[str, one_of(("answered", "deferred", "withdrawn"))]
Source = Annotated[str, one_of(("hotline", "mailbox", "live", "panel", "desk"))]
DeskSort = Annotated[str, one_of(desk.SORTS)]
OrderSolved = Annotated[str, one_of(orders.SOLVED)]
VerificationOutcome = Annotated[str, one_of(reviews.OUTCOMES)]
EscalationKind = Annotated[str, one_of(escalations.KINDS)]
EscalationOutcome = Annotated[str, one_of(escalations.OUTCOMES)]
RejectionReason = Annotated[str, one_of(questions.REJECTION_REASONS)]
AppealOutcome = Annotated[str, one_of(questions.APPEAL_OUTCOMES)]
RoundStatus = Annotated[str, one_of(rounds.STATES)]
RoundAudience = Annotated[str, one_of(("panel", "public"))]
Secrecy = Annotated[str, one_of(("named", "secret"))]
Unsent = Annotated[str, one_of(("discard", "send"))]
Replacing = Annotated[str, one_of(("first", "last"))]
PublicationAudience = Annotated[str, one_of(rounds.AUDIENCES)]
Role = Annotated[str, one_of(ROLES)]
FormStatus = Annotated[str, one_of(("none", "once", "differs", "counted"))]
AnswerRating = Annotated[str, one_of(reactions.RATINGS)]
ReactionKind = Annotated[str, one_of(tuple(reactions.REACTIONS))]
ContestOutcome = Annotated[str, one_of(contests.OUTCOMES)]
ContestStatus = Annotated[str, one_of(("open", *contests.OUTCOMES))]


class Answer(BaseModel):
    """The text under a member is its description."""

    model_config = ConfigDict(use_attribute_docstrings=True)


# ── Errors ────────────────────────────────────────────────────────────────────────────────────


class ErrorDetail(Answer):
    code: str
    """What programs rely on: a row of the catalogue, listed under the status."""
    message: str
    """One sentence for people, in the reader's language."""
    detail: dict[str, Any]
    """What the sentence is about, such as `place` or `field`. On 409 `version_stale`, `current` is
    the thing as it stands now; on 429, `retry_after` is the seconds to wait."""


class Error(Answer):
    """The one error shape: nothing was changed (but see 503)."""

    error: ErrorDetail


# ── The hearing and its run of show ───────────────────────────────────────────────────────────


class StateHearing(Answer):
    slug: str
    title: str
    status: HearingStatus
    version: int
    """The version that `PUT …/status` needs."""
    run: RunKind
    """Everything shown of a `rehearsal` bears 演练."""
    cleared: bool
    """Whether 垫片, the holding card, covers every public screen."""


class Slot(Answer):
    """Where the show stands."""

    item: str
    """The agenda item's id."""
    subject: str | None
    """The key of the official whose turn it is; null for an item without one."""
    unit: str | None
    step: StepKey
    ends_at: int | None
    """When the step's time is up; null while no countdown runs."""
    version: int
    """The version that `PUT …/position` needs."""
    remaining_ms: int = ABSENT
    """While the countdown stands still: what is left of it. Below zero it is overrun."""
    deputy: str = ABSENT
    """Who speaks in the official's place."""


class Stage(Answer):
    """The question on stage."""

    code: str
    text: str
    """At most 600 characters; empty while a question asked off the cuff is not yet typed."""
    asker: str
    """Who asks, as the screen says it: a panelist with the group, or the source."""
    source: str
    """Where it came from, in words."""
    askers: int
    """How many people stand behind it, supporters and merged questions included."""
    phase: QuestionPhase


class ChoiceState(Answer):
    key: str
    label: str


class ChoiceResult(ChoiceState):
    count: int


class SubjectSummary(Answer):
    subject: str
    total: str | None
    """A decimal, or a fraction such as `260/3`; null where there is no mark."""
    rank: int | None


class CorrectionFigure(Answer):
    name: str
    figure: str


class RoundCorrection(Answer):
    """On a corrected round and on the one that replaces it: what the other one says, why, and who
    decided."""

    by: str = ABSENT
    """On the corrected round: the id of the one that replaces it."""
    of: str = ABSENT
    """On the new round: the id of the corrected one."""
    title: str
    """Of the other round."""
    reason: str
    as_: Role = Field(alias="as")
    """The role that decided."""
    at: int
    figures: list[CorrectionFigure]
    """The other round's result in brief."""


class StateRound(Answer):
    """A round: turnout always, values only where its rules show them live or once they are
    published to the public."""

    id: str
    title: str
    audience: RoundAudience
    status: RoundStatus
    """`certified` until it is published to the public."""
    choices: list[ChoiceState]
    """What a public round offers; empty for a panel round."""
    cast: int
    """Ballots taken: one for each viewer or seat."""
    closes_at: int = ABSENT
    """While `closing`: until when ballots are still taken."""
    counts: dict[str, int] = ABSENT
    """Votes by choice, where the rules show them live."""
    result: list[ChoiceResult | SubjectSummary] = ABSENT
    """Once published to the public: counts by choice, or total and rank by subject."""
    root: str = ABSENT
    """Once published to the public: what the round's bundle stands under."""
    correction: RoundCorrection = ABSENT
    """Once a published result was corrected, on both rounds."""


class StateQuestion(Answer):
    code: str
    text: str
    """Cut to 80 characters; the full text is in `GET …/questions`."""
    subject: str | None
    """The official it is for; null when none was named."""
    support: int
    more: bool = ABSENT
    """True when `text` was cut."""


class Fates(Answer):
    """Numbers of questions: each of the received is one of the other five."""

    received: int
    merged: int
    """Into another question, with which it is asked and answered."""
    shown: int
    """On the public list."""
    held: int
    """Not decided yet."""
    refused: int
    closed: int
    """Taken back or closed after it was on the list."""


class State(Answer):
    """What the public sees of a hearing."""

    hearing: StateHearing
    slot: Slot | None
    """Null before the show has begun."""
    stage: Stage | None
    """Null while no question is on stage."""
    rounds: list[StateRound]
    questions: list[StateQuestion]
    """The 25 most supported, the newest 10, and the one on stage."""
    viewers: int
    """Live connections."""
    likes: int
    fates: Fates
    """What became of everything that came in; like viewers and likes, told by pulses between cues."""
    reasons: dict[str, int]
    """How many of the refused were refused for each reason."""


class Snapshot(Answer):
    """The same object as the socket's `snapshot` carries."""

    epoch: str
    """Changes with each run; versions of different epochs have nothing to do with each other."""
    version: int
    """Rises by one with each act that the public can see."""
    state: State


class Subject(Answer):
    key: str
    name: str
    unit: str


class AgendaItem(Answer):
    id: str
    title: str
    subject: str | None
    """The official's key; null for an item without one."""
    unit: str | None
    steps: list[StepKey]
    status: ItemStatus
    deputy: str | None
    """Who speaks in the official's place; null = the official."""


class Agenda(Answer):
    version: int
    items: list[AgendaItem]
    subjects: list[Subject]
    """In the office's order."""


class AgendaOrder(Answer):
    order: list[str]
    """All items in their new order."""


class ItemDeputy(Answer):
    item: str
    deputy: str
    """Empty: the official speaks."""


class RunStarted(Answer):
    kind: NewRunKind
    epoch: str
    version: int
    status: HearingStatus


class Moved(Answer):
    item: str
    step: StepKey
    ends_at: int | None
    """When the step's time is up; null while no countdown runs."""
    version: int


class StatusChanged(Answer):
    status: HearingStatus
    version: int


class ScreensState(Answer):
    cleared: bool


class LeaseTaken(Answer):
    kind: LeaseKind
    name: str
    """Who holds it."""
    at: int


class NoticeSent(Answer):
    id: int
    text: str
    seen_at: int | None
    """When the podium acknowledged it; null = not yet."""


class NoticeSeen(Answer):
    id: int
    seen_at: int


class FloorRequested(Answer):
    id: int
    kind: FloorKind
    status: Annotated[str, one_of(("open",))]


class FloorSettled(Answer):
    id: int
    status: FloorOutcome


class TakeoverSettled(Answer):
    id: int
    seat: int
    status: FloorOutcome


class JournalEntry(Answer):
    seq: int
    at: int
    event: Annotated[str, one_of(EVENTS)]
    actor: str
    role: str
    body: dict[str, Any]
    """What happened; its members depend on the event."""
    rooms: dict[str, int]
    """The number that the entry has in each room that may see it."""
    prev: str
    """The hash of the entry before."""
    hash: str
    """SHA-256 over this entry and `prev`, lower-case hex."""


class JournalPage(Answer):
    entries: list[JournalEntry]
    """At most 256; ask on with `after` = the last `seq`."""


# ── Questions ─────────────────────────────────────────────────────────────────────────────────


class PublicQuestion(Answer):
    code: str
    text: str
    subject: str | None
    """The official it is for; null when none was named."""
    support: int
    status: QuestionStatus


class QuestionPage(Answer):
    items: list[PublicQuestion]
    """At most 50, newest first."""
    cursor: int | None
    """Give it back for the next page; null on the last one."""


class Asked(Answer):
    code: str
    """Tells the question's fate: `GET /questions/CODE`."""
    secret: str
    """Lets its author appeal; told to nobody else."""
    status: QuestionStatus


class Followed(Answer):
    """Where a merge, or one merge after another, has led: nobody's text."""

    code: str
    status: QuestionStatus
    answered_at: int = ABSENT


class Fate(Answer):
    """What became of a question: nobody's text."""

    code: str
    status: QuestionStatus
    reason: str = ABSENT
    """Rejected: a reason code. Closed: the reason in words."""
    reason_text: str = ABSENT
    """The reason code in words."""
    merged_into: str = ABSENT
    """The code of the question that it was merged into."""
    followed: Followed = ABSENT
    """Merged: what became of the question that it went into at last."""
    answered_at: int = ABSENT
    reply: str = ABSENT
    """The written reply."""
    appealed: bool
    appeal_outcome: AppealOutcome = ABSENT
    """What came of the appeal, once a moderator has answered it."""
    appeal_note: str = ABSENT
    """Why the rejection stands, in words."""
    rating: AnswerRating = ABSENT
    """What the author says of the answer."""


class Appealed(Answer):
    code: str
    status: QuestionStatus
    appealed: bool


class Rated(Answer):
    code: str
    rating: AnswerRating


class BriefLine(Answer):
    """What an official's office reads of one question."""

    number: int
    """Its place, from 1; it is no code of the question."""
    wording: str
    """As a moderator wrote it."""
    district: str | None
    """Those from which at least three people asked; never a place below."""
    people: int | None
    """How many ask; null below three."""


class BriefSentLine(BriefLine):
    reply: str | None
    """What the office proposes to reply."""


class BriefSent(Answer):
    at: int
    lines: list[BriefSentLine]


class BriefRead(Answer):
    subject: str
    sent: BriefSent | None


class BriefSwitch(Answer):
    in_advance: bool


class BriefHeld(Answer):
    id: int
    code: str
    why: Annotated[str, one_of(("not_neutral", "tells_source"))]
    """The code of the refusal: a citizen's own words, or a detail of the source."""


class BriefSentHash(BriefSent):
    hash: str


class BriefPreview(Answer):
    """Exactly what would be read, beside what was sent."""

    in_advance: bool
    hash: str
    """What `POST` needs: it stands for these lines and no others."""
    lines: list[BriefLine]
    kept_back: list[BriefHeld]
    """Questions that must be rewritten first; while there are any, nothing is sent."""
    sent: BriefSentHash | None


class ReplyProposed(Answer):
    number: int
    reply: str


class ViewerToken(Answer):
    viewer: str
    """To be sent as `Authorization: Bearer …`, or as `viewer` of a socket."""


class OwnQuestion(Answer):
    code: str
    status: QuestionStatus


class ViewerActs(Answer):
    viewer: bool
    """Whether the request came from a viewer; without one everything below is empty."""
    votes: dict[str, str]
    """The round's id → the choice that stands."""
    supports: list[str]
    """Codes of the questions supported."""
    questions: list[OwnQuestion]
    """The newest 50 asked by this viewer."""


class Supported(Answer):
    question: str
    on: bool
    support: int


class Verified(Answer):
    outcome: VerificationOutcome
    note: str
    name: str
    at: int


class DeskQuestion(Answer):
    """A question as moderators get it: its text is masked."""

    id: int
    version: int
    """The version that `PATCH …/desk/questions/ID` needs."""
    code: str
    status: QuestionStatus
    text: str
    title: str
    source: Source
    source_key: str
    """Which hotline or mailbox."""
    external_id: str
    """The number that the sending system gave it."""
    subject: str | None
    """The official it is for; null when none was named."""
    tags: list[str]
    flags: list[str]
    """Words of the operator's lists that stand in it, `LIST:WORD`; they keep nothing back."""
    topic: str | None
    """Of the office's scheme, as its path of names; null until a person says it."""
    support: int
    """Viewers who support it (同问)."""
    likes: int
    """What the sending system counted."""
    askers: int
    """How many people stand behind it, merged questions included."""
    reason: str | None
    """Rejected: a reason code. Closed: the reason in words. Else null."""
    merged_into: str | None
    """The code of the question that it was merged into."""
    rewritten: bool
    off_cuff: bool
    """Asked in the hall, on stage before it was typed."""
    created_at: int
    district: str
    """The district it is about; nothing smaller is told."""
    agency: str
    """The handling unit as its source names it."""
    solved: OrderSolved | None
    """What its source says of it."""
    proposed: str | None
    """The official whose unit its source names; `subject` is what a person decided."""
    cluster: int | None
    """Questions that ask alike share it."""
    seconded: bool
    """Whether a second person has looked at it (复核)."""
    verification: Verified | None
    """The last 核实."""


class Wording(Answer):
    version: int
    text: str


class DeskQuestionWhole(DeskQuestion):
    wordings: list[Wording]
    """Every earlier wording, oldest first."""
    appeal: str | None
    """What its author wrote against the rejection."""
    appeal_outcome: AppealOutcome | None
    """What came of the appeal; null while it waits."""
    appeal_note: str | None
    """Why the rejection stands, in words."""
    facts: list[OrderFact]
    """What its source knows of it, in the order of the desk."""
    claim: Claim | None
    """Who works on it, or did last."""
    held: bool
    """Whether somebody else works on it right now."""


class OrderFact(Answer):
    name: str
    """A field of the normal form, or the sender's own column."""
    value: str


class Claim(Answer):
    name: str
    at: int
    firm: bool
    """Nobody else decides about it meanwhile."""
    mine: bool


class Claimed(Answer):
    claim: Claim | None


class HistoryEntry(Answer):
    at: int
    event: str
    act: str | None
    name: str
    """Who; empty for the machine and the public."""
    role: str


class History(Answer):
    items: list[HistoryEntry]


class Group(Answer):
    cluster: int
    subject: str | None
    questions: int
    people: int
    """Who wrote ninety times is one."""
    unsolved: int
    solved: int
    repeated: bool
    """Somebody asked more than once."""
    newest: int
    """The id of the newest."""
    text: str
    title: str


class Groups(Answer):
    items: list[Group]


class BulkOne(Answer):
    id: int
    version: int


class BulkRefused(Answer):
    id: int
    code: str
    message: str


class BulkDone(Answer):
    undo: int | None
    """Give it to `DELETE …/desk/bulk/ID` to take the whole of it back."""
    done: list[BulkOne]
    refused: list[BulkRefused]


class Escalated(Answer):
    id: int
    question: int
    code: str


class EscalationOpen(Answer):
    id: int
    kind: EscalationKind
    note: str
    at: int
    seen_at: int | None
    question: DeskQuestion


class Escalations(Answer):
    items: list[EscalationOpen]


class EscalationSeen(Answer):
    id: int
    seen_at: int


class EscalationSettled(Answer):
    id: int
    question: int
    status: QuestionStatus


class ReviewsAsked(Answer):
    second: bool
    verification: bool


class Named(Answer):
    subject: str
    names: list[str]


class Unmasked(Answer):
    """A question as it was sent; nothing of it is kept anywhere for whoever read it."""

    id: int
    code: str
    text: str
    """As it was sent; the question's own text where masking took nothing out of it."""
    fields: dict[str, str]
    """What was sealed beside the text: `requester_name`, `requester_phone`, `location`, other texts that
    were masked, and `extra.HEADER` for columns of the sender's own."""
    wordings: list[Wording]
    """Every wording out of which masking took something, whole, oldest first."""


class DeskPage(Answer):
    items: list[DeskQuestion]
    """At most 50, newest first."""
    cursor: int | None
    """Give it back for the next page; null on the last one."""
    counts: dict[str, int]
    """Questions of the whole hearing by status."""


class Queue(Answer):
    version: int
    """The version that `PUT …/queue` needs."""
    ids: list[int]
    now: int | None
    """The question on stage."""
    next: int | None
    given: dict[str, int]
    """The question's id → the number of the seat that it was given to."""


class Taken(Stage):
    id: int


class Pulled(Answer):
    id: int
    code: str
    status: QuestionStatus


# ── Rounds and ballots ────────────────────────────────────────────────────────────────────────


class RuleWords(Answer):
    zh: list[str]
    en: list[str]


class DimensionState(Answer):
    key: str
    label: str


class Grade(Answer):
    key: str
    label: str = ABSENT
    """The key stands for itself when it is left out."""
    points: str
    """A decimal."""


class InWords(Answer):
    zh: str
    en: str


class RoundWhole(StateRound):
    secrecy: Secrecy
    secrecy_in_words: InWords
    """One sentence: whether it is 记名 or 无记名, and who can ever see what."""
    replacing: Replacing
    """Whether a voter's first or last ballot holds."""
    comments: bool
    """Panel rounds: something may be written of each official beside the marks."""
    reason_below: str | None
    """Panel rounds: below this total of a sheet a reason must be written."""
    unsent: Unsent
    """Panel rounds: what becomes of a whole sheet that was not sent when the round closes."""
    subjects: list[Subject]
    opened_at: int | None
    closed_at: int | None
    rules_hash: str | None
    """SHA-256 of the canonical rules, lower-case hex; null for a public round."""
    rules: dict[str, Any] = ABSENT
    """Panel rounds: the rule set, as `pingyi tally` takes it."""
    in_words: RuleWords = ABSENT
    """Panel rounds: the rule set in sentences."""
    dimensions: list[DimensionState] = ABSENT
    """Panel rounds: what each subject is marked on."""
    grades: list[Grade] = ABSENT
    """Panel rounds: the labels to choose from; empty when marks are numbers."""


class RoundSigned(StateRound):
    signed: list[Role]
    waiting: list[Role]
    """Who still has to sign."""


class RoundPublished(StateRound):
    published_to: list[PublicationAudience]


class PaperSeatState(Answer):
    round: str
    number: int
    paper: bool


class PaperCell(Answer):
    subject: str
    dimension: str
    """Or `recused`."""


class PaperFormState(Answer):
    form: int
    status: FormStatus
    """`none` keyed in, `once`, `differs`, `counted`."""
    keyed_by: list[str]
    differing: list[PaperCell]
    """Where the two entries differ."""
    receipt: str = ABSENT
    """When this entry made it a ballot."""


class PaperForms(Answer):
    forms: list[PaperFormState]


class SourceKeyState(Answer):
    """A key that a source's senders show; its secret was told once, when it was made."""

    id: str
    made_at: int
    until: int | None
    """When it ends, once a newer one has taken its place."""


class SourceState(Answer):
    """A source of a hearing's questions."""

    key: str
    name: str
    connector: Annotated[str, one_of(sources.CONNECTORS)]
    channel: Annotated[str, one_of(sources.CHANNELS)]
    address: str
    """What outside systems call it by."""
    paused: bool
    settings: dict[str, str | int | bool]
    mapping: dict[str, str | None]
    version: int
    last_at: int | None
    counts: dict[str, int]
    """What the last run brought."""
    totals: dict[str, int]
    error: str | None
    """The code of why the last run brought nothing."""
    error_at: int | None
    keys: list[SourceKeyState]


class Sources(Answer):
    items: list[SourceState]


class LetterTaken(Answer):
    code: str
    """The question that it became."""


class LetterGone(Answer):
    name: str
    """What it was called here."""


class SourceKeyMade(SourceState):
    key_id: str
    secret: str
    """In this answer and nowhere else."""


class Twin(Answer):
    """A question that may ask the same."""

    id: int
    code: str
    status: QuestionStatus
    text: str
    title: str
    source: Source
    askers: int
    """People behind it: those who asked and those who support."""
    likes: int
    subject: str | None
    shared: int
    """How much of what the first says is said here too, in per cent."""
    proposed: bool
    reason: Annotated[str, one_of(twins.REASONS)] | None
    marks: list[list[int]]
    """Places of `text` that both have: [start, end] in characters."""


class Twins(Answer):
    items: list[Twin]


class TopicOne(Answer):
    topic: str
    """The path of names from the first level, joined by `/`; it is what a question bears."""
    name: str
    code: str
    """The office's own; may be empty."""
    keywords: list[str]


class TopicScheme(Answer):
    version: int
    """Rises with each scheme; 0 = the office has none."""
    items: list[TopicOne]
    """Each after the one above it."""


class TopicSuggestion(Answer):
    topic: str
    words: list[str]
    """Keywords of the topic that stand in the question."""
    chosen: int
    """How often people chose the topic, where it was learned from them; else 0."""


class TopicSuggestions(Answer):
    items: list[TopicSuggestion]


class SimilarOne(Answer):
    code: str
    text: str
    support: int
    askers: int


class Similar(Answer):
    items: list[SimilarOne]


class RefusedItem(Answer):
    row: int
    """Which item of the message, from 1."""
    column: str | None
    code: str
    message: str


class Pushed(Answer):
    """What became of a message's items."""

    rows: int
    new: int
    updated: int
    unchanged: int
    refused: list[RefusedItem]
    codes: dict[str, str]
    """The questions' numbers by the sender's."""


class SeatPresence(Answer):
    number: int
    present: bool


class ContestFileOne(Answer):
    number: int
    name: str
    size: int


class ContestOne(Answer):
    """One contest (复核申请) of a published result."""

    id: int
    round: str
    status: ContestStatus
    at: int
    role: Role
    """Under which it was handed in."""
    name: str
    grounds: str
    files: list[ContestFileOne]
    decided_at: int | None
    decided_as: Role | None
    reason: str | None
    """Of the decision."""
    correction: str | None
    """The id of the round that replaces the contested one."""


class ContestList(Answer):
    items: list[ContestOne]


class RoundVoided(StateRound):
    again: str
    """The id of the round to hold instead, which is `ready`."""


class Revealed(Answer):
    round: str
    step: int
    """What the hall screen shows: 0 nothing, 1 the turnout, then one subject or choice each."""
    of: int


class BallotTaken(Answer):
    """A panelist's sheet is in."""

    receipt: str
    round: str
    replaced: bool
    """Whether an earlier ballot was replaced."""
    at: int


class VoteTaken(Answer):
    """A viewer's choice is in."""

    round: str
    choice: str
    replaced: bool
    """Whether an earlier choice was replaced."""
    at: int


class DraftBegun(Answer):
    round: str


class OwnBallot(Answer):
    round: str
    receipt: str | None
    """Null: this seat has cast nothing yet, and what follows is left out."""
    at: int = ABSENT
    marks: dict[str, dict[str, str]] = ABSENT
    """Subject → dimension → value. Of a secret round nobody reads them back, and they are left out."""
    recused: list[str] = ABSENT
    """Subjects that this seat does not mark."""
    comments: dict[str, str] = ABSENT
    """Subject → what this seat wrote."""


class CommentOne(Answer):
    id: str
    subject: str
    text: str
    seat: int | None
    """Null in a secret round."""
    status: Annotated[str, one_of(("waiting", "released", "withheld"))]


class Comments(Answer):
    comments: list[CommentOne]


class CommentReviewed(Answer):
    id: str
    status: Annotated[str, one_of(("released", "withheld"))]


class Turnout(Answer):
    due: int | None
    """Seats entitled; null for a public round."""
    present: int
    """Seats signed in when the round opened; viewers for a public round."""
    cast: int


def _said_by(shape: type, name: str, **members: Any) -> type[Answer]:
    """The model of what a TypedDict of the domain says, with other types of some `members`."""
    types: dict[str, Any] = {}
    for key, type_ in get_type_hints(shape, include_extras=True).items():
        optional = get_origin(type_) is NotRequired
        types[key] = (get_args(type_)[0], ABSENT) if optional else (type_, ...)
    made: type[Answer] = create_model(
        name, __base__=Answer, __doc__=shape.__doc__, **{**types, **members}
    )
    return made


Sheets = _said_by(tally.Counts, "Sheets")
SubjectResult = _said_by(tally.SubjectResult, "SubjectResult", ballots=(Sheets, ...))
PanelResult = _said_by(tally.Result, "PanelResult", subjects=(list[SubjectResult], ...))  # type: ignore[valid-type]


class PublicResult(Answer):
    choices: list[ChoiceResult]
    cast: int
    valid: bool
    ballots_hash: str
    """SHA-256 of `ballots.csv`, lower-case hex."""
    rules_hash: None


class RuleSet(RootModel[dict[str, Any]]):
    """The rule set in canonical form: sorted keys, no spaces, one final newline. Its SHA-256 is
    the `rules_hash` of the result."""


# ── The office ────────────────────────────────────────────────────────────────────────────────


class Seat(Answer):
    seat: str
    """The name of the session among those that this browser holds; `X-Pingyi-Seat` chooses."""


class OfficeMade(Answer):
    id: int
    name: str
    path: str
    """The offices above and itself, as `/1/4/`."""


class AccountMade(Answer):
    id: int
    login: str
    name: str


class AccountChanged(Answer):
    id: int
    login: str
    name: str
    disabled: bool


class PasswordChanged(Answer):
    login: str
    changed: bool


class GrantMade(Answer):
    id: int
    role: Role


class Revoked(Answer):
    id: int
    revoked: bool


class CardMade(Answer):
    code: str
    """Shown this once."""
    label: str
    expires_at: int
    url: str


class TokenMade(Answer):
    id: int
    name: str
    token: str
    """Shown this once."""


class ShowProblem(Answer):
    line: int
    """Line of the file, the first being 1."""
    key: str
    """Where it is, entries counted from 1: `items[2].steps[1].seconds`; empty: the file itself."""
    code: str
    message: str


class ShowWrong(Answer):
    ok: Annotated[bool, WithJsonSchema({"const": False})]
    problems: list[ShowProblem]
    more: int
    """How many further problems are not listed."""


class ShowRight(Answer):
    """What a show file holds."""

    ok: Annotated[bool, WithJsonSchema({"const": True})]
    title: str
    slug: str
    subjects: int
    items: int
    seats: int
    rounds: int
    questions: int


class HearingMade(Answer):
    slug: str
    title: str
    status: HearingStatus


class SeatState(Answer):
    number: int
    name: str
    group: str
    present: bool


class Seats(Answer):
    seats: list[SeatState]


class RoleWords(Answer):
    key: Role
    zh: str
    en: str


class Roles(Answer):
    roles: list[RoleWords]


# ── This process ──────────────────────────────────────────────────────────────────────────────


class Health(Answer):
    status: Annotated[str, one_of(("ok", "ready"))]
