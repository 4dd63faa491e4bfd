"""What is pointed out to supervisors is worked out once, however often the page is fetched."""

from __future__ import annotations

from typing import Any

import pytest

from server.actions.cast_ballot import cast_ballot
from server.actions.close_round import close_round
from server.actions.open_round import open_round
from tests.house import Home
from web.pages.office import noticed as room

pytestmark = pytest.mark.anyio


async def test_the_ballots_of_a_result_are_read_once(
    lanxi: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lanxi.go_live()
    host = lanxi.person("host")
    round_ = next(r for r in (await lanxi.view()).rounds if r.audience == "panel")
    await open_round(lanxi.house, host, round_.id)
    for index in range(3):
        marks = {"water": {"duty": "10", "law": "10"}}
        await cast_ballot(
            lanxi.house, lanxi.panelist(index), round_.id, marks, (), f"key-{index:08d}"
        )
    await close_round(lanxi.house, host, round_.id)
    await lanxi.settle()
    read: list[str] = []
    rows_counted = room.rows_counted  # type: ignore[attr-defined]

    async def counted(unit: Any, one: Any) -> Any:
        read.append(one.id)
        return await rows_counted(unit, one)

    monkeypatch.setattr(room, "rows_counted", counted)
    told = []
    for _ in range(3):
        async with lanxi.building.store.look(round=round_.id) as unit:
            tallied = await unit.rounds.get(round_.id)
            assert tallied is not None
            told.append(await room.noticed(unit, tallied))
    assert read == [round_.id]
    assert told[0] == told[1] == told[2]
    assert told[0]
