"""A question's life, as a table of states and acts (`docs/states.md`).

Rule 1. An act that is not in `NEXT` for the present state is refused and changes nothing.
Rule 2. Un-merging returns a question to the state it was merged from (`before_merge`).
Rule 3. A withdrawn or closed question is off the public list; its code still tells its fate.
Rule 4. An escalated question is seen by the duty person alone, who gives it back to the desk, where it
begins again, or hands it over; then it stays out of everybody else's sight.
Rule 5. Outside the desk nobody is told what the desk plans, nor that something was escalated (`TOLD`).
Rule 6. Whatever takes a question out of `rejected` grants its author's appeal: no rejection is left to
appeal against. A rejection that stands after an appeal is upheld, once, and its author is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Required, TypedDict

from server.domain.refusals import Refusal

STATES = (
    "received",
    "screened",
    "approved",
    "rejected",
    "merged",
    "shortlisted",
    "queued",
    "on_stage",
    "answered",
    "withdrawn",
    "replied_in_writing",
    "converted",
    "closed",
    "escalated",
    "handed_over",
)

_BEFORE_STAGE = ("approved", "shortlisted", "queued")

NEXT: Mapping[str, Mapping[str, str]] = {
    "screen": {"received": "screened"},
    "approve": {"screened": "approved"},
    "unapprove": {"approved": "screened"},
    "reject": {"screened": "rejected"},
    "unreject": {"rejected": "screened"},
    "uphold": {"rejected": "rejected"},  # Rule 6: its appeal is answered.
    "merge": {"screened": "merged", "approved": "merged", "shortlisted": "merged"},
    "unmerge": {"merged": ""},  # Rule 2: the state before.
    "shortlist": {"approved": "shortlisted"},
    "unshortlist": {"shortlisted": "approved"},
    "queue": {"shortlisted": "queued"},
    "unqueue": {"queued": "shortlisted"},
    "take": dict.fromkeys(_BEFORE_STAGE, "on_stage"),
    "answer": {"on_stage": "answered"},
    "defer": {"on_stage": "queued"},
    "withdraw": {"on_stage": "withdrawn"},
    "reply": dict.fromkeys((*_BEFORE_STAGE, "withdrawn"), "replied_in_writing"),
    "convert": {"answered": "converted", "replied_in_writing": "converted"},
    "close": dict.fromkeys(
        (*_BEFORE_STAGE, "withdrawn", "answered", "replied_in_writing"), "closed"
    ),
    "escalate": dict.fromkeys(
        ("screened", *_BEFORE_STAGE, "rejected", "withdrawn", "answered"), "escalated"
    ),
    "release": {"escalated": "screened"},  # Rule 4: it is looked at anew.
    "hand_over": {"escalated": "handed_over"},
}
"""act → {state it is legal in: state it leads to}."""

EDITABLE = frozenset(("received", "screened", *_BEFORE_STAGE))
"""States in which a moderator may rewrite the text."""

PUBLIC = frozenset((*_BEFORE_STAGE, "on_stage", "answered", "replied_in_writing", "converted"))
"""States whose questions stand on the public list (approved once, not withdrawn or closed), where
they have a text (`listed`)."""

HIDDEN = frozenset(("escalated", "handed_over"))
"""States in which only the duty person sees a question, and what was merged into it (rule 4)."""

TOLD: Mapping[str, str] = {
    **{state: state for state in STATES},
    "shortlisted": "approved",
    "queued": "approved",
    "escalated": "screened",
    "handed_over": "screened",
}
"""State → what everybody outside the desk is told (rule 5): the shortlist is the desk's until a question is
taken, and a report to the duty person is no business of whoever may know the code."""

SUPPORTABLE = frozenset((*_BEFORE_STAGE, "on_stage"))
"""States in which 同问 is counted."""

REJECTION_REASONS: Mapping[str, tuple[str, str]] = {
    "off_topic": ("与本场述法无关", "Not about this hearing"),
    "not_this_unit": ("不属于到场单位职责", "Not a matter of the units present"),
    "in_procedure": ("已进入诉讼、复议或信访程序", "Already in court, review or petition"),
    "duplicate": ("与已有提问重复", "Already asked"),
    "unclear": ("内容不清，无法核实", "Not clear enough to follow up"),
    "personal_data": ("涉及他人隐私", "Exposes somebody's private data"),
    "insulting": ("含有侮辱、诽谤内容", "Insulting or defamatory"),
    "unlawful": ("含有法律禁止的内容", "Content that the law forbids"),
}
"""Reason code → sentence in Chinese and English; the author reads it under the question's code."""

APPEAL_OUTCOMES = ("granted", "upheld")
"""What may come of an author's appeal: the rejection was taken back, or it stands."""

PHASES = ("asking", "answering", "follow_up", "done")
PHASE_NEXT: Mapping[str, frozenset[str]] = {
    "asking": frozenset({"answering"}),
    "answering": frozenset({"follow_up", "done"}),
    "follow_up": frozenset({"answering", "done"}),
    "done": frozenset({"follow_up"}),
}

TAGS_MOST = 20
"""Tags of one question."""

