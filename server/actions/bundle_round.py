"""A certified round gets its bundle: both editions are kept, and the root over them is journalled."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from dataclasses import replace

from server.actions.perform import Answer, Asked, locked_round, perform
from server.actions.ports import House, Unit
from server.actions.read_journal import whole_journal
from server.actions.tally_round import ballots_csv
from server.domain.bundles import BundleSource
from server.domain.roles import MACHINE
from server.domain.rounds import HELD, Round


async def bundle_round(house: House, round_id: str) -> None:
    """Does nothing for a round that has a bundle, or is not certified. It is made beside everything
    else, and its journal ends before the entry that bears the root."""
    async with house.store.look(round=round_id) as unit:
        round_ = await unit.rounds.get(round_id)
        if round_ is None or not _wants(round_):
            return
        source = await _source(unit, round_)
    if hashlib.sha256(source.ballots.encode()).hexdigest() != (round_.result or {})["ballots_hash"]:
        return await _without(house, round_id)
    made = await asyncio.to_thread(house.bundle, source)

    async def work(unit: Unit) -> Answer:
        now = await locked_round(unit, round_id)
        if not _wants(now):
            return Answer({})
        await unit.bundles.keep(round_id, made, house.now())
        await unit.rounds.save(replace(now, root=made.root))
        unit.record("bundle_made", ids={"round": round_id}, root=made.root)
        return Answer({})

    await perform(house, Asked(MACHINE, "rounds", verb="bundle"), work, round=round_id)


async def _without(house: House, round_id: str) -> None:
    """The stored ballots are not those that the result was worked out from: no bundle can say that they
    are. (A round that an older version tallied.)"""

    async def work(unit: Unit) -> Answer:
        now = await unit.rounds.get(round_id, lock=True)
        if now is not None and _wants(now):
            await unit.rounds.save(replace(now, root=""))
        return Answer({})

    await perform(house, Asked(MACHINE, "rounds", verb="bundle"), work, round=round_id)


def _wants(round_: Round) -> bool:
    held = round_.status in HELD and round_.result is not None
    return held and round_.audience == "panel" and round_.root is None


async def _source(unit: Unit, round_: Round) -> BundleSource:
    kept = unit.sealed if round_.sealed else unit.rounds
    groups: dict[str, tuple[int, int]] = {}
    if not round_.sealed:
        cast = await unit.rounds.progress(round_.id)
        groups = _by_group(round_, cast[0])
    return BundleSource(
        round=round_,
        ballots=await ballots_csv(unit, round_),
        receipts=await kept.receipts(round_.id),
        groups=groups,
        journal=await whole_journal(unit),
    )


def _by_group(round_: Round, cast: set[int]) -> dict[str, tuple[int, int]]:
    present = Counter(one.group for one in round_.entitled if one.present)
    done = Counter(one.group for one in round_.entitled if one.seat in cast)
    return {key: (present[key], done[key]) for key in sorted({*present, *done})}
