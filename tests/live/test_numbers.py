"""What floods reaches everyone: a number that a page shows is, within a second or two, the true one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import pytest

from server.actions.ask_question import ask_question
from server.actions.cast_vote import cast_vote
from server.actions.change_status import change_status
from server.actions.create_round import NewRound, create_round
from server.actions.moderate_question import reject_question
from server.actions.open_round import open_round
from server.actions.start_run import start_run
from server.actions.support_question import support_question
from server.live import pulse as pulse_module
from server.live.channels import Channel
from server.live.hub import Hub, Listener
from server.live.pulse import Pulse
from tests.house import Home
from tests.live.test_bus import Wire, until

pytestmark = pytest.mark.anyio


class Page:
    """A page with its numbers, as its script keeps them."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.taken = 0
        self.support: dict[str, int] = {}
        self.cast: dict[str, int] = {}
        self.counts: dict[str, dict[str, int]] = {}
        self.fates: dict[str, int] = {}

    def look(self) -> None:
        """Takes the frames that came meanwhile."""
        for frame in self.wire.frames[self.taken :]:
            told = json.loads(frame)
            if told["type"] == "pulse":
                assert len(frame.encode()) <= 300, frame
                self.support.update(told.get("support", {}))
                self.fates |= {**told.get("fates", {}), **told.get("reasons", {})}
                for id_, one in told.get("rounds", {}).items():
                    self.cast[id_] = one["cast"]
                    self.counts.setdefault(id_, {}).update(one.get("counts", {}))
        self.taken = len(self.wire.frames)

    async def shows(self, code: str, n: int) -> None:
        """Waits until the page shows so much support for the question."""

        def true() -> bool:
            self.look()
            return self.support.get(code) == n

        await until(true, 4)


@asynccontextmanager
async def opened(lanxi: Home) -> AsyncIterator[Page]:
    """A page that has just been opened; it was made a while ago, at the version that holds."""
    page, view = Page(), await lanxi.view()
    channel = Channel(view.hearing.ref.hearing, "public", "html", "zh")
    relay, hub = lanxi.building.relay, lanxi.building.hub
    listener = Listener(page.wire, channel, relay.catch_up_with)
    await relay.welcome(listener, view.hearing.epoch, view.versions["public"])
    with ExitStack() as stack:
        stack.enter_context(hub.joined(listener))
        lanxi.building.pulse.stirred(channel.hearing)
        writing = asyncio.create_task(listener.write())
        stack.callback(writing.cancel)
        yield page


async def supported(lanxi: Home) -> Any:
    """A question that takes support, in a live hearing that has come to rest."""
    await lanxi.go_live()
    await lanxi.settle()
    return next(q for q in (await lanxi.view()).questions if q.status == "approved")


async def test_the_last_support_taken_back_is_told(lanxi: Home) -> None:
    question = await supported(lanxi)
    async with opened(lanxi) as page:
        await support_question(lanxi.house, "v1", "key-support", lanxi.slug, question.code, True)
        await page.shows(question.code, 1)
        await support_question(lanxi.house, "v1", "key-undo", lanxi.slug, question.code, False)
        await page.shows(question.code, 0)
        # Also to one whose page was made while it still had some.
        async with opened(lanxi) as late:
            await late.shows(question.code, 0)


async def test_a_page_that_was_made_before_is_told_the_numbers_of_now(lanxi: Home) -> None:
    question = await supported(lanxi)
    round_ = next(r for r in (await lanxi.view()).rounds if r.audience == "public")
    await open_round(lanxi.house, lanxi.person("host"), round_.id)
    async with opened(lanxi) as first:
        await support_question(lanxi.house, "v1", "key-support", lanxi.slug, question.code, True)
        await cast_vote(lanxi.house, "v1", "key-vote-1", round_.id, "good")
        await first.shows(question.code, 1)
        async with opened(lanxi) as late:
            await late.shows(question.code, 1)
            assert late.cast[round_.id] == 1
            assert late.counts[round_.id] == {"good": 1}


async def test_what_becomes_of_questions_is_told_to_everybody(lanxi: Home) -> None:
    """A refusal moves no version of the public's, and is told all the same."""
    await supported(lanxi)
    desk, refused = lanxi.person("moderator"), {"refused": 1, "unclear": 1}
    asked = await ask_question(lanxi.house, "v1", "key-asked", lanxi.slug, "路灯何时修好？", None)
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        found = await unit.questions.by_code(str(asked.answer["code"]))
    assert found
    async with opened(lanxi) as page:
        version = (await lanxi.view()).versions["public"]
        await reject_question(lanxi.house, desk, lanxi.slug, found.id, "unclear")

        def told() -> bool:
            page.look()
            return page.fates.items() >= refused.items()

        await until(told, 4)
        view = await lanxi.view()
        assert view.versions["public"] == version
        assert page.fates == {**view.fates.numbers, **view.fates.reasons}
        async with opened(lanxi) as late:

            def as_much() -> bool:
                late.look()
                return late.fates == page.fates

            await until(as_much, 4)


