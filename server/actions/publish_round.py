"""A certified result is published to an audience that is named, and revealed step by step."""

from __future__ import annotations

from dataclasses import replace

from server.actions.perform import Answer, Asked, locked_round, perform
from server.actions.ports import House, Unit
from server.actions.tally_round import check_paths
from server.domain import rounds as rules
from server.domain.contests import DAY_MS, check_publication, stands_for
from server.domain.refusals import Refusal
from server.domain.roles import Actor
from server.domain.rounds import Round
from server.domain.show import CONTEST_DAYS
from server.domain.view import round_state

_EVENT = {
    "public": "result_published",
    "hall": "result_released",
    "internal": "result_internal",
}


async def publish_round(
    house: House, by: Actor, round_id: str, audience: str, key: str | None = None
) -> Answer:
    """`POST /rounds/ID/publication {audience}`; refused while the two counts differ."""

    async def work(unit: Unit) -> Answer:
        round_ = await locked_round(unit, round_id)
        roles = unit.place.roles(by)
        published = rules.publish(round_, audience, roles)
        if not round_.published_to:
            days = (await unit.hearings.settings())["show"].get("contest_days", CONTEST_DAYS)
            until = house.now() + days * DAY_MS if days else None
            published = replace(published, contest_until=until)
        before = stands_for(round_, {one.id: one for one in await unit.rounds.all()})
        check_publication(round_, before, audience)
        await check_paths(unit, round_)
        await unit.rounds.save(published)
        unit.record(_EVENT[audience], ids={"round": round_.id}, audience=audience)
        return Answer({**round_state(published), "published_to": list(published.published_to)})

    asked = Asked(by, "publish", key, {"audience": audience}, None, "publish")
    return await perform(house, asked, work, round=round_id)


def reveal_steps(round_: Round) -> int:
    """How many steps the reveal has: the turnout, then one for each subject or choice."""
    result = round_.result or {}
    shown = result.get("choices") if round_.audience == "public" else result.get("subjects")
    return 1 + len(shown or ())


async def reveal_next(
    house: House, by: Actor, round_id: str, step: int, key: str | None = None
) -> Answer:
    """`PUT /rounds/ID/reveal {step}`: what the hall screen shows of a published result; 0 hides."""

    async def work(unit: Unit) -> Answer:
        round_ = await locked_round(unit, round_id)
        if not round_.published_for("hall"):
            raise Refusal("not_published")
        if not 0 <= step <= reveal_steps(round_):
            raise Refusal("malformed", place="step")
        await unit.rounds.save(replace(round_, reveal=step, version=round_.version + 1))
        await unit.hearings.show_round(round_.id if step else None)
        unit.record("reveal_stepped", ids={"round": round_.id}, step=step)
        return Answer({"round": round_.id, "step": step, "of": reveal_steps(round_)})

    asked = Asked(by, "screens", key, {"step": step}, "screens", "reveal")
    return await perform(house, asked, work, round=round_id)
