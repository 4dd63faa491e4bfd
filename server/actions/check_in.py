"""A panelist's tablet joins: the seat is present in this run."""

from __future__ import annotations

from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.domain.refusals import Refusal
from server.domain.roles import MACHINE


async def check_in(house: House, slug: str, seat_id: int) -> Answer:
    """Notes the presence once a run, from check-in until the hearing ends."""

    async def work(unit: Unit) -> Answer:
        hearing = await unit.hearings.get()
        if hearing.status not in {"check_in", "live", "paused"}:
            raise Refusal("card_early")
        if await unit.people.check_in(seat_id, house.now()):
            unit.record("presence_changed", seat=seat_id)
        return Answer({"present": True})

    return await perform(house, Asked(MACHINE, "run_show", verb="check_in"), work, slug=slug)
