"""A round closes, at once or after a stated time; then it is tallied by the machine."""

from __future__ import annotations

from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.actions.tally_round import tally_round
from server.domain import rounds as rules
from server.domain.refusals import Refusal
from server.domain.roles import MACHINE, Actor
from server.domain.view import round_state

LONGEST_CLOSING = 600
"""Seconds for which a round may stand in `closing`."""


async def close_round(
    house: House, by: Actor, round_id: str, seconds: int = 0, key: str | None = None
) -> Answer:
    """`POST /rounds/ID/closing {in?}`. With `in`, the round is `closing` and still takes ballots
    until then; the timekeeper closes it."""
    if not 0 <= seconds <= LONGEST_CLOSING:
        raise Refusal("malformed", place="in")

    async def work(unit: Unit) -> Answer:
        round_ = await unit.rounds.get(round_id, lock=True)
        if round_ is None:
            raise Refusal("not_found")
        if seconds:
            closing = rules.begin_closing(round_, house.now(), seconds)
            await unit.rounds.save(closing)
            unit.record("round_closing", ids={"round": round_.id}, seconds=seconds)
            return Answer(round_state(closing))
        closed = rules.close(round_, house.now())
        await unit.rounds.save(closed)
        unit.record("round_closed", ids={"round": round_.id}, cast=closed.cast)
        return Answer(round_state(closed))

    asked = Asked(by, "rounds", key, {"in": seconds}, "rounds", "close_round")
    answer = await perform(house, asked, work, round=round_id)
    if answer.body["status"] == "closed":
        house.later(tally_round(house, MACHINE, round_id))
    return answer


async def finish_closing(house: House, round_id: str) -> None:
    """The closing time has come: the machine closes, then tallies."""

    async def work(unit: Unit) -> Answer:
        round_ = await unit.rounds.get(round_id, lock=True)
        if round_ is None:
            raise Refusal("not_found")
        if round_.status != "closing" or (round_.closes_at or 0) > house.now():
            return Answer(round_state(round_))
        closed = rules.close(round_, house.now())
        await unit.rounds.save(closed)
        unit.record("round_closed", ids={"round": round_.id}, cast=closed.cast)
        return Answer(round_state(closed))

    await perform(house, Asked(MACHINE, "rounds", verb="finish_closing"), work, round=round_id)
    await tally_round(house, MACHINE, round_id)
