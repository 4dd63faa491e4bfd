"""The proxy does to a connection what its plan says, and nothing else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.faults.proxy import Chosen, Plan, Proxy, Way, clean, seeded

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def echo(choose: Chosen = clean) -> AsyncIterator[tuple[Proxy, bytearray]]:
    """A server that answers every byte with itself, behind a proxy; and what it has heard."""
    heard = bytearray()

    async def came(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                heard.extend(data)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.close()

    server = await asyncio.start_server(came, "127.0.0.1", 0)
    async with Proxy(server.sockets[0].getsockname()[1], choose) as proxy:
        yield proxy, heard
    server.close()
    await server.wait_closed()


async def said(proxy: Proxy, data: bytes, seconds: float = 2) -> tuple[bytes, str]:
    """What comes back for `data`, and how it ended: `open`, `end` or `reset`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    back, how = b"", "open"
    try:
        async with asyncio.timeout(seconds):
            writer.write(data)
            while len(back) < len(data):
                piece = await reader.read(65536)
                if not piece:
                    how = "end"
                    break
                back += piece
    except TimeoutError:
        pass
    except OSError:
        how = "reset"
    finally:
        writer.close()
    return back, how


def one(**way: object) -> Chosen:
    """Every connection's way up is this."""
    return lambda number: Plan(up=Way(**way))  # type: ignore[arg-type]


async def test_a_clean_connection_brings_every_byte() -> None:
    data = bytes(range(256)) * 2000
    async with echo() as (proxy, _):
        assert await said(proxy, data) == (data, "open")
        assert proxy.count == 1


async def test_a_cut_lets_exactly_so_many_bytes_through() -> None:
    async with echo(one(cut_after=10)) as (proxy, heard):
        _, how = await said(proxy, b"x" * 100)
        assert how == "end"
        await asyncio.sleep(0.02)
        assert heard == b"x" * 10


async def test_a_cut_before_a_byte_lets_nothing_of_its_piece_through() -> None:
    async with echo(one(cut_before=10, reset=True)) as (proxy, heard):
        back, how = await said(proxy, b"x" * 100)
        assert (back, how) == (b"", "reset")
        assert heard == b""


async def test_an_answer_can_be_cut_after_the_server_has_heard() -> None:
    async with echo(lambda n: Plan(down=Way(cut_after=0))) as (proxy, heard):
        back, how = await said(proxy, b"act")
        assert (back, how) == (b"", "end")
        assert heard == b"act"


async def test_late_and_in_slices_and_still_whole() -> None:
    async with echo(one(delay_s=0.1, slice=7, pause_s=0.001)) as (proxy, _):
        began = time.monotonic()
        assert await said(proxy, b"y" * 100) == (b"y" * 100, "open")
        assert time.monotonic() - began > 0.1


async def test_a_stall_brings_no_more_and_ends_nothing() -> None:
    async with echo(one(stall_after=4)) as (proxy, heard):
        assert await said(proxy, b"z" * 100, 0.3) == (b"zzzz", "open")
        await asyncio.sleep(0.05)  # The client has gone: so has the connection behind the proxy.
        assert proxy.open == 0
        assert heard == b"zzzz"


async def test_refused_severed_frozen() -> None:
    async with echo(lambda n: Plan(refuse=n == 0)) as (proxy, _):
        assert (await said(proxy, b"a"))[1] in {"reset", "end"}
        assert await said(proxy, b"a") == (b"a", "open")
        proxy.freeze()
        waiting = asyncio.create_task(said(proxy, b"b"))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        proxy.thaw()
        assert await waiting == (b"b", "open")
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        await asyncio.sleep(0.02)
        proxy.sever()
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        writer.close()


async def test_a_reply_is_lost_to_whoever_says_it() -> None:
    async with echo() as (proxy, heard):
        proxy.lose_replies(b"COMMIT", 1)
        assert await said(proxy, b"SELECT") == (b"SELECT", "open")
        assert await said(proxy, b"COMMIT") == (b"", "reset")
        assert await said(proxy, b"COMMIT") == (b"COMMIT", "open")
        assert heard == b"SELECTCOMMITCOMMIT"


def test_plans_by_chance_are_those_of_the_seed() -> None:
    def plans(seed: int) -> list[Plan]:
        choose = seeded(seed, lambda chance: Plan(up=Way(cut_after=chance.randrange(1000))))
        return [choose(n) for n in range(20)]

    assert plans(1) == plans(1)
    assert plans(1) != plans(2)
