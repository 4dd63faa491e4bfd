"""What moderators do together: claims, bulk acts and their undoing, questions written from orders, 核实 and
复核, and what goes to the duty person."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from server.actions import (
    claim_question,
    escalate_question,
    moderate_many,
    moderate_question,
    review_question,
    take_question,
)
from server.actions.change_status import change_status
from server.actions.edit_question import edit_question
from server.actions.find_twins import group_questions, index_questions
from server.actions.import_questions import Source, import_questions
from server.actions.merge_questions import merge_question, unmerge_question
from server.actions.moderate_many import Bulk
from server.actions.name_units import name_units
from server.actions.start_run import start_run
from server.actions.write_question import write_question
from server.domain.claims import LAPSES_MS, Claim
from server.domain.desk import Filters, cursor_of
from server.domain.incoming import Incoming
from server.domain.questions import Question
from server.domain.refusals import Refusal
from server.domain.roles import Actor
from tests.house import Home

pytestmark = pytest.mark.anyio
SOURCE = Source("hotline-1")


def order(name: str, text: str = "", person: str = "", **fields: str) -> Incoming:
    said = text or f"{name} 路公交为什么减班？"
    return Incoming(f"M-{name}", said, "", 0, fields, f"{name}{said}{fields}", person=person)


async def bring(lanxi: Home, *items: Incoming) -> dict[str, Question]:
    await import_questions(lanxi.house, lanxi.person("moderator"), lanxi.slug, SOURCE, items)
    await lanxi.settle()
    return await standing(lanxi)


async def standing(lanxi: Home, **filters: Any) -> dict[str, Question]:
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        page = await unit.desk.page(Filters(source=SOURCE.key, size=500, **filters))
    return {q.external_id.removeprefix("M-"): q for q in page}


async def one(lanxi: Home, id_: int) -> Question:
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        found = await unit.questions.get(id_)
    assert found is not None
    return found


def people(lanxi: Home) -> tuple[Actor, Actor]:
    return lanxi.person("moderator", name="li"), lanxi.person("moderator", name="wang")


# ── claims ──


async def test_nobody_else_decides_about_what_somebody_works_on(lanxi: Home) -> None:
    li, wang = people(lanxi)
    found = await bring(lanxi, order("a"), order("b"))
    a, b = found["a"].id, found["b"].id
    await claim_question.claim_question(lanxi.house, li, lanxi.slug, a)
    before = await one(lanxi, a)
    acts = [
        moderate_question.approve_question(lanxi.house, wang, lanxi.slug, a),
        moderate_question.reject_question(lanxi.house, wang, lanxi.slug, a, "unclear"),
        merge_question(lanxi.house, wang, lanxi.slug, a, b),
        edit_question(lanxi.house, wang, lanxi.slug, a, before.version, text="另一种说法"),
        claim_question.claim_question(lanxi.house, wang, lanxi.slug, a),
        review_question.verify_question(lanxi.house, wang, lanxi.slug, a, "confirmed", ""),
    ]
    for act in acts:
        with pytest.raises(Refusal) as refused:
            await act
        assert (refused.value.code, refused.value.detail) == ("question_claimed", {"name": "li"})
    assert replace(await one(lanxi, a), cluster=before.cluster) == before
    bulk = await moderate_many.moderate_many(lanxi.house, wang, lanxi.slug, Bulk("approve", (a, b)))
    assert [one["id"] for one in bulk.body["done"]] == [b]
    assert [(one["id"], one["code"]) for one in bulk.body["refused"]] == [(a, "question_claimed")]
    # Whoever holds it decides, and it is free again.
    await moderate_question.approve_question(lanxi.house, li, lanxi.slug, a)
    assert (await lanxi.view()).claims == ()
    await moderate_question.shortlist_question(lanxi.house, wang, lanxi.slug, a, None)


async def test_nobody_else_takes_a_merge_back_while_somebody_works_on_it(lanxi: Home) -> None:
    li, wang = people(lanxi)
    house, slug = lanxi.house, lanxi.slug
    found = await bring(lanxi, order("a"), order("b"))
    a, b = found["a"].id, found["b"].id
    await merge_question(house, li, slug, a, b)
    await claim_question.claim_question(house, li, slug, a)
    with pytest.raises(Refusal, match="question_claimed"):
        await unmerge_question(house, wang, slug, a)
    assert (await one(lanxi, b)).askers == 2
    await unmerge_question(house, li, slug, a)
    assert (await lanxi.view()).claims == ()


async def test_a_claim_is_taken_over_given_back_and_lapses(lanxi: Home) -> None:
    li, wang = people(lanxi)
    a = (await bring(lanxi, order("a")))["a"].id
    await claim_question.claim_question(lanxi.house, li, lanxi.slug, a)
    await claim_question.claim_question(
        lanxi.house, li, lanxi.slug, a
    )  # renewed: no entry of its own
    await claim_question.claim_question(lanxi.house, wang, lanxi.slug, a, take_over=True)
    await claim_question.let_go_of_question(lanxi.house, li, lanxi.slug, a)  # not li's any more
    assert [(one.question, one.name) for one in (await lanxi.view()).claims] == [(a, "wang")]
    await claim_question.let_go_of_question(lanxi.house, wang, lanxi.slug, a)
    assert (await lanxi.view()).claims == ()
    told = [e for e in await lanxi.entries() if e.event.startswith("question_")]
    assert [(e.event, e.actor, e.body.get("before")) for e in told if e.body.get("id") == a] == [
        ("question_claimed", li.id, None),
        ("question_claimed", wang.id, li.id),
        ("question_let_go", wang.id, None),
    ]
    async with lanxi.building.store.act(slug=lanxi.slug) as unit:
        await unit.claims.put(
            Claim(a, li.id, li.name, lanxi.house.now() - LAPSES_MS - 1, firm=True)
        )
    await moderate_question.approve_question(lanxi.house, wang, lanxi.slug, a)


async def test_who_only_has_it_open_is_shown_and_keeps_nobody_away(lanxi: Home) -> None:
    li, wang = people(lanxi)
    a = (await bring(lanxi, order("a")))["a"].id
    house, slug = lanxi.house, lanxi.slug
    await claim_question.claim_question(house, li, slug, a, firm=False)
    assert [(one.name, one.firm) for one in (await lanxi.view()).claims] == [("li", False)]
    await claim_question.claim_question(house, li, slug, a)
    await claim_question.claim_question(
        house, li, slug, a, firm=False
    )  # renewed, as firm as it was
    with pytest.raises(Refusal, match="question_claimed"):
        await moderate_question.approve_question(house, wang, slug, a)
    await claim_question.let_go_of_question(house, li, slug, a)
    await claim_question.claim_question(house, li, slug, a, firm=False)
    await moderate_question.approve_question(house, wang, slug, a)


async def test_mine_are_those_that_i_work_on(lanxi: Home) -> None:
    li, wang = people(lanxi)
    found = await bring(lanxi, order("a"), order("b"), order("c"))
    await claim_question.claim_question(lanxi.house, li, lanxi.slug, found["a"].id)
    await claim_question.claim_question(lanxi.house, wang, lanxi.slug, found["b"].id)
    assert set(await standing(lanxi, mine=li.id)) == {"a"}


# ── many at once ──


async def test_a_bulk_act_is_taken_back_whole_but_for_what_was_worked_on_since(lanxi: Home) -> None:
    li, wang = people(lanxi)
    found = await bring(lanxi, *(order(name) for name in "abcd"))
    ids = tuple(found[name].id for name in "abcd")
    house, slug = lanxi.house, lanxi.slug
    for bulk, status in (
        (Bulk("approve", ids), "approved"),
        (Bulk("reject", ids, reason="unclear"), "rejected"),
        (Bulk("assign", ids, subject="water"), "screened"),
        (Bulk("tag", ids, tags=("公交",)), "screened"),
        (Bulk("merge", ids, into=ids[3]), "merged"),
    ):
        before = {q.id: q for q in (await standing(lanxi)).values()}
        done = (await moderate_many.moderate_many(house, li, slug, bulk)).body
        assert not done["refused"]
        assert {(await one(lanxi, each["id"])).status for each in done["done"]} == {status}
        back = (await moderate_many.undo_many(house, li, slug, done["undo"])).body
        assert not back["refused"]
        after = {q.id: q for q in (await standing(lanxi)).values()}
        for id_ in ids:
            kept = ("status", "text", "subject", "tags", "askers", "likes", "reason", "merged_into")
            for name in kept:
                assert getattr(after[id_], name) == getattr(before[id_], name), (bulk.act, name)
        with pytest.raises(Refusal, match="bulk_undone"):
            await moderate_many.undo_many(house, li, slug, done["undo"])
    many = tuple(f"第{n}组" for n in range(20))
    await moderate_many.moderate_many(house, li, slug, Bulk("tag", ids[:1], tags=many))
    one_more = await moderate_many.moderate_many(
        house, li, slug, Bulk("tag", ids[:2], tags=("公交",))
    )
    assert [each["code"] for each in one_more.body["refused"]] == ["tags_too_many"]
    done = (await moderate_many.moderate_many(house, li, slug, Bulk("approve", ids[:1]))).body
    await claim_question.claim_question(house, wang, slug, ids[0])
    assert not (await moderate_many.undo_many(house, li, slug, done["undo"])).body["done"]
    await claim_question.let_go_of_question(house, wang, slug, ids[0])
    assert (await moderate_many.undo_many(house, li, slug, done["undo"])).body["done"]
    done = (await moderate_many.moderate_many(house, li, slug, Bulk("approve", ids))).body
    await moderate_question.shortlist_question(house, wang, slug, ids[1], None)
    with pytest.raises(Refusal, match="not_found"):  # It is li's act.
        await moderate_many.undo_many(house, wang, slug, done["undo"])
    back = (await moderate_many.undo_many(house, li, slug, done["undo"])).body
    assert [(one["id"], one["code"]) for one in back["refused"]] == [(ids[1], "version_stale")]
    states = [(await one(lanxi, id_)).status for id_ in ids]
    assert states == ["screened", "shortlisted", "screened", "screened"]


async def test_one_act_is_taken_back_unless_the_question_was_worked_on_since(lanxi: Home) -> None:
    li, wang = people(lanxi)
    found = await bring(lanxi, *(order(name) for name in "abcd"))
    house, slug = lanxi.house, lanxi.slug
    ids = {name: found[name].id for name in "abcd"}
    await moderate_question.approve_question(house, li, slug, ids["a"])
    await moderate_question.reject_question(house, li, slug, ids["b"], "unclear")
    await merge_question(house, li, slug, ids["c"], ids["a"])
    await moderate_question.approve_question(house, li, slug, ids["d"])
    await moderate_question.shortlist_question(house, li, slug, ids["d"], None)
    backs = {
        "a": moderate_question.unapprove_question,
        "b": moderate_question.unreject_question,
        "c": unmerge_question,
        "d": moderate_question.unshortlist_question,
    }
    for name, back in backs.items():
        now = await one(lanxi, ids[name])
        with pytest.raises(Refusal, match="version_stale"):
            await back(house, wang, slug, now.id, version=now.version - 1)
        # Groups are found by a loop of their own meanwhile.
        assert replace(await one(lanxi, now.id), cluster=None) == replace(now, cluster=None)
        await back(house, li, slug, now.id, version=now.version)
        assert (await one(lanxi, now.id)).status != now.status


async def test_a_bulk_act_that_makes_no_sense_changes_nothing(lanxi: Home) -> None:
    li, _ = people(lanxi)
    found = await bring(lanxi, order("a"), order("b"))
    ids = (found["a"].id, found["b"].id)
    for bulk, code in (
        (Bulk("reject", ids, reason="whim"), "reason_unknown"),
        (Bulk("assign", ids, subject="nobody"), "subject_unknown"),
        (Bulk("merge", ids), "malformed"),
        (Bulk("delete", ids), "malformed"),
        (Bulk("approve", ()), "malformed"),
    ):
        with pytest.raises(Refusal) as refused:
            await moderate_many.moderate_many(lanxi.house, li, lanxi.slug, bulk)
        assert refused.value.code == code
    mixed = Bulk("approve", (*ids, 2**30))
    done = (await moderate_many.moderate_many(lanxi.house, li, lanxi.slug, mixed)).body
    assert [(each["id"], each["code"]) for each in done["refused"]] == [(2**30, "not_found")]
    assert len(done["done"]) == 2


# ── people, not messages ──


async def test_who_wrote_three_times_is_one_person_behind_a_question(lanxi: Home) -> None:
    li, _ = people(lanxi)
    found = await bring(
        lanxi,
        order("a", person="p.1"), order("b", person="p.1"), order("c", person="p.2"),
        order("d"), order("e", person="p.1"), order("f", person="p.2"),
    )  # fmt: skip
    into = found["a"].id
    for name in "bcd":
        await merge_question(lanxi.house, li, lanxi.slug, found[name].id, into)
    assert (await one(lanxi, into)).askers == 3  # 1, 2, and somebody unknown
    await merge_question(lanxi.house, li, lanxi.slug, found["f"].id, found["e"].id)
    await merge_question(lanxi.house, li, lanxi.slug, found["e"].id, into)
    assert (await one(lanxi, into)).askers == 3  # 1 and 2 stand behind it already
    for name in "ebcd":
        await unmerge_question(lanxi.house, li, lanxi.slug, found[name].id)
    await unmerge_question(lanxi.house, li, lanxi.slug, found["f"].id)
    assert {q.askers for q in (await standing(lanxi)).values()} == {1}


async def test_who_stands_behind_two_merged_orders_is_counted_while_one_of_them_is_left(
    lanxi: Home,
) -> None:
    li, _ = people(lanxi)
    house, slug = lanxi.house, lanxi.slug
    found = await bring(
        lanxi, order("a", person="p.1"), order("b", person="p.2"), order("c", person="p.2"),
        order("d", person="p.2"), order("e", person="p.3"),
    )  # fmt: skip
    into = found["a"].id
    for name in "bcde":
        await merge_question(house, li, slug, found[name].id, into)
    counted = [(await one(lanxi, into)).askers]
    for name in "bdce":
        await unmerge_question(house, li, slug, found[name].id)
        counted.append((await one(lanxi, into)).askers)
    assert counted == [3, 3, 3, 2, 1]
    assert {q.askers for q in (await standing(lanxi)).values()} == {1}


async def test_a_question_is_written_from_orders_and_counts_their_people(lanxi: Home) -> None:
    li, _ = people(lanxi)
    found = await bring(
        lanxi,
        order("a", person="p.1", district="城东区"), order("b", person="p.1", district="城东区"),
        order("c", person="p.2", district="城东区"),
    )  # fmt: skip
    ids = [found[name].id for name in "abc"]
    made = await write_question(
        lanxi.house, li, lanxi.slug, "请问城东区公交减班后如何保障出行？", ids, subject="water"
    )
    question = await one(lanxi, made.body["id"])
    assert made.status == 201
    assert (question.status, question.source, question.askers) == ("approved", "desk", 2)
    assert (question.subject, question.district) == ("water", "城东区")
    assert {q.merged_into for q in (await standing(lanxi)).values()} == {question.code}
    linked = await standing(lanxi, merged_into=question.code)
    assert set(linked) == {"a", "b", "c"}
    await unmerge_question(lanxi.house, li, lanxi.slug, ids[2])
    assert (await one(lanxi, question.id)).askers == 1
    with pytest.raises(Refusal, match="question_step_illegal"):  # b is merged already
        await write_question(lanxi.house, li, lanxi.slug, "再写一问试试", [ids[2], ids[1]])
    assert (await one(lanxi, ids[2])).status == "screened"  # nothing of it was kept
    assert (await lanxi.view()).counts.get("approved", 0) == sum(
        q.status == "approved" for q in (await lanxi.view()).questions
    )


# ── groups ──


async def test_questions_that_ask_alike_are_one_group_with_the_unsolved_and_repeated_first(
    lanxi: Home,
) -> None:
    lamp, noise = (
        "东街从邮局到桥头的路灯不亮已经一个月，请问由谁维修？",
        "楼下广场舞每晚到十一点，噪声扰民。",
    )
    found = await bring(
        lanxi,
        order("n1", noise, "p.1", resolved="已解决"), order("n2", noise, "p.2", resolved="解决"),
        order("n3", noise, "p.3"),
        order("l1", lamp, "p.4", resolved="未解决"), order("l2", lamp + "谢谢。", "p.4"),
        order("x", "公园的长椅坏了。", "p.5"),
    )  # fmt: skip
    while await index_questions(lanxi.house, lanxi.slug):
        pass
    while await group_questions(lanxi.house, lanxi.slug):
        pass
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        groups = await unit.desk.groups()
    told = [(g.questions, g.people, g.unsolved, g.solved, g.repeated) for g in groups]
    assert told == [(2, 1, 1, 0, True), (3, 3, 0, 2, False)]
    assert groups[0].newest == found["l2"].id
    listed = await standing(lanxi, cluster=groups[1].cluster)
    assert set(listed) == {"n1", "n2", "n3"}
    await name_units(lanxi.house, lanxi.person("office"), lanxi.slug, "water", ["市水务"])
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        assert await unit.desk.groups("water") == ()
        assert len(await unit.desk.groups("-")) == 2


async def test_an_order_is_proposed_for_whose_unit_it_names(lanxi: Home) -> None:
    office = lanxi.person("office")
    found = await bring(lanxi, order("a", agency="市水务中心"), order("b", agency="市交警支队"))
    assert {q.proposed for q in found.values()} == {None}
    await name_units(lanxi.house, office, lanxi.slug, "water", ["市水务中心", " 市水务中心 ", ""])
    found = await bring(lanxi, order("c", agency="兰溪市水务中心"))
    assert {name: q.proposed for name, q in found.items()} == {
        "a": "water",
        "b": None,
        "c": "water",
    }
    assert set(await standing(lanxi, subject="water")) == {"a", "c"}
    assert set(await standing(lanxi, subject="-")) == {"b"}
    assert (await lanxi.view()).subject("water").aliases == ("市水务中心",)
    for name in ("市水务中心", "岚溪县水务局"):
        with pytest.raises(Refusal, match="alias_taken"):
            await name_units(lanxi.house, office, lanxi.slug, "roads", [name])
    await name_units(lanxi.house, office, lanxi.slug, "water", [])
    assert set(await standing(lanxi, subject="-")) == {"a", "b", "c"}


# ── before the stage ──


async def on_stage(lanxi: Home, id_: int, override: str = "") -> str:
    """What became of putting it there: its status, or the refusal's code."""
    host = lanxi.person("host", name="host")
    try:
        await take_question.take_question(
            lanxi.house, host, lanxi.slug, id_, None, override=override
        )
    except Refusal as refusal:
        return refusal.code
    status = (await one(lanxi, id_)).status
    await take_question.pull_question(lanxi.house, host, lanxi.slug, "deferred")
    return status


