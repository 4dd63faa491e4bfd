"""An author's appeal from its first word to its answer, on every store."""

from __future__ import annotations

import pytest

from server.actions.appeal_question import appeal_question
from server.actions.ask_question import ask_question
from server.actions.escalate_question import escalate_question
from server.actions.moderate_question import (
    reject_question,
    unreject_question,
    uphold_rejection,
)
from server.domain.desk import Done, Filters
from server.domain.questions import Question
from server.domain.refusals import Refusal
from tests.house import Home
from web.pages.desk.context import past

pytestmark = pytest.mark.anyio


async def one(lanxi: Home, code: str) -> Question:
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        found = await unit.questions.by_code(code)
    assert found
    return found


async def waiting(lanxi: Home) -> list[str]:
    """What the desk's list of appeals holds; its count is the same."""
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        page = await unit.desk.page(Filters(appealed=True, hidden=True))
    assert (await lanxi.view()).appeals == len(page)
    return [question.code for question in page]


async def done_to(lanxi: Home, id_: int) -> tuple[Done, ...]:
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        return await unit.desk.history(id_)


async def rejected(lanxi: Home, n: int) -> tuple[int, str, str]:
    """(id, code, secret) of a rejected question."""
    text = f"第 {n} 盏路灯何时修好？"
    done = await ask_question(lanxi.house, f"v{n}", f"key-asked-{n}", lanxi.slug, text, None)
    code, secret = str(done.answer["code"]), str(done.answer["secret"])
    id_ = (await one(lanxi, code)).id
    by = lanxi.person("moderator", name="li")
    await reject_question(lanxi.house, by, lanxi.slug, id_, "unclear")
    return id_, code, secret


async def test_an_appeal_waits_at_the_desk_until_a_moderator_answers_it(lanxi: Home) -> None:
    await lanxi.go_live()
    house, slug = lanxi.house, lanxi.slug
    li, wang = lanxi.person("moderator", name="li"), lanxi.person("moderator", name="wang")
    id_, code, secret = await rejected(lanxi, 1)
    other, _, _ = await rejected(lanxi, 2)
    assert await waiting(lanxi) == []
    with pytest.raises(Refusal, match="appeal_missing"):
        await uphold_rejection(house, wang, slug, other)
    read = await one(lanxi, code)
    await appeal_question(house, code, secret, "请再看一次。")
    assert await waiting(lanxi) == [code]
    # Whoever has it open is told, and decides about no appeal that he has not read.
    assert (await one(lanxi, code)).version == read.version + 1
    with pytest.raises(Refusal, match="version_stale"):
        await uphold_rejection(house, wang, slug, id_, version=read.version)
    with pytest.raises(Refusal, match="not_allowed"):
        await uphold_rejection(house, lanxi.person("host"), slug, id_)

    note = "请拨 13812345678 说明路段。"
    first = await uphold_rejection(house, li, slug, id_, note, "key-upheld-1")
    assert await uphold_rejection(house, li, slug, id_, note, "key-upheld-1") == first
    assert await waiting(lanxi) == []
    after = await one(lanxi, code)
    assert (after.status, after.reason) == ("rejected", "unclear")
    assert after.appeal_outcome == "upheld"
    assert after.appeal_note
    assert "13812345678" not in after.appeal_note
    with pytest.raises(Refusal, match="appeal_answered"):
        await uphold_rejection(house, wang, slug, id_)
    acts = [entry.body.get("act") for entry in await done_to(lanxi, id_)]
    assert acts[-3:] == ["reject", "appeal", "uphold"]
    assert "13812345678" not in str(await lanxi.entries())


async def test_taking_a_rejection_back_or_escalating_it_answers_its_appeal(lanxi: Home) -> None:
    await lanxi.go_live()
    house, slug, by = lanxi.house, lanxi.slug, lanxi.person("moderator", name="li")
    for n, act in enumerate((unreject_question, escalate_question)):
        id_, code, secret = await rejected(lanxi, n)
        await appeal_question(house, code, secret, "请再看一次。")
        assert await waiting(lanxi) == [code]
        if act is unreject_question:
            await unreject_question(house, by, slug, id_)
        else:
            await escalate_question(house, by, slug, id_, "unrest", "")
        assert (await one(lanxi, code)).appeal_outcome == "granted"
        assert await waiting(lanxi) == []


async def test_the_history_says_who_appealed_in_words(lanxi: Home) -> None:
    await lanxi.go_live()
    id_, code, secret = await rejected(lanxi, 1)
    await appeal_question(lanxi.house, code, secret, "请再看一次。")
    done = await done_to(lanxi, id_)
    for lang, author, appealed in (
        ("zh", "提问人", "提问人申诉"),
        ("en", "The author", "The author appealed"),
    ):
        steps = past(done, lang).steps
        assert (steps[0].word, steps[0].who) == (appealed, author)
        assert steps[-1].who == author
        assert not {"machine", "public"} & {step.who for step in steps}
    screened = Done(0, "questions_screened", "machine", "", "machine", {})
    assert past((screened,), "zh").steps[0].who == "程序"
    assert past((screened,), "en").steps[0].who == "The program"
