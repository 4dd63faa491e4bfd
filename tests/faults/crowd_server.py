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
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests import nursery
from tests.faults.crowd_plants import PLANTS
from tests.faults.experiment import ROOT
from tests.nursery import _CONTEXT as BORN
from tests.nursery import Born
from tests.running import Running


class Child(Born):
    """A process of the product with faults in it, born as the suites' are."""

    def __init__(self, plants: tuple[str, ...], arguments: list[str], log: Path) -> None:
        ours, theirs = os.pipe()
        with Connection(theirs, readable=False) as output:
            self._process = BORN.Process(target=_be, args=(plants, arguments, str(log), output))
            self._process.start()
        self.stdout = os.fdopen(ours, "r", encoding="utf-8")
        assert self._process.pid is not None
        self.pid = self._process.pid


def _be(plants: tuple[str, ...], arguments: list[str], log: str, output: Connection) -> None:
    for name in plants:
        PLANTS[name]()
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PINGYI_")}
    nursery._be_pingyi(arguments, clean, log, output)


@dataclass
class Hearing(Running):
    """A demonstration that starts again as it was started."""

    plants: tuple[str, ...] = ()
    ordinary: bool = False

    def again(self) -> None:
        """The process comes back on the same data and port."""
        self.arguments[self.arguments.index("--port") + 1] = self.url.rsplit(":", 1)[1]
        self.process = _started(self.plants, self.arguments, self.data, ordinary=self.ordinary)
        self.line = json.loads(self.process.stdout.readline())


def _started(plants: tuple[str, ...], arguments: list[str], data: Path, *, ordinary: bool) -> Any:
    log = data.parent / f"{data.name}.log"
    if not ordinary:
        return Child(plants, arguments, log)
    command = [sys.executable, "-m", "tests.faults.crowd_plants", *plants, "--", *arguments]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PINGYI_")}
    with log.open("a") as errors:
        return subprocess.Popen(
            command, cwd=ROOT, env=clean, stdout=subprocess.PIPE, stderr=errors, text=True
        )


@contextlib.contextmanager
def serving(data: Path, *plants: str, ordinary: bool = False) -> Iterator[Running]:
    """A demonstration for as long as the block lasts. `ordinary`: its process reads all its modules
    when it starts, as people's do (`tests/nursery.py`)."""
    data.parent.mkdir(parents=True, exist_ok=True)
    arguments = ["demo", "--json", "--port", "0", "--data", str(data)]
    process = _started(plants, arguments, data, ordinary=ordinary)
    line = process.stdout.readline()
    if not line:
        raise AssertionError((data.parent / f"{data.name}.log").read_text()[-3000:])
    hearing = Hearing(process, json.loads(line), data, arguments, plants, ordinary)
    try:
        yield hearing
    finally:
        hearing.stop()


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