async def test_the_stage_asks_for_a_second_pair_of_eyes_and_for_the_facts(lanxi: Home) -> None:
    li, wang = people(lanxi)
    house, slug = lanxi.house, lanxi.slug
    found = await bring(lanxi, order("a"))
    await lanxi.go_live()
    a = (await standing(lanxi))["a"].id
    await moderate_question.approve_question(house, li, slug, a)
    assert await on_stage(lanxi, a) == "on_stage"
    await review_question.ask_for_reviews(house, lanxi.person("office"), slug, True, True)
    assert await on_stage(lanxi, a) == "not_seconded"
    with pytest.raises(Refusal, match="second_same_person"):
        await review_question.second_question(house, li, slug, a)
    await review_question.second_question(house, wang, slug, a)
    assert await on_stage(lanxi, a) == "not_verified"
    await review_question.verify_question(house, wang, slug, a, "unfounded", "现场没有")
    assert await on_stage(lanxi, a) == "not_verified"
    await review_question.verify_question(house, wang, slug, a, "confirmed", "电话13912345678核实")
    verified = (await one(lanxi, a)).verification or {}
    assert verified["name"] == "wang"
    assert "13912345678" not in verified["note"]
    assert await on_stage(lanxi, a) == "on_stage"
    # Another text is another question: it is looked at anew, and not by who wrote it.
    version = (await one(lanxi, a)).version
    await edit_question(house, wang, slug, a, version, text="兰溪公交减班后如何保障出行？")
    assert await on_stage(lanxi, a) == "not_seconded"
    with pytest.raises(Refusal, match="second_same_person"):
        await review_question.second_question(house, wang, slug, a)
    assert await on_stage(lanxi, a, override="领导当场点名要问") == "on_stage"
    taken = [e for e in await lanxi.entries() if e.event == "question_taken"][-1]
    assert taken.body["override"] == "领导当场点名要问"
    assert taken.body["lacking"] == ["not_seconded", "not_verified"]
    assert taken.actor == "account:host"
    assert found


