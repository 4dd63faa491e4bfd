"""The contract of every bus: who listens hears each ring; and what of it Redis may lose (law 1)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import redis.asyncio as redis

from server.actions.direct_screens import clear_screens
from server.live.bus_memory import MemoryBus
from server.live.bus_redis import CHANNEL, RedisBus
from server.live.channels import Channel
from server.live.hub import Listener
from tests.conftest import BUSES
from tests.house import Home, home
from tests.schema import database_with_schema
from tests.services import free_port, redis_server

pytestmark = pytest.mark.anyio
Bus = MemoryBus | RedisBus


async def until(true: Callable[[], Any], seconds: float = 5) -> float:
    """Waits for it; gives the seconds that it took."""
    began = monotonic()
    while not true():
        assert monotonic() - began < seconds, "it did not come about"
        await asyncio.sleep(0.005)
    return monotonic() - began


async def rung(bus: Bus, there: list[tuple[str, str]]) -> None:
    """Rings until the other one, which may still be connecting, has heard it."""
    there.clear()
    while not there:
        await bus.ring(0)
        await asyncio.sleep(0.05)
    there.clear()


@asynccontextmanager
async def started(*buses: Bus) -> AsyncIterator[list[list[tuple[str, str]]]]:
    """Buses that run, and what each has heard."""
    heard: list[list[tuple[str, str]]] = [[] for _ in buses]

    def into(found: list[tuple[str, str]]) -> Callable[[str, str], Any]:
        async def hear(kind: str, id_: str) -> None:
            found.append((kind, id_))

        return hear

    for bus, found in zip(buses, heard, strict=True):
        bus.listen(into(found))
        await bus.start()
    try:
        yield heard
    finally:
        for bus in buses:
            await bus.stop()


@pytest.fixture(params=BUSES)
def bus(request: pytest.FixtureRequest) -> Bus:
    """Every bus in turn."""
    if request.param == "memory":
        return MemoryBus()
    return RedisBus(request.getfixturevalue("redis_url"))


async def test_one_hears_ones_own_rings_at_once(bus: Bus) -> None:
    async with started(bus) as (heard,):
        await bus.ring(7)
        await bus.stir("ROUND")
        assert heard == [("hearing", "7"), ("round", "ROUND")]


@pytest.mark.system
async def test_every_process_hears_through_redis(redis_url: str) -> None:
    one, other = RedisBus(redis_url), RedisBus(redis_url)
    async with started(one, other) as (_, there):
        await rung(one, there)
        await one.ring(7)
        await one.stir("ROUND")
        await until(lambda: ("round", "ROUND") in there)
        assert there.index(("hearing", "7")) < there.index(("round", "ROUND"))


async def said_by_a_stranger(redis_url: str, *words: bytes) -> None:
    stranger = redis.Redis.from_url(redis_url)
    for one in words:
        await stranger.publish(CHANNEL, one)
    await stranger.aclose()


@pytest.mark.system
async def test_whatever_else_is_said_on_the_channel_is_passed_over(redis_url: str) -> None:
    one, other = RedisBus(redis_url), RedisBus(redis_url)
    async with started(one, other) as (_, there):
        await rung(one, there)
        await said_by_a_stranger(redis_url, b"", b"\xff\xfe", b"x", b"a b c d")
        await one.ring(7)
        await until(lambda: there)
        assert there == [("hearing", "7")]


@pytest.mark.system
async def test_what_cannot_be_heard_is_no_loss_of_redis(redis_url: str) -> None:
    one, other = RedisBus(redis_url), RedisBus(redis_url)

    async def numbers_alone(kind: str, id_: str) -> None:
        int(id_)

    other.listen(numbers_alone)
    async with started(one, other) as (_, there):
        await rung(one, there)
        await said_by_a_stranger(redis_url, b"x hearing nan")
        for _ in range(20):
            await asyncio.sleep(0.02)
            assert other.up
        await one.ring(7)
        await until(lambda: ("hearing", "7") in there)


@pytest.mark.system
async def test_a_connection_that_was_kept_and_has_ended_costs_no_ring(redis_url: str) -> None:
    one, other = RedisBus(redis_url), RedisBus(redis_url)
    async with started(one, other) as (_, there):
        await rung(one, there)
        stranger = redis.Redis.from_url(redis_url)
        await stranger.client_kill_filter(_type="normal", skipme=True)
        await stranger.aclose()
        await one.ring(7)
        await until(lambda: ("hearing", "7") in there)
        await until(lambda: one.up)  # It was heard before its sender knew.


@pytest.mark.system
async def test_it_notices_by_itself_that_redis_takes_rings_again() -> None:
    port = free_port()
    bus = RedisBus(f"redis://127.0.0.1:{port}/0")
    async with started(bus):
        with redis_server(port):
            await until(lambda: bus.up)
        await bus.ring(7)
        await until(lambda: not bus.up)
        with redis_server(port):
            await until(lambda: bus.up, 10)


@pytest.mark.system
async def test_nobody_waits_for_a_redis_that_does_not_answer() -> None:
    with socket.socket() as silent:  # It accepts, and says nothing.
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        bus = RedisBus(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        async with started(bus) as (here,):
            began = monotonic()
            for hearing in range(50):
                await bus.ring(hearing)
            assert monotonic() - began < 0.5
            assert len(here) == 50


@pytest.mark.system
async def test_without_redis_one_rings_for_oneself_and_comes_back_by_itself() -> None:
    port = free_port()
    one, other = (RedisBus(f"redis://127.0.0.1:{port}/0") for _ in range(2))
    async with started(one, other) as (here, there):
        with redis_server(port):
            await rung(one, there)
        here.clear()
        await one.ring(7)
        assert here == [("hearing", "7")]
        with redis_server(port):
            await rung(one, there)


class Wire:
    """A socket that keeps what is sent to it."""

    def __init__(self) -> None:
        self.frames: list[str] = []

    async def send_text(self, data: str) -> None:
        self.frames.append(data)

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        del code, reason


async def watch(stack: AsyncExitStack, at: Home) -> Wire:
    """A public page at this building."""
    wire = Wire()
    hearing = (await at.view()).hearing.ref.hearing
    channel = Channel(hearing, "public", "json", "zh")
    listener = Listener(wire, channel, at.building.relay.catch_up_with)
    await at.building.relay.welcome(listener, None, None)
    stack.enter_context(at.building.hub.joined(listener))
    writing = asyncio.create_task(listener.write())
    stack.callback(writing.cancel)
    return wire


@pytest.mark.system
@pytest.mark.parametrize(
    "bell",
    [
        pytest.param(True, id="with-redis", marks=pytest.mark.alone),
        pytest.param(False, id="without"),
    ],
)
async def test_an_act_in_one_process_reaches_the_pages_of_another(
    tmp_path: Path, postgresql_server: str, redis_url: str, bell: bool
) -> None:
    database = database_with_schema(postgresql_server, f"bus_{bell}".lower())
    redis = redis_url if bell else ""
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(home(tmp_path / "data", database, redis))
        await here.go_live()
        there = await stack.enter_async_context(
            home(tmp_path / "data", database, redis, beside=here)
        )
        wire = await watch(stack, there)
        await until(lambda: wire.frames)
        await asyncio.sleep(1.2)  # Both are subscribed, and both have looked by themselves.
        took = []
        for cleared in (True, False, True, False, True):
            seen = len(wire.frames)
            await clear_screens(here.house, here.person("host"), here.slug, cleared)
            took.append(
                await until(lambda seen=seen: any("screen_" in f for f in wire.frames[seen:]))
            )
            await asyncio.sleep(0.13)
        # Redis gone = slower, nothing else: a process that hears no bell looks every half second.
        assert max(took) < (0.3 if bell else 1.5), took
        if not bell:
            assert max(took) > 0.1, took  # It was the look, not a bell of some other kind.
