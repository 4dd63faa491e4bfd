"""What another system was asked for comes in: each request once, and later what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from server.actions.import_questions import AT_ONCE, Counted, check_running, take_items
from server.actions.manage_sources import held
from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.domain.incoming import Incoming
from server.domain.roles import MACHINE


async def take_pulled(house: House, hearing: int, key: str, items: Sequence[Incoming]) -> Counted:
    """Items of one page, in pieces. Upserted on the sender's numbers, so that what is asked for again
    changes nothing. Raises `not_found`, `source_paused`."""
    total, flags = Counted(), await house.flagger()
    for start in range(0, len(items), AT_ONCE):

        async def work(
            unit: Unit, piece: Sequence[Incoming] = items[start : start + AT_ONCE]
        ) -> Answer:
            await unit.runs.hold_line()
            source = await held(unit, key)
            check_running(source)
            counted = await take_items(house, unit, MACHINE, source, piece, flags)
            # Of what is asked for again and again only what is new is worth adding up.
            news = {"new": counted.new, "updated": counted.updated}
            await unit.sources.took(source, house.now(), news)
            if counted.new or counted.updated:
                unit.record("questions_imported", source=source.key, **vars(counted))
            return Answer(vars(counted))

        asked = Asked(MACHINE, "import", verb="pull")
        answer = await perform(house, asked, work, hearing=hearing, line=True)
        total += Counted(**answer.body)
    return total


async def end_pull(
    house: House, hearing: int, key: str, counts: Mapping[str, int], stood: Mapping[str, Any]
) -> None:
    """All pages are in: what they brought, and where the source stands now."""

    async def work(unit: Unit) -> Answer:
        source = await held(unit, key)
        state = {**source.state, **stood}
        await unit.sources.save(source.id, counts=dict(counts), state=state, last_at=house.now())
        return Answer({})

    await perform(house, Asked(MACHINE, "import", verb="pull"), work, hearing=hearing, line=True)
