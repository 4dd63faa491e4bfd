"""Likely twins: the same index and the same answers on SQLite and PostgreSQL."""

from __future__ import annotations

import pytest

from server.actions.change_status import change_status
from server.actions.find_twins import index_questions, similar_to, twins_of
from server.actions.import_questions import Source, import_questions
from server.actions.merge_questions import merge_question
from server.actions.moderate_question import approve_question, reject_question
from server.actions.start_run import start_run
from server.domain.desk import Filters
from server.domain.incoming import Incoming
from server.domain.questions import Question
from server.domain.refusals import Refusal
from server.domain.twins import Twin
from tests.house import Home

pytestmark = pytest.mark.anyio
SOURCE = Source("hotline-1")
LAMPS = {
    "a": ("东街路灯不亮一个月了", "东街从邮局到桥头的路灯不亮已经一个月，请问由谁维修？"),
    "b": ("东街路灯一个月不亮", "晚上走东街看不见路，路灯坏了很久。"),
    "c": ("西街路灯不亮", "西街路灯不亮，请维修。"),
    "d": ("小区噪声扰民", "楼下广场舞每晚到十一点。"),
    "e": ("请求维修", "东街从邮局到桥头的路灯不亮，已经一个月。请问，由谁维修？"),
    "f": ("请问东街的路灯怎么不亮了？", "请问东街的路灯怎么不亮了？"),
    "g": ("东街路灯如何不亮", "东街路灯如何不亮"),
}


async def bring(lanxi: Home, letters: dict[str, tuple[str, str]] = LAMPS) -> dict[str, Question]:
    items = [
        Incoming(f"N-{name}", text, title, 0, {}, f"{name}{text}")
        for name, (title, text) in letters.items()
    ]
    await import_questions(lanxi.house, lanxi.person("moderator"), lanxi.slug, SOURCE, items)
    await lanxi.settle()
    while await index_questions(lanxi.house, lanxi.slug):
        pass
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        page = await unit.desk.page(Filters(source=SOURCE.key, size=500))
    return {one.external_id.removeprefix("N-"): one for one in page}


async def twins(lanxi: Home, id_: int) -> tuple[Twin, ...]:
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        return await twins_of(lanxi.house, unit, id_)


def names(found: tuple[Twin, ...], all_: dict[str, Question]) -> list[str]:
    by_id = {one.id: name for name, one in all_.items()}
    return [by_id[one.question.id] for one in found if one.question.id in by_id]


async def test_twins_are_found_in_order_with_what_makes_them_likely(lanxi: Home) -> None:
    all_ = await bring(lanxi)
    found = await twins(lanxi, all_["a"].id)
    order = names(found, all_)
    assert order[:2] == ["e", "b"]  # The same text first, however it is headed and punctuated.
    assert "d" not in order
    assert [one.reason for one in found[:2]] == ["same_text", ""]
    marked = ["".join(one.question.text[s:e] for s, e in one.marks) for one in found[:2]]
    assert "东街" in marked[1]
    assert "路灯" in marked[1]
    (same,) = [one for one in await twins(lanxi, all_["f"].id) if one.reason]
    assert names((same,), all_) == ["g"]
    assert same.reason == "same_question"


async def test_masks_that_many_letters_hold_make_no_twins(lanxi: Home) -> None:
    tail = "地址在[门牌]，联系我[手机号]，姓名[姓名]。"
    all_ = await bring(
        lanxi, {"a": ("", f"维修资金怎么用？{tail}"), "b": ("", f"烧烤摊扰民。{tail}"),
                "c": ("", f"维修资金怎样使用？{tail}")},
    )  # fmt: skip
    found = await twins(lanxi, all_["a"].id)
    marked = "".join(one.question.text[s:e] for one in found for s, e in one.marks)
    assert "手机" not in marked
    assert names(found, all_)[:1] == ["c"]


