"""An original is read with a right and a reason, each time in the journal, and kept nowhere else."""

from __future__ import annotations

import hashlib
from dataclasses import fields, replace

import pytest

from moderation.intake.normal_form import IncomingItem
from moderation.take_in import incoming
from server.actions.ask_question import question_of
from server.actions.edit_question import edit_question
from server.actions.import_questions import Source, import_questions
from server.actions.manage_sources import add_source
from server.actions.take_pushed import take_pushed
from server.actions.unmask_question import REASON_LONGEST, unmask_question
from server.domain.journal import canonical
from server.domain.refusals import Refusal
from server.domain.roles import ROLES
from server.identity.secrets import Keys
from tests.house import Home

pytestmark = pytest.mark.anyio

WHY = "需要回访诉求人"
ITEM = IncomingItem(
    row=1,
    external_id="LX-900",
    content="我是逄小路，电话13900000000，家住甲路3栋2单元501室，路灯不亮。",
    title="逄小路反映路灯",
    requester_name="逄小路",
    requester_phone="13900000000",
    location="甲路3栋2单元501室",
    extra={"家庭住址": "甲路3栋"},
)


async def taken_in(lanxi: Home, item: IncomingItem = ITEM) -> int:
    """The item as a question; its id."""
    made = incoming([item], lanxi.house, "private")
    await import_questions(
        lanxi.house, lanxi.person("moderator"), lanxi.slug, Source("hotline-12345"), made
    )
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        found = await unit.questions.by_numbers("hotline-12345", [item.external_id])
    return found[item.external_id][0]


@pytest.mark.parametrize("role", ["moderator", "office"])
async def test_the_original_comes_back_whole(lanxi: Home, role: str) -> None:
    id_ = await taken_in(lanxi)
    told = await unmask_question(lanxi.house, lanxi.person(role), lanxi.slug, id_, WHY)
    assert told.body["text"] == ITEM.content
    assert told.body["wordings"] == [{"version": 1, "text": ITEM.content}]
    assert told.body["fields"] == {
        "title": ITEM.title,
        "requester_name": "逄小路",
        "requester_phone": "13900000000",
        "location": ITEM.location,
        "extra.家庭住址": "甲路3栋",
    }


async def test_each_reading_is_an_entry_with_its_reason_and_without_the_original(
    lanxi: Home,
) -> None:
    id_ = await taken_in(lanxi)
    desk = lanxi.person("moderator")
    for why in (WHY, f"  核实{ITEM.requester_phone}\n"):
        await unmask_question(lanxi.house, desk, lanxi.slug, id_, why)
    entries = [one for one in await lanxi.entries() if one.event == "question_unmasked"]
    assert [one.body["reason"] for one in entries] == [WHY, "核实[手机号]"]
    assert {(one.actor, one.role, one.body["id"]) for one in entries} == {
        (desk.id, "moderator", id_)
    }
    for secret in ("逄小路", "13900000000", "501室"):
        assert not any(secret in str(one.body) for one in entries)
    assert not any(one.rooms for one in entries)


async def test_who_has_no_right_reads_nothing(lanxi: Home) -> None:
    id_ = await taken_in(lanxi)
    for role in set(ROLES) - {"moderator", "office"}:
        with pytest.raises(Refusal, match=r"not_allowed|not_found"):
            await unmask_question(lanxi.house, lanxi.person(role), lanxi.slug, id_, WHY)
    assert not [one for one in await lanxi.entries() if one.event == "question_unmasked"]


@pytest.mark.parametrize(
    ("why", "code"),
    [
        ("", "text_too_short"),
        (" 看一下 ", "text_too_short"),
        ("字" * (REASON_LONGEST + 1), "text_too_long"),
    ],
)
async def test_a_reason_is_needed(lanxi: Home, why: str, code: str) -> None:
    id_ = await taken_in(lanxi)
    with pytest.raises(Refusal, match=code):
        await unmask_question(lanxi.house, lanxi.person("moderator"), lanxi.slug, id_, why)


async def test_of_another_question_there_is_nothing(lanxi: Home) -> None:
    with pytest.raises(Refusal, match="not_found"):
        await unmask_question(lanxi.house, lanxi.person("moderator"), lanxi.slug, 999_999, WHY)


async def test_where_nothing_was_masked_the_text_itself_is_told(lanxi: Home) -> None:
    plain = IncomingItem(row=1, external_id="LX-901", content="路灯不亮，请尽快维修。")
    id_ = await taken_in(lanxi, plain)
    told = await unmask_question(lanxi.house, lanxi.person("moderator"), lanxi.slug, id_, WHY)
    assert told.body["text"] == plain.content
    assert (told.body["fields"], told.body["wordings"]) == ({}, [])


async def test_a_rewritten_wording_has_its_own_original(lanxi: Home) -> None:
    id_, desk = await taken_in(lanxi), lanxi.person("moderator")
    rewritten = "请致电13900000001核实。"
    await lanxi.settle()  # The screener has seen it: its version changes no more by itself.
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        question = await unit.questions.get(id_)
    assert question is not None
    await edit_question(lanxi.house, desk, lanxi.slug, id_, question.version, text=rewritten)
    told = await unmask_question(lanxi.house, desk, lanxi.slug, id_, WHY)
    assert told.body["text"] == ITEM.content
    assert [one["text"] for one in told.body["wordings"]] == [ITEM.content, rewritten]


async def test_a_packed_message_is_no_field(lanxi: Home) -> None:
    made = incoming(
        [replace(ITEM, external_id="LX-902")],
        replace(lanxi.house, seal=lambda sealed: lanxi.house.seal({**sealed, "letter": "eJw="})),
        "private",
    )
    await import_questions(
        lanxi.house, lanxi.person("moderator"), lanxi.slug, Source("hotline-12345"), made
    )
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        id_ = (await unit.questions.by_numbers("hotline-12345", ["LX-902"]))["LX-902"][0]
    told = await unmask_question(lanxi.house, lanxi.person("moderator"), lanxi.slug, id_, WHY)
    assert "letter" not in told.body["fields"]


async def test_nothing_is_kept_that_numbers_could_be_tried_against(lanxi: Home) -> None:
    """A hash without a secret tells whoever reads the database when he has guessed a number."""
    said = {one.name: getattr(ITEM, one.name) for one in fields(ITEM) if one.name != "row"}
    said = {name: list(one) if isinstance(one, tuple) else one for name, one in said.items()}
    viewer, key, body = "v", "key-00000001", b"13900000000"
    other = Keys(b"another secret")
    ours, theirs = (incoming([ITEM], keys, "private")[0].digest for keys in (lanxi.house, other))
    assert hashlib.sha256(canonical(said)).hexdigest()[:32] not in (ours, theirs)
    assert ours != theirs
    asked = question_of(lanxi.house, viewer, key, lanxi.slug, "请致电13900000000。", None)
    sent = canonical(["请致电13900000000。", None, None])
    assert asked.digest != hashlib.sha256(sent).hexdigest()
    office = lanxi.person("office")
    await add_source(lanxi.house, office, lanxi.slug, "pushed", "推送", "push", "hotline", {})
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        source = await unit.sources.get("pushed")
    assert source is not None
    for _ in range(2):  # Its repeat is known all the same.
        await take_pushed(lanxi.house, source.address, "m-1", body, [], [], 0)
    with pytest.raises(Refusal, match="key_reused"):
        await take_pushed(lanxi.house, source.address, "m-1", body + b"1", [], [], 0)
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        kept = await unit.sources.message(source.id, "m-1")
    assert kept is not None
    assert kept[0] != hashlib.sha256(body).hexdigest()
