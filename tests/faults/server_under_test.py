"""The product's own command, in a process that a test has armed: `python -m tests.faults.server_under_test serve …`.

`FAULTS_KILL=POINT:N` ends the process by SIGKILL when the N-th ballot (or batch of ballots) reaches
a named point; `FAULTS_PLANT=NAME` puts one of the faults of `plants.py` in. The product has no hook
for either: its classes are patched here, in this process alone, before its command begins.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any

KILL, PLANT = "FAULTS_KILL", "FAULTS_PLANT"
POINTS = ("before_commit", "after_commit", "before_reply")
_ballots: ContextVar[bool] = ContextVar("ballots", default=False)
"""Whether this task is carrying out ballots: pulses commit too, and are not meant."""


def replaced(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Puts `make(what is there)` in its place; what is not there is a mistake of the harness."""
    setattr(owner, name, make(getattr(owner, name)))


class Trap:
    """Ends the process at the N-th passage of its point."""

    def __init__(self, armed: str) -> None:
        self._point, _, n = armed.partition(":")
        assert self._point in POINTS, armed
        self._left = int(n)

    def passes(self, point: str) -> None:
        """This is `point`."""
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def set(self) -> None:
        """Patches the points in."""
        from server.api import rounds, talk
        from server.store import public_acts, transaction

        def commit(whole: Any) -> Any:
            async def passing(work: Coroutine[Any, Any, None]) -> None:
                if not _ballots.get():
                    return await whole(work)
                self.passes("before_commit")
                await whole(work)
                self.passes("after_commit")

            return passing

        def voted(answer: Any) -> Any:
            def passing(*said: Any) -> None:
                self.passes("before_reply")
                answer(*said)

            return passing

        def answered(answer: Any) -> Any:
            def passing(told: Any) -> Any:
                if "receipt" in told.body:
                    self.passes("before_reply")
                return answer(told)

            return passing

        replaced(transaction, "_whole", commit)
        replaced(public_acts.PublicActs, "carry_out", _carrying)
        replaced(rounds, "cast_ballot", _carrying)
        replaced(talk.Talk, "_answer", voted)
        replaced(rounds, "answered", answered)


def _carrying(carry_out: Any) -> Any:
    async def carrying(*what: Any) -> Any:
        token = _ballots.set(True)
        try:
            return await carry_out(*what)
        finally:
            _ballots.reset(token)

    return carrying


def main() -> None:
    """Arms this process, then is `pingyi`."""
    from tests.faults.plants import PLANTS

    armed, plant = os.environ.get(KILL), os.environ.get(PLANT)
    if armed:
        Trap(armed).set()
    if plant:
        PLANTS[plant]()

    from server.cli import main as pingyi

    pingyi()


if __name__ == "__main__":
    main()
