"""Two processes on one PostgreSQL: whoever locks more than one thing does so in one order."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from server.actions.cast_vote import cast_vote
from server.actions.import_questions import Source, import_questions
from server.actions.merge_questions import merge_question, unmerge_question
from server.actions.moderate_question import approve_question
from server.actions.open_round import open_round
from server.actions.order_queue import give_question, order_queue
from server.actions.support_question import support_question
from server.actions.take_question import pull_question, take_question
from server.domain.desk import Filters
from server.domain.incoming import Incoming
from server.domain.questions import Question
from server.domain.refusals import Refusal, RolledBack
from server.store import transaction
from tests.house import Home, home
from tests.schema import database_with_schema

pytestmark = [pytest.mark.anyio, pytest.mark.system]
SOURCE = Source("hotline-1")
DEADLOCK = "40P01"


@pytest.fixture
async def both(
    tmp_path: Path, postgresql_server: str, redis_url: str
) -> AsyncIterator[tuple[Home, Home]]:
    """Two buildings beside each other, with a live hearing of nine questions."""
    database = database_with_schema(postgresql_server, f"t{token_hex(6)}")
    async with (
        home(tmp_path / "a", database, redis_url) as one,
        home(tmp_path / "b", database, redis_url, beside=one) as other,
    ):
        await one.go_live()
        await import_questions(one.house, one.person("moderator"), one.slug, SOURCE, items(""))
        await one.settle()
        async with one.building.store.look(slug=one.slug) as unit:
            page = await unit.desk.page(Filters(status=("screened",)))
        for question in page:
            await approve_question(one.house, one.person("moderator"), one.slug, question.id)
        yield one, other


@pytest.fixture
def failures(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The states of all errors with which PostgreSQL broke a transaction off."""
    seen: list[str | None] = []
    state = transaction._state

    def noted(error: DBAPIError) -> str | None:
        seen.append(state(error))
        return seen[-1]

    monkeypatch.setattr(transaction, "_state", noted)
    return seen


def items(version: str) -> list[Incoming]:
    """Six rows of a hotline file, the last first."""
    return [
        Incoming(f"N-{i}", f"第 {i} 号路灯不亮，依据什么规定维修？{version}", "", i, {}, f"d{i}{version}")
        for i in reversed(range(6))
    ]  # fmt: skip


async def tried(acts: Counter[str], *many: Awaitable[Any]) -> None:
    """All of them at once; a refusal is an answer too."""
    for outcome in await asyncio.gather(*many, return_exceptions=True):
        if isinstance(outcome, Refusal):
            acts["refused"] += 1
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            acts["done"] += 1