async def test_nobody_decides_about_a_text_that_was_rewritten_since_he_read_it(lanxi: Home) -> None:
    li, wang = people(lanxi)
    house, slug = lanxi.house, lanxi.slug
    read = (await bring(lanxi, order("a")))["a"]
    a, text = read.id, "公交减班后如何保障出行？"
    decide = moderate_question

    async def refused(act: Any, *more: Any) -> None:
        """The act is refused on the text that Wang read, and changes nothing; on today's text it is done."""
        before = await one(lanxi, a)
        with pytest.raises(Refusal, match="version_stale") as caught:
            await act(house, wang, slug, a, *more, version=before.version - 1)
        assert caught.value.detail["current"]["text"] == before.text
        assert await one(lanxi, a) == before
        await act(house, wang, slug, a, *more, version=before.version)

    await edit_question(house, li, slug, a, read.version, text=text)
    await refused(decide.reject_question, "unclear")
    await decide.unreject_question(house, li, slug, a)
    await refused(decide.approve_question)
    await decide.unapprove_question(house, li, slug, a)
    await decide.approve_question(house, li, slug, a)
    await refused(review_question.verify_question, "confirmed", "")
    third = lanxi.person("moderator", name="zhang")
    now = await edit_question(house, third, slug, a, (await one(lanxi, a)).version, text=text[:-1])
    assert not now.body["seconded"]
    await refused(review_question.second_question)
    assert (await one(lanxi, a)).seconded_by == wang.id
    await refused(decide.shortlist_question, "water")
    assert (await one(lanxi, a)).status == "shortlisted"