async def test_what_is_no_longer_alive_is_no_twin(lanxi: Home) -> None:
    all_ = await bring(lanxi)
    await reject_question(
        lanxi.house, lanxi.person("moderator"), lanxi.slug, all_["e"].id, "duplicate"
    )
    assert "e" not in names(await twins(lanxi, all_["a"].id), all_)
    with pytest.raises(Refusal, match="not_found"):
        await twins(lanxi, 10**6)


async def test_a_newer_text_is_compared_as_it_is_now(lanxi: Home) -> None:
    all_ = await bring(lanxi)
    changed = {**LAMPS, "d": ("东街路灯不亮", "东街路灯到现在还不亮。")}
    all_ = await bring(lanxi, changed)
    assert "d" in names(await twins(lanxi, all_["a"].id), all_)
    # Its old words lead nowhere.
    assert names(await twins(lanxi, (await bring(lanxi))["c"].id), all_)[0] in {"a", "b", "d", "g"}


async def test_whoever_asks_is_shown_what_may_be_supported_and_nothing_else(lanxi: Home) -> None:
    all_ = await bring(lanxi)
    text = "东街路灯一个月不亮，何时修？"

    async def shown() -> list[str]:
        async with lanxi.building.store.look(slug=lanxi.slug) as unit:
            return names(await similar_to(lanxi.house, unit, text), all_)

    assert await shown() == []
    for name in ("a", "d"):
        await approve_question(lanxi.house, lanxi.person("moderator"), lanxi.slug, all_[name].id)
    assert await shown() == ["a"]


async def test_a_rehearsals_copies_are_no_twins_of_the_real_ones(lanxi: Home) -> None:
    all_ = await bring(lanxi)
    before = names(await twins(lanxi, all_["a"].id), all_)
    host = lanxi.person("host", "office")
    await change_status(lanxi.house, host, lanxi.slug, "ready", 0)
    await start_run(lanxi.house, host, lanxi.slug, "rehearsal")
    while await index_questions(lanxi.house, lanxi.slug):
        pass
    async with lanxi.building.store.look(slug=lanxi.slug, line=True) as unit:
        again = await twins_of(lanxi.house, unit, all_["a"].id)
    assert names(again, all_) == before
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        copies = await unit.desk.page(Filters(source=SOURCE.key, size=500))
        copy = next(one for one in copies if one.external_id == "N-a")
        assert copy.id != all_["a"].id
        found = await twins_of(lanxi.house, unit, copy.id)
    assert [
        n for one in found if (n := one.question.external_id.removeprefix("N-")) in all_
    ] == before


async def test_however_many_asked_the_same_their_question_is_still_found(lanxi: Home) -> None:
    by, count = lanxi.person("moderator"), 61
    same = {f"s{n:02}": LAMPS["a"] for n in range(count)}
    all_ = await bring(lanxi, {**same, "b": LAMPS["b"]})
    first, middle, *others, last = (all_[name] for name in same)
    # Half of them directly, half by way of another one.
    for n, one in enumerate(others):
        await merge_question(lanxi.house, by, lanxi.slug, one.id, (first, middle)[n % 2].id)
    await merge_question(lanxi.house, by, lanxi.slug, middle.id, first.id)
    found = await twins(lanxi, last.id)
    assert names(found, all_) == ["s00", "b"]
    assert found[0].reason == "same_text"
    await approve_question(lanxi.house, by, lanxi.slug, first.id)
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        (shown,) = await similar_to(lanxi.house, unit, LAMPS["a"][1])
    assert (shown.question.id, shown.question.askers) == (first.id, count - 1)
    # The copies of rehearsals, which are newer, take no place of theirs.
    host = lanxi.person("host", "office")
    await change_status(lanxi.house, host, lanxi.slug, "ready", 0)
    for _ in range(4):
        await start_run(lanxi.house, host, lanxi.slug, "rehearsal")
        while await index_questions(lanxi.house, lanxi.slug):
            pass
    async with lanxi.building.store.look(slug=lanxi.slug, line=True) as unit:
        again = await twins_of(lanxi.house, unit, last.id)
    assert names(again, all_) == ["s00", "b"]
