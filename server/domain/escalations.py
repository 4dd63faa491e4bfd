"""What cannot wait in a list: handed to the duty person, and out of everybody else's sight. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

KINDS: Mapping[str, tuple[str, str]] = {
    "danger": ("人身危险", "Danger to a person"),
    "unrest": ("群体事件", "Unrest"),
    "secret": ("涉密", "State secrets"),
    "misconduct": ("违纪举报", "A report of misconduct"),
}
"""Why a question is escalated."""
OUTCOMES: Mapping[str, tuple[str, str]] = {
    "released": ("退回审核台", "Given back to the desk"),
    "handed_over": ("已移交", "Handed over"),
}
"""What the duty person decided: it goes back to the desk, or it is closed here."""
NOTE_LONGEST = 500


@dataclass(frozen=True)
class Escalation:
    """One escalation: of which question, why, by whom, when, who has seen it, and its outcome (empty
    while it is open). Times in ms since 1970."""

    id: int
    question: int
    kind: str
    note: str
    by: str
    at: int
    seen_by: str
    seen_at: int | None
    outcome: str
    ended_at: int | None
