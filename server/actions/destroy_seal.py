"""The seal of a secret round that has closed or was voided is destroyed, and the journal says so.

First the file is overwritten, then the entry is written, then the empty file goes: whenever a crash
comes in between, the next start, or the next look of the same process, does the rest.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from server.actions.perform import Answer, Asked, locked_round, perform
from server.actions.ports import House, Unit
from server.domain.roles import MACHINE
from server.domain.rounds import TAKES_BALLOTS, SealedRound


async def destroy_seal(house: House, sealed: SealedRound) -> None:
    """For a round that is over, by a process that has its seal. A run that people no longer see, such as
    a rehearsal that was left, gets no entry any more."""
    if not sealed.over:
        return
    await asyncio.to_thread(house.seals.wipe, sealed.seal)
    if sealed.shown and sealed.seal_destroyed_at is None:
        await _write_down(house, sealed.id)
    await asyncio.to_thread(house.seals.forget, sealed.seal)


async def destroy_seal_of(house: House, round_id: str) -> None:
    """The same for a round of the run that is shown; nothing for one that has no seal."""
    async with house.store.look(round=round_id) as unit:
        round_ = await unit.rounds.get(round_id)
    if round_ is not None and round_.seal is not None and house.seals.holds(round_.seal):
        seal, gone = round_.seal, round_.seal_destroyed_at
        await destroy_seal(house, SealedRound(round_.id, seal, round_.status, gone, True))


async def _write_down(house: House, round_id: str) -> None:
    async def work(unit: Unit) -> Answer:
        round_ = await locked_round(unit, round_id)
        if round_.seal_destroyed_at is None and round_.status not in TAKES_BALLOTS:
            await unit.rounds.save(replace(round_, seal_destroyed_at=house.now()))
            unit.record("seal_destroyed", ids={"round": round_.id}, seal=round_.seal)
        return Answer({})

    await perform(house, Asked(MACHINE, "rounds", verb="destroy_seal"), work, round=round_id)
