"""`pingyi serve --workers N`: N whole processes on one port, each begun anew when it ends by itself."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from types import FrameType

AGAIN_S = 1.0
"""How long one that ended by itself is left alone, so that a fault does not spin."""
ENDS_S = 15.0


def run_several(n: int, host: str, port: int) -> int:
    """Runs until told to end; the exit status. When the first of them does not start, nobody does:
    what is wrong is wrong for all, and has been told."""
    told: list[int] = []

    def end(number: int, _: FrameType | None) -> None:
        told.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    running = {nth: _begin(nth, host, port) for nth in range(n)}
    begun = dict.fromkeys(running, time.monotonic())
    status = 0
    while not told and status == 0:
        time.sleep(0.1)
        for nth, process in tuple(running.items()):
            if process.poll() is None:
                continue
            if process.returncode and time.monotonic() - begun[nth] < AGAIN_S:
                status = process.returncode  # It did not even start.
            elif time.monotonic() - begun[nth] > AGAIN_S:
                running[nth], begun[nth] = _begin(nth, host, port), time.monotonic()
    for process in running.values():
        process.terminate()
    for process in running.values():
        try:
            process.wait(ENDS_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return status


def _begin(nth: int, host: str, port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "server.cli", "serve", "--nth", str(nth)]
    return subprocess.Popen([*command, "--host", host, "--port", str(port)])
