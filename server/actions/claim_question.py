"""Somebody at the desk works on a question, and gives it back."""

from __future__ import annotations

from typing import Any

from server.actions.moderate_question import seen
from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.domain.claims import Claim, check_claim
from server.domain.roles import Actor


async def claim_question(
    house: House,
    by: Actor,
    slug: str,
    id_: int,
    firm: bool = True,
    take_over: bool = False,
    key: str | None = None,
) -> Answer:
    """`PUT …/claim {firm?, take_over?}`: a firm one lets nobody else decide about it meanwhile. Renewing
    one's own says nothing to anybody, and leaves a firm one firm. `question_claimed` while somebody else
    holds it, unless it is taken over."""

    async def work(unit: Unit) -> Answer:
        question = await seen(unit, by, id_)
        before = await unit.claims.of(id_)
        if not take_over:
            check_claim(before, by.id, house.now())
        mine = before is not None and before.actor == by.id
        claim = Claim(
            id_, by.id, by.name, house.now(), firm or (before is not None and mine and before.firm)
        )
        await unit.claims.put(claim)
        if not mine or (before is not None and before.firm != claim.firm):
            ids = {"id": id_, "code": question.code}
            unit.record("question_claimed", ids=ids, before=before.actor if before else None)
        return Answer(claim_state(claim, by))

    asked = Asked(
        by, "moderate", key, {"id": id_, "firm": firm, "take_over": take_over}, None, "claim"
    )
    return await perform(house, asked, work, slug=slug)


async def let_go_of_question(
    house: House, by: Actor, slug: str, id_: int, key: str | None = None
) -> Answer:
    """`DELETE …/claim`: one's own only; there may be none."""

    async def work(unit: Unit) -> Answer:
        question = await seen(unit, by, id_)
        claim = await unit.claims.of(id_)
        if claim is not None and claim.actor == by.id:
            await unit.claims.drop(id_)
            unit.record("question_let_go", ids={"id": id_, "code": question.code})
            claim = None
        return Answer(claim_state(claim, by))

    asked = Asked(by, "moderate", key, {"id": id_}, None, "let_go")
    return await perform(house, asked, work, slug=slug)


def claim_state(claim: Claim | None, by: Actor) -> dict[str, Any]:
    """A question's claim as the API tells it."""
    if claim is None:
        return {"claim": None}
    return {
        "claim": {
            "name": claim.name,
            "at": claim.at,
            "firm": claim.firm,
            "mine": claim.actor == by.id,
        }
    }
