"""A slow socket: it never sees a hole without a snapshot, and makes nobody wait (law 10)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from server.live import hub
from server.live.channels import Channel
from server.live.hub import QUEUE, Listener

pytestmark = pytest.mark.anyio
CHANNEL = Channel(1, "public", "json", "zh")


class SlowWire:
    """A socket whose other end reads only when it is let."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.closed: tuple[int, str | None] | None = None
        self.reads = asyncio.Event()

    async def send_text(self, data: str) -> None:
        await self.reads.wait()
        self.sent.append(data)

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        self.closed = code, reason


async def until(true: Callable[[], object]) -> None:
    """Waits for it."""
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it did not come about")


async def test_cues_told_while_it_catches_up_stand_neither_before_nor_in_a_hole() -> None:
    wire, looked, told = SlowWire(), asyncio.Event(), asyncio.Event()

    async def catch_up(listener: Listener) -> None:
        looked.set()
        await told.wait()  # The database is read meanwhile.
        listener.begin(["snapshot 500"])

    listener = Listener(wire, CHANNEL, catch_up)
    writing = asyncio.create_task(listener.write())
    last = QUEUE + 40
    for version in range(1, last + 1):
        listener.put(f"cue {version}")
    wire.reads.set()
    await until(looked.is_set)
    for version in range(last + 1, 501):
        listener.put(f"cue {version}")
    told.set()
    await until(lambda: "snapshot 500" in wire.sent)
    listener.put("cue 501")
    await until(lambda: wire.sent[-1] == "cue 501")
    writing.cancel()
    before = wire.sent[: wire.sent.index("snapshot 500")]
    assert before == [f"cue {n}" for n in range(1, len(before) + 1)]
    assert len(before) >= QUEUE
    assert wire.sent[len(before) :] == ["snapshot 500", "cue 501"]


async def test_half_drained_it_takes_no_cue_behind_a_hole() -> None:
    wire = SlowWire()

    async def catch_up(listener: Listener) -> None:
        listener.begin(["snapshot"])

    listener = Listener(wire, CHANNEL, catch_up)
    for version in range(QUEUE + 10):
        listener.put(f"cue {version}")
    writing = asyncio.create_task(listener.write())
    wire.reads.set()
    await until(lambda: len(wire.sent) > 3)
    listener.put("cue after the hole")
    await until(lambda: "snapshot" in wire.sent)
    writing.cancel()
    assert "cue after the hole" not in wire.sent


async def test_who_stays_behind_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = SlowWire()
    listener = Listener(wire, CHANNEL, lambda one: asyncio.sleep(0))
    for version in range(QUEUE + 1):
        listener.put(f"cue {version}")
    monkeypatch.setattr(hub, "TOO_SLOW_S", -1.0)
    listener.put("one more")
    writing = asyncio.create_task(listener.write())
    await until(lambda: wire.closed)
    assert wire.closed == (4408, "too slow")
    await writing


async def test_an_answer_is_heard_whatever_comes_between() -> None:
    wire, drained = SlowWire(), asyncio.Event()

    async def catch_up(listener: Listener) -> None:
        listener.begin(["snapshot"])
        drained.set()

    listener = Listener(wire, CHANNEL, catch_up)
    writing = asyncio.create_task(listener.write())
    listener.answer("ack 1")
    listener.begin(["gap"])  # It asked for what it missed while it was answered.
    for version in range(QUEUE + 10):
        listener.put(f"cue {version}")
    listener.answer("ack 2")  # It is behind by now.
    wire.reads.set()
    await until(drained.is_set)
    await until(lambda: wire.sent and wire.sent[-1] == "snapshot")
    assert [one for one in wire.sent if one.startswith("ack")] == ["ack 1", "ack 2"]
    writing.cancel()


async def test_closed_while_it_is_written_to_it_is_told_why() -> None:
    wire = SlowWire()
    listener = Listener(wire, CHANNEL, lambda one: asyncio.sleep(0))
    writing = asyncio.create_task(listener.write())
    listener.put("cue 1")
    await asyncio.sleep(0.01)  # It is on its way.
    listener.close(4401, "signed out")
    wire.reads.set()
    async with asyncio.timeout(2):
        await writing
    assert wire.sent == ["cue 1"]
    assert wire.closed == (4401, "signed out")