async def test_who_wrote_a_question_does_not_second_it_whoever_approved_it(lanxi: Home) -> None:
    li, wang = people(lanxi)
    house, slug = lanxi.house, lanxi.slug
    found = await bring(lanxi, order("a"), order("b"))
    made = await write_question(
        house, li, slug, "公交减班后如何保障出行？", [q.id for q in found.values()]
    )
    written = made.body["id"]
    await moderate_question.unapprove_question(house, wang, slug, written)
    await moderate_question.approve_question(house, wang, slug, written)
    for by in (li, wang):
        with pytest.raises(Refusal, match="second_same_person"):
            await review_question.second_question(house, by, slug, written)
    third = lanxi.person("moderator", name="zhang")
    await review_question.second_question(house, third, slug, written)
    await lanxi.go_live()
    host, other = lanxi.person("host", name="host"), lanxi.person("host", name="other")
    asked = await take_question.ask_off_the_cuff(house, host, slug, 1, "现场追问：依据哪条规定？")
    await take_question.pull_question(house, host, slug, "deferred")
    with pytest.raises(Refusal, match="second_same_person"):
        await review_question.second_question(house, host, slug, asked.body["id"])
    await review_question.second_question(house, other, slug, asked.body["id"])


async def test_facts_are_verified_anew_once_the_source_sends_another_text(lanxi: Home) -> None:
    li, _ = people(lanxi)
    a = (await bring(lanxi, order("a")))["a"].id
    await review_question.verify_question(lanxi.house, li, lanxi.slug, a, "confirmed", "")
    await bring(lanxi, order("a", district="城东区"))  # It tells more and asks the same.
    assert (await one(lanxi, a)).verification
    await bring(lanxi, order("a", "另一件事：桥上的护栏断了。"))
    assert (await one(lanxi, a)).verification is None


