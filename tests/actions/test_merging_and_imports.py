"""A merge remembers what it added: taking it back gives exactly that back, whatever came since."""

from __future__ import annotations

import pytest

from server.actions.import_questions import Source, import_questions
from server.actions.merge_questions import merge_question, unmerge_question
from server.domain.desk import Filters
from server.domain.incoming import Incoming
from server.domain.questions import Question
from tests.house import Home

pytestmark = pytest.mark.anyio
SOURCE = Source("hotline-1")


async def bring(lanxi: Home, **likes: int) -> dict[str, Question]:
    """The hotline's file with these numbers of likes; the questions as they stand after it."""
    items = [
        Incoming(f"M-{name}", f"{name} 路公交为什么减班？", "", n, {}, f"{name} {n}")
        for name, n in likes.items()
    ]
    await import_questions(lanxi.house, lanxi.person("moderator"), lanxi.slug, SOURCE, items)
    return await standing(lanxi)


async def standing(lanxi: Home) -> dict[str, Question]:
    await lanxi.settle()
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        page = await unit.desk.page(Filters(source=SOURCE.key))
    return {q.external_id.removeprefix("M-"): q for q in page}


async def test_likes_that_the_source_counted_after_a_merge_are_not_taken_from_the_target(
    lanxi: Home,
) -> None:
    desk = lanxi.person("moderator")
    found = await bring(lanxi, a=5, b=7)
    await merge_question(lanxi.house, desk, lanxi.slug, found["a"].id, found["b"].id)
    found = await bring(lanxi, a=50)
    assert (found["b"].likes, found["b"].askers) == (12, 2)
    await unmerge_question(lanxi.house, desk, lanxi.slug, found["a"].id)
    found = await standing(lanxi)
    assert (found["a"].likes, found["b"].likes, found["b"].askers) == (50, 7, 1)


async def test_news_of_the_target_keep_what_was_merged_into_it(lanxi: Home) -> None:
    desk = lanxi.person("moderator")
    found = await bring(lanxi, a=5, b=7, c=1)
    await merge_question(lanxi.house, desk, lanxi.slug, found["a"].id, found["b"].id)
    await merge_question(lanxi.house, desk, lanxi.slug, found["b"].id, found["c"].id)
    found = await bring(lanxi, b=20, c=2)
    assert (found["b"].likes, found["c"].likes) == (25, 14)
    await unmerge_question(lanxi.house, desk, lanxi.slug, found["a"].id)
    found = await standing(lanxi)
    assert (found["b"].likes, found["c"].likes, found["c"].askers) == (20, 9, 2)
    await unmerge_question(lanxi.house, desk, lanxi.slug, found["b"].id)
    found = await standing(lanxi)
    assert {name: (q.likes, q.askers) for name, q in found.items()} == {
        "a": (5, 1),
        "b": (20, 1),
        "c": (2, 1),
    }
