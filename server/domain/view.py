"""The read model: one hearing as its pages and sockets see it, read in one transaction.

Every page's context and every frame is a pure function of a `HearingView`, which is what makes
live = reload (law 6) something that can be tested. `public_state` is the contract's `state`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from server.domain.claims import Claim
from server.domain.fairness import Fates, fates
from server.domain.hearing import Hearing, Item, Position
from server.domain.questions import HIDDEN, Question, listed
from server.domain.rounds import Round, own_subjects

MOST_SUPPORTED = 25
NEWEST = 10
LIST_TEXT = 80
"""Characters of a question's text in `state.questions`; a longer one is cut and says so."""


@dataclass(frozen=True)
class SubjectView:
    """A subject (述法人) in the office's order."""

    key: str
    name: str
    post: str
    unit: str
    aliases: tuple[str, ...] = ()
    """Other names under which work orders know the unit."""


@dataclass(frozen=True)
class SeatView:
    """A seat of the panel. `present`: its panelist has checked in."""

    id: int
    number: int
    name: str
    group: str
    group_name: str
    unit: str
    present: bool


@dataclass(frozen=True)
class Staged:
    """What the stage holds: a question by its id. `seat` is the asking panelist's seat number."""

    question_id: int
    asker: str
    seat: int | None
    phase: str
    taken_at: int


@dataclass(frozen=True)
class StageView:
    """The question on stage. `seat` is the asking panelist's seat number when one asks."""

    question: Question
    asker: str
    phase: str
    taken_at: int
    seat: int | None = None


@dataclass(frozen=True)
class QueueView:
    """Now and Next: `ids` in order, `given` = question id → seat number it was given to."""

    version: int
    ids: tuple[int, ...]
    questions: tuple[Question, ...]
    given: Mapping[int, int]


@dataclass(frozen=True)
class FloorRequest:
    """A panelist's 申请提问 (`ask`) or 追问 (`follow_up`), newest last.

    `status` is `open`, or what the host made of it (`granted`, `declined`): that is shown to the
    seat until the show comes to another item.
    """

    id: int
    seat: int
    name: str
    kind: str
    text: str
    at: int
    status: str = "open"


@dataclass(frozen=True)
class Takeover:
    """A spare tablet that asks for a seat; `check` is what stands on it."""

    id: int
    seat: int
    name: str
    check: str
    at: int


@dataclass(frozen=True)
class Notice:
    """The host's message to the podium; `seen_at` once somebody there acknowledged it."""

    id: int
    text: str
    at: int
    seen_at: int | None


@dataclass(frozen=True)
class Screens:
    """What the public screens are told: `cleared` = 垫片 on; `round` = the round being revealed."""

    cleared: bool = False
    round: str | None = None


@dataclass(frozen=True)
class Lease:
    """Who holds one of the three controls; `session` is the console's own id."""

    kind: str
    session: str
    name: str
    at: int


