"""A key belongs to (person or viewer, hearing), whatever it is used for: the same act again gets its
first answer, another act is refused, and nothing of either is lost."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from server.actions.ask_question import ask_question
from server.actions.cast_ballot import cast_ballot
from server.actions.cast_vote import cast_vote
from server.actions.change_status import change_status
from server.actions.close_round import close_round
from server.actions.moderate_question import close_question
from server.actions.open_round import open_round
from server.actions.support_question import support_question
from server.actions.void_round import void_round
from server.domain.refusals import Refusal
from tests.actions.test_acts_on_every_store import refusal
from tests.house import Home

pytestmark = pytest.mark.anyio
KEY = "key-of-this-test"


async def status_to(lanxi: Home, *statuses: str) -> None:
    """The host takes the hearing through these."""
    for status in statuses:
        version = (await lanxi.view()).hearing.version
        await change_status(lanxi.house, lanxi.person("host"), lanxi.slug, status, version)


async def public_round(lanxi: Home) -> str:
    """The id of the public round, which is open."""
    round_ = next(r for r in (await lanxi.view()).rounds if r.audience == "public")
    await open_round(lanxi.house, lanxi.person("host"), round_.id)
    return str(round_.id)


async def approved(lanxi: Home) -> Any:
    """A question that takes support."""
    return next(q for q in (await lanxi.view()).questions if q.status == "approved")


async def test_a_moderators_key_is_not_taken_for_another_question(lanxi: Home) -> None:
    desk = lanxi.person("moderator")
    one, other = (await lanxi.view()).questions[:2]
    await close_question(lanxi.house, desk, lanxi.slug, one.id, "已另行处理", KEY)
    again = close_question(lanxi.house, desk, lanxi.slug, other.id, "已另行处理", KEY)
    assert await refusal(again) == "key_reused"
    assert (await lanxi.view()).counts["closed"] == 1


async def test_a_viewers_key_is_not_taken_for_another_act(lanxi: Home) -> None:
    await lanxi.go_live()
    round_id, question = await public_round(lanxi), await approved(lanxi)
    await cast_vote(lanxi.house, "v1", KEY, round_id, "good")
    on = (lanxi.slug, question.code, True)
    assert await refusal(support_question(lanxi.house, "v1", KEY, *on)) == "key_reused"
    asking = ask_question(lanxi.house, "v1", KEY, lanxi.slug, "为什么又停水？", None)
    assert await refusal(asking) == "key_reused"
    again = (await void_round(lanxi.house, lanxi.person("host"), round_id, "重来")).body["again"]
    await open_round(lanxi.house, lanxi.person("host"), again)
    assert await refusal(cast_vote(lanxi.house, "v1", KEY, again, "good")) == "key_reused"
    await support_question(lanxi.house, "v1", f"{KEY}-2", *on)
    voting = cast_vote(lanxi.house, "v1", f"{KEY}-2", again, "good")
    assert await refusal(voting) == "key_reused"
    # Another viewer's key is his own.
    await cast_vote(lanxi.house, "v2", KEY, again, "good")


async def test_who_asked_in_time_gets_the_code_although_the_answer_was_lost(lanxi: Home) -> None:
    await lanxi.go_live()
    said = (lanxi.slug, "为什么又停水？", None)
    first = await ask_question(lanxi.house, "v1", KEY, *said)
    await status_to(lanxi, "ended")
    assert (await ask_question(lanxi.house, "v1", KEY, *said)).answer == first.answer
    assert await refusal(ask_question(lanxi.house, "v1", "another-key", *said)) == "asking_closed"


async def test_an_archived_hearing_takes_nothing_from_the_public(lanxi: Home) -> None:
    await lanxi.go_live()
    round_id, question = await public_round(lanxi), await approved(lanxi)
    on = (lanxi.slug, question.code, True)
    voted = await cast_vote(lanxi.house, "v1", "key-vote", round_id, "good")
    supported = await support_question(lanxi.house, "v1", "key-support", *on)
    await status_to(lanxi, "ended", "certified")
    assert await refusal(status_to(lanxi, "archived")) == "rounds_open"  # Nobody could close it.
    await close_round(lanxi.house, lanxi.person("host"), round_id)
    await lanxi.settle()  # Nor could anybody tally it.
    await status_to(lanxi, "archived")
    voting = cast_vote(lanxi.house, "v2", "key-vote", round_id, "good")
    assert await refusal(voting) == "hearing_archived"
    supporting = support_question(lanxi.house, "v2", "key-support", *on)
    assert await refusal(supporting) == "hearing_archived"
    # What was acknowledged is answered as it was.
    assert (await cast_vote(lanxi.house, "v1", "key-vote", round_id, "good")) == voted
    assert (await support_question(lanxi.house, "v1", "key-support", *on)) == supported


async def test_a_key_of_one_version_is_not_taken_for_another(lanxi: Home) -> None:
    host = lanxi.person("host")
    for _ in range(2):
        await change_status(lanxi.house, host, lanxi.slug, "ready", 0, KEY)
    again = change_status(lanxi.house, host, lanxi.slug, "ready", 77, KEY)
    assert await refusal(again) == "key_reused"


async def test_an_archived_hearing_answers_repeats_and_keeps_no_book(lanxi: Home) -> None:
    await lanxi.go_live()
    round_id = await public_round(lanxi)
    await cast_vote(lanxi.house, "v1", KEY, round_id, "good")
    await close_round(lanxi.house, lanxi.person("host"), round_id)
    await lanxi.settle()
    await status_to(lanxi, "ended", "certified", "archived")
    again = await cast_vote(lanxi.house, "v1", KEY, round_id, "good")
    assert again.answer == {"round": round_id, "choice": "good", "replaced": False}
    late = cast_vote(lanxi.house, "v2", KEY, round_id, "good")
    assert await refusal(late) == "hearing_archived"
    assert lanxi.building.books.get((await lanxi.view()).hearing.ref.hearing) is None


async def test_the_same_act_sent_at_once_gets_one_answer_each_time(lanxi: Home) -> None:
    """On PostgreSQL they wait for one another, and must not be refused for what they did themselves."""
    await lanxi.go_live()
    host, chair = lanxi.person("host"), lanxi.panelist(0)
    round_ = next(r for r in (await lanxi.view()).rounds if r.audience == "panel")
    opened = await asyncio.gather(
        *(open_round(lanxi.house, host, round_.id, KEY) for _ in range(5))
    )
    assert {one.body["status"] for one in opened} == {"open"}
    marks = {s: {d["key"]: "1" for d in round_.rules["dimensions"]} for s in round_.subjects}
    cast = [cast_ballot(lanxi.house, chair, round_.id, marks, [], f"{KEY}-2") for _ in range(5)]
    closing = close_round(lanxi.house, host, round_.id)
    answers = await asyncio.gather(*cast[:3], closing, *cast[3:], return_exceptions=True)
    told = (*answers[:3], *answers[4:])
    receipts = {one.code if isinstance(one, Refusal) else one.body["receipt"] for one in told}  # type: ignore[union-attr]
    assert len(receipts) == 1


async def test_a_key_opens_nothing_to_whom_the_right_was_taken(lanxi: Home) -> None:
    """Not even the answer that the same person got when it was his."""
    await lanxi.go_live()
    round_ = next(r for r in (await lanxi.view()).rounds if r.audience == "panel")
    await open_round(lanxi.house, lanxi.person("host"), round_.id, KEY)
    again = open_round(lanxi.house, lanxi.person("moderator"), round_.id, KEY)
    assert await refusal(again) == "not_allowed"
    assert await refusal(open_round(lanxi.house, lanxi.person(), round_.id, KEY)) == "not_found"
