"""A TCP proxy that does to a connection what a bad network does: late, cut, reset, sliced, silent.

Each connection has a plan, chosen when it comes; a plan has one way for what goes up to the server
and one for what comes down. Plans made by `seeded` are the same in every run with the same seed.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass

READ = 64 * 1024


@dataclass(frozen=True)
class Way:
    """What happens to the bytes that go one way.

    `delay_s` before each piece; `slice` bytes in a write, `pause_s` between them; the connection
    ends when `cut_after` bytes are through (0 = with the first byte), or with the piece that would
    be byte `cut_before`, of which nothing is sent; from byte `stall_after` on all is swallowed and
    nothing ends until a side goes. `reset`: the end is an RST to both sides, else a FIN.
    """

    delay_s: float = 0.0
    slice: int | None = None
    pause_s: float = 0.0
    cut_after: int | None = None
    cut_before: int | None = None
    stall_after: int | None = None
    reset: bool = False


CLEAN = Way()


@dataclass(frozen=True)
class Plan:
    """What happens to one connection; `refuse`: it is reset before the server hears of it."""

    up: Way = CLEAN
    down: Way = CLEAN
    refuse: bool = False


Chosen = Callable[[int], Plan]
"""The plan of the n-th connection, from 0."""


def clean(number: int) -> Plan:
    """Every connection works."""
    del number
    return Plan()


def seeded(seed: int | str, draw: Callable[[random.Random], Plan]) -> Chosen:
    """Plans by chance, the n-th connection's the same in every run."""
    return lambda number: draw(random.Random(f"{seed}:{number}"))


@dataclass(eq=False)
class _Connection:
    """Both sockets of a connection that goes through."""

    plan: Plan
    near: asyncio.StreamWriter
    far: asyncio.StreamWriter | None = None
    mute: bool = False
    """The server's next answer is lost, and the connection with it."""

    def end(self, *, reset: bool) -> None:
        """Both sides hear that it is over."""
        for writer in (self.near, self.far):
            if writer is None or writer.transport.is_closing():
                continue
            if reset:
                sock = writer.get_extra_info("socket")
                with contextlib.suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
            else:
                writer.close()


class Proxy:
    """Listens on a `port` (0 = any that is free) and goes on to the `target`'s."""

    def __init__(self, target: int, choose: Chosen = clean, port: int = 0) -> None:
        self.target = target
        self.choose = choose
        self.port = port
        self.count = 0
        """Connections that came so far."""
        self._moving = asyncio.Event()
        self._moving.set()
        self._lost: tuple[bytes, int] = (b"", 0)
        self._open: set[_Connection] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._came, "127.0.0.1", self.port, backlog=4096)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.thaw()
        while self._open:
            self.sever()
            await asyncio.sleep(0.002)
        await self._server.wait_closed()

    @property
    def open(self) -> int:
        """Connections that go through it now."""
        return len(self._open)

    def sever(self, *, reset: bool = True) -> None:
        """Ends every connection at once; new ones are taken."""
        for one in tuple(self._open):
            one.end(reset=reset)

    def freeze(self) -> None:
        """Nothing moves, nothing ends, until `thaw`."""
        self._moving.clear()

    def thaw(self) -> None:
        """What waited goes on."""
        self._moving.set()

    def lose_replies(self, to: bytes, times: int) -> None:
        """What is said goes up to the server; the next so many connections that say `to` hear
        nothing of what it answers, and are reset."""
        self._lost = to, times

    @property
    def losing(self) -> bool:
        """Whether replies are still to be lost."""
        return self._lost[1] > 0

    def _loses(self, data: bytes) -> bool:
        said, left = self._lost
        if not left or said not in data:
            return False
        self._lost = said, left - 1
        return True

    async def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        plan = self.choose(self.count)
        self.count += 1
        one = _Connection(plan, writer)
        self._open.add(one)
        try:
            if plan.refuse:
                one.end(reset=True)
                return
            far_reader, one.far = await asyncio.open_connection("127.0.0.1", self.target)
            await asyncio.gather(
                self._pump(one, reader, one.far, plan.up, up=True),
                self._pump(one, far_reader, writer, plan.down, up=False),
            )
        except OSError:
            one.end(reset=True)
        finally:
            one.end(reset=False)
            self._open.discard(one)

    async def _pump(
        self,
        one: _Connection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        way: Way,
        *,
        up: bool,
    ) -> None:
        through = 0
        try:
            while data := await reader.read(READ):
                await self._moving.wait()
                if one.mute and not up:
                    one.end(reset=True)
                    return
                one.mute |= up and self._loses(data)
                if way.delay_s:
                    await asyncio.sleep(way.delay_s)
                data, last = _allowed(way, through, data)
                through += len(data)
                await _write(writer, data, way)
                if last == "stall":
                    while await reader.read(READ):
                        pass
                    one.end(reset=way.reset)
                    return
                if last == "cut":
                    one.end(reset=way.reset)
                    return
            if writer.can_write_eof():
                writer.write_eof()
        except (OSError, RuntimeError):  # the other side has gone meanwhile
            one.end(reset=way.reset)


def _allowed(way: Way, through: int, data: bytes) -> tuple[bytes, str]:
    """What of the piece goes through, and whether something ends with it."""
    end = through + len(data)
    if way.cut_before is not None and end >= way.cut_before:
        return b"", "cut"
    if way.cut_after is not None and end >= way.cut_after:
        return data[: way.cut_after - through], "cut"
    if way.stall_after is not None and end > way.stall_after:
        return data[: max(0, way.stall_after - through)], "stall"
    return data, ""


async def _write(writer: asyncio.StreamWriter, data: bytes, way: Way) -> None:
    step = way.slice or len(data) or 1
    for at in range(0, len(data), step):
        writer.write(data[at : at + step])
        await writer.drain()
        if way.pause_s:
            await asyncio.sleep(way.pause_s)
