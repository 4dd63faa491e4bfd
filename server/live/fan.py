"""One frame to the thousands of viewers of a channel: written a slice at a time, and past uvloop.

A frame is one write to each viewer's own descriptor; uvloop would make an object for each. A connection is
told that it is lost before its descriptor is closed and may become another's, and a viewer that the transport
holds something for is written to through the transport (tests/live/test_descriptor.py). What this saves, and
how it was measured, stands in docs/decisions/0012-lean-viewer.md.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Iterable
from time import monotonic
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from server.live.viewer import Viewer

log = structlog.get_logger()

SLICE = 256
"""Viewers that one frame is written to before the loop serves whoever else waits: some 2 ms."""


class Fan:
    """Carries frames to the viewers of one channel, in order, a slice at a time.

    A pulse that is still being written gives way to what comes next: those who were not yet reached do
    without it (law 9). Frames are numbered. A viewer that began with a snapshot while a frame was on its way has a
    `since` beyond that frame's number, and is passed over: it knows what the frame says.
    """

    def __init__(self) -> None:
        self.next = 0
        self.sent_at = monotonic()
        self.overtaken = False
        self._queue: deque[tuple[int, bytes, tuple[Viewer, ...], bool]] = deque()
        self._reached = 0

    @property
    def waiting(self) -> int:
        """Frames that are not yet written to everyone."""
        return len(self._queue)

    def send(self, data: bytes, viewers: tuple[Viewer, ...], *, pulse: bool = False) -> None:
        """An encoded frame to those who are there now."""
        idle = not self._queue
        if not idle and self._queue[-1][3]:
            self._queue.pop()
            self.overtaken = True
            self._reached = self._reached if self._queue else 0
        self._queue.append((self.next, data, viewers, pulse))
        self.next += 1
        self.sent_at = monotonic()
        if idle:
            self._write()

    def _write(self) -> None:
        number, data, viewers, _ = self._queue[0]
        end = self._reached + SLICE
        try:
            write_to_all(viewers[self._reached : end], number, data)
        except Exception as error:  # The next slice is written, whatever happened in this one.
            log.error("fan_failed", error=type(error).__name__)
        self._reached = end
        if end >= len(viewers):
            self._queue.popleft()
            self._reached = 0
        if self._queue:
            asyncio.get_running_loop().call_soon(self._write)


def write_to_all(viewers: Iterable[Viewer], number: int, data: bytes) -> None:
    """Frame `number` to those to whom it is new. Nothing runs as often: no call but the kernel's."""
    size, write = len(data), os.write
    for viewer in viewers:
        if viewer.since <= number:
            if viewer.direct < 0 and viewer.held_back():
                viewer.give(data)
                continue
            try:
                written = write(viewer.direct, data)
            except OSError:  # It takes nothing now, or has gone: the transport knows what to do.
                written = 0
            if written < size:
                viewer.give(data[written:])
        elif viewer.behind is not None:
            viewer.missed = True
