"""A contested round is held again: a new round like it, ready to be opened, that may correct it."""

from __future__ import annotations

from server.actions.perform import Answer, Asked, locked_round, perform
from server.actions.ports import House, Unit
from server.domain import rounds as rules
from server.domain.contests import waiting
from server.domain.refusals import Refusal
from server.domain.roles import Actor
from server.domain.view import round_state


async def hold_again(house: House, by: Actor, round_id: str, key: str | None = None) -> Answer:
    """`POST /rounds/ID/again` → 201 with the new round. Only while the round is contested, and while no
    other one waits to correct it."""

    async def work(unit: Unit) -> Answer:
        round_ = await locked_round(unit, round_id)
        if round_.status != "contested" or waiting(round_, await unit.rounds.all()):
            raise Refusal("round_step_illegal", now=round_.status, act="again")
        again = rules.held_again(round_, house.code(), await unit.rounds.last_ordinal() + 1)
        await unit.rounds.add(again)
        unit.record("round_created", ids={"round": again.id}, title=again.title, again=round_id)
        return Answer(round_state(again), 201)

    asked = Asked(by, "rounds", key, {}, "rounds", "hold_again")
    return await perform(house, asked, work, round=round_id)
