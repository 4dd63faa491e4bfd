"""A panelist's tablet has shown itself (by its card, or by its page): the seat is present in the run.

Presence belongs to the run and not to the card: a tablet that joined for the rehearsal is present in
the real run as soon as its page comes there, and a seat whose tablet stayed away is not.
"""

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
