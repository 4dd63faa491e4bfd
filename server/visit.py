"""What a poller gets of the source that it visits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from server.actions.note_visit import note_visit
from server.actions.ports import House
from server.domain.sources import IntakeSource


@dataclass
class Visit:
    """One source of one hearing, as it was when the visit began. The visit is cancelled when the source
    is paused, changed or gone; `due` is set when it is to be asked again meanwhile. `public_url` begins
    the addresses that are told, "" = not known."""

    house: House
    hearing: int
    source: IntakeSource
    secrets: Mapping[str, Any] = field(repr=False)
    public_url: str = ""
    due: asyncio.Event = field(default_factory=asyncio.Event)

    async def done(self, error: str = "") -> None:
        """A round has ended, with a code of the catalogue if something went wrong in it; the next one
        is after the source's own interval."""
        next_at = self.house.now() + self.source.settings["every_s"] * 1_000
        await note_visit(self.house, self.hearing, self.source.key, next_at, error)
        self.due.clear()


Poller: TypeAlias = Callable[[Visit], Awaitable[None]]
"""Asks one source once, takes in what there is and says `done`; or stays with it for as long as it
likes, round after round. Raises `Refusal` with what the office is to be told."""
