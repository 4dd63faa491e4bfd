"""What a second person does before a question may be asked on air: 核实 and 复核. Pure.

Rule 1. 核实 says who looked into the facts, when, and what came of it; the last one counts.
Rule 2. 复核 is a second pair of eyes: of somebody who neither approved the question nor wrote its text.
Rule 3. Where the hearing asks for them, a question without them does not go on stage, unless whoever
puts it there gives a reason, which stands in the journal under his name.
Rule 4. A text that is rewritten is seconded and verified anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from server.domain.questions import Question
from server.domain.refusals import Refusal

OUTCOMES: Mapping[str, tuple[str, str]] = {
    "confirmed": ("属实", "Confirmed"),
    "partly": ("部分属实", "Partly confirmed"),
    "unfounded": ("不属实", "Not confirmed"),
}
"""What came of looking into the facts."""
NOTE_LONGEST = 500


@dataclass(frozen=True)
class Asked:
    """What a hearing asks for before the stage."""

    second: bool = False
    verification: bool = False


def verified(question: Question, outcome: str, note: str, by: str, name: str, at: int) -> Question:
    """The question with its 核实. `malformed` for an unknown outcome, `text_too_long`."""
    if outcome not in OUTCOMES:
        raise Refusal("malformed", place="outcome")
    if len(note) > NOTE_LONGEST:
        raise Refusal("text_too_long", most=NOTE_LONGEST)
    told = {"outcome": outcome, "note": note, "by": by, "name": name, "at": at}
    return replace(question, verification=told, version=question.version + 1)


def seconded(question: Question, by: str, writer: str) -> Question:
    """The question with its 复核; `writer` is who wrote its present text, empty when that is its
    author. `second_same_person` for who approved or wrote it, `question_step_illegal` for one that nobody has approved."""
    if question.status not in {"approved", "shortlisted", "queued"}:
        raise Refusal("question_step_illegal", now=question.status, act="second")
    if by in {question.approved_by, writer}:
        raise Refusal("second_same_person")
    return replace(question, seconded_by=by, version=question.version + 1)


def missing(question: Question, asked: Asked) -> tuple[str, ...]:
    """Codes of what the hearing asks for and the question has not: `not_seconded`, `not_verified`. What
    a 核实 found wrong counts as not verified."""
    outcome = (question.verification or {}).get("outcome")
    lacking = {
        "not_seconded": asked.second and not question.seconded_by,
        "not_verified": asked.verification and outcome not in {"confirmed", "partly"},
    }
    return tuple(code for code, lacks in lacking.items() if lacks)
