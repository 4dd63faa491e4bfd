"""Frames are written past uvloop (`live/viewer.py`). That is safe only because a connection is told that it
is lost before its descriptor is closed, when it may become somebody else's."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import time
from typing import Any

import pytest
import uvloop

from server.live.fan import write_to_all
from server.live.viewer import NEVER, Viewer, descriptor
from server.serving import listening_socket
from tests.live.test_viewer import Room


class Ended(asyncio.Protocol):
    """Notes whether its descriptor was still its own when it was told."""

    def __init__(self) -> None:
        self.own: list[bool] = []
        self.lost = asyncio.Event()
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport, self.descriptor = transport, descriptor(transport)
        self.inode = os.fstat(self.descriptor).st_ino

    def connection_lost(self, exc: Exception | None) -> None:
        self.own.append(os.fstat(self.descriptor).st_ino == self.inode)
        self.lost.set()


@pytest.mark.parametrize(
    "how", ["closed", "aborted", "reset", "half-closed", "cannot be written to"]
)
def test_a_connection_is_lost_before_its_descriptor_is_closed(how: str) -> None:
    async def run() -> None:
        one = Ended()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: one, "127.0.0.1", 0)
        with socket.create_connection(server.sockets[0].getsockname()) as client:
            await asyncio.sleep(0.05)
            if how == "closed":
                one.transport.close()
            elif how == "aborted":
                one.transport.write(b"x" * 10_000_000)
                one.transport.abort()
            elif how == "reset":
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.close()
            elif how == "half-closed":
                client.shutdown(socket.SHUT_WR)
            else:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                one.transport.write(b"x" * 10_000_000)
                client.close()
            async with asyncio.timeout(5):
                await one.lost.wait()
        await asyncio.sleep(0.05)
        assert one.own == [True]
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(one.descriptor)
        server.close()

    uvloop.run(run())


def test_only_a_plain_connection_of_uvloops_has_one() -> None:
    async def run() -> list[int]:
        found: list[int] = []

        class One(asyncio.Protocol):
            def connection_made(self, transport: Any) -> None:
                found.append(descriptor(transport))

        server = await asyncio.get_running_loop().create_server(One, "127.0.0.1", 0)
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        await asyncio.sleep(0.05)
        writer.close()
        server.close()
        return found

    assert uvloop.run(run())[0] > 0
    assert asyncio.run(run()) == [-1]


def test_what_is_held_back_is_written_first() -> None:
    """A slow reader gets every byte in order, whichever road each took."""

    async def run() -> tuple[bytes, bytes, bool]:
        made: list[Viewer] = []

        class Start(asyncio.Protocol):
            def connection_made(self, transport: Any) -> None:
                transport.set_write_buffer_limits(high=10_000_000)
                made.append(Viewer(transport, Room(), None, "127.0.0.1"))  # type: ignore[arg-type]

        sock = listening_socket("127.0.0.1", 0)
        server = await asyncio.get_running_loop().create_server(Start, sock=sock)
        with socket.create_connection(sock.getsockname()) as client:
            client.setblocking(False)
            await asyncio.sleep(0.05)
            pieces = [b"%06d" % n * 200 for n in range(2000)]
            got, held, direct = bytearray(), False, False
            for n, piece in enumerate(pieces):
                if n % 7 == 0:  # An answer goes through the transport, and first.
                    made[0].give(piece)
                else:
                    write_to_all(made, NEVER, piece)
                direct = direct or (n > 0 and made[0].direct >= 0)
                held = held or made[0].transport.get_write_buffer_size() > 0
                if n % 5 == 0:  # It makes room, and uvloop has not yet seen it.
                    got += await read(client, 5000)
                if n % 50 == 0:
                    await asyncio.sleep(0)
            sent, deadline = b"".join(pieces), time.monotonic() + 20
            while len(got) < len(sent) and time.monotonic() < deadline:
                got += await read(client, 1 << 16)
                await asyncio.sleep(0)
            made[0].transport.abort()
            server.close()
            await asyncio.sleep(0.05)
            return bytes(got), sent, held and direct

    got, sent, both = uvloop.run(run())
    assert both
    assert got == sent


async def read(client: socket.socket, n: int) -> bytes:
    try:
        return client.recv(n)
    except BlockingIOError:
        return b""


def test_one_that_is_lost_is_written_to_no_more() -> None:
    """Its descriptor's number is given to the next that is opened."""

    async def run() -> bytes:
        made: list[Viewer] = []

        class Start(asyncio.Protocol):
            def connection_made(self, transport: Any) -> None:
                made.append(Viewer(transport, Room(), None, "127.0.0.1"))  # type: ignore[arg-type]
                transport.set_protocol(made[0])

        loop = asyncio.get_running_loop()
        server = await loop.create_server(Start, "127.0.0.1", 0)
        with socket.create_connection(server.sockets[0].getsockname()):
            await asyncio.sleep(0.05)
            own = made[0]._descriptor
            made[0].transport.abort()
            await asyncio.sleep(0.05)
            here, there = socket.socketpair()
            with here, there:
                if there.fileno() == own:
                    here, there = there, here
                assert here.fileno() == own  # The lowest number that is free.
                with contextlib.suppress(RuntimeError):  # The transport says that it is closed.
                    write_to_all(made, NEVER, b"not for you")
                there.setblocking(False)
                server.close()
                return await read(there, 100)

    assert uvloop.run(run()) == b""
