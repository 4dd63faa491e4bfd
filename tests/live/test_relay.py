"""The journal reader: a process that hears no bell looks every half second."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from server.live.hub import Hub
from server.live.relay import Relay

pytestmark = pytest.mark.anyio


async def test_it_looks_at_every_hearing_however_often_the_bell_rings_for_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nothing: Any = None
    relay = Relay(Hub(), nothing, nothing, lambda: 0)
    seen: list[int] = []

    async def catch_up(hearing: int) -> None:
        seen.append(hearing)

    monkeypatch.setattr(relay, "catch_up", catch_up)
    monkeypatch.setattr(relay, "_forget", lambda: None)
    monkeypatch.setattr(relay, "_feeds", {1: None, 2: None})
    relay.start()
    for _ in range(24):  # Another hearing's acts come ten times a second.
        await relay.heard("hearing", "1")
        await asyncio.sleep(0.1)
    await relay.stop()
    assert 3 <= seen.count(2) <= 6, seen
    assert seen.count(1) > 15, seen