# ── the duty person ──


async def test_what_is_escalated_is_seen_by_the_duty_person_alone(lanxi: Home) -> None:
    li, _ = people(lanxi)
    duty = lanxi.person("duty", name="duty")
    house, slug = lanxi.house, lanxi.slug
    found = await bring(lanxi, order("a", "有人扬言今晚在广场聚集闹事。", "p.1"), order("b"))
    a, b = found["a"].id, found["b"].id
    await moderate_question.approve_question(house, li, slug, a)
    with pytest.raises(Refusal, match="malformed"):
        await escalate_question.escalate_question(house, li, slug, a, "boring", "")
    made = await escalate_question.escalate_question(house, li, slug, a, "unrest", "请速看")
    assert set(await standing(lanxi)) == {"b"}
    assert set(await standing(lanxi, status=("escalated",))) == set()
    assert set(await standing(lanxi, hidden=True)) == {"a", "b"}
    for act in (
        moderate_question.close_question(house, li, slug, a, "x"),
        claim_question.claim_question(house, li, slug, a),
        merge_question(house, li, slug, a, b),
        edit_question(house, li, slug, a, 1, text="改写一下"),
        escalate_question.escalate_question(house, li, slug, a, "danger", ""),
    ):
        with pytest.raises(Refusal, match="not_found"):
            await act
    with pytest.raises(Refusal, match="not_allowed"):
        await escalate_question.acknowledge_escalation(house, li, slug, made.body["id"])
    view = await lanxi.view()
    assert all(q.id != a for q in view.questions)
    await escalate_question.acknowledge_escalation(house, duty, slug, made.body["id"])
    async with lanxi.building.store.look(slug=slug) as unit:
        (open_,) = await unit.escalations.open()
    assert (open_.seen_by, open_.kind, open_.note) == (duty.id, "unrest", "请速看")
    await escalate_question.settle_escalation(house, duty, slug, made.body["id"], "released")
    with pytest.raises(Refusal, match="escalation_settled"):
        await escalate_question.settle_escalation(house, duty, slug, made.body["id"], "released")
    assert (await one(lanxi, a)).status == "screened"
    again = await escalate_question.escalate_question(house, li, slug, a, "danger", "")
    await escalate_question.settle_escalation(house, duty, slug, again.body["id"], "handed_over")
    assert (await one(lanxi, a)).status == "handed_over"
    assert set(await standing(lanxi)) == {"b"}
    said = repr([e.body for e in await lanxi.entries()])
    assert "聚集" not in said
    assert "请速看" not in said


