"""The product with a fault put into it, for the experiments on viewers; each must be caught.

    python -m tests.faults.crowd_plants PLANT … -- demo --json …

`quick` is no fault: waits of the product that are counted in tens of seconds are shortened, so that
the continuous checks can wait for them.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import sys
from collections.abc import Callable
from typing import Any

from server import serving
from server.api import public_socket, sockets
from server.live import fan, frames, hub, viewer


def forgotten_offset() -> None:
    """Versions are counted from when the process began, under the epoch that was there before."""
    began: list[int] = []

    def since(version: int) -> int:
        if not began:
            began.append(version)
        return version - began[0]

    snapshot, cue, whole = frames.snapshot, frames.cue, sockets.whole_number

    def snapshot_since(at: int, epoch: str, version: int, **more: Any) -> str:
        return snapshot(at, epoch, since(version), **more)

    def cue_since(at: int, version: int, event: str, **more: Any) -> str:
        return cue(at, since(version), event, **more)

    def meant(text: str | None) -> int | None:
        asked = whole(text)
        return None if asked is None else asked + (began[0] if began else 0)

    _replace(frames, "snapshot", snapshot_since)
    _replace(frames, "cue", cue_since)
    _replace(public_socket, "whole_number", meant)


def one_after_another() -> None:
    """Each viewer is waited for, however long, before the next one is sent anything."""

    turns: dict[Any, asyncio.Task[None]] = {}

    async def in_turn(before: asyncio.Task[None] | None, data: bytes, viewers: Any) -> None:
        if before is not None:
            await before
        for one in viewers:
            with contextlib.suppress(RuntimeError):  # It may go meanwhile.
                one.give(data)
                await asyncio.sleep(0)  # The loop writes at the end of its turn.
                while one.open and one.transport.get_write_buffer_size():
                    await asyncio.sleep(0.005)

    def send(one: Any, data: bytes, viewers: Any, **_: Any) -> None:
        turn = in_turn(turns.get(one), data, viewers)
        turns[one] = asyncio.get_running_loop().create_task(turn)

    _replace(fan.Fan, "send", send)
    _user_timeout(0)


def without_end() -> None:
    """Whatever a viewer does not take is kept for it, in the kernel and here."""
    _replace(viewer.Viewer, "pause_writing", lambda self: None)

    def listening(host: str, port: int, **_: Any) -> socket.socket:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(4096)
        sock.setblocking(False)
        return sock

    _listen_with(listening)


def no_limits() -> None:
    """Anybody may say as much, as often and as slowly as he likes."""
    for name, value in (("rate", 1e12), ("burst", 1e12), ("largest", 1 << 62)):
        _replace(viewer.Viewer, name, value)
    for name in ("HEAD_S", "LONGEST_HEAD"):
        _replace(serving, name, math.inf)


def quick() -> None:
    """A viewer that takes nothing is given up after one second or two instead of twenty and thirty,
    a head that does not end after two instead of five."""
    _replace(hub, "TOO_SLOW_S", 2.0)
    _replace(serving, "HEAD_S", 2.0)
    _user_timeout(1_000)


def _user_timeout(ms: int) -> None:
    """How long the kernel lets a peer take nothing; 0 = a quarter of an hour."""
    listening = serving.listening_socket

    def other(host: str, port: int, **more: Any) -> socket.socket:
        sock = listening(host, port, **more)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, ms)
        return sock

    _listen_with(other)


def _listen_with(listening: Callable[..., socket.socket]) -> None:
    from server.demo import run

    for module in (serving, run):
        _replace(module, "listening_socket", listening)


def _replace(owner: Any, name: str, by: Any) -> None:
    """Puts something else in its place; what is not there is a mistake of the harness."""
    assert hasattr(owner, name), name
    setattr(owner, name, by)


PLANTS: dict[str, Callable[[], None]] = {
    plant.__name__: plant
    for plant in (forgotten_offset, one_after_another, without_end, no_limits, quick)
}


def of(*names: str) -> dict[str, str]:
    """What these plants do, for an experiment's `plants`."""
    return {name: (PLANTS[name].__doc__ or "").strip() for name in names}


def main() -> None:
    """The command after `--`, with these faults in it."""
    at = sys.argv.index("--")
    for name in sys.argv[1:at]:
        PLANTS[name]()
    from server.cli import main as pingyi

    sys.argv = ["pingyi", *sys.argv[at + 1 :]]
    pingyi()


if __name__ == "__main__":
    main()
