"""Light rounds about the answer on stage, and what its author says of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from server.actions import take_question
from server.actions.appeal_question import secret_hash
from server.actions.ask_reaction import ask_reaction
from server.actions.cast_ballot import cast_ballot
from server.actions.cast_vote import cast_vote
from server.actions.close_round import finish_closing
from server.actions.rate_answer import rate_answer
from server.domain.reactions import SECONDS
from server.domain.refusals import Refusal
from tests.house import Home

pytestmark = pytest.mark.anyio


async def on_stage(home: Home) -> str:
    """The hearing is live and its queued question on stage; the question's code."""
    await home.go_live()
    await home.settle()
    view = await home.view()
    question = next(q for q in view.questions if q.status == "queued")
    host = home.person("host")
    await take_question.take_question(home.house, host, home.slug, question.id, None)
    return str(question.code)


async def refusal(act: Any) -> str:
    with pytest.raises(Refusal) as caught:
        await act
    return str(caught.value.code)


async def after_it_closed(home: Home, id_: str) -> Any:
    """The round once its minute is over and it is tallied."""
    now = home.house.now()
    later = replace(home.house, now=lambda: now + SECONDS * 1000 + 1)
    await finish_closing(later, id_)
    await home.settle()
    return next(r for r in (await home.view()).rounds if r.id == id_)


async def test_the_public_rates_the_answer_on_stage(lanxi: Home) -> None:
    code = await on_stage(lanxi)
    ask = (lanxi.house, lanxi.person("host"), lanxi.slug)
    made = (await ask_reaction(*ask, "answer", "public")).body
    assert made["status"] == "closing"
    assert made["title"] == f"答复评价 {code}"
    assert [one["key"] for one in made["choices"]] == ["solved", "partly", "evaded"]
    for n, choice in enumerate(("solved", "solved", "evaded")):
        await cast_vote(lanxi.house, f"viewer-{n}", f"key-{n:08d}", made["id"], choice)
    assert await refusal(ask_reaction(*ask, "mood", "public")) == "reaction_running"
    round_ = await after_it_closed(lanxi, made["id"])
    assert round_.about == code
    assert {one["key"]: one["count"] for one in round_.result["choices"]} == {
        "solved": 2,
        "partly": 0,
        "evaded": 1,
    }
    # The next one may be asked for.
    assert (await ask_reaction(*ask, "mood", "public")).status == 201


async def test_the_panel_shows_cards_and_all_count_alike(lanxi: Home) -> None:
    await on_stage(lanxi)
    ask = (lanxi.house, lanxi.person("host"), lanxi.slug)
    made = (await ask_reaction(*ask, "mood", "panel")).body["id"]
    for index, card in enumerate(("smile", "cry")):
        key = f"key-{index:08d}"
        marks = {"roads": {"answer": card}}
        await cast_ballot(lanxi.house, lanxi.panelist(index), made, marks, (), key)
    round_ = await after_it_closed(lanxi, made)
    assert "groups" not in round_.rules
    assert round_.result["subjects"][0]["total"] == "0.3333"  # One smile of three present.


async def test_nothing_is_asked_about_an_empty_stage_or_of_another_kind(lanxi: Home) -> None:
    await lanxi.go_live()
    ask = (lanxi.house, lanxi.person("host"), lanxi.slug)
    assert await refusal(ask_reaction(*ask, "mood", "public")) == "stage_empty"
    assert await refusal(ask_reaction(*ask, "applause", "public")) == "malformed"
    moderator = lanxi.person("moderator")
    assert await refusal(ask_reaction(lanxi.house, moderator, lanxi.slug, "mood", "public")) == (
        "not_allowed"
    )


async def test_the_author_says_whether_it_was_settled(lanxi: Home) -> None:
    code = await on_stage(lanxi)
    async with lanxi.building.store.act(slug=lanxi.slug) as unit:
        question = await unit.questions.by_code(code)
        await unit.connection.exec_driver_sql(
            f"UPDATE questions SET secret_hash = '{secret_hash('S3CRET')}' WHERE id = {question.id}"
        )
    rate = (lanxi.house, code)
    assert await refusal(rate_answer(*rate, "S3CRET", "solved")) == "rating_early"
    host = lanxi.person("host")
    await take_question.pull_question(lanxi.house, host, lanxi.slug, "answered")
    assert await refusal(rate_answer(*rate, "wrong", "solved")) == "secret_wrong"
    assert await refusal(rate_answer(*rate, "S3CRET", "fine")) == "malformed"
    assert await refusal(rate_answer(lanxi.house, "NONE", "S3CRET", "solved")) == "not_found"
    for rating in ("solved", "evaded", "evaded"):
        await rate_answer(*rate, "S3CRET", rating)
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        assert (await unit.questions.by_code(code)).rating == "evaded"
    told = [e.body["rating"] for e in await lanxi.entries() if e.event == "question_rated"]
    assert told == ["solved", "evaded"]
