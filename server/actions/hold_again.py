"""A contested round is held again: a new round like it, ready to be opened, that may correct it."""

from __future__ import annotations

from dataclasses import replace

from server.actions.perform import Answer, Asked, locked_round, perform
from server.actions.ports import House, Unit
from server.domain import rounds as rules
from server.domain.contests import waiting
from server.domain.refusals import Refusal
from server.domain.roles import Actor
from server.domain.view import round_state


async def hold_again(
    house: House, by: Actor, round_id: str, title: str | None = None, key: str | None = None
) -> Answer:
    """`POST /rounds/ID/again {title?}` → 201 with the new round, under this title or the same one. Only
    while the round is contested, and while no other one waits to correct it."""
    named = None if title is None else house.clean(title)
    if named == "":
        raise Refusal("text_too_short", least=1)

    async def work(unit: Unit) -> Answer:
        round_ = await locked_round(unit, round_id)
        if round_.status != "contested" or waiting(round_, await unit.rounds.all()):
            raise Refusal("round_step_illegal", now=round_.status, act="again")
        again = rules.held_again(round_, house.code(), await unit.rounds.last_ordinal() + 1)
        if named is not None:
            again = replace(again, title=named)
        await unit.rounds.add(again)
        unit.record("round_created", ids={"round": again.id}, title=again.title, again=round_id)
        return Answer(round_state(again), 201)

    asked = Asked(by, "rounds", key, {"title": named}, "rounds", "hold_again")
    return await perform(house, asked, work, round=round_id)
