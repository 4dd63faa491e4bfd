"""Topics on every store: people choose them, the machine learns from that and proposes, and sets none."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from server import duties
from server.actions.change_status import change_status
from server.actions.edit_question import edit_question
from server.actions.import_questions import Source, import_questions
from server.actions.learn_topics import learn_topics
from server.actions.manage_topics import replace_topics
from server.actions.start_run import start_run
from server.actions.suggest_topics import scheme_of, suggested
from server.domain.desk import Filters
from server.domain.incoming import Incoming
from server.domain.questions import NewQuestion, Question
from server.domain.refusals import Refusal
from server.domain.roles import MACHINE, Actor, Grant
from server.domain.topics import LABELS_LEAST, Suggestion, Topic
from server.store.topics import offices_to_learn
from tests.house import Home, home

pytestmark = pytest.mark.anyio
SOURCE = Source("hotline-1")
SCHEME = (
    Topic("交通", "01", ("堵车",)), Topic("交通/公交", "0101"), Topic("交通_慢行"),
    Topic("住房", "02"), Topic("住房/公租房", "0201"),
)  # fmt: skip
ABOUT = {
    "公交": ("公交车不准点", "交通/公交"),
    "房": ("公租房排队太久", "住房/公租房"),
    "路": ("路口堵车严重", "交通"),
}


async def bring(lanxi: Home, n: int, prefix: str = "N") -> list[Question]:
    """`n` questions, in turn about each of `ABOUT`."""
    said = [what for what, _ in ABOUT.values()]
    items = [
        Incoming(f"{prefix}-{i}", f"第{i}位市民：{said[i % 3]}，请问何时解决？", "", 0, {}, f"{prefix}{i}")
        for i in range(n)
    ]  # fmt: skip
    await import_questions(lanxi.house, lanxi.person("moderator"), lanxi.slug, SOURCE, items)
    await lanxi.settle()
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        page = await unit.desk.page(Filters(source=SOURCE.key, size=5_000))
    own = [one for one in page if one.external_id.startswith(f"{prefix}-")]
    return sorted(own, key=lambda one: int(one.external_id.partition("-")[2]))


async def put_scheme(lanxi: Home, topics: tuple[Topic, ...] = SCHEME, **more: Any) -> Any:
    return await replace_topics(
        lanxi.house, lanxi.person("office"), lanxi.slug, topics, "a.csv", **more
    )


async def choose(lanxi: Home, one: Question, topic: str, **more: Any) -> dict[str, Any]:
    answer = await edit_question(
        lanxi.house, lanxi.person("moderator"), lanxi.slug, one.id, one.version, topic=topic, **more
    )
    return answer.body


async def proposed(lanxi: Home, one: Question) -> tuple[Suggestion, ...]:
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        return await suggested(lanxi.house, unit, one)


async def label(lanxi: Home, n: int, prefix: str = "N") -> list[Question]:
    all_ = await bring(lanxi, n, prefix)
    topics = [topic for _, topic in ABOUT.values()]
    for i, one in enumerate(all_):
        await choose(lanxi, one, topics[i % 3])
    return all_


async def test_a_person_chooses_by_path_or_code_and_the_journal_tells(lanxi: Home) -> None:
    await put_scheme(lanxi)
    (one, *_) = await bring(lanxi, 1)
    told = await choose(lanxi, one, "0101", key="topic-key-1")
    assert (told["topic"], told["version"]) == ("交通/公交", one.version + 1)
    entry = (await lanxi.entries())[-1]
    assert (entry.event, entry.body["act"]) == ("question_moderated", "edit")
    assert (entry.body["topic"], entry.body["topic_before"]) == ("交通/公交", None)
    assert await choose(lanxi, one, "0101", key="topic-key-1") == told
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        now = await unit.questions.get(one.id)
    assert now is not None
    told = await choose(lanxi, now, "")
    assert told["topic"] is None
    entry = (await lanxi.entries())[-1]
    assert (entry.body["topic"], entry.body["topic_before"]) == (None, "交通/公交")


async def test_what_is_not_in_the_scheme_is_refused_and_changes_nothing(lanxi: Home) -> None:
    (one, *_) = await bring(lanxi, 1)
    with pytest.raises(Refusal) as refused:
        await choose(lanxi, one, "交通")  # There is no scheme yet.
    assert refused.value.code == "topic_unknown"
    await put_scheme(lanxi)
    before = len(await lanxi.entries())
    for wrong in ("交通/地铁", "公交", "x" * 200):
        with pytest.raises(Refusal, match="topic_unknown"):
            await choose(lanxi, one, wrong, text="改过的文字")
    assert len(await lanxi.entries()) == before
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        kept = await unit.questions.get(one.id)
    assert kept == replace(one, cluster=kept.cluster)  # Which ask alike is found out beside it.


async def test_the_list_of_a_topic_holds_everything_below_it_and_nothing_beside(
    lanxi: Home,
) -> None:
    await put_scheme(lanxi)
    all_ = await bring(lanxi, 5)
    for one, topic in zip(all_, ("交通", "交通/公交", "交通_慢行", "住房/公租房"), strict=False):
        await choose(lanxi, one, topic)

    async def listed(topic: str) -> list[int]:
        async with lanxi.building.store.look(slug=lanxi.slug) as unit:
            return sorted(one.id for one in await unit.desk.page(Filters(topic=topic)))

    assert await listed("交通") == [all_[0].id, all_[1].id]
    assert await listed("交通/公交") == [all_[1].id]
    assert await listed("住房") == [all_[3].id]
    assert await listed("%") == await listed("交通%") == []


async def test_a_scheme_is_replaced_by_its_office_and_old_topics_stay_readable(
    lanxi: Home,
) -> None:
    done = await put_scheme(lanxi, dry_run=True)
    assert (done.topics, done.new, done.version) == (5, 5, 1)
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        assert not (await scheme_of(lanxi.house, unit)).topics
    assert (await put_scheme(lanxi)).version == 1
    entries = len(await lanxi.entries())
    assert (await put_scheme(lanxi)).version == 1  # The same again is no change.
    assert len(await lanxi.entries()) == entries
    (one, *_) = await bring(lanxi, 1)
    told = await choose(lanxi, one, "交通/公交")
    done = await put_scheme(lanxi, SCHEME[3:])
    assert vars(done) == {"version": 2, "topics": 2, "new": 0, "gone": 3, "kept": 1}
    entry = (await lanxi.entries())[-1]
    assert (entry.event, entry.body["version"], entry.body["gone"]) == ("topics_changed", 2, 3)
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        now = await unit.questions.get(one.id)
        assert len(await unit.desk.page(Filters(topic="交通"))) == 1
    assert now is not None
    assert now.topic == "交通/公交"
    # An edit that leaves it as it is may go on saying it.
    told = await choose(lanxi, now, "交通/公交", tags=["公交"])
    assert (told["topic"], told["tags"]) == ("交通/公交", ["公交"])


async def test_who_prepares_one_hearing_alone_does_not_change_the_offices_scheme(
    lanxi: Home,
) -> None:
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        ref, path = unit.place.ref, unit.place.path
    own = Actor("account:9", "x", (Grant("office", ref.office, path, hearing=ref.hearing),))
    for by in (own, lanxi.person("moderator"), lanxi.person("host")):
        with pytest.raises(Refusal, match="not_allowed"):
            await replace_topics(lanxi.house, by, lanxi.slug, SCHEME, "a.csv")


async def test_one_office_sees_nothing_of_anothers_scheme(lanxi: Home, tmp_path: Path) -> None:
    from server.actions.create_hearing import create_hearing
    from server.store.identity import Identity
    from tests.house import SMALL_SHOW, show_of

    await put_scheme(lanxi)
    async with lanxi.building.database.write() as connection:
        other = await Identity(connection).add_office("别县", "county", None, lanxi.house.now())
    staff = Actor("account:8", "x", (Grant("office", other.id, other.path),))
    show = show_of(SMALL_SHOW.replace("slug: lanxi", "slug: other"))
    await create_hearing(lanxi.house, staff, other.id, other.path, show)
    async with lanxi.building.store.look(slug="other") as unit:
        assert not (await scheme_of(lanxi.house, unit)).topics
        assert await unit.topics.labels(10) == []
    with pytest.raises(Refusal, match="not_found"):
        await replace_topics(lanxi.house, staff, lanxi.slug, SCHEME, "a.csv")


async def test_keywords_propose_before_anything_is_learned(lanxi: Home) -> None:
    (one, *_) = await bring(lanxi, 1)
    assert await proposed(lanxi, one) == ()
    await put_scheme(lanxi, (*SCHEME, Topic("交通/班次", "", ("公交车",))))
    assert await proposed(lanxi, one) == (Suggestion("交通/班次", ("公交车",), 0),)


async def test_what_was_chosen_is_learned_and_learned_again_when_there_is_more(
    lanxi: Home,
) -> None:
    async def due() -> int:
        async with lanxi.building.database.read() as connection:
            found = await offices_to_learn(
                connection, LABELS_LEAST, duties.FRESH_LEAST, duties.FRESH_SHARE
            )
        return len(found)

    await put_scheme(lanxi)
    first = await label(lanxi, LABELS_LEAST - 1)
    assert await due() == 0
    await label(lanxi, 1, "M")
    assert await due() == 1
    assert await learn_topics(lanxi.house, lanxi.slug) == LABELS_LEAST
    assert await due() == 0
    (fresh, *_) = await bring(lanxi, 1, "F")
    (best, *_) = await proposed(lanxi, fresh)
    assert (best.topic, best.chosen) == ("交通/公交", 18)
    assert fresh.topic is None
    # A few more are not worth it, a score is; and so is another scheme.
    await label(lanxi, duties.FRESH_LEAST - 1, "G")
    assert await due() == 0
    await label(lanxi, 1, "H")
    assert await due() == 1
    await learn_topics(lanxi.house, lanxi.slug)
    assert await due() == 0
    await put_scheme(lanxi, SCHEME[3:])
    assert await due() == 1
    # Of the labels that are left there are too few, and they are not looked at again and again.
    assert await learn_topics(lanxi.house, lanxi.slug) < LABELS_LEAST
    assert await due() == 0
    assert all(not one.chosen for one in await proposed(lanxi, fresh))
    assert len(first) == LABELS_LEAST - 1


async def test_a_rehearsals_choices_teach_nothing(lanxi: Home) -> None:
    await put_scheme(lanxi)
    host = lanxi.person("host", "office")
    await change_status(lanxi.house, host, lanxi.slug, "ready", 0)
    await start_run(lanxi.house, host, lanxi.slug, "rehearsal")
    await label(lanxi, 3)
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        assert await unit.topics.labels(10) == []
    async with lanxi.building.database.read() as connection:
        assert not await offices_to_learn(connection, 1, 1, 1)


async def test_where_training_fails_what_was_learned_before_stays(lanxi: Home) -> None:
    await put_scheme(lanxi)
    all_ = await label(lanxi, LABELS_LEAST)
    await learn_topics(lanxi.house, lanxi.slug)
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        before, at = await unit.topics.model(), (await unit.topics.trained())[0]

    async def fails(_: object) -> None:
        return None

    object.__setattr__(lanxi.house, "train", fails)
    await asyncio.sleep(0.002)
    await learn_topics(lanxi.house, lanxi.slug)
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        assert await unit.topics.model() == before
        assert (await unit.topics.trained())[0] > at
    assert (await proposed(lanxi, all_[0]))[0].chosen


# ── nobody but a person sets one (law 11) ──


async def test_no_road_sets_a_topic_without_a_person(lanxi: Home) -> None:
    await put_scheme(lanxi)
    (one, *_) = await label(lanxi, LABELS_LEAST)
    fresh = await bring(
        lanxi, 6, "F"
    )  # Imported, masked, screened, indexed: every road of the machine.
    await learn_topics(lanxi.house, lanxi.slug)
    for each in fresh:
        assert await proposed(lanxi, each)
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        now = await unit.questions.by_ids([each.id for each in fresh])
    assert [each.topic for each in now.values()] == [None] * 6
    for target in (one, fresh[0]):
        with pytest.raises(Refusal, match="not_allowed"):
            await edit_question(
                lanxi.house, MACHINE, lanxi.slug, target.id, target.version, topic="交通"
            )
    assert "topic" not in NewQuestion.__annotations__


async def test_not_even_what_was_asked_off_the_cuff(lanxi: Home) -> None:
    """The right to edit is the host's there, so that the rule must stand by itself."""
    from server.actions.take_question import ask_off_the_cuff

    await put_scheme(lanxi)
    await lanxi.go_live()
    taken = await ask_off_the_cuff(
        lanxi.house, lanxi.person("host"), lanxi.slug, "某代表", "堵车？"
    )
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        one = await unit.questions.get(taken.body["id"])
    assert one is not None
    with pytest.raises(Refusal, match="not_allowed"):
        await edit_question(lanxi.house, MACHINE, lanxi.slug, one.id, one.version, topic="交通")
    told = await edit_question(
        lanxi.house, lanxi.person("host"), lanxi.slug, one.id, one.version, topic="交通"
    )
    assert told.body["topic"] == "交通"


async def test_the_machine_learns_by_itself_and_a_restart_forgets_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duties, "LEARN_S", 0.05)
    async with home(tmp_path / "data") as lanxi:
        await put_scheme(lanxi)
        await label(lanxi, LABELS_LEAST)
        for _ in range(600):
            async with lanxi.building.store.look(slug=lanxi.slug) as unit:
                trained = await unit.topics.trained()
            if trained[1]:
                break
            await asyncio.sleep(0.05)
        assert trained[1] >= LABELS_LEAST
    async with home(tmp_path / "data", beside=lanxi) as again:  # After a restart.
        (fresh, *_) = await bring(again, 1, "F")
        (best, *_) = await proposed(again, fresh)
    assert (best.topic, best.chosen > 0) == ("交通/公交", True)