@dataclass(frozen=True)
class HearingView:
    """One hearing in its present run. `versions` gives each room's version, `refused` how many questions
    are refused for each reason."""

    hearing: Hearing
    office_name: str
    stream_url: str | None
    note: str
    versions: Mapping[str, int]
    subjects: tuple[SubjectView, ...]
    items: tuple[Item, ...]
    position: Position | None
    stage: StageView | None
    rounds: tuple[Round, ...]
    questions: tuple[Question, ...]
    queue: QueueView
    requests: tuple[FloorRequest, ...]
    notice: Notice | None
    screens: Screens
    leases: tuple[Lease, ...]
    seats: tuple[SeatView, ...]
    groups: tuple[tuple[str, str, str], ...]
    counts: Mapping[str, int]
    source_counts: Mapping[str, int]
    live_waiting: int
    claims: tuple[Claim, ...]
    viewers: int
    likes: int
    refused: Mapping[str, int]
    takeovers: tuple[Takeover, ...] = ()
    appeals: int = 0
    """Authors' appeals that wait for a moderator."""

    @property
    def fates(self) -> Fates:
        """What became of everything that came in."""
        return fates(self.counts, self.refused)

    def subject(self, key: str | None) -> SubjectView | None:
        """The subject called `key`."""
        return next((s for s in self.subjects if s.key == key), None)

    def own_units(self, round_: Round) -> bool:
        """Whether on the panel are some of the units whose heads this round is about."""
        heads = {s.key: s.unit for s in self.subjects if s.key in round_.subjects}
        return any(own_subjects(seat.unit, heads) for seat in self.seats)

    def item(self, id_: str | None) -> Item | None:
        """The agenda item with this id."""
        return next((i for i in self.items if i.id == id_), None)

    @property
    def current(self) -> Item | None:
        """The agenda item the show is at."""
        return self.item(self.position.item) if self.position else None

    @property
    def now_subject(self) -> SubjectView | None:
        """The subject whose turn it is."""
        return self.subject(self.current.subject) if self.current else None

    @property
    def script(self) -> str:
        """The line to speak in the present step, empty where there is none."""
        at, item = self.position, self.current
        return next((s.script for s in item.steps if s.key == at.step), "") if at and item else ""

    def speaker(self, item: Item) -> str:
        """Who speaks in the item: the deputy where one stands in; empty where nobody does."""
        subject = self.subject(item.subject)
        return item.deputy or (subject.name if subject else "")

    @property
    def rehearsal(self) -> bool:
        """Whether everything shown bears 演练."""
        return self.hearing.run_kind == "rehearsal"


SOURCE_NAMES: Mapping[str, tuple[str, str]] = {
    "hotline": ("12345热线", "12345 hotline"),
    "mailbox": ("市长信箱", "Mayor's mailbox"),
    "live": ("直播间", "Live page"),
    "panel": ("评议团现场提问", "Panel, in the hall"),
    "desk": ("群众诉求汇总", "Citizens' requests, summed up"),
}


def source_name(question: Question, lang: str = "zh") -> str:
    """Where a question came from, for a screen."""
    zh, en = SOURCE_NAMES.get(question.source, (question.source, question.source))
    return en if lang == "en" else zh


def question_state(question: Question) -> dict[str, Any]:
    """A question in `state.questions`."""
    one: dict[str, Any] = {
        "code": question.code,
        "text": question.text[:LIST_TEXT],
        "subject": question.subject,
        "support": question.support,
    }
    if len(question.text) > LIST_TEXT:
        one["more"] = True
    return one


def round_state(round_: Round) -> dict[str, Any]:
    """A round in `state.rounds`: turnout always, values only where the rules show them live or
    they are published to the public."""
    published = round_.published_for("public")
    one: dict[str, Any] = {
        "id": round_.id,
        "title": round_.title,
        "audience": round_.audience,
        "status": round_.status_for("public"),
        "choices": [{"key": k, "label": v} for k, v in round_.choices],
        "cast": round_.cast,
    }
    if round_.closes_at is not None and round_.status == "closing":
        one["closes_at"] = round_.closes_at
    if round_.audience == "public" and round_.show_live and round_.status != "ready":
        one["counts"] = dict(round_.counts)
    if published and round_.result is not None:
        one["result"] = result_summary(round_)
    if published and round_.root:
        one["root"] = round_.root
    if published and round_.correction is not None:
        one["correction"] = dict(round_.correction)
    return one


def result_summary(round_: Round) -> list[dict[str, Any]]:
    """The published figures in brief: total and rank for each subject, or count for each choice."""
    result = round_.result or {}
    if round_.audience == "public":
        return [dict(one) for one in result.get("choices", ())]
    return [
        {"subject": s["subject"], "total": s["total"], "rank": s["rank"]}
        for s in result.get("subjects", ())
    ]


