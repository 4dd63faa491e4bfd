"""What an official's office was sent, and what it replied, from the preparation through a rehearsal into the
real run; and bulk acts that are taken back there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from server.actions import moderate_many, moderate_question, send_brief
from server.actions.change_status import change_status
from server.actions.edit_question import edit_question
from server.actions.start_run import start_run
from server.domain.brief import Sent
from server.domain.desk import Filters
from server.domain.questions import Question
from server.domain.refusals import Refusal
from server.domain.roles import Actor
from tests.house import Home

pytestmark = pytest.mark.anyio
WORDING, REPLY = "水质异常的处理结果多久公开一次？", "处理结果每周在公众号公布。"


async def standing(at: Home, external: str = "LX-001") -> Question:
    """The question of the run that is shown."""
    async with at.building.store.look(slug=at.slug) as unit:
        page = await unit.desk.page(Filters(size=500))
    return next(q for q in page if q.external_id == external)


async def office_of(at: Home) -> Actor:
    """The water bureau's office, as its card opens it."""
    async with at.building.store.look(slug=at.slug) as unit:
        for id_ in range(1, 50):
            if await unit.people.subject_key(id_) == "water":
                return replace(at.person("subject", name="water"), subject=id_)
    raise AssertionError


async def sent(at: Home) -> None:
    """The water bureau's office was sent one line."""
    li = at.person("moderator", name="li")
    one = await standing(at)
    await moderate_question.shortlist_question(at.house, li, at.slug, one.id, "water")
    version = (await standing(at)).version
    await edit_question(at.house, li, at.slug, one.id, version, text=WORDING)
    await send_brief.switch_brief(at.house, li, at.slug, True)
    await send_again(at)


async def send_again(at: Home) -> None:
    async with at.building.store.look(slug=at.slug, line=True) as unit:
        now = await unit.briefs.now("water")
    li = at.person("moderator", name="li")
    await send_brief.send_brief(at.house, li, at.slug, "water", now.hash)


async def read(at: Home, by: Actor) -> Sent | None:
    async with at.building.store.look(slug=at.slug, line=True) as unit:
        return (await send_brief.read_brief(unit, by))[1]


async def told(at: Home, by: Actor) -> Any:
    found = await read(at, by)
    return found and ([one.wording for one in found.lines], dict(found.replies))


async def test_what_was_sent_and_replied_in_the_preparation_is_there_in_the_real_run(
    lanxi: Home,
) -> None:
    host, office = lanxi.person("host", "office"), await office_of(lanxi)
    await sent(lanxi)
    await send_brief.propose_reply(lanxi.house, office, lanxi.slug, 1, REPLY)
    await change_status(lanxi.house, host, lanxi.slug, "ready", 0)
    for kind in ("rehearsal", "real"):
        await start_run(lanxi.house, host, lanxi.slug, kind)
        assert await told(lanxi, office) == ([WORDING], {1: REPLY})
    # The desk sees the same there, and it can still be taken back.
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        assert (await send_brief.preview(unit, "water"))["sent"]["lines"][0]["reply"] == REPLY
    li = lanxi.person("moderator", name="li")
    await send_brief.take_brief_back(lanxi.house, li, lanxi.slug, "water")
    assert await told(lanxi, office) is None


async def test_a_draft_waits_at_the_desk_until_a_moderator_replies_and_not_in_a_rehearsal(
    lanxi: Home,
) -> None:
    host, office = lanxi.person("host", "office"), await office_of(lanxi)
    li = lanxi.person("moderator", name="li")

    async def waiting(by: Actor = li) -> dict[int, str]:
        async with lanxi.building.store.look(slug=lanxi.slug) as unit:
            return await send_brief.drafts(unit, by)

    await sent(lanxi)
    assert await waiting() == {}
    await send_brief.propose_reply(lanxi.house, office, lanxi.slug, 1, REPLY)
    assert await waiting() == {(await standing(lanxi)).id: REPLY}
    assert await waiting(office) == {}
    await send_again(lanxi)  # Of what the office reads now there is none.
    assert await waiting() == {}
    await send_brief.propose_reply(lanxi.house, office, lanxi.slug, 1, REPLY)
    await change_status(lanxi.house, host, lanxi.slug, "ready", 0)
    await start_run(lanxi.house, host, lanxi.slug, "rehearsal")
    assert await waiting() == {}
    await start_run(lanxi.house, host, lanxi.slug, "real")
    one = await standing(lanxi)
    assert await waiting() == {one.id: REPLY}
    await moderate_question.reply_in_writing(lanxi.house, li, lanxi.slug, one.id, REPLY)
    assert await waiting() == {}


async def test_an_office_replies_in_earnest_while_a_rehearsal_is_shown(lanxi: Home) -> None:
    host, office = lanxi.person("host", "office"), await office_of(lanxi)
    li = lanxi.person("moderator", name="li")
    await sent(lanxi)
    await change_status(lanxi.house, host, lanxi.slug, "ready", 0)
    await start_run(lanxi.house, host, lanxi.slug, "rehearsal")
    await send_brief.propose_reply(lanxi.house, office, lanxi.slug, 1, REPLY)
    # What the desk practises on its copy changes nothing of what would be sent.
    copy = await standing(lanxi)
    await edit_question(
        lanxi.house, li, lanxi.slug, copy.id, copy.version, text="练习时改的表述是什么？"
    )
    await send_again(lanxi)
    assert await told(lanxi, office) == ([WORDING], {})
    await send_brief.propose_reply(lanxi.house, office, lanxi.slug, 1, REPLY)
    await start_run(lanxi.house, host, lanxi.slug, "real")
    assert await told(lanxi, office) == ([WORDING], {1: REPLY})
    found = await read(lanxi, office)
    assert found is not None
    assert found.ids == ((await standing(lanxi)).id,)


async def test_a_bulk_act_of_the_preparation_is_taken_back_in_the_real_run(lanxi: Home) -> None:
    li, host = lanxi.person("moderator", name="li"), lanxi.person("host", "office")
    await lanxi.settle()
    one = await standing(lanxi, "LX-003")
    done = await moderate_many.moderate_many(
        lanxi.house, li, lanxi.slug, moderate_many.Bulk("approve", (one.id,))
    )
    await change_status(lanxi.house, host, lanxi.slug, "ready", 0)
    await start_run(lanxi.house, host, lanxi.slug, "real")
    assert (await standing(lanxi, "LX-003")).status == "approved"
    undo = done.body["undo"]
    await moderate_many.undo_many(lanxi.house, li, lanxi.slug, undo)
    assert (await standing(lanxi, "LX-003")).status == "screened"
    with pytest.raises(Refusal, match="bulk_undone"):
        await moderate_many.undo_many(lanxi.house, li, lanxi.slug, undo)
