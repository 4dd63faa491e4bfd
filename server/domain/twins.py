"""A question that may be another's twin. Pure shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from server.domain.questions import Question

TWINS = 10
"""Likely twins that are shown of one question."""
SUGGESTED = 3
"""Similar questions that somebody who asks is shown before sending."""
SUGGESTED_LEAST = 40
"""Per cent of what a text says that a question must share to be shown then."""

ALIKE = 35
"""Per cent of what a question says that another one shares: they belong to one group."""
ONE_GROUP = 60
"""Per cent at which two groups become one: by fewer, ever more would run together."""

ALIVE = ("screened", "approved", "shortlisted", "queued", "on_stage")
"""States of questions into which another may be merged."""

REASONS: Mapping[str, tuple[str, str]] = {
    "same_text": ("原文相同", "The same text"),
    "same_question": ("问的是同一件事", "Asks the same in other words"),
}
"""Why a merge is proposed; without a reason two questions are only similar."""


@dataclass(frozen=True)
class Twin:
    """A likely twin. `likeness` orders twins of one question; `shared` is how much of what the first
    says is said here too, in per cent of weight; `reason` is a key of `REASONS` or empty; `marks` are
    places in this one's text that the first has as well."""

    question: Question
    likeness: int
    shared: int
    reason: str
    marks: tuple[tuple[int, int], ...]


def twin_state(twin: Twin) -> dict[str, Any]:
    """A likely twin as the API tells it."""
    one = twin.question
    return {
        "id": one.id,
        "code": one.code,
        "status": one.status,
        "text": one.text,
        "title": one.title,
        "source": one.source,
        "askers": one.askers + one.support,
        "likes": one.likes,
        "subject": one.subject,
        "shared": twin.shared,
        "proposed": bool(twin.reason),
        "reason": twin.reason or None,
        "marks": [list(place) for place in twin.marks],
    }
