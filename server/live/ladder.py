"""The ladder by which numbers thin out when there is too much to do (law 9; docs/degradation.md).

A crowd is told numbers four times a second as long as this process and its machine have time for it.
When they have not, it goes up a step a second, and down again when there has been time for a while.
Cues, acks and ballots know nothing of it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

OFTEN_S = 0.25
"""How often numbers are told when there is time."""
SLOW_S = 4.0
"""How often the numbers are told that a step has slowed."""
CROWD = 1000
"""Sockets below which pulses cost next to nothing, whatever else the machine does."""
BUSY, NO_IDLE, WORTH = 0.8, 0.05, 0.15
"""Up: this process takes so much of a core; or so little of the machine is idle, and this process takes
enough of it that less of its pulses would help."""
CALM, IDLE = 0.5, 0.35
"""Down: both hold. They are far from the others, because a step down makes work again."""
CALM_S = 3
"""For how many looks, one a second, it must have been calm."""


@dataclass(frozen=True)
class Step:
    """How often pulses go, and which of their members go only every `SLOW_S`."""

    every_s: float
    slow: frozenset[str]

    @property
    def spread(self) -> bool:
        """Whether each process keeps its own time."""
        return self.every_s >= SPREAD_S

    def until_next(self) -> float:
        """Seconds: the interval, or about it."""
        return self.every_s * (random.uniform(0.5, 1.5) if self.spread else 1.0)


STEPS = (
    Step(OFTEN_S, frozenset()),
    Step(OFTEN_S, frozenset({"viewers", "likes"})),
    Step(OFTEN_S, frozenset({"viewers", "likes", "support"})),
    Step(1.0, frozenset({"viewers", "likes", "support"})),
    Step(SLOW_S, frozenset({"viewers", "likes", "support"})),
    Step(15.0, frozenset({"viewers", "likes", "support"})),
)
SPREAD_S = 2.0
"""From this interval on each process keeps its own time. A hundred thousand sockets of one machine take
pulses of all its processes at once as long as a cue, and the next cue would have to wait (decision 12)."""


class Meter:
    """What share of a core this process took, and what share of the machine was idle, since it was
    asked last."""

    def __init__(self) -> None:
        self._own, self._wall = time.process_time(), time.monotonic()
        self._idle, self._all = _machine()

    def __call__(self) -> tuple[float, float]:
        own, wall = time.process_time(), time.monotonic()
        idle, all_ = _machine()
        share = (own - self._own) / max(1e-3, wall - self._wall)
        free = (idle - self._idle) / (all_ - self._all) if all_ > self._all else 1.0
        self._own, self._wall, self._idle, self._all = own, wall, idle, all_
        return share, free


def _machine() -> tuple[int, int]:
    """(idle, all) clock ticks of the machine's cores since it started; zeros where it does not tell."""
    try:
        with open("/proc/stat", encoding="ascii") as file:
            ticks = [int(word) for word in file.readline().split()[1:9]]
    except (OSError, ValueError):
        return 0, 0
    return ticks[3], sum(ticks)


class Ladder:
    """The step on which this process stands."""

    def __init__(self, meter: Callable[[], tuple[float, float]] | None = None) -> None:
        self._meter = meter or Meter()
        self._calm = 0
        self.level = 0

    @property
    def step(self) -> Step:
        """What holds now."""
        return STEPS[self.level]

    def look(self, sockets: int) -> None:
        """Once a second: up, down, or stay."""
        share, idle = self._meter()
        if sockets >= CROWD and (share > BUSY or (idle < NO_IDLE and share > WORTH)):
            self.level, self._calm = min(self.level + 1, len(STEPS) - 1), 0
            return
        self._calm = self._calm + 1 if sockets < CROWD or (share < CALM and idle > IDLE) else 0
        if self._calm >= CALM_S:
            self.level, self._calm = max(0, self.level - 1), 0
