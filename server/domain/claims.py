"""Who works on a question right now (docs/decisions/0025-groups-and-claims.md). Pure.

Rule 1. A firm claim keeps the desk's other people from deciding about its question, until it is given
back, the question is decided, or it has not been renewed for `LAPSES_MS`.
Rule 2. One that is not firm only says who has it open: the pages keep others from opening it too, and two
who write at once are shown both texts.
Rule 3. Anybody at the desk may take a claim over; it stands in the journal.
"""

from __future__ import annotations

from dataclasses import dataclass

from server.domain.refusals import Refusal

LAPSES_MS = 10 * 60_000
"""A claim that is not renewed so long keeps nobody away: its holder has gone."""
RENEWED_MS = 60_000
"""A page renews its claim so often while somebody works."""


@dataclass(frozen=True)
class Claim:
    """A question that somebody (`actor`, by `name`) works on since `at` (ms since 1970)."""

    question: int
    actor: str
    name: str
    at: int
    firm: bool = False


def holds(claim: Claim | None, actor: str, now: int) -> bool:
    """Whether somebody else than the actor holds it, and firmly."""
    return claim is not None and claim.firm and claim.actor != actor and claim.at > now - LAPSES_MS


def check_claim(claim: Claim | None, actor: str, now: int) -> None:
    """`question_claimed` while somebody else works on it."""
    if claim is not None and holds(claim, actor, now):
        raise Refusal("question_claimed", name=claim.name)
