"""Acts that meet: none is lost, none is counted twice, none holds the other up for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from server.actions.ask_question import ask_question
from server.actions.change_agenda import name_deputy
from server.actions.change_status import change_status
from server.actions.create_round import NewRound, create_round
from server.actions.direct_screens import clear_screens, send_notice
from server.actions.import_questions import Source, import_questions
from server.actions.move_position import move_position
from server.actions.order_queue import order_queue
from server.actions.start_run import start_run
from server.domain.desk import Filters
from server.domain.incoming import Incoming
from server.domain.refusals import Refusal, RolledBack
from server.store.sqlite_driver import Connection
from tests.house import Home, home

pytestmark = pytest.mark.anyio


async def test_one_act_sent_twice_at_once_is_one_act(lanxi: Home) -> None:
    host = lanxi.person("host")
    both = await asyncio.gather(
        *(send_notice(lanxi.house, host, lanxi.slug, "请控制时间", "key-twice") for _ in range(4))
    )
    assert len({one.body["id"] for one in both}) == 1
    assert [e.event for e in await lanxi.entries()].count("notice") == 1


async def test_the_screener_undoes_no_decision(lanxi: Home) -> None:
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        (question,) = await unit.desk.page(Filters(source="mailbox"))
    await lanxi.settle()

    async with lanxi.building.store.act(slug=lanxi.slug) as unit:
        # As it stands before anybody looked.
        await unit.questions.save(replace(question, status="received"))
    async with lanxi.building.store.act(slug=lanxi.slug) as unit:
        rejected = await unit.questions.get(question.id, lock=True)
        assert rejected is not None
        await unit.questions.save(replace(rejected, status="rejected", reason="unclear"))
        # The screener has chosen the question, and waits for the moderator's commit.
        screening = asyncio.create_task(screen(lanxi))
        await asyncio.sleep(0.3)
    assert await screening == 0
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        after = await unit.questions.get(question.id)
    assert after is not None
    assert after.status == "rejected"


async def screen(lanxi: Home) -> int:
    """One look of the screener."""
    async with lanxi.building.store.act(slug=lanxi.slug) as unit:
        return await unit.questions.screen_received(10)


async def test_an_import_that_is_tried_again_counts_once(lanxi: Home) -> None:
    store, failures = lanxi.house.store, [RolledBack()]

    class Once:
        """A store whose first transaction is rolled back at its end, as PostgreSQL may do."""

        @asynccontextmanager
        async def act(self, **where: Any) -> AsyncIterator[Any]:
            async with store.act(**where) as unit:
                yield unit
                if failures:
                    raise failures.pop()

    house = replace(lanxi.house, store=Once())
    items = [
        Incoming(f"N-{i}", f"第 {i} 号路灯不亮，依据什么规定维修？", "", 0, {}, f"d{i}")
        for i in range(5)
    ]
    by = lanxi.person("moderator")
    counted = await import_questions(house, by, lanxi.slug, Source("hotline-1"), items)
    assert (counted.new, counted.updated, counted.unchanged) == (5, 0, 0)
    entry = next(e for e in await lanxi.entries() if e.event == "questions_imported")
    assert entry.body["new"] == 5


async def test_a_reveal_takes_no_holding_card_off(lanxi: Home) -> None:
    host = lanxi.person("host")
    async with lanxi.building.store.act(slug=lanxi.slug) as unit:
        await unit.hearings.screens()  # The reveal has looked before the card is put on.
        clearing = asyncio.create_task(clear_screens(lanxi.house, host, lanxi.slug, True))
        await asyncio.sleep(0.3)
        await unit.hearings.show_round("ROUND")
    await clearing
    screens = (await lanxi.view()).screens
    assert (screens.cleared, screens.round) == (True, "ROUND")


async def test_the_queue_is_locked_after_its_questions(lanxi: Home) -> None:
    desk = lanxi.person("moderator")
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        version, ids, _ = await unit.floor.queue()
    async with lanxi.building.store.act(slug=lanxi.slug) as unit:
        await unit.questions.get(ids[0], lock=True)
        ordering = asyncio.create_task(order_queue(lanxi.house, desk, lanxi.slug, ids, version))
        await asyncio.sleep(1.3)  # PostgreSQL looks for a deadlock after a second.
        await unit.floor.queue(lock=True)
    assert (await ordering).body["version"] == version + 1


async def test_a_commit_that_is_waited_for_no_more_ends_before_the_next_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    commit = Connection.commit

    async def slow(self: Connection) -> None:
        await asyncio.sleep(0.1)
        await commit(self)
        done.append("committed")

    async with home(tmp_path) as lanxi:
        host = lanxi.person("host")
        with monkeypatch.context() as patched:
            patched.setattr(Connection, "commit", slow)
            act = asyncio.create_task(clear_screens(lanxi.house, host, lanxi.slug, True))
            await asyncio.sleep(0.05)
            act.cancel()
            await asyncio.gather(act, return_exceptions=True)
            assert done
        await clear_screens(lanxi.house, host, lanxi.slug, False)
        told = [e.event for e in await lanxi.entries() if e.event.startswith("screen_")]
        assert told == ["screen_cleared", "screen_restored"]


async def test_no_error_of_the_database_repeats_what_somebody_wrote(lanxi: Home) -> None:
    said = "张三，电话一三八"
    with pytest.raises(DBAPIError) as caught:
        async with lanxi.building.database.write() as connection:
            await connection.exec_driver_sql(
                "INSERT INTO nowhere VALUES (?)"
                if lanxi.building.database.sqlite
                else "INSERT INTO nowhere VALUES ($1)",
                (said,),
            )
    assert said not in f"{caught.value!r} {caught.value}"


async def test_one_file_imported_four_times_at_once_comes_in_once(lanxi: Home) -> None:
    items = [Incoming(f"P-{i}", f"第 {i} 号桥何时检修？", "", 0, {}, f"d{i}") for i in range(6)]
    desk, source = lanxi.person("moderator", "office"), Source("hotline-12345")
    done = await asyncio.gather(
        *(import_questions(lanxi.house, desk, lanxi.slug, source, items) for _ in range(4))
    )
    assert sorted(one.new for one in done) == [0, 0, 0, 6]
    assert sorted(one.unchanged for one in done) == [0, 6, 6, 6]
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        page = await unit.desk.page(Filters(search="号桥何时检修"))
    assert len(page) == 6


async def test_what_is_asked_while_the_real_run_begins_is_in_it(lanxi: Home) -> None:
    host, house, slug = lanxi.person("host"), lanxi.house, lanxi.slug
    await change_status(house, host, slug, "ready", 0)

    async def ask(n: int) -> str:
        await asyncio.sleep(n * 0.004)
        text = f"第 {n} 问：补助款什么时候到账？"
        return str(
            (await ask_question(house, f"v{n}", f"key-{n:05d}", slug, text, None)).answer["code"]
        )

    async def begin() -> None:
        await asyncio.sleep(0.03)
        await start_run(house, host, slug, "real")

    *codes, _ = await asyncio.gather(*(ask(n) for n in range(20)), begin())
    async with lanxi.building.store.look(slug=slug) as unit:
        asked = await unit.desk.page(Filters(source="live"))
    assert {q.code for q in asked} == set(codes)


async def test_a_round_made_while_the_real_run_begins_is_in_it_or_refused(lanxi: Home) -> None:
    host, house, slug = lanxi.person("host"), lanxi.house, lanxi.slug
    await change_status(house, host, slug, "ready", 0)
    yes_no = (("yes", "清楚"), ("no", "不清楚"))

    async def make(n: int) -> str | None:
        await asyncio.sleep(n * 0.003)
        try:
            new = NewRound(f"第 {n} 轮", "public", subjects=("water",), choices=yes_no)
            return str((await create_round(house, host, slug, new)).body["id"])
        except Refusal as refusal:
            assert refusal.code == "run_changed"
            return None

    *made, _ = await asyncio.gather(
        *(make(n) for n in range(12)), start_run(house, host, slug, "real")
    )
    shown = {r.id for r in (await lanxi.view()).rounds}
    assert {id_ for id_ in made if id_ is not None} <= shown


async def test_an_agenda_changed_while_the_show_moves_keeps_both(lanxi: Home) -> None:
    await lanxi.go_live()
    host, house, slug = lanxi.person("host"), lanxi.house, lanxi.slug
    for n, item in enumerate(("opening", "water", "roads", "closing")):
        position = (await lanxi.view()).position
        step = "opening" if item == "opening" else "closing" if item == "closing" else "statement"
        await asyncio.gather(
            move_position(house, host, slug, item, step, position.version if position else 0),
            *(name_deputy(house, host, slug, "roads", f"副局长{n}{m}") for m in range(3)),
        )
        view = await lanxi.view()
        current = [one.id for one in view.items if one.status == "current"]
        assert current == [item] == [view.position.item]
        deputy = next(one.deputy for one in view.items if one.id == "roads")
        assert deputy.startswith(f"副局长{n}")