async def test_a_pulse_that_gives_way_is_made_up_for(lanxi: Home) -> None:
    question = await supported(lanxi)
    async with opened(lanxi) as page:
        await until(lambda: page.wire.frames)
        (listener,) = lanxi.building.hub._listeners[
            Channel((await lanxi.view()).hearing.ref.hearing, "public", "html", "zh")
        ]
        await support_question(lanxi.house, "v1", "key-support", lanxi.slug, question.code, True)
        put = listener.put

        def overtaken(frame: str, *, pulse: bool = False) -> None:
            put(frame, pulse=pulse)
            if '"support"' in frame:
                listener.put = put  # type: ignore[method-assign]
                put('{"type":"cue"}')

        listener.put = overtaken  # type: ignore[method-assign]
        await page.shows(question.code, 1)


async def test_long_keys_of_many_choices_are_told_in_several_pulses(lanxi: Home) -> None:
    await lanxi.go_live()
    host = lanxi.person("host")
    keys = [f"choice-with-a-key-of-forty-characters-{i:02d}" for i in range(12)]
    made = await create_round(
        lanxi.house,
        host,
        lanxi.slug,
        NewRound("网络评价", "public", choices=tuple((k, k) for k in keys), show_live=True),
    )
    id_ = made.body["id"]
    await open_round(lanxi.house, host, id_)
    async with opened(lanxi) as page:
        for i, key in enumerate(keys):
            await cast_vote(lanxi.house, f"v{i}", f"key-vote-{i}", id_, key)

        def all_told() -> bool:
            page.look()
            return page.counts.get(id_) == dict.fromkeys(keys, 1)

        await until(all_told, 6)
        assert page.cast[id_] == 12
        async with opened(lanxi) as late:
            await until(lambda: late.look() or late.counts.get(id_) == page.counts[id_], 4)  # type: ignore[func-returns-value]


async def test_another_run_is_told_nothing_of_the_one_before(lanxi: Home) -> None:
    host = lanxi.person("host", "office")
    await change_status(lanxi.house, host, lanxi.slug, "ready", 0)
    await start_run(lanxi.house, host, lanxi.slug, "rehearsal")
    await lanxi.settle()
    question = next(q for q in (await lanxi.view()).questions if q.status == "approved")
    async with opened(lanxi) as page:
        await support_question(lanxi.house, "v1", "key-support", lanxi.slug, question.code, True)
        await page.shows(question.code, 1)
        await start_run(lanxi.house, host, lanxi.slug, "real")
        snapshot = len(page.wire.frames)
        await until(lambda: any('"snapshot"' in f for f in page.wire.frames[snapshot:]), 4)
        # What was told before the snapshot is of the run before.
        while '"snapshot"' not in page.wire.frames[snapshot]:
            snapshot += 1
        page.taken = snapshot
        page.support.clear()
        await asyncio.sleep(1.5)
        async with opened(lanxi) as late:
            await asyncio.sleep(0.6)
            late.look()
            page.look()
            # A code that stands in both runs would be told as 0, and one of the rehearsal alone too.
            assert question.code not in {**page.support, **late.support}


class Hanging:
    """A database that hangs: nothing is answered."""

    async def beat(self, numbers: dict[int, tuple[int, int]], now: int, load: int) -> None:
        await asyncio.Event().wait()


async def test_no_room_is_silent_while_the_database_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse_module, "SILENCE_S", 0.5)
    monkeypatch.setattr(pulse_module, "LOOK_S", 0.2)
    hub, wire = Hub(), Wire()
    listener = Listener(wire, Channel(7, "public", "json", "zh"), lambda one: asyncio.sleep(0))
    writing = asyncio.create_task(listener.write())
    pulse = Pulse(hub, None, Hanging(), lambda: 0)  # type: ignore[arg-type]
    pulse.like(7, 70, 1)
    pulse._runs[7] = 70
    pulse.start()
    try:
        with hub.joined(listener):
            await asyncio.sleep(2)
    finally:
        for task in pulse._tasks:
            task.cancel()
        writing.cancel()
    assert len(wire.frames) >= 2


class Slow:
    """Beats that fail once, and while whose next is written somebody claps."""

    def __init__(self) -> None:
        self.tried, self.written = 0, 0
        self.pulse: Pulse

    async def beat(self, numbers: dict[int, tuple[int, int]], now: int, load: int) -> None:
        self.tried += 1
        self.pulse.like(7, 70, 2)
        if self.tried == 1:
            raise ConnectionError
        self.written += sum(likes for _, likes in numbers.values())


async def test_no_applause_is_lost_while_other_applause_is_written() -> None:
    beats = Slow()
    beats.pulse = pulse = Pulse(Hub(), None, beats, lambda: 0)  # type: ignore[arg-type]
    pulse.like(7, 70, 3)
    with pytest.raises(ConnectionError):
        await pulse.stop()
    for _ in range(2):
        await pulse.stop()
    assert beats.written == 3 + 2 + 2  # The last two, of this moment, are in the next.
