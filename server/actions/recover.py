"""After a crash or a restart the hearing comes back paused, at the same step."""

from __future__ import annotations

from collections.abc import Iterable

from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.domain import hearing as rules
from server.domain.hearing import Place
from server.domain.roles import MACHINE


async def pause_after_restart(house: House, places: Iterable[Place]) -> None:
    """Every hearing that was live is paused; people decide when it goes on."""

    async def work(unit: Unit) -> Answer:
        hearing = await unit.hearings.get(lock=True)
        if hearing.status != "live":
            return Answer({})
        await unit.hearings.save(rules.change_status(hearing, "paused"))
        at = rules.pause(await unit.hearings.position(lock=True), house.now())
        if at is not None:
            await unit.hearings.save_position(at)
        unit.record("hearing_changed", status="paused", after_restart=True)
        return Answer({})

    for place in places:
        if place.status == "live":
            await perform(house, Asked(MACHINE, "run_show", verb="recover"), work, slug=place.slug)
