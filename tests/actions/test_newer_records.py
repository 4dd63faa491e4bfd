"""A source's newer record wins where nobody has worked on the text, and takes away nothing that was there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from moderation.intake.normal_form import IncomingItem
from moderation.take_in import incoming
from server.actions.edit_question import edit_question
from server.actions.find_twins import group_questions, index_questions
from server.actions.import_questions import Source, import_questions
from server.actions.unmask_question import unmask_question
from server.domain.questions import Question
from server.store.rows import table
from server.store.tables import MatchCountRow
from tests.house import Home

pytestmark = pytest.mark.anyio
SOURCE = Source("hotline-12345")
WHY = "需要回访诉求人"
ITEM = IncomingItem(
    row=1,
    external_id="LX-950",
    content="我是逄小路，电话13900000000，路灯不亮。",
    title="逄小路反映路灯",
    requester_phone="13900000000",
    location="甲路1号",
    status="办理中",
)


async def bring(lanxi: Home, **changed: Any) -> Question:
    """The record with these changes comes in; its question once it is screened."""
    items = incoming([replace(ITEM, **changed)], lanxi.house, "private")
    await import_questions(lanxi.house, lanxi.person("moderator"), lanxi.slug, SOURCE, items)
    await lanxi.settle()
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        id_, _ = (await unit.questions.by_numbers(SOURCE.key, [ITEM.external_id]))[ITEM.external_id]
        found = await unit.questions.get(id_)
    assert found is not None
    return found


async def unmasked(lanxi: Home, id_: int) -> dict[str, Any]:
    desk = lanxi.person("moderator")
    return (await unmask_question(lanxi.house, desk, lanxi.slug, id_, WHY)).body


async def counted(lanxi: Home) -> dict[int, int]:
    """What the index of likely twins counts, once everything is in it and in a group."""
    while await index_questions(lanxi.house, lanxi.slug):
        pass
    while await group_questions(lanxi.house, lanxi.slug):
        pass
    n = table(MatchCountRow)
    async with lanxi.building.database.read() as connection:
        rows = await connection.execute(select(n.c.key, n.c.n))
    return {row.key: row.n for row in rows}


async def test_a_newer_text_is_flagged_as_any_text(lanxi: Home) -> None:
    words = lanxi.building.settings.data / "words"
    words.mkdir()
    (words / "harm.txt").write_text("路灯\n爆炸\n", encoding="utf-8")
    assert (await bring(lanxi)).flags == ("harm:路灯",)
    after = await bring(lanxi, content="井盖要爆炸。", title="")
    assert (after.status, after.text, after.flags) == ("screened", "井盖要爆炸。", ("harm:爆炸",))


async def test_every_original_stays(lanxi: Home) -> None:
    first = await bring(lanxi)
    second = "我是逄小路，电话13900000000，路灯又不亮。"
    after = await bring(lanxi, content=second)
    told = await unmasked(lanxi, after.id)
    assert told["text"] == second
    assert told["wordings"] == [
        {"version": 1, "text": ITEM.content},
        {"version": first.version + 1, "text": second},
    ]
    # Another number under the same mask: the text that is read is the same, the original is not.
    third = second.replace("13900000000", "13900000001")
    last = await bring(lanxi, content=third, requester_phone="13900000001")
    assert (last.text, last.version) == (after.text, after.version + 1)
    told = await unmasked(lanxi, after.id)
    assert told["text"] == third
    assert [one["text"] for one in told["wordings"]] == [ITEM.content, second, third]
    # One in which nothing is masked is the newest all the same.
    await bring(lanxi, content="路灯不亮，请维修。")
    assert (await unmasked(lanxi, after.id))["text"] == "路灯不亮，请维修。"


async def test_the_original_of_what_a_moderator_wrote_is_not_replaced(lanxi: Home) -> None:
    desk, before = lanxi.person("moderator"), await bring(lanxi)
    rewritten = "请致电13900000007核实路灯。"
    await edit_question(lanxi.house, desk, lanxi.slug, before.id, before.version, text=rewritten)
    second = "我是逄小路，电话13900000000，路灯又不亮。"
    after = await bring(lanxi, content=second)
    assert (after.text, after.rewritten) == ("请致电[手机号]核实路灯。", True)
    told = await unmasked(lanxi, before.id)
    assert told["text"] == second
    assert [one["text"] for one in told["wordings"]] == [ITEM.content, rewritten, second]
    assert (await bring(lanxi, content=second, status="已办结")).version == after.version


async def test_facts_alone_touch_neither_version_nor_group_nor_index(lanxi: Home) -> None:
    before = await bring(lanxi)
    index = await counted(lanxi)
    before = await bring(lanxi)
    assert before.cluster is not None
    after = await bring(lanxi, status="已办结", location="乙路2号")
    assert after == before
    assert await counted(lanxi) == index
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        assert (await unit.questions.fields(after.id))["status"] == "已办结"
        ((version, box),) = await unit.questions.boxes(after.id)
    kept = lanxi.house.unseal(box)
    assert (version, kept["location"]) == (1, "乙路2号")
    assert kept["before"] == [{"location": "甲路1号"}]
    assert (await unmasked(lanxi, after.id))["text"] == ITEM.content


async def test_words_that_are_masked_otherwise_are_another_text_of_the_same_original(
    lanxi: Home,
) -> None:
    before = await bring(lanxi)
    after = await bring(lanxi, requester_phone="13900000002")
    assert after.text != before.text
    assert after.version == before.version + 1
    told = await unmasked(lanxi, after.id)
    assert told["wordings"] == [{"version": 1, "text": ITEM.content}]
    assert told["fields"]["requester_phone"] == "13900000002"
