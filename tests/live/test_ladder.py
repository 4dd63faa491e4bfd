"""The ladder: what thins out when there is too much to do, and what never does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from server.domain.fairness import Fates
from server.live import frames, pulse
from server.live.channels import Channel
from server.live.fan import SLICE
from server.live.hub import Hub
from server.live.ladder import CALM_S, CROWD, STEPS, Ladder, Meter
from server.live.pulse import Pulse
from server.live.viewer import Viewer
from tests.house import Home
from tests.live.test_viewer import Room, Transport

pytestmark = pytest.mark.anyio

CHANNEL = Channel(7, "public", "json", "zh")
BUSY, STARVED, CALM, BETWEEN = (0.95, 0.5), (0.2, 0.02), (0.2, 0.8), (0.65, 0.4)


def ladder(*looks: tuple[float, float]) -> Ladder:
    """One that is told these (share of a core, idle share of the machine), one a look."""
    told: Iterator[tuple[float, float]] = iter(looks)
    return Ladder(lambda: next(told))


@pytest.mark.parametrize("why", [BUSY, STARVED])
async def test_up_a_step_a_second_and_down_when_it_has_been_calm(why: tuple[float, float]) -> None:
    one = ladder(*[why] * 6, *[CALM] * 30)
    levels = []
    for _ in range(6):
        one.look(16_000)
        levels.append(one.level)
    assert levels == [1, 2, 3, 4, 5, 5]
    for _ in range(CALM_S * 5):
        assert one.level > 0
        one.look(16_000)
    assert one.level == 0


async def test_it_stays_where_it_is_neither_busy_nor_calm() -> None:
    one = ladder(BUSY, *[BETWEEN] * 20, CALM, CALM, BETWEEN, CALM, CALM, CALM)
    for _ in range(21):
        one.look(16_000)
    assert one.level == 1
    for _ in range(5):
        one.look(16_000)
    assert one.level == 1  # Twice calm, then not: it counts anew.
    one.look(16_000)
    assert one.level == 0


async def test_a_machine_that_others_keep_busy_is_not_helped_by_telling_less() -> None:
    one = ladder(*[(0.05, 0.0)] * 10)
    for _ in range(10):
        one.look(16_000)
    assert one.level == 0


async def test_few_viewers_are_told_numbers_whatever_else_the_machine_does() -> None:
    one = ladder(*[BUSY] * 20)
    for _ in range(20):
        one.look(CROWD - 1)
    assert one.level == 0


async def test_the_meter_tells_shares() -> None:
    meter = Meter()
    for _ in range(200_000):
        pass
    share, idle = meter()
    assert 0 < share <= 1.5
    assert 0 <= idle <= 1


class Wire(Transport):
    """One that keeps its frames."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def told(self) -> list[Any]:
        return [orjson.loads(data[2:] if data[1] < 126 else data[4:]) for data in self.written]


def viewers(hub: Hub, n: int) -> list[Wire]:
    """So many in the hub's channel."""
    wires = []
    for _ in range(n):
        wires.append(wire := Wire())
        one = Viewer(wire, Room(), None, "127.0.0.1")  # type: ignore[arg-type]
        one.room.channel = CHANNEL
        one.since = 0
        hub.join(one)
    return wires


async def test_a_cue_overtakes_the_pulse_that_is_being_written() -> None:
    hub = Hub()
    wires = viewers(hub, 3 * SLICE)
    hub.send(CHANNEL, frames.pulse(1, likes=5), pulse=True)
    assert sum(bool(wire.written) for wire in wires) == SLICE  # One slice is on its way.
    hub.send(CHANNEL, frames.cue(2, 1, "x", data={}))
    await asyncio.sleep(0.05)
    told = [[frame["type"] for frame in wire.told()] for wire in wires]
    assert told[:SLICE] == [["pulse", "cue"]] * SLICE
    assert told[SLICE:] == [["cue"]] * (2 * SLICE)
    assert hub.overtaken(7)
    assert not hub.overtaken(7)


