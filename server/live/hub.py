"""This process's sockets, by channel: one ready-made frame is handed to each of them (law 8).

A slow viewer never makes another wait (law 10): every socket has a short queue and a writer of
its own. One that is behind drops pulses first; when its queue is full it is marked and gets one
snapshot as soon as it drains; behind for 30 s it is closed with 4408. A pulse tells only what has
changed: whoever has missed one is told all numbers once (`pulse.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from time import monotonic
from typing import Protocol

from server.live.channels import Channel

QUEUE = 320
"""Frames that may wait for one socket: the longest gap, and what is told while it is written."""
TOO_SLOW_S = 30.0


class Wire(Protocol):
    """The sending half of a WebSocket."""

    async def send_text(self, data: str) -> None: ...
    async def close(self, code: int = 1000, reason: str | None = None) -> None: ...


class Listener:
    """One socket of the hub: its queue, its writer, what it may do."""

    def __init__(
        self, wire: Wire, channel: Channel, catch_up: Callable[[Listener], Awaitable[None]]
    ) -> None:
        self.channel = channel
        self._wire, self._catch_up = wire, catch_up
        self._queue: deque[tuple[str, bool]] = deque()
        self._ready = asyncio.Event()
        self._behind_since: float | None = None
        self._closing: tuple[int, str] | None = None
        self.sent_at = monotonic()
        self.numbers_due = True
        """It has missed numbers: those before it came, or a pulse that gave way."""

    def put(self, frame: str, *, pulse: bool = False) -> None:
        """Queues a frame. A waiting pulse gives way to a cue and to a newer pulse. Whoever is behind
        gets none until it has caught up: a cue after a hole would look as if nothing were missing."""
        if self._behind_since is not None:
            self.numbers_due = True
            if monotonic() - self._behind_since > TOO_SLOW_S:
                self.close(4408, "too slow")
            return
        if pulse and any(is_pulse for _, is_pulse in self._queue):
            self._queue = deque(one for one in self._queue if not one[1])
            self.numbers_due = True
        elif not pulse and self._queue and self._queue[-1][1]:
            self._queue.pop()
            self.numbers_due = True
        if len(self._queue) >= QUEUE:
            self.numbers_due = True
            self._behind_since = monotonic()
            return
        self._queue.append((frame, pulse))
        self._ready.set()

    def begin(self, frames: Sequence[str]) -> None:
        """The gap or the snapshot from which the next cue follows: what waited is older."""
        self._queue = deque((frame, False) for frame in frames)
        self._behind_since = None
        self._ready.set()

    def put_numbers(self, frames: Sequence[str]) -> None:
        """All numbers, for one that has missed some; not before it has taken what waits."""
        if self._queue:
            return
        for frame in frames:
            self.put(frame)
        self.numbers_due = False

    def close(self, code: int, reason: str = "") -> None:
        """Ends the socket after what is being written."""
        self._closing = (code, reason)
        self._ready.set()

    async def write(self) -> None:
        """Writes until the socket ends; run as a task beside the reader."""
        while True:
            await self._ready.wait()
            if self._closing is not None:
                with contextlib.suppress(Exception):
                    await self._wire.close(*self._closing)
                return
            while self._queue:
                frame, _ = self._queue.popleft()
                async with asyncio.timeout(TOO_SLOW_S):
                    await self._wire.send_text(frame)
                self.sent_at = monotonic()
            self._ready.clear()
            if self._behind_since is not None:
                await self._catch_up(self)


class Hub:
    """All listeners of this process."""

    def __init__(self) -> None:
        self._listeners: defaultdict[Channel, set[Listener]] = defaultdict(set)

    @contextlib.contextmanager
    def joined(self, listener: Listener) -> Iterator[None]:
        """The listener is in its channel while the block runs."""
        self._listeners[listener.channel].add(listener)
        try:
            yield
        finally:
            members = self._listeners[listener.channel]
            members.discard(listener)
            if not members:
                del self._listeners[listener.channel]

    def channels(self, hearing: int | None = None) -> tuple[Channel, ...]:
        """Channels somebody listens to, of one hearing or of all."""
        return tuple(c for c in self._listeners if hearing is None or c.hearing == hearing)

    def hearings(self) -> frozenset[int]:
        """Hearings somebody listens to."""
        return frozenset(c.hearing for c in self._listeners)

    def send(self, channel: Channel, frame: str, *, pulse: bool = False) -> None:
        """One frame to everyone in the channel."""
        for listener in tuple(self._listeners.get(channel, ())):
            listener.put(frame, pulse=pulse)

    def count(self, hearing: int, room: str | None = None) -> int:
        """Live connections to a hearing."""
        return sum(
            len(members)
            for c, members in self._listeners.items()
            if c.hearing == hearing and (room is None or c.room == room)
        )

    def count_channel(self, channel: Channel) -> int:
        """Live connections of one channel."""
        return len(self._listeners.get(channel, ()))

    def numbers_due(self, hearing: int) -> list[Listener]:
        """Listeners of a hearing that have missed numbers."""
        return [
            listener
            for channel in self.channels(hearing)
            for listener in self._listeners[channel]
            if listener.numbers_due
        ]

    def quiet_for(self, seconds: float) -> Iterator[Listener]:
        """Listeners that were sent nothing for so long."""
        limit = monotonic() - seconds
        for members in tuple(self._listeners.values()):
            for listener in tuple(members):
                if listener.sent_at < limit:
                    yield listener

    def close_all(self, code: int, reason: str) -> None:
        """Says goodbye to every socket."""
        for members in tuple(self._listeners.values()):
            for listener in tuple(members):
                listener.close(code, reason)
