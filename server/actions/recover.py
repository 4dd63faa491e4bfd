"""After a crash or a restart the hearing comes back paused, at the same step; a secret round whose seal
did not come back is voided."""

from __future__ import annotations

from collections.abc import Iterable

from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.actions.void_round import void_round
from server.domain import hearing as rules
from server.domain.hearing import Place
from server.domain.roles import MACHINE
from server.domain.rounds import SealedRound

SEAL_LOST = (
    "恢复的数据里没有本轮的封存密钥，已交的票谁也打不开。The seal of this round is not among the data"
    " that were put back, so nobody can open the ballots that were cast."
)
"""Why such a round is voided; a reason is one text, whatever the reader's language."""


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


async def void_without_seal(house: House, open_rounds: Iterable[SealedRound]) -> None:
    """Every open secret round whose seal this process has not, when no other process lives: the data came
    from a copy, and seals are in no ordinary copy. It is held again as the round that is linked to it."""
    for one in open_rounds:
        if one.shown and house.seals.find(one.seal) is None:
            await void_round(house, MACHINE, one.id, SEAL_LOST)