async def test_acts_in_any_order_stand_in_nobodys_way(
    both: tuple[Home, Home], failures: list[str | None]
) -> None:
    one = both[0]
    host, desk = one.person("host"), one.person("moderator")
    async with one.building.store.look(slug=one.slug) as unit:
        before = await unit.desk.page(Filters())
    ids, acts = [q.id for q in before], Counter[str]()

    async def one_act(dice: random.Random, house: Any, version: int) -> Any:
        i, j = dice.choice(ids), dice.choice(ids)
        match dice.randrange(7):
            case 0:
                return await take_question(house, host, one.slug, i)
            case 1:
                return await pull_question(house, host, one.slug, "deferred")
            case 2:
                return await order_queue(house, desk, one.slug, dice.sample(ids, 3), version)
            case 3:
                return await merge_question(house, desk, one.slug, i, j)
            case 4:
                return await unmerge_question(house, desk, one.slug, i)
            case 5:
                return await give_question(house, host, one.slug, i, dice.randrange(1, 4))
            case _:
                news = items(str(dice.random()))
                return await import_questions(house, desk, one.slug, SOURCE, news)

    async def somebody(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(15):
            async with one.building.store.look(slug=one.slug) as unit:
                version, _, _ = await unit.floor.queue()
            await tried(acts, one_act(dice, dice.choice(both).house, version))

    await asyncio.gather(*(somebody(seed) for seed in range(10)))
    assert acts["done"] > 40
    assert DEADLOCK not in failures
    for _ in ids:  # Every merge is taken back: nobody was counted twice, nobody is lost.
        async with one.building.store.look(slug=one.slug) as unit:
            now = await unit.desk.page(Filters())
            order, on_stage = (await unit.floor.queue())[1], await unit.floor.stage()
        for question in (q for q in now if q.status == "merged"):
            await unmerge_question(one.house, desk, one.slug, question.id)
    assert {q.id: q.askers for q in now} == {q.id: q.askers for q in before}
    assert sorted(order) == sorted(q.id for q in now if q.status == "queued")
    shown = [on_stage.question_id] if on_stage else []
    assert shown == [q.id for q in now if q.status == "on_stage"]


async def test_batches_of_the_public_stand_in_nobodys_way(
    both: tuple[Home, Home], failures: list[str | None]
) -> None:
    one = both[0]
    desk = one.person("moderator")
    view = await one.view()
    round_ = next(r.id for r in view.rounds if r.audience == "public")
    await open_round(one.house, one.person("host"), round_)
    codes, ids, acts = (
        [q.code for q in view.questions],
        [q.id for q in view.questions],
        Counter[str](),
    )

    async def crowd(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(12):
            house = both[seed % 2].house
            await tried(
                acts,
                *(
                    cast_vote(house, f"v{seed % 2}-{i}", token_hex(8), round_, choice)
                    for i, choice in enumerate(dice.choices(("good", "fair", "poor"), k=6))
                ),
                *(
                    support_question(
                        house, f"v{i}", token_hex(8), one.slug, code, dice.random() < 0.7
                    )
                    for i, code in enumerate(dice.sample(codes, 4))
                ),
            )

    async def moderator() -> None:
        for n in range(12):
            i, j = random.Random(n).sample(ids, 2)
            await tried(acts, merge_question(one.house, desk, one.slug, i, j))
            await tried(acts, unmerge_question(one.house, desk, one.slug, i))

    await asyncio.gather(*(crowd(seed) for seed in range(6)), moderator())
    assert acts["done"] > 400
    assert DEADLOCK not in failures
    async with one.building.store.look(round=round_) as unit:
        counted = await unit.rounds.get(round_)
        stored, voters = await unit.votes.recount(round_)
    assert counted is not None
    assert {k: n for k, n in counted.counts.items() if n} == dict(stored)
    assert counted.cast == voters == 12


async def questions_of(one: Home, n: int) -> list[Question]:
    """The imported questions with the lowest ids."""
    async with one.building.store.look(slug=one.slug) as unit:
        page = await unit.desk.page(Filters(source="hotline-1"))
    return sorted(page, key=lambda q: q.id)[:n]


async def meets(one: Home, low: Question, high: Question, act: Awaitable[Any]) -> Any:
    """The act, while somebody else locks two questions in order of id, as merging them does."""
    async with one.building.store.act(slug=one.slug) as unit:
        await unit.questions.get(low.id, lock=True)
        going = asyncio.ensure_future(act)
        await asyncio.sleep(1.3)  # PostgreSQL looks for a deadlock after a second.
        await unit.questions.get(high.id, lock=True)
    return await going


async def test_a_merge_is_taken_back_in_order_of_id(both: tuple[Home, Home]) -> None:
    one, other = both
    desk = one.person("moderator")
    low, high = await questions_of(one, 2)
    await merge_question(one.house, desk, one.slug, high.id, low.id)
    await meets(one, low, high, unmerge_question(other.house, desk, one.slug, high.id))


async def test_a_file_is_taken_in_in_order_of_id(both: tuple[Home, Home]) -> None:
    one, other = both
    low, high = await questions_of(one, 2)
    by_number = {item.external_id: item for item in items("更新")}
    news = [by_number[high.external_id], by_number[low.external_id]]
    desk = one.person("moderator")
    done = await meets(one, low, high, import_questions(other.house, desk, one.slug, SOURCE, news))
    assert done.updated == 2


async def test_the_screener_goes_in_order_of_id(both: tuple[Home, Home]) -> None:
    one, other = both
    low, high = await questions_of(one, 2)
    for question in (high, low):  # PostgreSQL now has the higher id first on its page.
        async with one.building.store.act(slug=one.slug) as unit:
            await unit.questions.save(replace(question, status="received"))

    async def screen() -> int:
        async with other.building.store.act(slug=one.slug) as unit:
            return await unit.questions.screen_received(10)

    await meets(one, low, high, screen())


async def test_a_merge_is_taken_back_along_the_way_that_it_went_meanwhile(
    both: tuple[Home, Home],
) -> None:
    one, other = both
    desk = one.person("moderator")
    third, second, first = await questions_of(one, 3)
    await merge_question(one.house, desk, one.slug, first.id, second.id)
    async with one.building.store.act(slug=one.slug) as last:
        # The third takes in the second with its two askers, and somebody else with one.
        await last.questions.get(third.id, lock=True)
        await last.questions.save(replace(third, askers=third.askers + 3))
        async with other.building.store.act(slug=one.slug) as unit:
            target = await unit.questions.get(second.id, lock=True)
            assert target is not None
            taking = asyncio.create_task(unmerge_question(other.house, desk, one.slug, first.id))
            await asyncio.sleep(0.3)
            await unit.questions.save(
                replace(
                    target,
                    status="merged",
                    before_merge="approved",
                    merged_into=third.code,
                    carried_askers=2,
                )
            )
        await asyncio.sleep(0.3)
    await taking
    async with one.building.store.look(slug=one.slug) as unit:
        found = await unit.questions.by_ids([first.id, second.id, third.id])
    assert [found[q.id].askers for q in (first, second, third)] == [1, 1, third.askers + 2]


async def test_an_act_that_was_rolled_back_is_counted_once(
    both: tuple[Home, Home], monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL breaks the first two tries off; the third is the act, and its key is kept once."""
    one, failed = both[0], []
    view = await one.view()
    code = view.questions[0].code
    keep = type(one.building.box._counter).carry_out

    async def broken(self: Any, batch: Any) -> Any:
        if len(failed) < 2:
            failed.append(await keep(self, batch[:0]))
            raise RolledBack
        return await keep(self, batch)

    monkeypatch.setattr(type(one.building.box._counter), "carry_out", broken)
    key = token_hex(8)
    told = [await support_question(one.house, "v", key, one.slug, code, True) for _ in range(2)]
    assert [done.answer["support"] for done in told] == [1, 1]
