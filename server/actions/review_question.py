"""核实 and 复核 of a question, and whether the stage asks for them."""

from __future__ import annotations

from typing import Any

from server.actions.moderate_question import seen, worked_on
from server.actions.perform import Answer, Asked, check_version, perform
from server.actions.ports import House, Unit
from server.domain import reviews
from server.domain.refusals import Refusal
from server.domain.roles import Actor
from server.domain.view import desk_question


async def verify_question(
    house: House,
    by: Actor,
    slug: str,
    id_: int,
    outcome: str,
    note: str,
    key: str | None = None,
    *,
    version: int | None = None,
) -> Answer:
    """`PUT …/verification {outcome, note?, version?}`: who looked into the facts, when, and what came of
    it."""

    async def work(unit: Unit) -> Answer:
        question = await worked_on(house, unit, by, id_, version)
        if question.status in {"merged", "rejected", "closed", "withdrawn", "escalated"}:
            raise Refusal("question_step_illegal", now=question.status, act="verify")
        said = house.mask(house.clean(note)).text
        after = reviews.verified(question, outcome, said, by.id, by.name, house.now())
        await unit.questions.save(after)
        unit.record(
            "question_moderated",
            touched=[after],
            ids={"id": after.id, "code": after.code},
            act="verify",
            outcome=outcome,
        )
        return Answer(desk_question(after))

    body = {"id": id_, "version": version, "outcome": outcome, "note": note}
    return await perform(house, Asked(by, "moderate", key, body, None, "verify"), work, slug=slug)


async def second_question(
    house: House,
    by: Actor,
    slug: str,
    id_: int,
    key: str | None = None,
    *,
    version: int | None = None,
) -> Answer:
    """`POST …/seconding {version?}`: a second pair of eyes."""

    async def work(unit: Unit) -> Answer:
        question = await seen(unit, by, id_, lock=True)
        # The eyes were on the text that they read, which a rewriting has replaced.
        check_version(question.version, version, desk_question(question))
        after = reviews.seconded(question, by.id, await unit.questions.last_writer(id_))
        await unit.questions.save(after)
        unit.record(
            "question_moderated",
            touched=[after],
            ids={"id": after.id, "code": after.code},
            act="second",
        )
        return Answer(desk_question(after))

    body = {"id": id_, "version": version}
    return await perform(house, Asked(by, "second", key, body, None, "second"), work, slug=slug)


async def ask_for_reviews(
    house: House, by: Actor, slug: str, second: bool, verification: bool, key: str | None = None
) -> Answer:
    """`PUT /hearings/SLUG/reviews {second, verification}`: what a question needs before the stage."""
    told: dict[str, Any] = {"second": second, "verification": verification}

    async def work(unit: Unit) -> Answer:
        if await asked_for(unit) != reviews.Asked(**told):
            await unit.hearings.set_show(reviews=told)
            unit.record("review_asked", **told)
        return Answer(told)

    asked = Asked(by, "manage_hearings", key, told, None, "reviews")
    return await perform(house, asked, work, slug=slug)


async def asked_for(unit: Unit) -> reviews.Asked:
    """What the hearing asks for before the stage."""
    kept = (await unit.hearings.settings())["show"].get("reviews", {})
    return reviews.Asked(**kept)
