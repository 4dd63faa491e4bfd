"""复核: a published result is contested within the days that the show sets, and upheld or corrected.

Rule 1. Only a published result is contested, by whoever may, until the time that its first
        publication set.
Rule 2. Who contested does not decide; whoever publishes decides.
Rule 3. A correction is a new certified result that replaces the contested one; both stay, and
        whatever showed the old figure shows both, the reason and who decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from server.domain.refusals import Refusal
from server.domain.rounds import Round, step

LEAST_GROUNDS, LONGEST_GROUNDS, LONGEST_REASON = 10, 2000, 1000
"""Characters of the grounds (复核理由) and of the decision's reason."""
MOST_FILES, LARGEST_FILE = 5, 5 * 1024 * 1024
FILE_KINDS = frozenset({".pdf", ".jpg", ".jpeg", ".png", ".docx", ".xlsx", ".txt"})
"""Endings of files that may be handed in."""
DAY_MS = 24 * 60 * 60 * 1000
OUTCOMES = ("upheld", "corrected")


@dataclass(frozen=True)
class ContestFile:
    """A file handed in with the grounds; the bytes are asked for by its number."""

    number: int
    name: str
    size: int


@dataclass(frozen=True)
class Contest:
    """One 复核申请. `status` is `open`, `upheld` or `corrected`; `correction` the id of the round that
    replaces the contested one. Times are milliseconds since 1970."""

    id: int
    round: str
    at: int
    by: str
    name: str
    role: str
    grounds: str
    files: tuple[ContestFile, ...] = ()
    status: str = "open"
    decided_at: int | None = None
    decided_by: str = ""
    decided_as: str = ""
    reason: str = ""
    correction: str | None = None


def contest(round_: Round, now: int) -> Round:
    """The round while it is 复核中 (rule 1)."""
    contested = step(round_, "contest")
    if round_.contest_until is None:
        raise Refusal("contest_not_provided")
    if now > round_.contest_until:
        raise Refusal("contest_too_late")
    return contested


def check_decider(one: Contest, actor: str) -> None:
    """Rule 2."""
    if one.by == actor:
        raise Refusal("own_contest")


def uphold(round_: Round) -> Round:
    """维持: the result stands."""
    return step(round_, "uphold")


def stands_for(round_: Round, by_id: Mapping[str, Round]) -> Round | None:
    """The round in whose place this one is held, passing over those that were voided on the way."""
    before = by_id.get(round_.replaces or "")
    while before is not None and before.status == "voided":
        before = by_id.get(before.replaces or "")
    return before


def waiting(old: Round, rounds: Iterable[Round]) -> tuple[Round, ...]:
    """The rounds that are held, or are to be held, in the place of this one."""
    by_id = {one.id: one for one in rounds}
    return tuple(
        one
        for one in by_id.values()
        if one.status != "voided" and (found := stands_for(one, by_id)) and found.id == old.id
    )


def check_publication(round_: Round, before: Round | None, audience: str) -> None:
    """What is held in the place of another result is published by the decision on that one, and then
    to nobody whom the other one was kept from."""
    if before is None:
        return
    if before.status == "contested":
        raise Refusal("correction_first")
    corrected_by = (before.correction or {}).get("by")
    if corrected_by != round_.id:
        raise Refusal("repeat_rejected")
    if not before.published_for(audience):
        raise Refusal("correction_wider")


def correct(
    old: Round, new: Round, reason: str, role: str, now: int, was: Any, becomes: Any
) -> tuple[Round, Round]:
    """更正: the old round with the new one that replaces it, published to whom the old one was.

    `was` and `becomes` are the figures of both in brief, which each of them then carries.
    `correction_unfit` unless the new one is certified and has not been published to anybody whom the old
    one's figures were kept from. (That it was held in the place of the old one: `waiting`.)
    """
    corrected = step(old, "correct")
    wider = any(not old.published_for(one) for one in new.published_to)
    if new.status not in {"certified", "published"} or wider:
        raise Refusal("correction_unfit")
    told = {"reason": reason, "as": role, "at": now}
    published = replace(step(new, "publish"), published_to=old.published_to)
    return (
        replace(
            corrected, correction={**told, "by": new.id, "title": new.title, "figures": becomes}
        ),
        replace(published, correction={**told, "of": old.id, "title": old.title, "figures": was}),
    )
