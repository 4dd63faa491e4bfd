"""A panelist's tablet has shown itself (by its card, or by its page): the seat is present in the run.

Presence belongs to the run and not to the card: a tablet that joined for the rehearsal is present in
the real run as soon as its page comes there, and a seat whose tablet stayed away is not.
"""

from __future__ import annotations

from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.domain.refusals import Refusal
from server.domain.roles import MACHINE, Actor


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


async def note_presence(
    house: House, by: Actor, slug: str, number: int, present: bool, key: str | None = None
) -> Answer:
    """`PUT /hearings/SLUG/seats/N/presence {present}`: 手工签到 for whoever signs in late or without a
    tablet, and 离场 for whoever leaves early. It counts from the next round: the list of one that is
    open is frozen. A tablet that comes back is present again by itself."""

    async def work(unit: Unit) -> Answer:
        hearing = await unit.hearings.get()
        if hearing.status not in {"check_in", "live", "paused"}:
            raise Refusal("card_early")
        seat = next((one for one in await unit.people.seats() if one.number == number), None)
        if seat is None:
            raise Refusal("not_found")
        changed = (
            await unit.people.check_in(seat.id, house.now())
            if present
            else await unit.people.leave(seat.id)
        )
        if changed:
            unit.record("presence_changed", seat=seat.id, present=present, by_hand=True)
        return Answer({"number": number, "present": present})

    asked = Asked(by, "manage_cards", key, {"number": number, "present": present}, None, "presence")
    return await perform(house, asked, work, slug=slug)
