"""垫片, the message to the podium, and the three control leases."""

from __future__ import annotations

from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.domain.hearing import LEASES
from server.domain.refusals import Refusal
from server.domain.roles import Actor
from server.domain.view import Lease

NOTICE_LONGEST = 120


async def clear_screens(
    house: House, by: Actor, slug: str, cleared: bool, key: str | None = None
) -> Answer:
    """`PUT /hearings/SLUG/screens {cleared}`: one key puts the holding card on every public screen,
    another takes it off. It needs no lease: whoever sees something wrong on air must be able to."""

    async def work(unit: Unit) -> Answer:
        screens = await unit.hearings.screens()
        if screens.cleared != cleared:
            await unit.hearings.clear_screens(cleared)
            unit.record("screen_cleared" if cleared else "screen_restored")
        return Answer({"cleared": cleared})

    body = {"cleared": cleared}
    return await perform(house, Asked(by, "screens", key, body, None, "clear"), work, slug=slug)


async def send_notice(
    house: House, by: Actor, slug: str, text: str, key: str | None = None
) -> Answer:
    """`POST /hearings/SLUG/notices {text}`: a message to the podium, up to 120 characters."""
    cleaned = house.clean(text)
    if not cleaned:
        raise Refusal("text_too_short", least=1)
    if len(cleaned) > NOTICE_LONGEST:
        raise Refusal("text_too_long", most=NOTICE_LONGEST)

    async def work(unit: Unit) -> Answer:
        id_ = await unit.hearings.add_notice(cleaned, house.now())
        unit.record("notice", ids={"id": id_})
        return Answer({"id": id_, "text": cleaned, "seen_at": None}, 201)

    return await perform(
        house, Asked(by, "screens", key, {"text": text}, None, "notice"), work, slug=slug
    )


async def acknowledge_notice(
    house: House, by: Actor, slug: str, id_: int, key: str | None = None
) -> Answer:
    """`POST /hearings/SLUG/notices/ID/acknowledgement`: the podium has read it; again changes
    nothing and tells when it was."""

    async def work(unit: Unit) -> Answer:
        if await unit.hearings.notice_seen(id_, house.now()):
            unit.record("notice_seen", ids={"id": id_})
        seen_at = await unit.hearings.notice_seen_at(id_)
        if seen_at is None:
            raise Refusal("not_found")
        return Answer({"id": id_, "seen_at": seen_at})

    return await perform(
        house, Asked(by, "acknowledge", key, {"id": id_}, None, "acknowledge"), work, slug=slug
    )


async def take_lease(
    house: House, by: Actor, slug: str, kind: str, key: str | None = None
) -> Answer:
    """`PUT /hearings/SLUG/leases/KIND`: this console takes the control over, whoever held it."""
    if kind not in LEASES:
        raise Refusal("not_found")

    async def work(unit: Unit) -> Answer:
        lease = Lease(kind, by.session or by.id, by.name, house.now())
        await unit.hearings.take_lease(lease)
        unit.record("lease_taken", kind=kind)
        return Answer({"kind": kind, "name": by.name, "at": lease.at})

    return await perform(
        house, Asked(by, "run_show", key, {"kind": kind}, None, "lease"), work, slug=slug
    )
