"""The end of a process: whatever cannot be done any more, the rest of it is (`Building.stop`)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from server import app
from tests.house import home

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("how", ["away", "hanging"])
async def test_without_its_database_a_process_lets_everything_else_go(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "STOP_S", 0.3)

    async def last_beat() -> None:
        if how == "hanging":
            await asyncio.Event().wait()
        raise ConnectionError

    closed = False
    async with home(tmp_path / "data") as hall:
        close = hall.building.database.close

        async def close_and_tell() -> None:
            nonlocal closed
            await close()
            closed = True

        monkeypatch.setattr(hall.building.database, "close", close_and_tell)
        stop = hall.building.pulse.stop
        monkeypatch.setattr(hall.building.pulse, "stop", last_beat)
        async with asyncio.timeout(5):
            await hall.building.stop()
        await stop()
        assert closed
        assert not hall.building.tasks
