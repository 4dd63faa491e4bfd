"""A whole building in this process for tests of actions and stores: real database, real bell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from server.actions.cast_ballot import cast_ballot
from server.actions.change_status import change_status
from server.actions.check_in import check_in
from server.actions.close_round import close_round
from server.actions.create_hearing import create_hearing
from server.actions.open_round import open_round
from server.actions.start_run import start_run
from server.app import Building
from server.domain.roles import Actor, Grant
from server.domain.show import Show
from server.settings import Settings
from server.shows.read import read_show
from server.store.identity import Identity, OfficeNode
from tests.schema import folder_with_schema

SMALL_SHOW = """
title: 岚溪县述法评议会
slug: lanxi
office: 岚溪县依法治县办
signers: [host]
publishers: [host]
publication: public
subjects:
  - {key: water, name: 敖知水, post: 局长, unit: 岚溪县水务局}
  - {key: roads, name: 逄畅路, post: 局长, unit: 岚溪县交通局}
items:
  - {key: opening, title: 开场, steps: [{key: opening, seconds: 60}]}
  - key: water
    title: 水务局述法
    subject: water
    steps:
      - {key: statement, seconds: 300, script: 请水务局述法。}
      - {key: questions, seconds: 600}
      - {key: evaluation, seconds: 120}
  - key: roads
    title: 交通局述法
    subject: roads
    steps: [{key: statement, seconds: 300}, {key: questions, seconds: 600}]
  - {key: closing, title: 总结, steps: [{key: closing, seconds: 60}]}
groups:
  - {key: deputies, name: 人大代表, weight: "0.6"}
  - {key: citizens, name: 群众代表, weight: "0.4"}
seats:
  - {number: 1, name: 麴一鸣, group: deputies}
  - {number: 2, name: 麴二鸣, group: deputies}
  - {number: 3, name: 麴三鸣, group: citizens}
rounds:
  - key: web
    title: 网络评价：水务局
    audience: public
    subjects: [water]
    show_live: true
    choices:
      - {key: good, label: 满意}
      - {key: fair, label: 基本满意}
      - {key: poor, label: 不满意}
  - key: panel
    title: 测评：水务局
    audience: panel
    secrecy: named
    subjects: [water]
    labels: {duty: 履职, law: 执法}
    rules:
      version: 1
      scale: {kind: number, min: "0", max: "10", step: "1"}
      dimensions: [{key: duty}, {key: law}]
      within: mean
      across: sum
      rounding: {mode: half_up, dimension: 2, total: 2}
questions:
  - source: hotline
    source_key: hotline-12345
    external_id: LX-001
    text: 自来水发黄三个月了，投诉后没有人回复，依据什么规定处理？
    subject: water
    status: approved
  - source: hotline
    source_key: hotline-12345
    external_id: LX-002
    text: 乡道坑洼多年，什么时候依法组织维修？
    subject: roads
    status: queued
  - source: mailbox
    source_key: mayor-mailbox
    external_id: LX-003
    text: 水费单上的附加费依据哪份文件收取，请公开。
    status: received
"""


@cache
def show_of(text: str) -> Show:
    """The show that this file holds, read once for all who begin with it."""
    return read_show(text)


@dataclass
class Home:
    """A running building with one office and its people."""

    building: Building
    office: OfficeNode
    staff: Actor
    slug: str = "lanxi"
    seats: list[Any] = field(default_factory=list)

    @property
    def house(self) -> Any:
        return self.building.house

    def person(self, *roles: str, name: str = "p") -> Actor:
        """Somebody of this office with these roles."""
        return Actor(
            f"account:{name}",
            name,
            tuple(Grant(r, self.office.id, self.office.path) for r in roles),
        )

    def panelist(self, index: int) -> Actor:
        """The panelist at the seat with this index."""
        seat = self.seats[index]
        return Actor(
            f"seat:{seat.id}",
            seat.name,
            (Grant("panelist", self.office.id, self.office.path),),
            seat=seat.id,
        )

    async def view(self) -> Any:
        """The read model as it is now."""
        async with self.building.store.look(slug=self.slug) as unit:
            return await unit.view(self.house.now())

    async def entries(self) -> Any:
        """The journal of the run that is shown."""
        async with self.building.store.look(slug=self.slug) as unit:
            return await unit.entries(0)

    async def go_live(self) -> None:
        """From draft to live, through a check-in to which every seat comes."""
        host = self.person("host", "office")
        await change_status(self.house, host, self.slug, "ready", 0)
        await start_run(self.house, host, self.slug, "real")
        for seat in self.seats:
            await check_in(self.house, self.slug, seat.id)
        await change_status(self.house, host, self.slug, "live", 0)

    async def hold_panel(self, **marks: str) -> str:
        """The panel's round held by three who all give these marks, and tallied; gives its id."""
        await self.go_live()
        host = self.person("host")
        round_ = next(r for r in (await self.view()).rounds if r.audience == "panel")
        await open_round(self.house, host, round_.id)
        for index in range(3):
            sheet, key = {"water": marks}, f"key-{index:08d}"
            await cast_ballot(self.house, self.panelist(index), round_.id, sheet, (), key)
        await close_round(self.house, host, round_.id)
        await self.settle()
        return str(round_.id)

    async def settle(self) -> None:
        """Waits until what runs beside the acts (tally, screening) is done."""
        for _ in range(200):
            await asyncio.sleep(0.01)
            view = await self.view()
            if all(r.status != "closed" for r in view.rounds) and not view.counts.get("received"):
                return
        raise AssertionError("the machine did not finish")


@asynccontextmanager
async def home(
    data: Path,
    database_url: str = "",
    redis_url: str = "",
    show: str = SMALL_SHOW,
    beside: Home | None = None,
) -> AsyncIterator[Home]:
    """A building on this database with the small show in `draft`; or one `beside` another, as a
    second process would be."""
    if not database_url:
        folder_with_schema(data)
    secret = (beside.building.settings.data / "secret").read_text() if beside else ""
    building = Building(
        Settings(data=data, database_url=database_url, redis_url=redis_url, secret=secret)
    )
    await building.start()
    try:
        if beside is not None:
            yield Home(building, beside.office, beside.staff, beside.slug, beside.seats)
            return
        read = show_of(show)
        async with building.database.write() as connection:
            office = await Identity(connection).add_office(
                read.office, "county", None, building.house.now()
            )
        staff = Actor("account:staff", "staff", (Grant("office", office.id, office.path),))
        await create_hearing(building.house, staff, office.id, office.path, read)
        found = Home(building, office, staff, read.slug)
        found.seats = list((await found.view()).seats)
        yield found
    finally:
        await building.stop()