async def test_the_rest_is_written_to_when_one_cannot_be() -> None:
    hub = Hub()
    wires = viewers(hub, 3 * SLICE)

    def broken(data: bytes) -> None:
        raise RuntimeError(data)

    wires[SLICE // 2].write = broken  # type: ignore[method-assign]
    for version in (1, 2):
        hub.send(CHANNEL, frames.cue(version, version, "x", data={}))
    await asyncio.sleep(0.05)
    assert all(len(wire.written) == 2 for wire in wires[SLICE:])
    assert not hub.busy(7)


async def test_nothing_overtakes_a_cue() -> None:
    hub = Hub()
    wires = viewers(hub, 3 * SLICE)
    for version in (1, 2, 3):
        hub.send(CHANNEL, frames.cue(version, version, "x", data={}))
    hub.send(CHANNEL, frames.pulse(4, likes=5), pulse=True)
    await asyncio.sleep(0.05)
    assert all([f["type"] for f in wire.told()] == ["cue"] * 3 + ["pulse"] for wire in wires)
    assert not hub.overtaken(7)


class Reader:
    """A hearing whose numbers a test sets."""

    def __init__(self) -> None:
        self.numbers = SimpleNamespace(
            viewers=1, likes=0, rounds={}, support={}, turnout={}, load=0, fates=Fates()
        )

    @asynccontextmanager
    async def look(self, *, hearing: int) -> Any:
        async def numbers(now: int) -> Any:
            return SimpleNamespace(**vars(self.numbers))

        yield SimpleNamespace(place=SimpleNamespace(ref=SimpleNamespace(run=1)), numbers=numbers)


class Beats:
    load = 0

    async def beat(self, numbers: dict[int, tuple[int, int]], now: int, load: int) -> None:
        self.load = load


@pytest.mark.parametrize("level", [0, len(STEPS) - 1])
async def test_what_an_overtaken_pulse_said_is_said_again(
    level: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once; but with the next pulse where pulses are rare, or each cue would overtake it again."""
    monkeypatch.setattr(pulse, "SLOW_S", 0.0)
    hub, reader = Hub(), Reader()
    wires = viewers(hub, 2 * SLICE)
    send, cues = hub.send, []

    def overtaking(channel: Channel, frame: str, *, pulse: bool = False) -> None:
        send(channel, frame, pulse=pulse)
        if '"likes":77' in frame and not cues:
            cues.append(frames.cue(2, 1, "x", data={}))
            send(channel, cues[0])

    monkeypatch.setattr(hub, "send", overtaking)
    fixed = Ladder(lambda: (0.6, 0.2))
    one = Pulse(hub, reader, Beats(), lambda: 0, fixed)  # type: ignore[arg-type]
    one.start()
    try:
        await asyncio.sleep(0.5)
        fixed.level = level
        reader.numbers.likes = 77
        one.stirred(7)
        await asyncio.sleep(1.5)
    finally:
        await one.stop()
    assert cues
    again = int(level == 0)
    for wire, times in ((wires[0], 1 + again), (wires[-1], again)):
        assert sum(frame.get("likes") == 77 for frame in wire.told()) == times


@pytest.mark.parametrize("level", range(len(STEPS)))
async def test_each_step_slows_what_it_says(level: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """For two seconds everything changes all the time; the slow numbers go every 0.8 s here."""
    monkeypatch.setattr(pulse, "SLOW_S", 0.8)
    step = STEPS[level]
    hub, reader, beats = Hub(), Reader(), Beats()
    wire = viewers(hub, 1)[0]
    fixed = Ladder(lambda: (0.6, 0.2))
    fixed.level = level
    monkeypatch.setattr(fixed, "look", lambda sockets: None)
    one = Pulse(hub, reader, beats, lambda: 0, fixed)  # type: ignore[arg-type]
    one.start()
    try:
        await asyncio.sleep(0.3)
        before = len(wire.written)
        for n in range(20):
            reader.numbers.likes, reader.numbers.viewers = n + 1, n + 2
            reader.numbers.support = {"ABC": n}
            one.stirred(7)
            await asyncio.sleep(0.1)
            hub.send(CHANNEL, frames.cue(0, n, "x", data={}))
    finally:
        await one.stop()
    told = wire.told()[before:]
    assert [f["version"] for f in told if f["type"] == "cue"] == list(range(20))
    pulses = [f for f in told if f["type"] == "pulse"]
    for name, often in (("likes", 8), ("viewers", 8), ("support", 8)):
        n = sum(name in one for one in pulses)
        if step.every_s > 1:
            assert n <= 2
        elif name in step.slow:
            assert 1 <= n <= 4
        else:
            assert often - 3 <= n <= often + 2
    assert beats.load == level


@pytest.mark.parametrize("level", range(len(STEPS)))
async def test_the_console_is_told_turnout_whatever_the_step(
    level: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is on no ladder: who has cast is seen at once."""
    hub, reader, told = Hub(), Reader(), list[Any]()
    console = Channel(7, "host", "json", "zh")
    monkeypatch.setattr(hub, "channels", lambda hearing=None: (CHANNEL, console))
    monkeypatch.setattr(hub, "count", lambda hearing, room=None: 1)
    monkeypatch.setattr(
        hub,
        "send",
        lambda channel, frame, pulse=False: told.append((channel, orjson.loads(frame))),
    )
    fixed = Ladder(lambda: (0.6, 0.2))
    fixed.level = level
    monkeypatch.setattr(fixed, "look", lambda sockets: None)
    one = Pulse(hub, reader, Beats(), lambda: 0, fixed)  # type: ignore[arg-type]
    one.start()
    try:
        await asyncio.sleep(0.5)
        for cast in range(1, 5):
            reader.numbers.turnout = {"ROUND": (cast, 0, 21, "c")}
            reader.numbers.likes = cast
            one.stirred(7)
            await asyncio.sleep(0.4)
    finally:
        await one.stop()
    seen = [f["turnout"]["ROUND"]["cast"] for c, f in told if c is console and "turnout" in f]
    assert seen == [1, 2, 3, 4]
    public = [f for c, f in told if c is CHANNEL]
    assert len(public) <= (2 if STEPS[level].every_s > 1 else 6)


async def test_the_console_is_told_the_step(lanxi: Home) -> None:
    await lanxi.go_live()
    building = lanxi.building
    building.pulse.ladder.level = 2
    building.pulse.ladder.look = lambda sockets: None  # type: ignore[method-assign]
    ref = (await lanxi.view()).hearing.ref
    heard: list[Any] = []
    channel = Channel(ref.hearing, "host", "json", "zh")

    class Host:
        numbers_due, sent_at = False, 0.0

        def put(self, frame: str, *, pulse: bool = False) -> None:
            heard.append(orjson.loads(frame))

        def close(self, code: int, reason: str = "") -> None:
            pass

    building.hub._listeners[channel].add(Host())  # type: ignore[arg-type]
    for _ in range(60):
        await asyncio.sleep(0.05)
        if any(frame.get("load") == 2 for frame in heard):
            break
    assert sum("load" in frame for frame in heard) == 1
    async with building.store.look(slug=lanxi.slug) as unit:
        assert (await unit.numbers(building.house.now())).load == 2
