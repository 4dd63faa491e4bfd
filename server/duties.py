"""What one process does for all by itself: screening, learning topics, closing by time, and what a crash left undone.

Closings go first and wait for nothing: a ballot is on time or late by the second in which its round
closes, while a tally of a million votes and a bundle take many. What fails is tried again, less and
less often.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from server.actions.bundle_round import bundle_round
from server.actions.close_round import finish_closing
from server.actions.destroy_seal import destroy_seal
from server.actions.find_twins import group_questions, index_questions
from server.actions.learn_topics import learn_topics
from server.actions.ports import House
from server.actions.screen_questions import screen_questions
from server.actions.tally_round import tally_round
from server.domain.roles import MACHINE
from server.domain.rounds import SealedRound
from server.domain.topics import LABELS_LEAST
from server.identity.seals import Seals
from server.store.alive import Duty
from server.store.matching import hearings_to_group, hearings_to_index
from server.store.places import hearings_to_screen
from server.store.rounds import due_closings, unfinished_rounds
from server.store.sealed import rounds_of_seals
from server.store.topics import ToLearn, offices_to_learn
from server.store.transaction import Database

log = structlog.get_logger()
Found = TypeVar("Found")

SCREEN_S = 0.5
"""How often the screener looks: a moderator does not notice, and one indexed read is cheap."""
CLOSE_S = 0.2
"""How often it is looked for rounds whose closing time has come."""
FINISH_S = 1.0
"""How often it is looked for rounds without a tally or a bundle."""
LEARN_S = 5.0
"""How often it is looked for offices whose moderators chose topics."""
FRESH_LEAST, FRESH_SHARE = 20, 10
"""So many new choices, and a tenth of those learned from, make it worth while to learn again."""
HEAD_START_MS = 3_000
"""Whoever closed a round also tallies it: only after this is it taken for left behind."""
LONGEST_PAUSE_S = 60.0
"""The longest time between two tries of what fails again and again."""
CLOSING_PAUSE_S = 1.0
"""The longest one for a closing: the round takes ballots until then."""


class Duties:
    """The loops of one process. `house` acts, `duty` tells whether this process has the duties now."""

    def __init__(self, house: House, database: Database, seals: Seals, duty: Duty) -> None:
        self._house, self._database, self._seals, self._duty = house, database, seals, duty
        self._pauses: dict[tuple[str, str], tuple[float, float]] = {}

    async def screen(self) -> None:
        """Makes what came in ready for moderators, however it came in, and puts it where likely twins
        are looked for."""

        async def work(slug: str) -> None:
            while await screen_questions(self._house, slug):
                pass

        async def index(slug: str) -> None:
            while await index_questions(self._house, slug):
                pass

        while True:
            if self._duty.mine:
                await self._each("screener", hearings_to_screen, work)
                await self._each("indexer", hearings_to_index, index)
            await asyncio.sleep(SCREEN_S)

    async def group(self) -> None:
        """Puts questions that ask alike into groups, a hundred thousand in some minutes: no other duty
        waits for it."""

        async def work(slug: str) -> None:
            while self._duty.mine and await group_questions(self._house, slug):
                pass

        while True:
            if self._duty.mine:
                await self._each("grouping", hearings_to_group, work)
            await asyncio.sleep(SCREEN_S)

    async def learn(self) -> None:
        """Learns from the topics that people chose, one office after the other."""

        async def found(connection: AsyncConnection) -> tuple[ToLearn, ...]:
            return await offices_to_learn(connection, LABELS_LEAST, FRESH_LEAST, FRESH_SHARE)

        async def work(office: ToLearn) -> None:
            await learn_topics(self._house, office.slug)

        while True:
            if self._duty.mine:
                await self._each("topics", found, work)
            await asyncio.sleep(LEARN_S)

    async def close(self) -> None:
        """Closes by time. A secret round is closed by a process that has its seal, whoever has the
        duty."""

        async def due(connection: AsyncConnection) -> list[str]:
            found = await due_closings(connection, self._house.now())
            mine = self._duty.mine
            return [id_ for id_, seal in found if (self._seals.holds(seal) if seal else mine)]

        async def work(id_: str) -> None:
            await finish_closing(self._house, id_)

        while True:
            if self._duty.mine or self._seals.held():
                await self._each("closing", due, work, CLOSING_PAUSE_S)
            await asyncio.sleep(CLOSE_S)

    async def finish(self) -> None:
        """Tallies and bundles what was left closed or certified."""

        async def left(connection: AsyncConnection) -> list[tuple[str, str]]:
            return await unfinished_rounds(connection, self._house.now() - HEAD_START_MS)

        async def work(left_behind: tuple[str, str]) -> None:
            id_, status = left_behind
            if status == "closed":
                await tally_round(self._house, MACHINE, id_)
            else:
                await bundle_round(self._house, id_)

        while True:
            if self._duty.mine:
                await self._each("finishing", left, work)
            await asyncio.sleep(FINISH_S)

    async def destroy_seals(self) -> None:
        """Destroys the seals that this process has of rounds that are over."""

        async def over(connection: AsyncConnection) -> list[SealedRound]:
            found = await rounds_of_seals(connection, self._seals.held())
            return [one for one in found if one.over]

        async def work(sealed: SealedRound) -> None:
            await destroy_seal(self._house, sealed)

        while True:
            if self._seals.held():
                await self._each("seals", over, work)
            await asyncio.sleep(CLOSE_S)

    async def _each(
        self,
        who: str,
        find: Callable[[AsyncConnection], Awaitable[Iterable[Found]]],
        work: Callable[[Found], Awaitable[None]],
        longest: float = LONGEST_PAUSE_S,
    ) -> None:
        """What is found is done, each by itself: one hearing's trouble holds up no other, and is tried
        again after a pause that doubles up to the `longest`."""
        try:
            async with self._database.read() as connection:
                found = await find(connection)
        except Exception as error:
            log.warning(who, error=type(error).__name__)
            return
        for one in found:
            name, now = (who, str(one)), asyncio.get_running_loop().time()
            pause, until = self._pauses.get(name, (0.0, 0.0))
            if now < until:
                continue
            try:
                await work(one)
            except Exception as error:
                longer = min(longest, 2 * pause) or CLOSE_S
                self._pauses[name] = longer, now + longer
                log.warning(who, error=type(error).__name__)
            else:
                self._pauses.pop(name, None)