def hearing_state(hearing: Hearing, screens: Screens) -> dict[str, Any]:
    """`state.hearing`."""
    return {
        "slug": hearing.slug,
        "title": hearing.title,
        "status": hearing.status,
        "version": hearing.version,
        "run": hearing.run_kind,
        "cleared": screens.cleared,
    }


def slot_state(
    at: Position | None, items: Iterable[Item], subjects: Iterable[SubjectView]
) -> dict[str, Any] | None:
    """`state.slot`; `remaining_ms` stands beside it while the countdown is stopped."""
    if at is None:
        return None
    item = next((i for i in items if i.id == at.item), None)
    subject = next((s for s in subjects if item and s.key == item.subject), None)
    slot: dict[str, Any] = {
        "item": at.item,
        "subject": subject.key if subject else None,
        "unit": subject.unit if subject else None,
        "step": at.step,
        "ends_at": at.ends_at,
        "version": at.version,
    }
    if at.remaining is not None:
        slot["remaining_ms"] = at.remaining
    if item and item.deputy:
        slot["deputy"] = item.deputy
    return slot


def stage_state(stage: StageView | None) -> dict[str, Any] | None:
    """`state.stage`."""
    if stage is None:
        return None
    question = stage.question
    return {
        "code": question.code,
        "text": question.text,
        "asker": stage.asker,
        "source": source_name(question),
        "askers": question.askers + question.support,
        "phase": stage.phase,
    }


def public_state(view: HearingView) -> dict[str, Any]:
    """The contract's `state`, the object of the socket's `snapshot`."""
    return {
        "hearing": hearing_state(view.hearing, view.screens),
        "slot": slot_state(view.position, view.items, view.subjects),
        "stage": stage_state(view.stage),
        "rounds": [round_state(r) for r in view.rounds],
        "questions": [question_state(q) for q in view.questions],
        "viewers": view.viewers,
        "likes": view.likes,
        "fates": view.fates.numbers,
        "reasons": dict(view.fates.reasons),
    }


def changed_questions(touched: Iterable[Question]) -> tuple[list[dict[str, Any]], list[str]]:
    """(`questions`, `removed`) of a cue: touched ones that stand on the public list, and codes
    of those that no longer do."""
    touched = tuple(touched)
    shown = [question_state(q) for q in touched if listed(q)]
    return shown, [q.code for q in touched if not listed(q)]


def staff_state(view: HearingView) -> dict[str, Any]:
    """What staff sockets get with `as=json`: the public state, the queue and the turnout."""
    state = public_state(view)
    queue = view.queue
    state["queue"] = {
        "version": queue.version,
        "ids": list(queue.ids),
        "now": view.stage.question.id if view.stage else None,
        "next": queue.ids[0] if queue.ids else None,
    }
    state["counts"] = {one: n for one, n in view.counts.items() if one not in HIDDEN}
    return state


def desk_question(question: Question) -> dict[str, Any]:
    """A question as moderators get it: masked text and everything its state depends on."""
    return {
        "id": question.id,
        "version": question.version,
        "code": question.code,
        "status": question.status,
        "text": question.text,
        "title": question.title,
        "source": question.source,
        "source_key": question.source_key,
        "external_id": question.external_id,
        "subject": question.subject,
        "tags": list(question.tags),
        "flags": list(question.flags),
        "topic": question.topic,
        "support": question.support,
        "likes": question.likes,
        "askers": question.askers,
        "reason": question.reason,
        "merged_into": question.merged_into,
        "rewritten": question.rewritten,
        "off_cuff": question.off_cuff,
        "created_at": question.created_at,
        "district": question.district,
        "agency": question.agency,
        "solved": question.solved or None,
        "proposed": question.proposed,
        "cluster": question.cluster,
        "seconded": bool(question.seconded_by),
        "verification": (
            {name: question.verification[name] for name in ("outcome", "note", "name", "at")}
            if question.verification
            else None
        ),
    }
