"""What is still to come is reordered, or a deputy is named for an absent official."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.domain.hearing import reorder
from server.domain.refusals import Refusal
from server.domain.roles import Actor


async def reorder_agenda(
    house: House, by: Actor, slug: str, order: Sequence[str], key: str | None = None
) -> Answer:
    """`PUT /hearings/SLUG/agenda {order}`: the coming items in their new order."""

    async def work(unit: Unit) -> Answer:
        items = reorder(await unit.hearings.items(), order)
        await unit.hearings.save_items(items)
        unit.record("agenda_changed", order=list(order))
        return Answer({"order": [item.id for item in items]})

    asked = Asked(by, "run_show", key, {"order": list(order)}, "show", "reorder_agenda")
    return await perform(house, asked, work, slug=slug)


async def name_deputy(
    house: House, by: Actor, slug: str, item: str, deputy: str, key: str | None = None
) -> Answer:
    """`PATCH /hearings/SLUG/agenda/ITEM {deputy}`; an empty name takes the deputy back."""

    async def work(unit: Unit) -> Answer:
        items = await unit.hearings.items()
        if all(one.id != item or one.subject is None for one in items):
            raise Refusal("item_unknown", item=item)
        await unit.hearings.save_items(
            [replace(one, deputy=deputy) if one.id == item else one for one in items]
        )
        unit.record("agenda_changed", item=item, deputy=bool(deputy))
        return Answer({"item": item, "deputy": deputy})

    asked = Asked(by, "run_show", key, {"item": item, "deputy": deputy}, "show", "name_deputy")
    return await perform(house, asked, work, slug=slug)
