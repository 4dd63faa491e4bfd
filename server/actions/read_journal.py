"""The whole journal of a run, in short readings: no other act waits for it."""

from __future__ import annotations

from server.actions.ports import Unit
from server.domain.journal import Entry

PAGE = 1000
"""Entries in one reading."""


async def whole_journal(unit: Unit) -> list[Entry]:
    """Every entry, oldest first."""
    entries: list[Entry] = []
    while True:
        more = await unit.entries(entries[-1].seq if entries else 0, PAGE)
        entries.extend(more)
        if len(more) < PAGE:
            return entries