async def test_what_was_merged_is_escalated_as_what_it_was(lanxi: Home) -> None:
    """And what was merged into an escalated question is out of sight with it."""
    li, _ = people(lanxi)
    house, slug = lanxi.house, lanxi.slug
    found = await bring(lanxi, order("a"), order("b"), order("c"))
    a, b, c = (found[name].id for name in "abc")
    await merge_question(house, li, slug, a, b)
    await merge_question(house, li, slug, b, c)
    made = await escalate_question.escalate_question(house, li, slug, c, "danger", "")
    assert set(await standing(lanxi)) == set()
    with pytest.raises(Refusal, match="not_found"):
        await claim_question.claim_question(house, li, slug, a)
    with pytest.raises(Refusal, match="not_found"):
        await unmerge_question(house, li, slug, a)
    duty = lanxi.person("duty", name="duty")
    await escalate_question.settle_escalation(house, duty, slug, made.body["id"], "released")
    await escalate_question.escalate_question(house, li, slug, a, "danger", "")
    assert (await one(lanxi, a)).status == "escalated"
    assert set(await standing(lanxi)) == {"b", "c"}


@pytest.mark.parametrize("on_stage", [False, True])
async def test_a_merge_is_a_cue_for_the_public_where_its_people_are_shown_alone(
    lanxi: Home, on_stage: bool
) -> None:
    """Sixteen thousand phones hear of every public act: orders that are merged are none."""
    li, _ = people(lanxi)
    house, slug = lanxi.house, lanxi.slug
    found = await bring(lanxi, *(order(name) for name in "abcdef"))
    ids = [found[name].id for name in "abcdef"]
    await lanxi.go_live()
    if on_stage:
        await moderate_question.approve_question(house, li, slug, ids[0])
        await take_question.take_question(house, lanxi.person("host"), slug, ids[0], None)
    before = (await lanxi.view()).versions["public"]
    many = moderate_many.Bulk("merge", tuple(ids[1:4]), into=ids[0])
    await moderate_many.moderate_many(house, li, slug, many)
    assert (await lanxi.view()).versions["public"] == before + on_stage
    await write_question(house, li, slug, "请问公交减班后如何保障出行？", ids[4:])
    assert (await lanxi.view()).versions["public"] == before + on_stage + 1


