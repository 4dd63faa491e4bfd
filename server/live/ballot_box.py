"""The road of every acknowledged act of the public: batches, one transaction each (group commit).

An act waits a few milliseconds for company, is decided and committed with its batch, and is
answered only after the commit. A commit that fails answers `unknown` to all of the batch (law 2).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Protocol

import structlog

from server.domain.public_acts import Done, PublicAct
from server.domain.refusals import OutcomeUnknown, Refusal, RolledBack

LARGEST = 4000
"""Acts in one transaction: at some twenty microseconds each, the writer is free again soon."""
WAITING = 20_000
"""Acts that may wait; beyond that `too_many` is answered at once."""
GATHER_S = 0.003
SLOWEST_S = 60.0
"""Of the batches of so long a time the slowest is told."""
Outcome = Done | Refusal | OutcomeUnknown
Told = Callable[[Outcome], None]

log = structlog.get_logger()


class Counter(Protocol):
    """Where batches are carried out."""

    async def carry_out(self, batch: Sequence[PublicAct]) -> list[Done | Refusal]: ...


class BallotBox:
    """Gathers acts and carries them out in order of arrival."""

    def __init__(
        self,
        counter: Counter,
        ring: Callable[[int], Awaitable[None]],
        stirred: Callable[[int], None],
    ) -> None:
        self._counter, self._ring, self._stirred = counter, ring, stirred
        self._waiting: list[tuple[PublicAct, Told]] = []
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self.outcomes = {"done": 0, "refused": 0, "unknown": 0}
        """Acts that were answered, since the start."""
        self._took: deque[tuple[float, float]] = deque()
        """(when it ended, seconds) of the last minute's batches: GATHER_S apart, 20,000 at most."""

    def start(self) -> None:
        """Begins to carry acts out."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Carries out what waits, then ends."""
        self._stopping = True
        self._arrived.set()
        if self._task is not None:
            await self._task

    @property
    def slowest_s(self) -> float:
        """Of the last minute's batches the one that took longest, decided and committed."""
        self._forget_old()
        return max((took for _, took in self._took), default=0.0)

    def _forget_old(self) -> None:
        since = monotonic() - SLOWEST_S
        while self._took and self._took[0][0] < since:
            self._took.popleft()

    @property
    def waiting(self) -> int:
        """Acts that wait for their commit."""
        return len(self._waiting)

    def submit(self, act: PublicAct, told: Told) -> None:
        """Puts the act in; `told` is called once with its outcome, after its commit. Raises
        `Refusal` when too much waits."""
        if len(self._waiting) >= WAITING:
            raise Refusal("too_many")
        self._waiting.append((act, told))
        self._arrived.set()

    async def put(self, act: PublicAct) -> Done:
        """The act's outcome after its commit. Raises `Refusal` or `OutcomeUnknown`."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def told(outcome: Outcome) -> None:
            if not future.done():
                future.set_result(outcome)

        self.submit(act, told)
        outcome = await future
        if isinstance(outcome, Done):
            return outcome
        raise outcome

    async def _run(self) -> None:
        while self._waiting or not self._stopping:
            await self._arrived.wait()
            await asyncio.sleep(GATHER_S)
            batch, self._waiting = self._waiting[:LARGEST], self._waiting[LARGEST:]
            if not self._waiting and not self._stopping:
                self._arrived.clear()
            if batch:
                await self._carry_out(batch)

    async def _carry_out(self, batch: list[tuple[PublicAct, Told]]) -> None:
        acts, begun = [act for act, _ in batch], monotonic()
        try:
            for attempt in range(3):
                try:
                    outcomes = await self._counter.carry_out(acts)
                    break
                except RolledBack:
                    if attempt == 2:
                        raise OutcomeUnknown from None
        except Exception as error:
            log.error("batch_unknown", acts=len(acts), error=type(error).__name__)
            self.outcomes["unknown"] += len(acts)
            for _, told in batch:
                self._tell(told, OutcomeUnknown())
            return
        ended = monotonic()
        self._took.append((ended, ended - begun))
        self._forget_old()
        refused = sum(isinstance(outcome, Refusal) for outcome in outcomes)
        self.outcomes["refused"] += refused
        self.outcomes["done"] += len(outcomes) - refused
        entries: set[int] = set()
        stirred: set[int] = set()
        for (_, told), outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Done):
                stirred.add(outcome.hearing)
                if outcome.entry:
                    entries.add(outcome.hearing)
            self._tell(told, outcome)
        for hearing in stirred:
            self._stirred(hearing)
        for hearing in entries:
            try:
                await self._ring(hearing)
            except Exception as error:  # whoever missed it looks by himself; the box goes on
                log.error("ring_failed", error=type(error).__name__)

    @staticmethod
    def _tell(told: Told, outcome: Outcome) -> None:
        try:
            told(outcome)
        except Exception as error:  # Of one socket: the others' acts are carried out all the same.
            log.error("answer_failed", error=type(error).__name__)
