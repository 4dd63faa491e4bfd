"""The show goes to a step of an agenda item: next, back or a jump."""

from __future__ import annotations

from typing import Any

from server.actions.perform import Answer, Asked, check_version, perform
from server.actions.ports import House, Unit
from server.domain import hearing as rules
from server.domain.roles import Actor
from server.domain.view import slot_state


async def move_position(
    house: House,
    by: Actor,
    slug: str,
    item: str,
    step: str,
    version: int | None,
    key: str | None = None,
) -> Answer:
    """`PUT /hearings/SLUG/position`; `version` is `state.slot.version`, 0 while it is null."""

    async def work(unit: Unit) -> Answer:
        hearing = await unit.hearings.get(lock=True)
        rules.check_under_way(hearing)
        at = await unit.hearings.position(lock=True)
        current: dict[str, Any] | None = None
        if version is not None and at is not None and version != at.version:
            current = slot_state(at, await unit.hearings.items(), await unit.people.subjects())
        check_version(at.version if at else 0, version, current, needed=True)
        items, moved = rules.move(
            await unit.hearings.items(), at, item, step, house.now(), hearing.status == "live"
        )
        await unit.hearings.save_items(items)
        await unit.hearings.save_position(moved)
        if at is None or at.item != item:
            await unit.floor.put_away()
        unit.record("position_changed", item=item, step=step)
        return Answer(
            {"item": item, "step": step, "ends_at": moved.ends_at, "version": moved.version}
        )

    body = {"item": item, "step": step, "version": version}
    asked = Asked(by, "run_show", key, body, "show", "move_position")
    return await perform(house, asked, work, slug=slug)
