"""Two moderators at the same orders at once: nobody is counted twice, lost, or waited for without end."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from server.actions.merge_questions import merge_question, unmerge_question
from server.actions.moderate_many import Bulk, moderate_many, undo_many
from server.domain.questions import Question
from server.domain.refusals import Refusal
from tests.actions.test_desk import bring, order, people, standing
from tests.house import Home

pytestmark = pytest.mark.anyio
MANY = 24
NAMES = [f"r{n:02d}" for n in range(MANY)]
EXPECTED = {"merge_target_illegal", "question_step_illegal", "merge_into_self", "version_stale"}


async def many(lanxi: Home) -> list[int]:
    """Ids of orders, each of somebody else."""
    found = await bring(lanxi, *(order(name, person=f"p.{name}") for name in NAMES))
    return [found[name].id for name in NAMES]


async def together(*acts: Any) -> list[Any]:
    """What each act came to, a refusal too; they may not wait for one another without end."""
    async with asyncio.timeout(30):
        return list(await asyncio.gather(*acts, return_exceptions=True))


def behind(found: dict[str, Question]) -> int:
    """People behind everything that stands for itself."""
    return sum(one.askers for one in found.values() if one.status != "merged")


async def test_bulk_merges_that_cross_count_everybody_once(lanxi: Home) -> None:
    li, wang = people(lanxi)
    ids = await many(lanxi)
    mine = Bulk("merge", tuple(ids[:16]), into=ids[20])
    his = Bulk("merge", tuple(reversed(ids[8:])), into=ids[3])
    told = await together(
        moderate_many(lanxi.house, li, lanxi.slug, mine),
        moderate_many(lanxi.house, wang, lanxi.slug, his),
    )
    assert not [one for one in told if isinstance(one, BaseException)], told
    refused = {one["code"] for answer in told for one in answer.body["refused"]}
    assert refused <= EXPECTED
    found = await standing(lanxi)
    assert behind(found) == MANY
    done = Counter(one["id"] for answer in told for one in answer.body["done"])
    merged = {one.id for one in found.values() if one.status == "merged"}
    assert set(done) == merged
    assert max(done.values()) == 1
    undone = await together(
        *(
            undo_many(lanxi.house, who, lanxi.slug, answer.body["undo"])
            for who, answer in ((li, told[0]), (wang, told[1]))
            if answer.body["undo"] is not None
        )
    )
    assert not [one for one in undone if isinstance(one, BaseException)], undone
    found = await standing(lanxi)
    assert behind(found) == MANY
    left = [one for one in found.values() if one.status == "merged"]
    kept = {one["id"] for answer in undone for one in answer.body["refused"]}
    assert {one.id for one in left} <= kept


async def test_merges_and_their_undoing_at_once_lose_nobody(lanxi: Home) -> None:
    li, wang = people(lanxi)
    ids = await many(lanxi)
    for _ in range(3):
        acts = [
            merge_question(lanxi.house, who, lanxi.slug, a, b)
            for n in range(0, MANY - 2, 2)
            for who, a, b in ((li, ids[n], ids[n + 1]), (wang, ids[n + 1], ids[n + 2]))
        ]
        told = await together(
            *acts, *(unmerge_question(lanxi.house, wang, lanxi.slug, i) for i in ids[::3])
        )
        codes = {one.code for one in told if isinstance(one, Refusal)}
        assert not [
            one for one in told if isinstance(one, BaseException) and not isinstance(one, Refusal)
        ]
        assert codes <= EXPECTED, codes
        assert behind(await standing(lanxi)) == MANY
