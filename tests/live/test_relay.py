"""The journal reader: a process that hears no bell looks every half second."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from server.live import relay as relay_module
from server.live.channels import Channel
from server.live.hub import Hub
from server.live.relay import Feed, Relay, Stream

pytestmark = pytest.mark.anyio


async def test_it_looks_at_every_hearing_however_often_the_bell_rings_for_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nothing: Any = None
    relay = Relay(Hub(), nothing, nothing, lambda: 0)
    seen: list[int] = []

    async def catch_up(hearing: int) -> None:
        seen.append(hearing)

    monkeypatch.setattr(relay, "catch_up", catch_up)
    monkeypatch.setattr(relay, "_forget", lambda: None)
    monkeypatch.setattr(relay, "_feeds", {1: None, 2: None})
    relay.start()
    for _ in range(24):  # Another hearing's acts come ten times a second.
        await relay.heard("hearing", "1")
        await asyncio.sleep(0.1)
    await relay.stop()
    assert 3 <= seen.count(2) <= 6, seen
    assert seen.count(1) > 15, seen


PUBLIC = Channel(7, "public", "json", "zh")


def followed() -> tuple[Relay, Feed]:
    """A relay that follows one hearing, at version 3."""
    nothing: Any = None
    relay = Relay(Hub(), nothing, nothing, lambda: 0)
    relay._feeds[7] = feed = Feed(1, "epoch", 0, {"public": 3})
    return relay, feed


async def let_in(relay: Relay) -> list[str]:
    """What a newcomer begins with."""
    told: list[str] = []
    newcomer: Any = SimpleNamespace(channel=PUBLIC, begin=told.extend)
    await relay.welcome(newcomer, None, None)
    return told


async def test_a_feed_that_somebody_is_being_let_in_to_is_not_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody has watched for long; while a newcomer's first frame is made, the feed is looked at."""
    monkeypatch.setattr(relay_module, "IDLE_S", 0.2)
    relay, feed = followed()
    await asyncio.sleep(0.3)

    async def snapshot(channel: Channel) -> tuple[str, int, str]:
        relay._forget()
        return "epoch", 3, "snapshot"

    monkeypatch.setattr(relay, "snapshot", snapshot)
    assert await let_in(relay) == ["snapshot"]
    assert relay._feeds[7] is feed
    assert PUBLIC in feed.streams


async def test_who_is_let_in_while_a_new_run_begins_is_told_of_that_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its frames go to streams of the new run: a newcomer on an old one would hear nothing more."""
    relay, feed = followed()
    looks = 0

    async def snapshot(channel: Channel) -> tuple[str, int, str]:
        nonlocal looks
        looks += 1
        if looks == 1:  # The run changes meanwhile, and has as many acts.
            feed.streams.clear()
        return "epoch", 3, f"snapshot {looks}"

    async def catch_up(hearing: int) -> None:
        del hearing

    monkeypatch.setattr(relay, "snapshot", snapshot)
    monkeypatch.setattr(relay, "catch_up", catch_up)
    assert await let_in(relay) == ["snapshot 2"]
    assert PUBLIC in feed.streams


async def test_a_page_that_cannot_be_made_leaves_no_hole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in its own channel's versions nor in those that come after it."""
    nothing: Any = None
    hub = Hub()
    relay = Relay(hub, nothing, nothing, lambda: 0)
    channels = [
        Channel(7, "public", form, lang) for form in ("html", "json") for lang in ("zh", "en")
    ]
    feed = Feed(1, "epoch", 0, {"public": 3})
    feed.streams.update({channel: Stream(3) for channel in channels})
    sent: dict[Channel, Any] = {}

    def members(channel: Channel, *_: Any) -> dict[str, Any]:
        if channel.lang == "zh":
            raise KeyError
        return {"data": {"n": 1}}

    monkeypatch.setattr(relay, "_members", members)
    monkeypatch.setattr(
        hub, "send", lambda channel, frame: sent.update({channel: orjson.loads(frame)})
    )
    entry: Any = SimpleNamespace(seq=9, at=1, event="x", rooms={"public": 4})
    relay._tell(feed, entry, nothing, {})
    assert {frame["version"] for frame in sent.values()} == {4}
    assert set(sent) == set(channels)
    assert (sent[channels[0]]["content"], sent[channels[2]]["data"]) == ("", {})
    assert {stream.version for stream in feed.streams.values()} == {4}


async def test_what_one_reading_tells_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three acts read together: the part that all of them change comes with the last, and whoever comes
    back after the first or the second gets it too."""
    nothing: Any = None
    hub, page = Hub(), Channel(7, "public", "html", "zh")

    class Renderer:
        def content(self, *said: Any) -> str:
            event, later = said[1], said[5]
            return "".join(
                part for part in REDRAWS[event] if not any(part in REDRAWS[e] for e in later)
            )

        def everything(self, *_: Any) -> str:
            raise AssertionError

    relay = Relay(hub, nothing, Renderer(), lambda: 0)
    feed = Feed(1, "epoch", 0, {"public": 3})
    feed.streams[page] = Stream(3)
    monkeypatch.setattr(relay_module, "sentence", lambda *_: "")
    entries: Any = tuple(
        SimpleNamespace(seq=n, at=n, event=event, rooms={"public": 3 + n}, public={}, body={})
        for n, event in enumerate(("ab", "b", "bc"), 1)
    )
    for entry, later in zip(entries, relay_module._later(entries), strict=True):
        relay._tell(feed, entry, nothing, later)
    stream = feed.streams[page]
    for since, expected in ((3, ["a", "", "bc"]), (4, ["", "bc"]), (5, ["bc"])):
        assert [orjson.loads(one)["content"] for one in stream.gap(since) or ()] == expected


REDRAWS = {"ab": ("a", "b"), "b": ("b",), "bc": ("b", "c")}


async def test_a_text_that_was_taken_away_is_not_told_to_who_missed_it() -> None:
    nothing: Any = None
    relay, page = Relay(Hub(), nothing, nothing, lambda: 0), PUBLIC
    feed = Feed(1, "epoch", 0, {"public": 3})
    stream = feed.streams[page] = Stream(3)
    for n, event in enumerate(("question_approved", "round_opened", "question_removed"), 1):
        said = {"questions": [{"code": "A", "text": "街坊王某某"}]} if n == 1 else {}
        entry: Any = SimpleNamespace(
            seq=n, at=n, event=event, rooms={"public": 3 + n}, public=said, body={}
        )
        relay._tell(feed, entry, nothing, {})
        assert len(stream.gap(3) or ()) == (0 if event == "question_removed" else n)
    assert stream.gap(3) is None  # A snapshot is made for him.
    assert len(stream.gap(5) or ()) == 1
