"""A message that was kept apart is looked at again: it comes in after all, or is thrown away."""

from __future__ import annotations

from typing import Any

from server.actions.import_questions import check_running, take_items
from server.actions.manage_sources import held
from server.actions.perform import Answer, Asked, allowed, perform
from server.actions.ports import House, Unit
from server.domain.incoming import Incoming
from server.domain.refusals import Refusal
from server.domain.roles import Actor


async def opened_letter(house: House, by: Actor, slug: str, key: str, name: str) -> dict[str, Any]:
    """What was sealed of the message. Raises `not_found`."""
    async with house.store.look(slug=slug) as unit:
        allowed(unit.place, by, "manage_sources")
        source = await unit.sources.get(key)
        box = await unit.sources.held_box(source.id, name) if source else None
    if box is None:
        raise Refusal("not_found")
    return house.unseal(box)


async def take_held(
    house: House, by: Actor, slug: str, key: str, name: str, item: Incoming
) -> Answer:
    """It became readable: a question, or nothing more than what is there already. `{code}`."""
    flags = await house.flagger()

    async def work(unit: Unit) -> Answer:
        await unit.runs.hold_line()
        source = await held(unit, key)
        check_running(source)
        if not await unit.sources.let_go(source.id, name):
            raise Refusal("not_found")
        counted = await take_items(house, unit, by, source, [item], flags)
        codes = await unit.questions.codes(source.key, [item.external_id])
        unit.record("source_changed", source=key, released=name)
        if counted.new:
            await unit.sources.took(source, house.now(), vars(counted))
            unit.record("questions_imported", source=key, **vars(counted))
        return Answer({"code": codes[item.external_id]}, 201)

    asked = Asked(by, "manage_sources", verb=f"take_held {key}")
    return await perform(house, asked, work, slug=slug, line=True)


async def discard_held(house: House, by: Actor, slug: str, key: str, name: str) -> Answer:
    """What was kept of it goes, and who threw it away stays in the journal. The mailbox still has it."""

    async def work(unit: Unit) -> Answer:
        source = await held(unit, key)
        if not await unit.sources.let_go(source.id, name):
            raise Refusal("not_found")
        unit.record("source_changed", source=key, discarded=name)
        return Answer({"name": name})

    asked = Asked(by, "manage_sources", verb=f"discard_held {key}")
    return await perform(house, asked, work, slug=slug)