async def test_what_a_moderator_replies_or_gives_as_a_reason_is_masked(lanxi: Home) -> None:
    """Whoever has the code reads it, and codes of public questions are on the public list."""
    li, _ = people(lanxi)
    house, slug = lanxi.house, lanxi.slug
    found = await bring(lanxi, order("a"), order("b"))
    a, b = found["a"].id, found["b"].id
    said = "已致电13900001234核实。"
    for id_ in (a, b):
        await moderate_question.approve_question(house, li, slug, id_)
    await moderate_question.reply_in_writing(house, li, slug, a, said)
    await moderate_question.close_question(house, li, slug, b, said)
    assert (await one(lanxi, a)).reply == "已致电[手机号]核实。"
    assert (await one(lanxi, b)).reason == "已致电[手机号]核实。"
    for blank in (" ", "\u200b"):
        with pytest.raises(Refusal):
            await moderate_question.close_question(house, li, slug, a, blank)


async def test_the_history_of_a_question_begins_before_the_hearing(lanxi: Home) -> None:
    li, _ = people(lanxi)
    a = (await bring(lanxi, order("a"), order("b")))["a"].id
    await claim_question.claim_question(lanxi.house, li, lanxi.slug, a)
    await moderate_question.approve_question(lanxi.house, li, lanxi.slug, a)
    await lanxi.go_live()
    await moderate_question.shortlist_question(lanxi.house, li, lanxi.slug, a, "water")
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        done = await unit.desk.history(a)
    assert [(one.event, one.body.get("act")) for one in done] == [
        ("question_claimed", None),
        ("question_approved", "approve"),
        ("question_moderated", "shortlist"),
    ]


async def test_lists_are_filtered_and_put_in_order(lanxi: Home) -> None:
    li, _ = people(lanxi)
    found = await bring(
        lanxi,
        order("a", district="城东区", resolved="未解决"), order("b", district="城西区", resolved="是"),
        order("c"), order("d"),
    )  # fmt: skip
    await merge_question(lanxi.house, li, lanxi.slug, found["c"].id, found["b"].id)
    heat = await standing(lanxi, sort="heat", status=("screened",))
    assert list(heat) == ["b", "d", "a"]
    assert list(await standing(lanxi, sort="oldest", status=("screened",))) == ["a", "b", "d"]
    assert set(await standing(lanxi, heat=2)) == {"b"}
    assert set(await standing(lanxi, district="城东区")) == {"a"}
    assert set(await standing(lanxi, unsolved=True)) == {"a"}
    now = lanxi.house.now()
    assert set(await standing(lanxi, old=now + 1)) == set(found)
    assert set(await standing(lanxi, fresh=now + 1)) == set()
    seen: list[int] = []
    cursor: int | None = None
    for _ in range(3):
        async with lanxi.building.store.look(slug=lanxi.slug) as unit:
            page = await unit.desk.page(
                Filters(source=SOURCE.key, sort="heat", status=("screened",), size=1, cursor=cursor)
            )
        cursor = cursor_of(page[-1], "heat")
        seen.append(page[-1].id)
    assert seen == [q.id for q in heat.values()]
    # A cursor of one order given to another, or one that nobody made, leads somewhere or nowhere.
    wild = 2**53 - 1
    assert set(await standing(lanxi, sort="newest", cursor=wild)) == set(found)
    assert set(await standing(lanxi, sort="heat", cursor=wild)) == set(found)
    assert set(await standing(lanxi, sort="oldest", cursor=wild)) == set()
    assert set(await standing(lanxi, sort="heat", cursor=0)) == set()
    with pytest.raises(Refusal, match="malformed"):
        Filters(sort="loudest")
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        assert set(await unit.desk.districts()) == {"城东区", "城西区"}


async def test_what_the_duty_person_gives_back_begins_again(lanxi: Home) -> None:
    li, wang = people(lanxi)
    duty = lanxi.person("duty", name="duty")
    house, slug = lanxi.house, lanxi.slug
    found = await bring(lanxi, order("a"), order("b"))
    a, b = found["a"].id, found["b"].id
    await moderate_question.approve_question(house, li, slug, a)
    await review_question.second_question(house, wang, slug, a)
    await moderate_question.reject_question(house, li, slug, b, "insulting")
    for id_ in (a, b):
        made = await escalate_question.escalate_question(house, li, slug, id_, "danger", "")
        await escalate_question.settle_escalation(house, duty, slug, made.body["id"], "released")
    # Whoever seconded it may approve it now, and is then no second person.
    await moderate_question.approve_question(house, wang, slug, a)
    assert not (await one(lanxi, a)).seconded_by
    with pytest.raises(Refusal, match="second_same_person"):
        await review_question.second_question(house, wang, slug, a)
    assert (await one(lanxi, b)).reason is None


