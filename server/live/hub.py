"""This process's sockets, by channel: one ready-made frame is handed to each of them (law 8).

A slow viewer never makes another wait (law 10). The public comes as `viewer.Viewer`, whose frame is
encoded once and written to every descriptor in slices (`fan.py`), so that whoever joins or acts is
served in between. Staff pages, and the public on another ASGI server, come as `Listener`: a short queue and a
writer of its own. Who is behind drops pulses first; when too much waits it is marked and gets one
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
from server.live.fan import Fan
from server.live.frames import encoded
from server.live.viewer import Viewer

QUEUE = 320
"""Frames that may wait for one socket: the longest gap, and what is told while it is written."""
CUE, PULSE, ANSWER = "cue", "pulse", "answer"
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
        self._queue: deque[tuple[str, str]] = deque()
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
        if pulse and any(kind == PULSE for _, kind in self._queue):
            self._queue = deque(one for one in self._queue if one[1] != PULSE)
            self.numbers_due = True
        elif not pulse and self._queue and self._queue[-1][1] == PULSE:
            self._queue.pop()
            self.numbers_due = True
        if len(self._queue) >= QUEUE:
            self.numbers_due = True
            self._behind_since = monotonic()
            return
        self._queue.append((frame, PULSE if pulse else CUE))
        self._ready.set()

    def answer(self, frame: str) -> None:
        """What this socket asked is answered, also while it is behind."""
        if len(self._queue) < 2 * QUEUE:
            self._queue.append((frame, ANSWER))
            self._ready.set()

    def begin(self, frames: Sequence[str]) -> None:
        """The gap or the snapshot from which the next cue follows: what waited is older, but for the
        answers to what it asked."""
        answers = [one for one in self._queue if one[1] == ANSWER]
        self._queue = deque([*((frame, CUE) for frame in frames), *answers])
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
            while self._queue and self._closing is None:
                frame, _ = self._queue.popleft()
                async with asyncio.timeout(TOO_SLOW_S):
                    await self._wire.send_text(frame)
                self.sent_at = monotonic()
            if self._closing is not None:
                continue  # It was closed while a frame was being written.
            self._ready.clear()
            if self._behind_since is not None:
                await self._catch_up(self)


class Hub:
    """All sockets of this process."""

    def __init__(self) -> None:
        self._listeners: defaultdict[Channel, set[Listener]] = defaultdict(set)
        self._viewers: dict[Channel, dict[Viewer, None]] = {}
        self._fans: dict[Channel, Fan] = {}
        self.frames = {CUE: 0, PULSE: 0}
        """Frames handed to sockets since the start: a frame to a thousand of them counts a thousand."""

    # ── coming and going ──

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

    def join(self, viewer: Viewer) -> None:
        """The viewer is in its channel until it leaves, which it may have done already."""
        if viewer.open:
            self._viewers.setdefault(viewer.channel, {})[viewer] = None

    def leave(self, viewer: Viewer) -> None:
        """Its connection has ended; the last one takes the channel with it."""
        members = self._viewers.get(viewer.channel)
        if members is not None:
            members.pop(viewer, None)
            if not members:
                del self._viewers[viewer.channel]
                self._fans.pop(viewer.channel, None)

    # ── sending ──

    def fan(self, channel: Channel) -> Fan:
        """What carries frames to the channel's viewers."""
        return self._fans.setdefault(channel, Fan())

    def send(self, channel: Channel, frame: str, *, pulse: bool = False) -> None:
        """One frame to everyone in the channel."""
        self.frames[PULSE if pulse else CUE] += self.count_channel(channel)
        for listener in tuple(self._listeners.get(channel, ())):
            listener.put(frame, pulse=pulse)
        viewers = self._viewers.get(channel)
        if viewers:
            self.fan(channel).send(encoded(frame), tuple(viewers), pulse=pulse)

    def overtaken(self, hearing: int) -> bool:
        """Whether a cue has taken the last pulse's place for some viewers; told once."""
        found = [f for c, f in self._fans.items() if c.hearing == hearing and f.overtaken]
        for fan in found:
            fan.overtaken = False
        return bool(found)

    def busy(self, hearing: int) -> bool:
        """Whether the last frames are still on their way to the hearing's viewers."""
        return any(fan.waiting for channel, fan in self._fans.items() if channel.hearing == hearing)

    def close_all(self, code: int, reason: str) -> None:
        """Says goodbye to every socket."""
        for listeners in self._listeners.values():
            for listener in tuple(listeners):
                listener.close(code, reason)
        for viewers in self._viewers.values():
            for viewer in tuple(viewers):
                viewer.close(code, reason)

    # ── who is here ──

    def total(self) -> int:
        """Sockets of this process."""
        return sum(map(len, self._listeners.values())) + sum(map(len, self._viewers.values()))

    def channels(self, hearing: int | None = None) -> tuple[Channel, ...]:
        """Channels somebody listens to, of one hearing or of all."""
        here = dict.fromkeys((*self._listeners, *self._viewers))
        return tuple(c for c in here if hearing is None or c.hearing == hearing)

    def hearings(self) -> frozenset[int]:
        """Hearings somebody listens to."""
        return frozenset(c.hearing for c in self.channels())

    def count(self, hearing: int, room: str | None = None) -> int:
        """Live connections to a hearing."""
        return sum(
            self.count_channel(c) for c in self.channels(hearing) if room is None or c.room == room
        )

    def count_channel(self, channel: Channel) -> int:
        """Live connections of one channel."""
        return len(self._listeners.get(channel, ())) + len(self._viewers.get(channel, ()))

    def numbers_due(self, hearing: int) -> list[Listener | Viewer]:
        """Sockets of a hearing that have missed numbers."""
        return [
            one
            for channel in self.channels(hearing)
            for one in (*self._listeners.get(channel, ()), *self._viewers.get(channel, ()))
            if one.numbers_due
        ]

    def too_slow(self) -> Iterator[Viewer]:
        """Viewers that have been behind for too long."""
        limit = monotonic() - TOO_SLOW_S
        for members in tuple(self._viewers.values()):
            for viewer in tuple(members):
                if viewer.behind is not None and viewer.behind < limit:
                    yield viewer

    def tell_the_quiet(self, seconds: float, frame: str) -> None:
        """The frame goes to every socket that was sent nothing for so long."""
        limit = monotonic() - seconds
        for members in tuple(self._listeners.values()):
            for listener in tuple(members):
                if listener.sent_at < limit:
                    listener.put(frame, pulse=True)
        for channel, viewers in tuple(self._viewers.items()):
            if self.fan(channel).sent_at < limit:
                self.fan(channel).send(encoded(frame), tuple(viewers), pulse=True)
