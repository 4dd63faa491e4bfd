"""复核: contested in time and by whom it concerns, decided by another, corrected by a new round."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update

from server.actions.cast_ballot import cast_ballot
from server.actions.certify_round import certify_round
from server.actions.close_round import close_round
from server.actions.contest_round import add_contest_file, contest_round, decide_contest
from server.actions.create_round import NewRound, create_round
from server.actions.hold_again import hold_again
from server.actions.open_round import open_round
from server.actions.publish_round import publish_round
from server.actions.void_round import void_round
from server.api.contests import check_may_read
from server.domain.contests import DAY_MS, LARGEST_FILE, correct
from server.domain.refusals import Refusal
from server.domain.view import round_state
from server.store.rows import table
from server.store.tables import BallotRow
from tests.house import Home

pytestmark = pytest.mark.anyio
GROUNDS = "第二项的计分与会场宣布的规则不一致，请复核。"


async def the_round(home: Home, id_: str) -> Any:
    return next(r for r in (await home.view()).rounds if r.id == id_)


async def marked(home: Home, id_: str, mark: str) -> None:
    """Opened, marked by all, closed, tallied and certified."""
    host = home.person("host")
    await open_round(home.house, host, id_)
    for index in range(3):
        marks = {"water": {"duty": mark, "law": "9"}}
        seat = home.panelist(index)
        await cast_ballot(home.house, seat, id_, marks, (), f"key-{id_}-{index:05d}"[:60])
    await close_round(home.house, host, id_)
    await home.settle()
    await certify_round(home.house, host, id_)


async def published(home: Home, audience: str = "public") -> str:
    """A round with a published result; its id."""
    await home.go_live()
    id_ = next(r.id for r in (await home.view()).rounds if r.audience == "panel")
    await marked(home, id_, "8")
    await publish_round(home.house, home.person("host"), id_, audience)
    return str(id_)


async def refusal(act: Any) -> str:
    with pytest.raises(Refusal) as caught:
        await act
    return str(caught.value.code)


async def test_a_result_is_upheld_and_may_be_contested_again(lanxi: Home) -> None:
    id_, house = await published(lanxi), lanxi.house
    office, host = lanxi.person("office", name="o"), lanxi.person("host", name="h")
    made = (await contest_round(house, office, id_, GROUNDS)).body
    assert (made["status"], made["role"], made["grounds"]) == ("open", "office", GROUNDS)
    assert (await the_round(lanxi, id_)).status == "contested"
    assert await refusal(contest_round(house, office, id_, GROUNDS)) == "contest_open"
    await decide_contest(house, host, id_, "upheld", "计分与规则一致。")
    upheld = await the_round(lanxi, id_)
    assert upheld.status == "upheld"
    assert upheld.published_to == ("public",)
    async with lanxi.building.store.look(round=id_) as unit:
        (case,) = await unit.contests.of(id_)
    assert (case.status, case.decided_as, case.reason) == ("upheld", "host", "计分与规则一致。")
    await contest_round(house, office, id_, GROUNDS)
    events = [entry.event for entry in await lanxi.entries()]
    assert [e for e in events if e.startswith("result_")] == [
        "result_published",
        "result_contested",
        "result_upheld",
        "result_contested",
    ]


async def test_a_correction_leaves_both_results_with_the_reason_and_who_decided(
    lanxi: Home,
) -> None:
    id_, house, host = await published(lanxi), lanxi.house, lanxi.person("host", name="h")
    await contest_round(house, lanxi.person("scrutineer", name="s"), id_, GROUNDS)
    assert await refusal(decide_contest(house, host, id_, "corrected", "依据", id_)) == (
        "correction_unfit"
    )
    held = (await hold_again(house, host, id_)).body
    assert held["title"] == (await the_round(lanxi, id_)).title
    new = held["id"]
    assert await refusal(hold_again(house, host, id_)) == "round_step_illegal"
    assert await refusal(decide_contest(house, host, id_, "corrected", "依据", new)) == (
        "correction_unfit"
    )
    await marked(lanxi, new, "6")
    await decide_contest(house, host, id_, "corrected", "录入有误。", new)
    old, corrected = await the_round(lanxi, id_), await the_round(lanxi, new)
    assert (old.status, corrected.status) == ("corrected", "published")
    assert corrected.published_to == ("public",)
    assert old.result["subjects"][0]["total"] == "17.00"
    told = round_state(old)["correction"]
    assert told["by"] == new
    assert told["figures"] == [{"name": "敖知水", "figure": "15.00"}]
    assert (told["reason"], told["as"]) == ("录入有误。", "host")
    assert round_state(corrected)["correction"]["figures"] == [
        {"name": "敖知水", "figure": "17.00"}
    ]
    assert corrected.contest_until == old.contest_until
    assert await refusal(contest_round(house, lanxi.person("office"), id_, GROUNDS)) == (
        "round_step_illegal"
    )


async def test_what_is_held_again_may_bear_a_title_of_its_own(lanxi: Home) -> None:
    id_, house, host = await published(lanxi), lanxi.house, lanxi.person("host", name="h")
    title = (await the_round(lanxi, id_)).title
    await contest_round(house, lanxi.person("office", name="o"), id_, GROUNDS)
    assert await refusal(hold_again(house, host, id_, " ")) == "text_too_short"
    key = "key-of-holding-again"
    made = (await hold_again(house, host, id_, f"{title}（重新举行）", key)).body
    assert made["title"] == f"{title}（重新举行）"
    assert (await hold_again(house, host, id_, f"{title}（重新举行）", key)).body == made
    assert await refusal(hold_again(house, host, id_, "另一个", key)) == "key_reused"


async def test_a_correction_without_its_round_is_refused_in_words(lanxi: Home) -> None:
    id_, house, host = await published(lanxi), lanxi.house, lanxi.person("host", name="h")
    await contest_round(house, lanxi.person("office", name="o"), id_, GROUNDS)
    for outcome, round_, code in (
        ("corrected", None, "correction_unnamed"),
        ("upheld", id_, "correction_not_upheld"),
    ):
        with pytest.raises(Refusal, match=code) as caught:
            await decide_contest(house, host, id_, outcome, "依据", round_)
        assert "轮" in caught.value.message("zh")
        assert "round" not in caught.value.message("zh")


async def test_who_contested_does_not_decide(lanxi: Home) -> None:
    id_, house = await published(lanxi), lanxi.house
    both = lanxi.person("office", "host", name="both")
    await contest_round(house, both, id_, GROUNDS)
    assert await refusal(decide_contest(house, both, id_, "upheld", "理由")) == "own_contest"
    teller = lanxi.person("teller", name="t")
    assert await refusal(decide_contest(house, teller, id_, "upheld", "理由")) == "not_allowed"
    approver = lanxi.person("approver", name="a")
    assert await refusal(decide_contest(house, approver, id_, "upheld", "理由")) == (
        "not_a_publisher"
    )


async def test_only_a_published_result_in_its_days_by_whom_it_concerns(lanxi: Home) -> None:
    await lanxi.go_live()
    id_ = next(r.id for r in (await lanxi.view()).rounds if r.audience == "panel")
    office, host, house = lanxi.person("office"), lanxi.person("host"), lanxi.house
    assert await refusal(contest_round(house, office, id_, GROUNDS)) == "not_published"
    await marked(lanxi, id_, "8")
    assert await refusal(contest_round(house, office, id_, GROUNDS)) == "not_published"
    await publish_round(house, host, id_, "internal")
    assert await refusal(contest_round(house, lanxi.person("subject"), id_, GROUNDS)) == (
        "not_published"
    )
    assert await refusal(contest_round(house, host, id_, GROUNDS)) == "not_allowed"
    assert await refusal(contest_round(house, office, id_, "太短")) == "text_too_short"
    assert await refusal(contest_round(house, office, id_, "长" * 2001)) == "text_too_long"
    later = replace(house, now=lambda: house.now() + 5 * DAY_MS + 1000)
    assert await refusal(contest_round(later, office, id_, GROUNDS)) == "contest_too_late"
    await contest_round(house, office, id_, GROUNDS)
    # Nobody is told of a contest of what was not published for them.
    assert (await the_round(lanxi, id_)).status_for("public") == "certified"
    assert "contest_noted" in [entry.event for entry in await lanxi.entries()]
    assert await refusal(publish_round(house, host, id_, "hall")) == "round_step_illegal"
    assert await refusal(void_round(house, host, id_, "不行")) == "round_step_illegal"


async def test_files_are_kept_with_the_grounds(lanxi: Home) -> None:
    id_, house, office = await published(lanxi), lanxi.house, lanxi.person("office", name="o")
    file = (house, office, id_)
    assert await refusal(add_contest_file(*file, "证据.pdf", b"%PDF")) == "not_found"
    await contest_round(house, office, id_, GROUNDS)
    for n in range(5):
        sent = (*file, f"../a/证据{n}.PDF", b"%PDF" * (n + 1), f"key-of-file-{n}")
        told = (await add_contest_file(*sent)).body
        assert (await add_contest_file(*sent)).body["files"] == told["files"]
    assert [one["name"] for one in told["files"]] == [f"证据{n}.PDF" for n in range(5)]
    assert [one["size"] for one in told["files"]] == [4, 8, 12, 16, 20]
    assert await refusal(add_contest_file(*file, "f.pdf", b"")) == "files_many"
    other = add_contest_file(*file, "证据0.PDF", b"another", "key-of-file-0")
    assert await refusal(other) == "key_reused"
    assert await refusal(add_contest_file(*file, "f.exe", b"")) == "file_kind"
    assert await refusal(add_contest_file(*file, "f.pdf", b"x" * (LARGEST_FILE + 1))) == (
        "file_large"
    )
    teller = lanxi.person("teller", name="t")
    assert await refusal(add_contest_file(house, teller, id_, "f.pdf", b"")) == "not_allowed"
    async with lanxi.building.store.look(round=id_) as unit:
        (case,) = await unit.contests.of(id_)
        assert await unit.contests.file(case.id, 2) == ("证据1.PDF", b"%PDF%PDF")
        assert await unit.contests.file(case.id, 9) is None


async def test_a_repeat_is_published_by_the_correction_and_no_wider(lanxi: Home) -> None:
    id_, house = await published(lanxi, "internal"), lanxi.house
    host = lanxi.person("host", name="h")
    await contest_round(house, lanxi.person("office", name="o"), id_, GROUNDS)
    new = (await hold_again(house, host, id_)).body["id"]
    await marked(lanxi, new, "6")
    assert await refusal(publish_round(house, host, new, "public")) == "correction_first"
    repeat = replace(await the_round(lanxi, new), status="published", published_to=("public",))
    with pytest.raises(Refusal, match="correction_unfit"):
        correct(await the_round(lanxi, id_), repeat, "录入有误。", "host", 1, [], [])
    await decide_contest(house, host, id_, "corrected", "录入有误。", new)
    assert (await the_round(lanxi, new)).published_to == ("internal",)
    told = [e.event for e in await lanxi.entries() if e.event != "bundle_made"]
    assert told[-1] == "contest_noted"


async def test_a_correction_is_refused_while_its_two_counts_differ(lanxi: Home) -> None:
    id_, house, host = await published(lanxi), lanxi.house, lanxi.person("host", name="h")
    await contest_round(house, lanxi.person("office", name="o"), id_, GROUNDS)
    new = (await hold_again(house, host, id_)).body["id"]
    await marked(lanxi, new, "6")
    ballots = table(BallotRow)
    async with lanxi.building.database.write() as connection:
        one = (await connection.execute(select(ballots).where(ballots.c.round_id == new))).first()
        assert one is not None
        changed = {"water": {"duty": "7", "law": "9"}}
        where = ballots.c.seat_id == one.seat_id, ballots.c.round_id == new
        await connection.execute(update(ballots).where(*where).values(marks=changed))
    decision = decide_contest(house, host, id_, "corrected", "录入有误。", new)
    assert await refusal(decision) == "paths_differ"
    assert (await the_round(lanxi, id_)).status == "contested"


async def test_grounds_are_read_by_whoever_may_see_the_figures(lanxi: Home) -> None:
    id_, house = await published(lanxi, "internal"), lanxi.house
    await contest_round(house, lanxi.person("teller", name="t"), id_, GROUNDS)
    async with lanxi.building.store.look(round=id_) as unit:
        assert await refusal(check_may_read(unit, ("subject",), id_)) == "not_allowed"
        assert await refusal(check_may_read(unit, (), id_)) == "not_found"
        await check_may_read(unit, ("office",), id_)
    await decide_contest(house, lanxi.person("host", name="h"), id_, "upheld", "计分无误。")
    await publish_round(house, lanxi.person("host", name="h"), id_, "public")
    async with lanxi.building.store.look(round=id_) as unit:
        await check_may_read(unit, ("subject",), id_)


async def test_a_voided_repeat_does_not_lead_around_the_contest(lanxi: Home) -> None:
    id_, house, host = await published(lanxi, "hall"), lanxi.house, lanxi.person("host", name="h")
    await contest_round(house, lanxi.person("office", name="o"), id_, GROUNDS)
    first = (await hold_again(house, host, id_)).body["id"]
    await open_round(house, host, first)
    again = (await void_round(house, host, first, "设备故障")).body["again"]
    assert await refusal(hold_again(house, host, id_)) == "round_step_illegal"
    await marked(lanxi, again, "6")
    assert await refusal(publish_round(house, host, again, "hall")) == "correction_first"
    await decide_contest(house, host, id_, "corrected", "录入有误。", again)
    assert (await the_round(lanxi, again)).published_to == ("hall",)
    assert await refusal(publish_round(house, host, again, "public")) == "correction_wider"
    assert "correction" not in round_state(await the_round(lanxi, again))


async def test_a_repeat_goes_with_the_contest_that_was_upheld(lanxi: Home) -> None:
    id_, house, host = await published(lanxi, "hall"), lanxi.house, lanxi.person("host", name="h")
    office = lanxi.person("office", name="o")
    await contest_round(house, office, id_, GROUNDS)
    repeat = (await hold_again(house, host, id_)).body["id"]
    await marked(lanxi, repeat, "6")
    await decide_contest(house, host, id_, "upheld", "原结果无误。")
    rejected = await the_round(lanxi, repeat)
    assert (rejected.status, rejected.void_reason) == ("voided", "结果不采用")
    await contest_round(house, office, id_, GROUNDS)
    later = (await hold_again(house, host, id_)).body["id"]
    await decide_contest(house, host, id_, "upheld", "仍无误。")  # it had not begun
    await marked(lanxi, later, "6")
    assert await refusal(publish_round(house, host, later, "hall")) == "repeat_rejected"
    await contest_round(house, office, id_, GROUNDS)
    await decide_contest(house, host, id_, "corrected", "确有误。", later)
    assert (await the_round(lanxi, later)).status == "published"


async def test_only_holding_again_makes_a_correction(lanxi: Home) -> None:
    id_, house, host = await published(lanxi), lanxi.house, lanxi.person("host", name="h")
    rules = (await the_round(lanxi, id_)).rules
    await contest_round(house, lanxi.person("office", name="o"), id_, GROUNDS)
    new = NewRound("另一轮", "panel", subjects=("roads",), rules=rules, replaces=id_)
    assert await refusal(create_round(house, host, lanxi.slug, new)) == "malformed"
    first = (await hold_again(house, host, id_)).body["id"]
    await open_round(house, host, first)
    await void_round(house, host, first, "设备故障")
    around = NewRound("另一轮", "panel", subjects=("water",), rules=rules, replaces=first)
    assert await refusal(create_round(house, host, lanxi.slug, around)) == "malformed"


async def test_a_long_name_keeps_its_ending(lanxi: Home) -> None:
    id_, house, office = await published(lanxi), lanxi.house, lanxi.person("office", name="o")
    await contest_round(house, office, id_, GROUNDS)
    told = (await add_contest_file(house, office, id_, "证" * 150 + ".pdf", b"%PDF")).body
    assert told["files"][0]["name"] == "证" * 116 + ".pdf"
