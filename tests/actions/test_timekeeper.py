"""Rounds that close by time do so whatever other hearings and runs have left behind."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from server import duties
from server.actions import close_round as closing
from server.actions.cast_ballot import cast_ballot
from server.actions.certify_round import certify_round
from server.actions.change_status import change_status
from server.actions.close_round import close_round, finish_closing
from server.actions.open_round import open_round
from server.actions.publish_round import publish_round
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

    async def broken(house: Any, id_: str) -> None:
        if id_ == one:
            raise RuntimeError(id_)
        await finish_closing(house, id_)

    monkeypatch.setattr(duties, "finish_closing", broken)
    for id_ in (one, other):
        await open_round(lanxi.house, host, id_)
        await close_round(lanxi.house, host, id_, 1)
    await until_tallied(lanxi, other)


async def test_no_tally_holds_up_the_closing_of_another(
    lanxi: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lanxi.go_live()
    host = lanxi.person("host")
    one, other = (r.id for r in (await lanxi.view()).rounds)
    tally = closing.tally_round  # type: ignore[attr-defined]

    async def long(house: Any, by: Any, id_: str) -> None:
        if id_ == one:
            await asyncio.Event().wait()
        await tally(house, by, id_)

    monkeypatch.setattr(closing, "tally_round", long)
    for id_ in (one, other):
        await open_round(lanxi.house, host, id_)
        await close_round(lanxi.house, host, id_, 1)
    await until_tallied(lanxi, other)


async def test_a_closing_that_failed_for_long_is_tried_each_second(
    lanxi: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[float] = []

    async def broken(house: Any, id_: str) -> None:
        tried.append(asyncio.get_running_loop().time())
        raise RuntimeError(id_)

    monkeypatch.setattr(duties, "finish_closing", broken)
    monkeypatch.setattr(duties, "CLOSING_PAUSE_S", 0.4)
    await lanxi.go_live()
    id_ = await public_round(lanxi)
    await close_round(lanxi.house, lanxi.person("host"), id_, 1)
    await asyncio.sleep(4.5)
    assert max(b - a for a, b in pairwise(tried)) < 1  # doubling, it would be 1.6 by then


async def test_what_fails_is_tried_less_and_less_often(
    lanxi: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duties, "CLOSE_S", 0.01)
    tried: list[str] = []

    async def broken(house: Any, id_: str) -> None:
        tried.append(id_)
        raise RuntimeError(id_)

    monkeypatch.setattr(duties, "finish_closing", broken)
    await asyncio.sleep(0.3)  # the pause of before is over
    await lanxi.go_live()
    id_ = await public_round(lanxi)
    await close_round(lanxi.house, lanxi.person("host"), id_, 1)
    await asyncio.sleep(2.5)
    assert 3 <= len(tried) <= 10  # after 10 ms, 20 ms and so on up to a second; 150 otherwise


@pytest.mark.parametrize("published", [False, True])
async def test_a_bundle_that_a_crash_prevented_is_made_also_after_the_publication(
    lanxi: Home, monkeypatch: pytest.MonkeyPatch, published: bool
) -> None:
    await lanxi.go_live()
    house, host = lanxi.house, lanxi.person("host")
    round_ = next(r for r in (await lanxi.view()).rounds if r.audience == "panel")
    await open_round(house, host, round_.id)
    marks = {"water": {"duty": "8", "law": "9"}}
    await cast_ballot(house, lanxi.panelist(0), round_.id, marks, [], "key-of-the-ballot")
    monkeypatch.setattr(duties, "HEAD_START_MS", 3_600_000)
    await close_round(house, host, round_.id)
    await lanxi.settle()
    certified: Any = []
    await certify_round(replace(house, later=certified.append), host, round_.id)
    for never in certified:
        never.close()
    if published:
        await publish_round(house, host, round_.id, "hall")
    assert next(r.root for r in (await lanxi.view()).rounds if r.id == round_.id) is None
    monkeypatch.setattr(duties, "HEAD_START_MS", 0)
    for _ in range(40):
        await asyncio.sleep(0.1)
        if next(r.root for r in (await lanxi.view()).rounds if r.id == round_.id):
            return
    raise AssertionError("no bundle was made")


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
