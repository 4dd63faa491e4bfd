"""A spare tablet asks for a seat; the host grants or declines.

What a seat is (its name, weight, ballot and receipt) hangs on the seat and not on a tablet, so a
takeover changes nothing of it: the old tablet's session ends with the grant, and the new one gets its
own (`identity/cards.py`). A ballot that the old tablet had sent is the seat's; what the new one sends
replaces it or is refused, as the round says.
"""

from __future__ import annotations

from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.domain.refusals import Refusal
from server.domain.roles import MACHINE, Actor

OUTCOMES = {"granted": "takeover_granted", "declined": "takeover_declined"}
"""outcome → the event that tells it."""
OPEN_TO_SEATS = frozenset({"check_in", "live", "paused"})
MOST_WAITING = 3
"""Requests for one seat that may wait: anybody in the hall can ask."""
WAIT_MS = 600_000
"""How long a request waits before a new one takes its place: whoever asked and went away keeps
nobody else from asking."""


async def ask_for_seat(house: House, slug: str, number: int, check: str, secret: str) -> Answer:
    """A tablet that nobody has signed in asks for a seat. `check` are the characters by which the host
    tells it from another that asks, `secret` is the hash of what it keeps to come back with."""

    async def work(unit: Unit) -> Answer:
        status = (await unit.hearings.get()).status
        if status == "draft":
            raise Refusal("not_found")
        if status not in OPEN_TO_SEATS:
            raise Refusal("takeover_closed")
        seat = next((one for one in await unit.people.seats() if one.number == number), None)
        if seat is None:
            raise Refusal("seat_unknown", seat=number)
        now = house.now()
        await unit.takeovers.expire(now - WAIT_MS, now)
        if await unit.takeovers.waiting(seat.id) >= MOST_WAITING:
            raise Refusal("takeover_full")
        id_ = await unit.takeovers.ask(seat.id, check, secret, now)
        unit.record("takeover_requested", ids={"id": id_}, seat=number)
        return Answer({"id": id_, "seat": number, "check": check, "status": "open"}, 201)

    asked = Asked(MACHINE, "run_show", verb="ask_for_seat")
    return await perform(house, asked, work, slug=slug)


async def settle_takeover(
    house: House, by: Actor, slug: str, id_: int, outcome: str, key: str | None = None
) -> Answer:
    """`POST /hearings/SLUG/takeovers/ID/outcome {outcome: granted or declined}`. Of several that ask
    for one seat, granting one declines the others."""
    if outcome not in OUTCOMES:
        raise Refusal("malformed", place="outcome")

    async def work(unit: Unit) -> Answer:
        decide = unit.takeovers.grant if outcome == "granted" else unit.takeovers.decline
        seat = await decide(id_, house.now())
        if seat is None:
            raise Refusal("takeover_settled")
        unit.record(OUTCOMES[outcome], ids={"id": id_}, seat=seat)
        return Answer({"id": id_, "seat": seat, "status": outcome})

    asked = Asked(by, "manage_cards", key, {"outcome": outcome}, None, "settle_takeover")
    return await perform(house, asked, work, slug=slug)
