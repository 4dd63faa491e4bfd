"""What became of everything that came in, as numbers that anybody may see, and how what was asked
compares with what was received. Pure (docs/decisions/0023-fates-are-pulsed.md).

Rule 1. The public's numbers are a partition: each question is merged, shown, held, refused or closed, and
together they are what was received. A state that is not named here is held.
Rule 2. Nobody is pointed at: a value behind which fewer than `LEAST` questions stand is told only together
with others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from server.domain.questions import PUBLIC, REJECTION_REASONS
from server.domain.topics import SEPARATOR

LEAST = 3
"""Questions that a value of a comparison must have to be named by itself (rule 2)."""

DIMENSIONS: Mapping[str, tuple[str, str]] = {
    "source": ("渠道", "Channel"),
    "district": ("区县", "District"),
    "subject": ("述法人", "Official"),
    "topic": ("主题", "Topic"),
}
"""By what the asked are compared with the received; each is a column of the store's questions.
Of topics the first level is told."""

ASKED = frozenset({"on_stage", "answered", "replied_in_writing", "converted"})
"""States of a question that was put to an official, on air or in writing; a closed one was when it has an
answer, and a merged one when what it went into was."""


@dataclass(frozen=True)
class Fates:
    """How many questions of a run became what. `reasons`: reason code → refused for it, zeros too."""

    received: int = 0
    merged: int = 0
    shown: int = 0
    held: int = 0
    refused: int = 0
    closed: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)

    @property
    def numbers(self) -> dict[str, int]:
        """The numbers but for the reasons, in the order in which they are told."""
        names = ("received", "merged", "shown", "held", "refused", "closed")
        return {name: getattr(self, name) for name in names}


def fates(counts: Mapping[str, int], refused: Mapping[str, int]) -> Fates:
    """From how many questions are in each state, and how many were refused for each reason."""
    received = sum(counts.values())
    merged, rejected = counts.get("merged", 0), counts.get("rejected", 0)
    shown = sum(counts.get(state, 0) for state in PUBLIC)
    closed = sum(counts.get(state, 0) for state in ("withdrawn", "closed", "handed_over"))
    return Fates(
        received=received,
        merged=merged,
        shown=shown,
        held=received - merged - shown - rejected - closed,
        refused=rejected,
        closed=closed,
        reasons={reason: refused.get(reason, 0) for reason in REJECTION_REASONS},
    )


@dataclass(frozen=True)
class Share:
    """One value of a dimension. `value` is empty where the question says none, None for all those that are
    not named by themselves."""

    value: str | None
    received: int
    asked: int


@dataclass(frozen=True)
class Comparison:
    """One dimension: what came in beside what was asked of it, most received first."""

    dimension: str
    received: int
    asked: int
    shares: tuple[Share, ...]


def comparison(dimension: str, counted: Iterable[tuple[str | None, int, int]]) -> Comparison:
    """From (value, received, asked) of each value. What is too small is told together (rule 2); where
    that is itself too small, the smallest that would be named joins it."""
    found: dict[str, Share] = {}
    for value, received, asked in counted:
        name = value or ""
        if dimension == "topic":
            name = name.partition(SEPARATOR)[0]
        before = found.get(name, Share(name, 0, 0))
        found[name] = Share(name, before.received + received, before.asked + asked)
    ranked = sorted(found.values(), key=lambda one: (-one.received, one.value or ""))
    named = [one for one in ranked if one.received >= LEAST]
    others = ranked[len(named) :]
    while others and named and sum(one.received for one in others) < LEAST:
        others.append(named.pop())
    if others:
        named.append(_together(None, others))
    whole = _together(None, named)
    return Comparison(dimension, whole.received, whole.asked, tuple(named))


def _together(value: str | None, shares: Iterable[Share]) -> Share:
    all_ = tuple(shares)
    return Share(value, sum(one.received for one in all_), sum(one.asked for one in all_))
