"""The contract of every store, spoken through the actions: SQLite and PostgreSQL alike."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from server.actions import merge_questions, moderate_question, order_queue, take_question
from server.actions.cast_ballot import cast_ballot
from server.actions.certify_round import certify_round
from server.actions.change_status import change_status
from server.actions.close_round import close_round
from server.actions.create_round import NewRound, create_round
from server.actions.edit_question import edit_question
from server.actions.move_position import move_position
from server.actions.open_round import open_round
from server.actions.publish_round import publish_round
from server.actions.start_run import start_run
from server.actions.tally_round import ballots_csv
from server.actions.void_round import void_round
from server.domain.desk import Filters
from server.domain.journal import first_break
from server.domain.public_acts import Ask, Support, Vote
from server.domain.refusals import Refusal
from server.domain.roles import Actor, Grant
from server.store.rows import table
from server.store.tables import SealedOriginal
from tests.house import Home

pytestmark = pytest.mark.anyio


async def refusal(work: Any) -> str:
    """The code with which an act is refused."""
    with pytest.raises(Refusal) as caught:
        await work
    return caught.value.code


def vote(home: Home, round_id: str, viewer: str, choice: str, key: str) -> Vote:
    return Vote(viewer, key, round_id, choice, home.house.now())


async def test_journal_is_an_unbroken_chain(lanxi: Home) -> None:
    await lanxi.go_live()
    host, desk = lanxi.person("host"), lanxi.person("moderator")
    view = await lanxi.view()
    approved = next(q for q in view.questions if q.status == "approved")
    await moderate_question.shortlist_question(lanxi.house, desk, lanxi.slug, approved.id, "water")
    await take_question.take_question(lanxi.house, host, lanxi.slug, approved.id)
    entries = await lanxi.entries()
    assert [e.seq for e in entries] == list(range(1, len(entries) + 1))
    assert first_break(entries) is None
    assert first_break([*entries[:1], *entries[2:]]) is not None
    public = [e.rooms["public"] for e in entries if "public" in e.rooms]
    assert public == list(range(1, len(public) + 1))
    # Private acts do not move the public's version.
    before = (await lanxi.view()).versions["public"]
    await order_queue.order_queue(
        lanxi.house, desk, lanxi.slug, [], (await lanxi.view()).queue.version
    )
    assert (await lanxi.view()).versions["public"] == before


async def test_concurrent_acts_take_numbers_without_gaps(lanxi: Home) -> None:
    await lanxi.go_live()
    desk = lanxi.person("moderator")
    await asyncio.gather(
        *(
            lanxi.building.box.put(
                Ask(f"v{i}", f"key-{i:06d}", "lanxi", f"第{i}个问题？", None, f"CODE{i:04d}",
                    f"secret{i}", f"digest{i}", None, lanxi.house.now())
            )
            for i in range(40)
        )
    )  # fmt: skip
    await lanxi.settle()
    async with lanxi.building.store.look(slug="lanxi") as unit:
        page = await unit.desk.page(Filters(source="live"))
    assert len(page) == 40
    await asyncio.gather(
        *(moderate_question.approve_question(lanxi.house, desk, "lanxi", q.id) for q in page)
    )
    entries = await lanxi.entries()
    assert [e.seq for e in entries] == list(range(1, len(entries) + 1))
    assert first_break(entries) is None


async def test_one_key_one_answer(lanxi: Home) -> None:
    await lanxi.go_live()
    host = lanxi.person("host")
    first = await move_position(lanxi.house, host, "lanxi", "opening", "opening", 0, "key-00001")
    again = await move_position(lanxi.house, host, "lanxi", "opening", "opening", 0, "key-00001")
    assert first == again
    assert (await lanxi.view()).position.version == 1
    assert (
        await refusal(
            move_position(lanxi.house, host, "lanxi", "water", "statement", 1, "key-00001")
        )
        == "key_reused"
    )
    assert (
        await refusal(move_position(lanxi.house, host, "lanxi", "water", "statement", 1, "short"))
        == "key_malformed"
    )


async def test_two_moderators_lose_nothing(lanxi: Home) -> None:
    desk = lanxi.person("moderator")
    question = next(q for q in (await lanxi.view()).questions if q.status == "approved")
    both = await asyncio.gather(
        *(
            edit_question(
                lanxi.house, desk, "lanxi", question.id, question.version, text=f"新写法{i}号？"
            )
            for i in range(2)
        ),
        return_exceptions=True,
    )
    refused = [one for one in both if isinstance(one, Refusal)]
    assert [r.code for r in refused] == ["version_stale"]
    kept = (await lanxi.view()).questions
    text = next(q.text for q in kept if q.id == question.id)
    assert refused[0].detail["current"]["text"] == text
    async with lanxi.building.store.look(slug="lanxi") as unit:
        assert [t for _, t in await unit.questions.wordings(question.id)] == [question.text]


async def test_the_desk_finds_by_whole_tags(lanxi: Home) -> None:
    question = (await lanxi.view()).questions[0]
    desk = lanxi.person("moderator")
    tags = ["道路", 'a"b', "Housing"]
    await edit_question(
        lanxi.house, desk, "lanxi", question.id, question.version, text=None, tags=tags
    )
    async with lanxi.building.store.look(slug="lanxi") as unit:
        found = {
            tag: [q.id for q in await unit.desk.page(Filters(tag=tag))]
            for tag in (*tags, "路", "housing", "%")
        }
    assert found == {tag: [question.id] if tag in tags else [] for tag in found}


async def test_merge_carries_askers_and_comes_back(lanxi: Home) -> None:
    desk = lanxi.person("moderator")
    await lanxi.settle()
    async with lanxi.building.store.look(slug="lanxi") as unit:
        page = {q.external_id: q for q in await unit.desk.page(Filters())}
    one, into = page["LX-003"], page["LX-001"]
    await merge_questions.merge_question(lanxi.house, desk, "lanxi", one.id, into.id)
    async with lanxi.building.store.look(slug="lanxi") as unit:
        assert (await unit.questions.get(into.id)).askers == 2
        assert (await unit.questions.get(one.id)).merged_into == into.code
    await merge_questions.unmerge_question(lanxi.house, desk, "lanxi", one.id)
    async with lanxi.building.store.look(slug="lanxi") as unit:
        assert (await unit.questions.get(into.id)).askers == 1
        assert (await unit.questions.get(one.id)).status == "screened"
    assert (
        await refusal(merge_questions.merge_question(lanxi.house, desk, "lanxi", one.id, one.id))
        == "merge_into_self"
    )


async def test_votes_count_once_each_and_change(lanxi: Home) -> None:
    await lanxi.go_live()
    host = lanxi.person("host")
    round_id = next(r.id for r in (await lanxi.view()).rounds if r.audience == "public")
    box = lanxi.building.box
    assert (
        await refusal(box.put(vote(lanxi, round_id, "v0", "good", "k0000000"))) == "round_not_open"
    )
    await open_round(lanxi.house, host, round_id)
    await asyncio.gather(
        *(box.put(vote(lanxi, round_id, f"v{i}", "good", f"key-{i:05d}")) for i in range(60))
    )
    repeats = await asyncio.gather(
        *(box.put(vote(lanxi, round_id, f"v{i}", "good", f"key-{i:05d}")) for i in range(60))
    )
    assert not any(done.answer["replaced"] for done in repeats)
    changed = await box.put(vote(lanxi, round_id, "v3", "poor", "key-change"))
    assert changed.answer["replaced"] is True
    # A late repeat of the older key does not undo the newer vote.
    assert (await box.put(vote(lanxi, round_id, "v3", "good", "key-00003"))).answer == {
        "round": round_id, "choice": "good", "replaced": False,
    }  # fmt: skip
    assert (
        await refusal(box.put(vote(lanxi, round_id, "v9", "best", "key-bad01"))) == "choice_unknown"
    )
    assert await refusal(box.put(vote(lanxi, round_id, "v3", "fair", "key-change"))) == "key_reused"
    round_ = next(r for r in (await lanxi.view()).rounds if r.id == round_id)
    assert round_.cast == 60
    assert {k: v for k, v in round_.counts.items() if v} == {"good": 59, "poor": 1}
    async with lanxi.building.store.look(round=round_id) as unit:
        assert await unit.votes.recount(round_id) == ({"good": 59, "poor": 1}, 60)


async def test_ballots_at_the_closing_instant_are_wholly_before_or_after(lanxi: Home) -> None:
    await lanxi.go_live()
    host = lanxi.person("host")
    round_id = next(r.id for r in (await lanxi.view()).rounds if r.audience == "public")
    await open_round(lanxi.house, host, round_id)
    votes = [
        lanxi.building.box.put(vote(lanxi, round_id, f"v{i}", "good", f"key-{i:05d}"))
        for i in range(100)
    ]

    async def close_soon() -> None:
        await asyncio.sleep(0.01)
        await close_round(lanxi.house, host, round_id)

    outcomes = await asyncio.gather(*votes, close_soon(), return_exceptions=True)
    acked = sum(not isinstance(one, Exception) for one in outcomes[:-1])
    assert all(
        isinstance(one, Refusal) and one.code == "round_closed"
        for one in outcomes[:-1]
        if isinstance(one, Exception)
    )
    await lanxi.settle()
    round_ = next(r for r in (await lanxi.view()).rounds if r.id == round_id)
    assert round_.status == "tallied"
    assert round_.cast == acked == sum(c["count"] for c in round_.result["choices"])


async def test_panel_round_from_opening_to_publication(lanxi: Home) -> None:
    await lanxi.go_live()
    host = lanxi.person("host")
    round_id = next(r.id for r in (await lanxi.view()).rounds if r.audience == "panel")
    assert await refusal(certify_round(lanxi.house, host, round_id)) == "round_step_illegal"
    await open_round(lanxi.house, host, round_id)
    for index, (duty, law) in enumerate((("8", "9"), ("6", "7"), ("10", "4"))):
        await cast_ballot(
            lanxi.house, lanxi.panelist(index), round_id,
            {"water": {"duty": duty, "law": law}}, (), f"key-{index:05d}",
        )  # fmt: skip
    stranger = Actor(
        "seat:999", "x", (Grant("panelist", lanxi.office.id, lanxi.office.path),), seat=999
    )
    assert (
        await refusal(
            cast_ballot(lanxi.house, stranger, round_id, {"water": {"duty": "1"}}, (), "key-99999")
        )
        == "not_entitled"
    )
    await close_round(lanxi.house, host, round_id)
    await lanxi.settle()
    assert (
        await refusal(
            cast_ballot(
                lanxi.house, lanxi.panelist(0), round_id, {"water": {"duty": "1"}}, (), "key-late1"
            )
        )
        == "round_closed"
    )
    assert (
        await refusal(publish_round(lanxi.house, host, round_id, "public")) == "round_step_illegal"
    )
    await certify_round(lanxi.house, host, round_id)
    await publish_round(lanxi.house, host, round_id, "public")
    round_ = next(r for r in (await lanxi.view()).rounds if r.id == round_id)
    # deputies: duty (8+6)/2=7, law (9+7)/2=8; citizens: 10 and 4. 0.6 × 15 + 0.4 × 14 = 14.6.
    assert round_.result["subjects"][0]["total"] == "14.60"


async def test_what_staff_write_is_masked_and_its_original_sealed(lanxi: Home) -> None:
    await lanxi.go_live()
    house, slug = lanxi.house, lanxi.slug
    question = next(q for q in (await lanxi.view()).questions if q.status == "approved")
    written = "请致电 13912345678 或 a@b.cn 说明依据。"
    edited = await edit_question(
        house, lanxi.person("moderator"), slug, question.id, question.version, text=written
    )
    spoken = "车主的车牌是京A12345，何时处理？"
    taken = await take_question.ask_off_the_cuff(house, lanxi.person("host"), slug, "群众", spoken)
    async with lanxi.building.store.look(slug=slug) as unit:
        texts = [
            q.text for q in (await unit.questions.by_ids([question.id, taken.body["id"]])).values()
        ]
        sealed = await unit.connection.execute(select(table(SealedOriginal)))
    for secret in ("13912345678", "a@b.cn", "京A12345"):
        assert all(secret not in text for text in texts)
    kept = {
        (row.question_id, row.version): lanxi.building.keys.unseal(row.box)["text"]
        for row in sealed
    }
    assert kept[question.id, edited.body["version"]] == written
    assert kept[taken.body["id"], 1] == spoken


async def test_rules_that_refuse_the_tally_say_why_and_the_round_can_be_held_again(
    lanxi: Home,
) -> None:
    await lanxi.go_live()
    host = lanxi.person("host")
    round_id = next(r.id for r in (await lanxi.view()).rounds if r.audience == "panel")
    async with lanxi.building.store.look(round=round_id) as unit:
        rules = dict((await unit.rounds.get(round_id)).rules)  # type: ignore[arg-type]
    strict = NewRound(
        "从严", "panel", subjects=("water",), rules={**rules, "empty_group": "refuse"}
    )
    made = (await create_round(lanxi.house, host, lanxi.slug, strict)).body["id"]
    await open_round(lanxi.house, host, made)
    marks = {"water": {"duty": "8", "law": "9"}}
    await cast_ballot(lanxi.house, lanxi.panelist(0), made, marks, (), "key-00001")
    await close_round(lanxi.house, host, made)
    for _ in range(100):
        await asyncio.sleep(0.02)
        round_ = next(r for r in (await lanxi.view()).rounds if r.id == made)
        if round_.tally_refused:
            break
    assert round_.status == "closed"
    assert round_.tally_refused == {
        "code": "group_empty",
        "zh": "组“群众代表”对述法人“敖知水”没有有效打分，按计票规则不予计票。",
        "en": "Group “群众代表” gave subject “敖知水” no mark, and the rules refuse the tally then.",
    }
    assert round_.result is None
    await asyncio.sleep(0.5)  # The timekeeper has looked again, and again.
    refused = [e for e in await lanxi.entries() if e.event == "tally_refused"]
    assert len(refused) == 1
    await void_round(lanxi.house, host, made, "有一组无人打分")
    assert next(r for r in (await lanxi.view()).rounds if r.id == made).status == "voided"


async def test_the_order_of_the_rows_does_not_name_the_seats(lanxi: Home) -> None:
    await lanxi.go_live()
    host = lanxi.person("host")
    round_id = next(r.id for r in (await lanxi.view()).rounds if r.audience == "panel")
    await open_round(lanxi.house, host, round_id)
    for index in range(3):
        marks = {"water": {"duty": str(index), "law": "9"}}
        seat, key = lanxi.panelist(index), f"key-{index:05d}"
        await cast_ballot(lanxi.house, seat, round_id, marks, (), key)
    await close_round(lanxi.house, host, round_id)
    await lanxi.settle()
    async with lanxi.building.store.look(round=round_id) as unit:
        round_ = await unit.rounds.get(round_id)
        rows = (await ballots_csv(unit, round_)).splitlines()[1:]  # type: ignore[arg-type]
    raters = list(dict.fromkeys(row.split(",")[1] for row in rows))
    # What follows the seat's number cannot be guessed, and the rows stand in its order.
    assert sorted(rater[:8] for rater in raters) == ["seat-001", "seat-002", "seat-003"]
    secrets = [rater[9:] for rater in raters]
    assert all(len(one) == 20 for one in secrets)
    assert secrets == sorted(secrets)


async def test_tampered_ballot_stops_publication(lanxi: Home) -> None:
    from sqlalchemy import update

    from server.store.rows import table
    from server.store.tables import BallotRow

    await lanxi.go_live()
    host = lanxi.person("host")
    round_id = next(r.id for r in (await lanxi.view()).rounds if r.audience == "panel")
    await open_round(lanxi.house, host, round_id)
    await cast_ballot(
        lanxi.house,
        lanxi.panelist(0),
        round_id,
        {"water": {"duty": "5", "law": "5"}},
        (),
        "key-00000",
    )
    await close_round(lanxi.house, host, round_id)
    await lanxi.settle()
    await certify_round(lanxi.house, host, round_id)
    async with lanxi.building.database.write() as connection:
        await connection.execute(
            update(table(BallotRow)).values(marks={"water": {"duty": "9", "law": "9"}})
        )
    assert await refusal(publish_round(lanxi.house, host, round_id, "internal")) == "paths_differ"


async def test_rehearsal_leaves_nothing_in_the_real_run(lanxi: Home) -> None:
    host, desk = lanxi.person("host", "office"), lanxi.person("moderator")
    await change_status(lanxi.house, host, "lanxi", "ready", 0)
    await start_run(lanxi.house, host, "lanxi", "rehearsal")
    view = await lanxi.view()
    assert view.rehearsal
    assert view.hearing.status == "check_in"
    assert set(view.versions.values()) == {0}
    await change_status(lanxi.house, host, "lanxi", "live", 0)
    rehearsal_rounds = {r.id for r in view.rounds}
    public = next(r for r in view.rounds if r.audience == "public")
    await open_round(lanxi.house, host, public.id)
    await lanxi.building.box.put(vote(lanxi, public.id, "v1", "good", "key-00001"))
    question = next(q for q in view.questions if q.status == "approved")
    await lanxi.building.box.put(
        Support("v1", "key-00002", "lanxi", question.code, True, lanxi.house.now())
    )
    await take_question.take_question(lanxi.house, host, "lanxi", question.id)
    await lanxi.building.box.put(
        Ask("v1", "key-00003", "lanxi", "演练时的提问？", None, "REHEARSE", "s", "d", None,
            lanxi.house.now())
    )  # fmt: skip
    await start_run(lanxi.house, host, "lanxi", "real")
    view = await lanxi.view()
    assert view.hearing.run_kind == "real"
    assert set(view.versions.values()) == {0}
    assert not rehearsal_rounds & {r.id for r in view.rounds}
    assert all(r.status == "ready" and r.cast == 0 for r in view.rounds)
    assert view.stage is None
    assert all(q.support == 0 for q in view.questions)
    async with lanxi.building.store.look(slug="lanxi") as unit:
        page = await unit.desk.page(Filters())
    assert {q.external_id for q in page} == {"LX-001", "LX-002", "LX-003"}
    assert view.queue.ids == tuple(q.id for q in page if q.status == "queued")
    await moderate_question.shortlist_question(
        lanxi.house, desk, "lanxi", next(q.id for q in page if q.status == "approved"), None
    )
    assert await refusal(start_run(lanxi.house, host, "lanxi", "real")) == "run_illegal"


async def test_another_office_sees_and_does_nothing(lanxi: Home) -> None:
    stranger = Actor(
        "account:x", "x", (Grant("host", 999, "/999/"), Grant("moderator", 999, "/999/"))
    )
    assert await refusal(change_status(lanxi.house, stranger, "lanxi", "ready", 0)) == "not_found"
    above = Actor("account:y", "y", (Grant("host", 1, "/", subtree=True),))
    await change_status(lanxi.house, above, "lanxi", "ready", 0)


async def test_pausing_keeps_the_time_left(lanxi: Home) -> None:
    await lanxi.go_live()
    host = lanxi.person("host")
    await move_position(lanxi.house, host, "lanxi", "water", "statement", 0)
    version = (await lanxi.view()).hearing.version
    await change_status(lanxi.house, host, "lanxi", "paused", version)
    stopped = (await lanxi.view()).position
    assert stopped.ends_at is None
    assert 299_000 < stopped.remaining <= 300_000
    await change_status(lanxi.house, host, "lanxi", "live", version + 1)
    running = (await lanxi.view()).position
    assert running.remaining is None
    assert running.version == stopped.version
