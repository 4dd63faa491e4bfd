"""申请提问 / 追问: a panelist asks for the floor; the host grants or declines.

What became of a request stays on the seat's tablet until the show comes to another item.
"""

from __future__ import annotations

from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.domain.refusals import Refusal
from server.domain.roles import Actor

KINDS = ("ask", "follow_up")
OUTCOMES = {"granted": "floor_granted", "declined": "floor_declined"}
"""outcome → the event that tells it."""
LONGEST = 500


async def request_floor(
    house: House, by: Actor, slug: str, kind: str, text: str, key: str | None = None
) -> Answer:
    """`POST /hearings/SLUG/floor {kind, text?}`: what the panelist would ask, up to 500 chars."""
    seat = by.seat
    if seat is None:
        raise Refusal("not_allowed")
    if kind not in KINDS:
        raise Refusal("malformed", place="kind")
    cleaned = house.clean(text)
    if len(cleaned) > LONGEST:
        raise Refusal("text_too_long", most=LONGEST)

    async def work(unit: Unit) -> Answer:
        id_ = await unit.floor.request(seat, kind, cleaned, house.now())
        unit.record("floor_requested", ids={"id": id_}, kind=kind)
        return Answer({"id": id_, "kind": kind, "status": "open"}, 201)

    body = {"kind": kind, "text": text}
    return await perform(
        house, Asked(by, "request_floor", key, body, None, "floor"), work, slug=slug
    )


async def settle_floor(
    house: House, by: Actor, slug: str, id_: int, outcome: str, key: str | None = None
) -> Answer:
    """`POST /hearings/SLUG/floor/ID/outcome {outcome: granted or declined}`."""
    if outcome not in OUTCOMES:
        raise Refusal("malformed", place="outcome")

    async def work(unit: Unit) -> Answer:
        if not await unit.floor.close_request(id_, outcome):
            raise Refusal("not_found")
        unit.record(OUTCOMES[outcome], ids={"id": id_})
        return Answer({"id": id_, "status": outcome})

    body = {"outcome": outcome}
    return await perform(
        house, Asked(by, "stage", key, body, None, "settle_floor"), work, slug=slug
    )
