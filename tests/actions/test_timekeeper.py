"""Rounds that close by time do so whatever other hearings and runs have left behind."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from server import app
from server.actions.cast_ballot import cast_ballot
from server.actions.change_status import change_status
from server.actions.close_round import close_round
from server.actions.open_round import open_round
from server.actions.start_run import start_run
from server.actions.void_round import void_round
from tests.house import Home

pytestmark = pytest.mark.anyio


async def public_round(lanxi: Home) -> str:
    """The public round, opened."""
    round_ = next(r for r in (await lanxi.view()).rounds if r.audience == "public")
    await open_round(lanxi.house, lanxi.person("host"), round_.id)
    return str(round_.id)


async def until_tallied(lanxi: Home, id_: str) -> None:
    """Waits for the machine."""
    for _ in range(40):
        await asyncio.sleep(0.1)
        status = next(r.status for r in (await lanxi.view()).rounds if r.id == id_)
        if status == "tallied":
            return
    raise AssertionError(f"the round is still {status}")


async def test_what_a_rehearsal_left_closing_does_not_hold_up_the_real_run(lanxi: Home) -> None:
    host = lanxi.person("host")
    await change_status(lanxi.house, host, lanxi.slug, "ready", 0)
    await start_run(lanxi.house, host, lanxi.slug, "rehearsal")
    await change_status(lanxi.house, host, lanxi.slug, "live", 0)
    await close_round(lanxi.house, host, await public_round(lanxi), 1)
    await start_run(lanxi.house, host, lanxi.slug, "real")
    await change_status(lanxi.house, host, lanxi.slug, "live", 0)
    # The round held again is younger than the rehearsal's, and comes after it.
    voided = await void_round(lanxi.house, host, await public_round(lanxi), "重来")
    again = voided.body["again"]
    await open_round(lanxi.house, host, again)
    await asyncio.sleep(1)
    await close_round(lanxi.house, host, again, 1)
    await until_tallied(lanxi, again)


async def test_a_round_that_cannot_be_closed_holds_up_no_other(
    lanxi: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lanxi.go_live()
    host = lanxi.person("host")
    one, other = (r.id for r in (await lanxi.view()).rounds)
    finish = app.finish_closing  # type: ignore[attr-defined]

    async def broken(house: Any, id_: str) -> None:
        if id_ == one:
            raise RuntimeError(id_)
        await finish(house, id_)

    monkeypatch.setattr(app, "finish_closing", broken)
    for id_ in (one, other):
        await open_round(lanxi.house, host, id_)
        await close_round(lanxi.house, host, id_, 1)
    await until_tallied(lanxi, other)


async def test_a_ballot_is_acknowledged_although_nobody_hears_of_its_turnout(
    lanxi: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lanxi.go_live()
    round_ = next(r for r in (await lanxi.view()).rounds if r.audience == "panel")
    await open_round(lanxi.house, lanxi.person("host"), round_.id)

    def broken(hearing: int) -> None:
        raise RuntimeError(hearing)

    monkeypatch.setattr(lanxi.building.pulse, "stirred", broken)
    marks = {"water": {"duty": "8", "law": "9"}}
    cast = await cast_ballot(
        lanxi.house, lanxi.panelist(0), round_.id, marks, [], "key-of-the-ballot"
    )
    assert cast.body["receipt"]
