"""Sources that are asked again and again: each by itself, so that none waits for another's trouble.

`POLLERS` says who asks which kind. The process that has the duties asks; what fails is tried again
less and less often, and the office is told why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from server.actions.note_visit import note_visit
from server.actions.ports import House
from server.domain.refusals import Refusal
from server.letters import poll_mailbox
from server.pulled import poll_open311
from server.store.alive import Duty
from server.store.sources import ToPoll, polled_sources
from server.store.transaction import Database
from server.visit import Poller, Visit

log = structlog.get_logger()

POLLERS: Final[Mapping[str, Poller]] = {"imap": poll_mailbox, "open311_pull": poll_open311}
"""Connector → who asks its sources."""
LOOK_S: Final = 0.5
"""How often it is looked for sources whose time has come, or that were paused."""
PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 15 * 60.0
"""The first and the longest time between two tries of a source that fails: providers shut out whoever
tries a wrong password too often."""


@dataclass
class _Watched:
    version: int
    visit: asyncio.Task[None] | None = None
    due: asyncio.Event | None = None
    failed: int = 0


class Polling:
    """The visits of one process; `duty` tells whether it has the duties now."""

    def __init__(
        self,
        house: House,
        database: Database,
        duty: Duty,
        public_url: str = "",
        pollers: Mapping[str, Poller] = POLLERS,
    ) -> None:
        self._house, self._database, self._duty = house, database, duty
        self._public_url, self._pollers = public_url, pollers
        self._watched: dict[tuple[int, str], _Watched] = {}

    async def run(self) -> None:
        """Looks for what is due, until it is cancelled."""
        try:
            while True:
                if self._duty.mine:
                    try:
                        await self._look()
                    except Exception as error:  # the database is away: it is looked again
                        log.warning("polling", error=type(error).__name__)
                elif self._watched:
                    await self._end(tuple(self._watched))
                await asyncio.sleep(LOOK_S)
        finally:
            await self._end(tuple(self._watched))

    async def _look(self) -> None:
        async with self._database.read() as connection:
            found = await polled_sources(connection, frozenset(self._pollers))
        known = {(one.hearing, one.key): one for one in found}
        gone = [
            name
            for name, watched in self._watched.items()
            if name not in known or known[name].version != watched.version
        ]
        await self._end(gone)
        for name, one in known.items():
            # Whoever begins to look, as after a restart, asks at once: a letter may have come meanwhile.
            if name in self._watched and one.next_at > self._house.now():
                continue
            watched = self._watched.setdefault(name, _Watched(one.version))
            if watched.visit is None or watched.visit.done():
                watched.due = asyncio.Event()
                watched.visit = asyncio.create_task(self._visit(one, watched, watched.due))
            elif watched.due is not None:
                watched.due.set()

    async def _end(self, names: tuple[tuple[int, str], ...] | list[tuple[int, str]]) -> None:
        ending = [self._watched.pop(name).visit for name in names]
        visits = [one for one in ending if one is not None]
        for one in visits:
            one.cancel()
        await asyncio.gather(*visits, return_exceptions=True)

    async def _visit(self, one: ToPoll, watched: _Watched, due: asyncio.Event) -> None:
        try:
            async with self._house.store.look(hearing=one.hearing, line=True) as unit:
                source = await unit.sources.get(one.key)
                box = await unit.sources.box(source.id) if source else None
            if source is None or source.version != one.version or source.paused:
                return
            secrets = self._house.unseal(box) if box else {}
            visit = Visit(self._house, one.hearing, source, secrets, self._public_url, due)
            await self._pollers[one.connector](visit)
            watched.failed = 0
        except Exception as error:
            code = error.code if isinstance(error, Refusal) else "source_failed"
            if not isinstance(error, Refusal):
                log.warning("source", key=one.key, error=type(error).__name__)
            pause = min(LONGEST_PAUSE_S, PAUSE_S * 2 ** min(watched.failed, 10))
            watched.failed += 1
            about = error.detail if isinstance(error, Refusal) else {}
            await self._told(one, code, pause, about)

    async def _told(
        self, one: ToPoll, code: str, pause: float, about: Mapping[str, object]
    ) -> None:
        """The office reads why. Where even that fails, the next try comes soon enough."""
        next_at = self._house.now() + int(pause * 1_000)
        try:
            await note_visit(
                self._house, one.hearing, one.key, next_at, code, answered=False, about=about
            )
        except Exception as error:
            log.warning("source", key=one.key, error=type(error).__name__)
            await asyncio.sleep(PAUSE_S)
