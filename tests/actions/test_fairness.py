"""What became of questions, as it is counted on every store: right after every act."""

from __future__ import annotations

from typing import Any

import pytest

from server.actions.ask_question import ask_question
from server.actions.merge_questions import merge_question, unmerge_question
from server.actions.moderate_question import (
    approve_question,
    close_question,
    reject_question,
    reply_in_writing,
    unreject_question,
)
from server.actions.take_question import pull_question, take_question
from server.actions.way import way_of
from tests.house import Home

pytestmark = pytest.mark.anyio


async def told(lanxi: Home) -> dict[str, int]:
    """The numbers of the page and of the pulse, which are the same, but for zeros."""
    view = await lanxi.view()
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        pulsed = (await unit.numbers(lanxi.house.now())).fates
    assert pulsed == view.fates
    numbers = pulsed.numbers
    received = numbers.pop("received")
    assert sum(numbers.values()) == received
    reasons = {f"for {name}": n for name, n in pulsed.reasons.items()}
    return {name: n for name, n in {**numbers, **reasons}.items() if n}


async def asked(lanxi: Home, n: int, text: str) -> int:
    """A question from the live page; its id."""
    done = await ask_question(lanxi.house, f"v{n}", f"key-asked-{n}", lanxi.slug, text, None)
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        question = await unit.questions.by_code(str(done.answer["code"]))
    assert question
    return question.id


async def test_the_numbers_are_right_after_every_act(lanxi: Home) -> None:
    await lanxi.go_live()
    house, slug, desk, host = (
        lanxi.house,
        lanxi.slug,
        lanxi.person("moderator"),
        lanxi.person("host"),
    )
    before = await told(lanxi)

    async def changed() -> dict[str, int]:
        now = await told(lanxi)
        return {k: n for k in {*before, *now} if (n := now.get(k, 0) - before.get(k, 0))}

    ids = [await asked(lanxi, n, f"第 {n} 条路灯何时修好？") for n in range(4)]
    assert await changed() == {"held": 4}
    await approve_question(house, desk, slug, ids[0])
    assert await changed() == {"held": 3, "shown": 1}
    await reject_question(house, desk, slug, ids[1], "unclear")
    assert await changed() == {"held": 2, "shown": 1, "refused": 1, "for unclear": 1}
    await unreject_question(house, desk, slug, ids[1])
    assert await changed() == {"held": 3, "shown": 1}
    await reject_question(house, desk, slug, ids[1], "insulting")
    await merge_question(house, desk, slug, ids[2], ids[0])
    refused = {"refused": 1, "for insulting": 1}
    assert await changed() == {"held": 1, "shown": 1, "merged": 1, **refused}
    await unmerge_question(house, desk, slug, ids[2])
    assert await changed() == {"held": 2, "shown": 1, **refused}
    await merge_question(house, desk, slug, ids[2], ids[0])
    await take_question(house, host, slug, ids[0])
    await pull_question(house, host, slug, "withdrawn")
    assert await changed() == {"held": 1, "closed": 1, "merged": 1, **refused}
    await reply_in_writing(house, desk, slug, ids[0], "已经修好。")
    assert await changed() == {"held": 1, "shown": 1, "merged": 1, **refused}
    await close_question(house, desk, slug, ids[0], "已办结")
    assert await changed() == {"held": 1, "closed": 1, "merged": 1, **refused}


async def test_what_was_merged_into_an_asked_one_was_asked_at_any_remove(lanxi: Home) -> None:
    await lanxi.go_live()
    house, slug, desk, host = (
        lanxi.house,
        lanxi.slug,
        lanxi.person("moderator"),
        lanxi.person("host"),
    )

    async def by(dimension: str) -> Any:
        async with lanxi.building.store.look(slug=slug) as unit:
            found = await unit.questions.compared()
        return next(one for one in found if one.dimension == dimension)

    before = await by("source")
    first, second, third = [await asked(lanxi, n, f"第 {n} 条路灯何时修好？") for n in range(3)]
    await lanxi.settle()  # Only what was screened takes another one in.
    await approve_question(house, desk, slug, third)
    await merge_question(house, desk, slug, first, second)
    await merge_question(house, desk, slug, second, third)
    async with lanxi.building.store.look(slug=slug) as unit:
        assert [one.id for one in await way_of(unit, first)] == [first, second, third]
    now = await by("source")
    assert (now.received, now.asked) == (before.received + 3, before.asked)
    await take_question(house, host, slug, third)
    now = await by("source")
    assert now.asked == before.asked + 3
    live = next(one for one in now.shares if one.value == "live")
    assert live.asked == 3
    await pull_question(house, host, slug, "answered")
    await close_question(house, desk, slug, third, "已办结")
    assert (await by("source")).asked == before.asked + 3
