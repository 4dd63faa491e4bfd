"""What measures: CPU time and memory of processes, and the crowd that watches a server."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
OUT = HERE / "out"
SERVER_CORE, CROWD_CORE = "0", "1"
PULSE, CUE = 220, 1000
"""Bytes of a frame: what the contract allows a pulse (300), and an ordinary cue."""
RATE = 4.0
TICKS = os.sysconf("SC_CLK_TCK")


def build() -> None:
    """Compiles the crowd, those who arrive, and the bare sender."""
    OUT.mkdir(exist_ok=True)
    for name in ("crowd", "arrival", "sender"):
        source, program = HERE / f"{name}.c", OUT / name
        if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
            subprocess.run(["cc", "-O2", "-o", str(program), str(source)], check=True)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_s(pid: int) -> float:
    """CPU time of a process and of all that came from it and still live."""
    total = 0.0
    with contextlib.suppress(OSError):
        told = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += (int(told[11]) + int(told[12])) / TICKS
    return total + sum(map(cpu_s, children(pid)))


def children(pid: int) -> list[int]:
    """Its children."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(one) for one in path.read_text().split()] if path.exists() else []


def rss_kb(pid: int, *, alone: bool = False) -> int:
    """Resident memory of a process and, unless it is meant alone, its children."""
    total = 0
    for one in (pid, *(() if alone else children(pid))):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{one}/status").read_text().splitlines():
                if line.startswith("VmRSS"):
                    total += int(line.split()[1])
    return total


class Crowd:
    """`crowd.c` at work: joined when made, measuring when told to."""

    def __init__(
        self,
        port: int,
        path: str,
        viewers: int,
        seconds: float,
        *more: str,
        cores: str = CROWD_CORE,
        wait: bool = True,
    ) -> None:
        self.hold = Path(tempfile.mkdtemp()) / "go"
        self._process = subprocess.Popen(
            [
                "taskset", "-c", cores, str(OUT / "crowd"), "--port", str(port), "--path", path,
                "--viewers", str(viewers), "--seconds", str(seconds), "--hold", str(self.hold), *more,
            ],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        if wait:
            self.joined()

    @classmethod
    def several(cls, n: int, port: int, path: str, viewers: int, seconds: float) -> list[Crowd]:
        """So many viewers in n crowds, on any core, all joined."""
        shares = [viewers // n + (i < viewers % n) for i in range(n)]
        all_ = "0-1023"
        crowds = [cls(port, path, one, seconds, cores=all_, wait=False) for one in shares]
        for crowd in crowds:
            crowd.joined()
        return crowds

    @staticmethod
    def begin_all(crowds: list[Crowd]) -> None:
        """They measure from now on, all at the same time."""
        for crowd in crowds:
            crowd.hold.touch()

    def joined(self) -> None:
        """Waits until it has joined."""
        assert self._process.stderr is not None
        self._process.stderr.readline()

    def measure(self) -> dict[str, Any]:
        """What it saw from now on."""
        self.hold.touch()
        assert self._process.stdout is not None
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        self._process.wait()
        shutil.rmtree(self.hold.parent)
        return told


def delivery(pid: int, port: int, path: str, viewers: int, seconds: float) -> dict[str, Any]:
    """What a frame costs a server that sends by itself."""
    before = rss_kb(pid)
    crowd = Crowd(port, path, viewers, seconds)
    time.sleep(2)
    memory = (rss_kb(pid) - before) / viewers
    started, used = time.monotonic(), cpu_s(pid)
    told = crowd.measure()
    took, used = time.monotonic() - started, cpu_s(pid) - used
    kind = "pulse" if "pulse" in told else "cue"
    return {
        "viewers": told["joined"],
        "frames_per_s": told["frames_per_s"],
        "share_of_core": round(used / took, 3),
        "us_a_frame": round(used / max(1, told["frames"]) * 1e6, 2),
        "p99_ms": told.get(kind, {}).get("p99_ms"),
        "joins_per_s": round(told["joined"] / told["join_s"]),
        "kb_a_viewer": round(memory, 2),
        "crowd_share": round(told["cpu_s"] / told["seconds"], 3),
        "lost": told["lost"],
    }


@contextlib.contextmanager
def served(*command: str, **environment: str) -> Iterator[int]:
    """A reference on the server's core; gives its process."""
    process = subprocess.Popen(
        ["taskset", "-c", SERVER_CORE, *command],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **environment},
    )  # fmt: skip
    time.sleep(2.5)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(10)