TEXT_LONGEST = 20_000
"""Characters of a letter, of its rewriting, of a reply: what a source may send and a person may write."""

STAGE_LONGEST = 600
"""Characters that fit a stage screen readable from the last row; a longer text is rewritten."""


@dataclass(frozen=True)
class Question:
    """One question as the desk keeps it. `text` is masked; the original lies sealed elsewhere.

    `support` counts viewers (one each) and `likes` what the source system counted; `askers` is
    how many people stand behind it once others were merged in; of a merged question, `carried_*`
    are what its merge added to the other one. `source` is a kind (`hotline`, `mailbox`, `live`,
    `panel`, `desk`), `source_key` which of them. `flags` are words of the operator's lists,
    `LIST:WORD`. `district`, `agency` and `solved` are what its source says (`domain/orders.py`),
    `proposed` the official whose unit that names. Questions that ask alike share a `cluster`, which is a
    label and no id. `verification` is the last 核实 (`domain/reviews.py`).
    `topic` is one of the office's scheme, which a person chose (`topics.py`). `appeal_outcome` is what came
    of the author's appeal, None while it waits; `appeal_note` why, in the moderator's words.
    """

    id: int
    code: str
    status: str
    text: str
    version: int
    source: str
    source_key: str = ""
    external_id: str = ""
    title: str = ""
    subject: str | None = None
    tags: tuple[str, ...] = ()
    support: int = 0
    likes: int = 0
    askers: int = 1
    reason: str | None = None
    merged_into: str | None = None
    before_merge: str | None = None
    carried_askers: int = 0
    carried_likes: int = 0
    off_cuff: bool = False
    created_at: int = 0
    approved_at: int | None = None
    answered_at: int | None = None
    reply: str | None = None
    appealed: bool = False
    appeal_outcome: str | None = None
    appeal_note: str | None = None
    rating: str | None = None
    rewritten: bool = False
    flags: tuple[str, ...] = ()
    district: str = ""
    agency: str = ""
    solved: str = ""
    proposed: str | None = None
    cluster: int | None = None
    approved_by: str = ""
    seconded_by: str = ""
    verification: Mapping[str, Any] | None = None
    topic: str | None = None

    @property
    def people(self) -> int:
        """How many stand behind it: who asked, and who supports it."""
        return self.askers + self.support

    @property
    def appeal_waits(self) -> bool:
        """Whether its author's appeal is not answered yet."""
        return self.status == "rejected" and self.appealed and self.appeal_outcome is None


class NewQuestion(TypedDict, total=False):
    """A question to be added. `fields` are what its source told beside the text; `asker` is the
    viewer who asked, or stands for the person who wrote to the source, and `secret_hash` of the secret
    that a viewer got."""

    code: Required[str]
    status: Required[str]
    text: Required[str]
    source: Required[str]
    created_at: Required[int]
    source_key: str
    external_id: str
    title: str
    subject: str | None
    likes: int
    tags: list[str]
    fields: Mapping[str, object]
    asker: str
    secret_hash: str
    off_cuff: bool
    approved_at: int | None
    approved_by: str
    askers: int
    district: str
    agency: str
    solved: str
    proposed: str | None


def step(question: Question, act: str) -> Question:
    """The question after `act`, or `question_step_illegal` (rule 1)."""
    after = NEXT[act].get(question.status)
    if after is None:
        raise Refusal("question_step_illegal", now=question.status, act=act)
    if act == "merge":
        question = replace(question, before_merge=question.status)
    if act == "unmerge":
        after = question.before_merge or "screened"
        question = replace(question, before_merge=None, merged_into=None)
    if question.status == "rejected" != after and question.appealed:
        question = replace(question, appeal_outcome="granted", appeal_note=None)
    return replace(question, status=after, version=question.version + 1)


def uphold(question: Question, note: str | None) -> Question:
    """The rejection stands after its author's appeal. `appeal_missing` where nobody appealed,
    `appeal_answered` where the appeal was answered before."""
    after = step(question, "uphold")
    if not question.appealed:
        raise Refusal("appeal_missing")
    if question.appeal_outcome is not None:
        raise Refusal("appeal_answered")
    return replace(after, appeal_outcome="upheld", appeal_note=note)


def listed(question: Question) -> bool:
    """Whether it stands on the public list. What was asked off the cuff comes there once its text
    is typed."""
    return question.status in PUBLIC and question.text != ""


def check_merge(question: Question, into: Question) -> None:
    """A question merges into another one that is itself alive and not merged."""
    if question.id == into.id:
        raise Refusal("merge_into_self")
    if into.status not in {"screened", "approved", "shortlisted", "queued", "on_stage"}:
        raise Refusal("merge_target_illegal", now=into.status)


def check_phase(now: str, wanted: str) -> None:
    """`phase_illegal` unless `wanted` may follow `now`; the same phase again changes nothing.
    `malformed` for what is no phase."""
    if wanted not in PHASES:
        raise Refusal("malformed", place="phase")
    if wanted != now and wanted not in PHASE_NEXT[now]:
        raise Refusal("phase_illegal", now=now, wanted=wanted)