async def test_the_duty_person_keeps_what_was_escalated_before_the_hearing_and_nothing_of_a_rehearsal(
    lanxi: Home,
) -> None:
    li, _ = people(lanxi)
    duty, host = lanxi.person("duty", name="duty"), lanxi.person("host", "office", name="host")
    house, slug = lanxi.house, lanxi.slug
    found = await bring(lanxi, order("a"), order("b"))
    kept = await escalate_question.escalate_question(house, li, slug, found["a"].id, "unrest", "")
    await change_status(house, host, slug, "ready", 0)
    await start_run(house, host, slug, "rehearsal")
    assert set(await standing(lanxi, hidden=True)) == {"b"}  # It is nothing to practise with.
    practised = (await standing(lanxi))["b"].id
    made = await escalate_question.escalate_question(house, li, slug, practised, "danger", "")
    # Somebody in danger does not wait for the end of a rehearsal.
    waiting = await escalate_question.waiting(house, duty, slug)
    assert [one.id for one, _ in waiting] == [made.body["id"], kept.body["id"]]
    assert [q.external_id for _, q in waiting] == ["M-b", "M-a"]
    with pytest.raises(Refusal, match="not_allowed"):
        await escalate_question.waiting(house, li, slug)
    await escalate_question.acknowledge_escalation(house, duty, slug, kept.body["id"])
    await escalate_question.acknowledge_escalation(house, duty, slug, made.body["id"])
    assert [one.seen_by for one, _ in await escalate_question.waiting(house, duty, slug)] == [
        duty.id
    ] * 2
    await start_run(house, host, slug, "real")
    with pytest.raises(Refusal, match="not_found"):
        await escalate_question.acknowledge_escalation(house, duty, slug, made.body["id"])
    with pytest.raises(Refusal, match="not_found"):
        await escalate_question.settle_escalation(house, duty, slug, made.body["id"], "released")
    assert set(await standing(lanxi)) == {"b"}
    await escalate_question.acknowledge_escalation(house, duty, slug, kept.body["id"])
    await escalate_question.settle_escalation(house, duty, slug, kept.body["id"], "released")
    assert {q.status for q in (await standing(lanxi)).values()} == {"screened"}


async def test_what_was_escalated_is_not_even_counted_beside_others(lanxi: Home) -> None:
    li, _ = people(lanxi)
    house, slug = lanxi.house, lanxi.slug
    found = await bring(lanxi, order("a", person="p.1"), order("b", person="p.1"))
    a, b = found["a"], found["b"]

    async def beside() -> int:
        async with lanxi.building.store.look(slug=slug) as unit:
            return int(await unit.desk.of_same_asker("p.1", b.id))

    assert await beside() == 1
    await escalate_question.escalate_question(house, li, slug, a.id, "danger", "")
    assert await beside() == 0
    # Who moderates too does not end it at the desk: that is decided where it was handed over.
    both = lanxi.person("moderator", "duty", name="both")
    for act in (
        moderate_question.close_question(house, both, slug, a.id, "已处理"),
        review_question.verify_question(house, both, slug, a.id, "confirmed", ""),
    ):
        with pytest.raises(Refusal, match="question_step_illegal"):
            await act
    assert (await one(lanxi, a.id)).status == "escalated"


async def test_a_question_that_cannot_be_written_takes_no_order_along(lanxi: Home) -> None:
    li, wang = people(lanxi)
    house, slug = lanxi.house, lanxi.slug
    found = await bring(lanxi, order("a"), order("b"))
    a, b = found["a"].id, found["b"].id
    await claim_question.claim_question(house, wang, slug, b)
    text = "公交减班后如何保障出行？"
    for said, orders, more, code in (
        ("问", [a], {}, "text_too_short"),
        ("问" * 601, [a], {}, "text_too_long_for_stage"),
        (text, [], {}, "malformed"),
        (text, [a], {"subject": "nobody"}, "subject_unknown"),
        (text, [a], {"typical": b}, "malformed"),
        (text, [a, 2**30], {}, "not_found"),
        (text, [a, b], {}, "question_claimed"),
    ):
        with pytest.raises(Refusal) as refused:
            await write_question(house, li, slug, said, orders, **more)
        assert refused.value.code == code
    assert {q.status for q in (await standing(lanxi)).values()} == {"screened"}
    async with lanxi.building.store.look(slug=slug) as unit:
        assert await unit.desk.page(Filters(source="desk")) == ()
