"""Several processes of one part on one port, from one command: `serve --workers N`, `edge --processes N`.

They are forked from a process that has read all modules and does nothing else, so that they share
that memory: six edges take a good half of what six commands would. One that ends by itself is begun
anew.
"""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Callable
from types import FrameType

import structlog

log = structlog.get_logger()

AGAIN_S = 1.0
"""As long as none has lived for as long, one that ends does not start; nor would another, and what is wrong
has been told. Later the database may be away for a moment: the others serve on, and it is tried again."""
ENDS_S = 15.0
LOOK_S = 0.1


def run_several(n: int, work: Callable[[int], int]) -> int:
    """Runs `work(nth)` in n processes until told to end; the exit status."""
    told: list[int] = []

    def end(number: int, _: FrameType | None) -> None:
        told.append(number)

    gc.collect()
    gc.freeze()  # What is never looked at again is never written to, and stays shared.
    running = {_begin(nth, work): (nth, time.monotonic()) for nth in range(n)}
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    status, stands = 0, False
    waiting: dict[int, float] = {}
    while not told and status == 0:
        time.sleep(LOOK_S)
        now = time.monotonic()
        stands = stands or any(now - begun >= AGAIN_S for _, begun in running.values())
        for pid, ended in _ended(tuple(running)):
            nth, begun = running.pop(pid)
            log.warning("process_ended", nth=nth, pid=pid, status=ended)
            short = now - begun < AGAIN_S
            if short and not stands:
                status = ended or 1
            waiting[nth] = now + (AGAIN_S if short else 0.0)
        for nth in [nth for nth, at in waiting.items() if at <= now and status == 0]:
            del waiting[nth]
            running[_begin(nth, work)] = nth, time.monotonic()
    _end(tuple(running))
    return status


def _begin(nth: int, work: Callable[[int], int]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        status = work(nth)
    except SystemExit as exit_:
        status = exit_.code if isinstance(exit_.code, int) else 1
    finally:
        os._exit(status)


def _ended(pids: tuple[int, ...]) -> list[tuple[int, int]]:
    """(process, exit status) of those that have ended."""
    found = [os.waitpid(pid, os.WNOHANG) for pid in pids]
    return [(pid, os.waitstatus_to_exitcode(how)) for pid, how in found if pid]


def _end(pids: tuple[int, ...]) -> None:
    """Asks them to end, and ends them when they do not."""
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    left, deadline = set(pids), time.monotonic() + ENDS_S
    while left and time.monotonic() < deadline:
        left -= {pid for pid, _ in _ended(tuple(left))}
        time.sleep(LOOK_S)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
