"""The server of the experiments on viewers: a demonstration with nobody simulated, perhaps with a
fault planted, that can be killed and started again; and what can be seen of it from outside."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.experiment import ROOT
from tests.running import Running, running


@dataclass
class Planted(Running):
    """A demonstration with faults in it (`crowd_plants.py`), which it keeps when it starts again."""

    plants: tuple[str, ...] = ()

    def again(self) -> None:
        """The process comes back on the same data and port."""
        self.arguments[self.arguments.index("--port") + 1] = self.url.rsplit(":", 1)[1]
        self.process, self.line = _start(self.plants, self.arguments, self.data)


def _start(plants: tuple[str, ...], arguments: list[str], data: Path) -> tuple[Any, Any]:
    """(process, its ready line)."""
    command = [sys.executable, "-m", "tests.faults.crowd_plants", *plants, "--", *arguments]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PINGYI_")}
    with (data.parent / f"{data.name}.log").open("a") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=clean, stdout=subprocess.PIPE, stderr=log, text=True
        )
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())


@contextlib.contextmanager
def serving(data: Path, *plants: str, ordinary: bool = False) -> Iterator[Running]:
    """A demonstration for as long as the block lasts. `ordinary`: its process reads all its modules
    when it starts, as people's do (`tests/nursery.py`)."""
    if not (plants or ordinary):
        data.parent.mkdir(parents=True, exist_ok=True)
        with running(data) as found:
            yield found
        return
    arguments = ["demo", "--json", "--port", "0", "--data", str(data)]
    process, line = _start(plants, arguments, data)
    planted = Planted(process, line, data, arguments, plants)
    try:
        yield planted
    finally:
        planted.stop()


def descriptors(pid: int) -> int:
    """How many a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident_mb(pid: int) -> float:
    """Memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def tcp_mb() -> float:
    """Memory that the kernel holds for all TCP sockets of the machine."""
    for line in Path("/proc/net/sockstat").read_text().splitlines():
        if line.startswith("TCP:"):
            pages = int(line.split()[line.split().index("mem") + 1])
            return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    return 0.0


def cpu_s(pid: int) -> float:
    """CPU time of a process."""
    told = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")
