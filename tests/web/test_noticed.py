"""What is pointed out to supervisors is worked out once, however often the page is fetched."""

from __future__ import annotations

from typing import Any

import pytest

from tests.house import Home
from web.pages.office import noticed as room

pytestmark = pytest.mark.anyio


async def test_the_ballots_of_a_result_are_read_once(
    lanxi: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = await lanxi.hold_panel(duty="10", law="10")
    read: list[str] = []
    rows_counted = room.rows_counted  # type: ignore[attr-defined]

    async def counted(unit: Any, one: Any) -> Any:
        read.append(one.id)
        return await rows_counted(unit, one)

    monkeypatch.setattr(room, "rows_counted", counted)
    told = []
    for _ in range(3):
        async with lanxi.building.store.look(round=id_) as unit:
            tallied = await unit.rounds.get(id_)
            assert tallied is not None
            told.append(await room.noticed(unit, tallied))
    assert read == [id_]
    assert told[0] == told[1] == told[2]
    assert told[0]
