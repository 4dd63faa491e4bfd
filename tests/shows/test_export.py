"""A hearing written out as a show: what was prepared, whole and in its order, or why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from moderation.intake.hotline_file import read_hotline_bytes
from moderation.take_in import incoming
from server.actions.create_round import NewRound, create_round
from server.actions.import_questions import Source, import_questions
from server.actions.order_queue import order_queue
from server.actions.review_question import asked_for
from server.actions.send_brief import in_advance
from server.actions.take_question import ask_off_the_cuff
from server.domain.refusals import Refusal
from server.domain.reviews import Asked
from server.domain.show import Show
from server.shows.export import show_file_of
from server.shows.read import read_show
from tests.house import SMALL_SHOW, Home, home

pytestmark = pytest.mark.anyio

QUEUED = """
  - source: hotline
    source_key: hotline-12345
    external_id: LX-00{n}
    text: 第{n}个排队的问题，什么时候答复？
    subject: water
    status: queued
"""


async def exported(home: Home) -> Show:
    async with home.building.store.look(slug=home.slug) as unit:
        return read_show(await show_file_of(unit))


async def take_in(home: Home, rows: str) -> None:
    read = read_hotline_bytes(("工单编号,标题,诉求内容,点赞数\n" + rows).encode())
    assert not read.refusals
    items = incoming(read.items, home.house, "private")
    by, source = home.person("office", "host"), Source("hotline-12345", "a.csv")
    await import_questions(home.house, by, home.slug, source, items)


async def test_the_queue_keeps_its_order(tmp_path: Path) -> None:
    show = SMALL_SHOW.rstrip() + "".join(QUEUED.format(n=n).rstrip() for n in (4, 5, 6)) + "\n"
    async with home(tmp_path, show=show) as here:
        queue = (await here.view()).queue
        moved = [queue.ids[2], queue.ids[0], queue.ids[3], queue.ids[1]]
        moderator = here.person("moderator")
        await order_queue(here.house, moderator, here.slug, moved, queue.version)
        written = await exported(here)
    ids = [question.external_id for question in written.questions]
    assert ids == ["LX-001", "LX-003", "LX-005", "LX-002", "LX-006", "LX-004"]
    assert [q.status for q in written.questions] == ["approved", "received", *["queued"] * 4]


async def test_people_agenda_and_questions_come_out_as_they_were_written(tmp_path: Path) -> None:
    show = SMALL_SHOW.rstrip() + QUEUED.format(n=4).rstrip() + "\n    likes: 214\n"
    show = "reviews: [verification]\nshortlist_in_advance: true\n" + show.replace(
        "水务局}", "水务局, aliases: [水务集团, 供水公司]}", 1
    )
    before = read_show(show)
    assert before.subjects[0].aliases == ("水务集团", "供水公司")
    async with home(tmp_path, show=show) as here:
        async with here.building.store.look(slug=here.slug) as unit:
            assert await asked_for(unit) == Asked(verification=True)
            assert await in_advance(unit)
        written = await exported(here)
        (queued,) = [q for q in (await here.view()).queue.questions if q.external_id == "LX-004"]
    for part in ("reviews", "shortlist_in_advance", "subjects", "items", "groups", "seats"):
        assert getattr(written, part) == getattr(before, part), part
    assert [q.likes for q in written.questions if q.external_id == "LX-004"] == [214]
    assert queued.support == 0  # Likes where a letter comes from are nobody's 同问 here.


async def test_what_a_hotline_file_may_hold_can_be_written(tmp_path: Path) -> None:
    number, title = "N" * 128, "题" * 300
    async with home(tmp_path) as here:
        await take_in(here, f'{number},"{title}",路灯不亮，请处理。,1000000000\n')
        written = await exported(here)
    question = next(q for q in written.questions if q.external_id == number)
    assert question.title == "题" * 120
    assert question.likes == 1_000_000_000
    assert question.text == "路灯不亮，请处理。"


async def test_a_question_that_was_not_typed_yet_is_left_out(tmp_path: Path) -> None:
    async with home(tmp_path) as here:
        await here.go_live()
        before = await exported(here)
        await ask_off_the_cuff(here.house, here.person("host"), here.slug, "主持人", None)
        assert (await here.view()).stage.question.text == ""
        assert (await exported(here)).questions == before.questions


async def test_more_than_a_file_holds_is_refused(tmp_path: Path) -> None:
    rows = "".join(f"M-{n:04d},,{'长' * 900}{n},0\n" for n in range(400))
    async with home(tmp_path) as here:
        await take_in(here, rows)
        with pytest.raises(Refusal) as refused:
            await exported(here)
    assert refused.value.code == "show_unwritable"
    assert refused.value.message("zh") == "这场评议写不成一个议程文件：文件超过 1000000 字节。"


async def test_a_round_that_the_format_does_not_know_is_named(tmp_path: Path) -> None:
    rules = {
        "version": 1,
        "scale": {"kind": "number", "min": "0", "max": "10"},
        "dimensions": [{"key": "履职"}],
    }
    new = NewRound("测评", "panel", subjects=("water",), rules=rules, labels={"履职": "履职尽责"})
    async with home(tmp_path) as here:
        await create_round(here.house, here.person("host"), here.slug, new)
        with pytest.raises(Refusal) as refused:
            await exported(here)
    assert refused.value.message("en") == (
        "This hearing cannot be written as one show file:"
        " rounds[3].labels.履职: must be 1–40 of a–z, 0–9, hyphen and underscore."
    )


async def test_blanks_around_the_words_of_a_round_are_no_hindrance(tmp_path: Path) -> None:
    new = NewRound("评价", "public", choices=(("yes", " 满意"), ("no", "不满意 ")))
    async with home(tmp_path) as here:
        await create_round(here.house, here.person("host"), here.slug, new)
        written = await exported(here)
    assert [choice.label for choice in written.rounds[-1].choices] == ["满意", "不满意"]
