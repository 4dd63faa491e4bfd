"""Light rounds about one answer: mood cards (表情牌), and whether it settled the question. Pure.

They are ordinary rounds with fixed choices, opened in one press for the question on stage and closed
by time. What they found is the hearing's like any other result; they weigh nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from server.domain.explained import Sentence

SECONDS = 60
"""How long a light round stands open."""


@dataclass(frozen=True)
class Reaction:
    """`choices` are (key, words); `positive` the one whose share a panel's round counts."""

    title: Sentence
    choices: tuple[tuple[str, Sentence], ...]
    positive: str


REACTIONS: Mapping[str, Reaction] = {
    "mood": Reaction(
        ("表情牌", "Mood cards"),
        (
            ("smile", ("😊 笑脸", "😊 Smile")),
            ("flat", ("😐 平", "😐 Neutral")),
            ("cry", ("😢 哭脸", "😢 Sad")),
        ),
        "smile",
    ),
    "answer": Reaction(
        ("答复评价", "Rating of the answer"),
        (
            ("solved", ("解决", "Settled")),
            ("partly", ("部分", "Partly")),
            ("evaded", ("回避", "Evaded")),
        ),
        "solved",
    ),
}
"""kind → the round that it makes."""
RATINGS = tuple(key for key, _ in REACTIONS["answer"].choices)
"""What an author may say of the answer to his question."""
ONLY_DIMENSION = "answer"


def rules_of(kind: str, side: int) -> dict[str, Any]:
    """The rules of a panel's light round: how many of those present chose its positive choice. All count
    alike, whatever their group weighs elsewhere."""
    reaction = REACTIONS[kind]
    labels = [{"key": key, "label": words[side]} for key, words in reaction.choices]
    return {
        "version": 1,
        "scale": {"kind": "labels", "labels": labels},
        "dimensions": [{"key": ONLY_DIMENSION}],
        "within": "rate",
        "positive": [reaction.positive],
        "denominator": "present",
        "rounding": {"mode": "half_up", "dimension": 4, "total": 4},
    }
