"""Some viewers read nothing more, and some read slowly: nobody else waits for them (R8).

Those who stall have the smallest of receive buffers; the slow ones take 64 kbit/s. The others'
waits are compared with what they were just before, on the same sockets of the same server.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults import crowd_plants
from tests.faults.crowd_hands import TROUBLE, Person
from tests.faults.crowd_raw import dialled, greeting
from tests.faults.crowd_server import descriptors, resident_mb, serving, tcp_mb
from tests.faults.crowd_viewers import Viewers, pack_views
from tests.faults.experiment import FULL, Experiment, Limit, Report
from tests.faults.storm import astray, lines, versions
from tests.running import Running, new_key

REQUESTS = 5
"""Descriptors that come and go with requests."""
QUESTION = "请问乡道坑洼多年、什么时候依法组织维修，依据哪份文件、由哪个单位负责？"
SMALL, ORDINARY = 2304, 16_384
"""Bytes of a receive buffer: the least that the kernel gives, for those who stall; and the other's,
whose slowness is in how they read."""
NOTICED_MS = 40.0
"""Waits below it are all alike to who watches; the ratio counts from here."""


@dataclass(frozen=True)
class Size:
    """How many there are, how long it is measured at least, how long one waits at most for those who
    stall to be given up, how many times a second the host acts."""

    others: int
    stalled: int
    slow: int
    seconds: float
    patience: float
    pace: float
    reads: float
    share: int
    """How many times a second a slow one reads, and how many bytes each time."""
    text: str
    """What the host takes onto the stage: cues are about six times as long."""


SIZES = {FULL: Size(16_000, 160, 800, 15.0, 60.0, 1.0, 4.0, 2_000, QUESTION * 3)}
QUICK_SIZE = Size(150, 16, 10, 1.0, 4.0, 20.0, 10.0, 8_000, QUESTION * 17)
"""More is told in less time, and the slow ones are as much quicker."""


def run(folder: Path, seed: int, size: str, plant: str) -> Report:
    """One server, measured before and with them, until those who stall have been given up."""
    report, wish = Report(), SIZES.get(size, QUICK_SIZE)
    planted = [*([] if size == FULL else ["quick"]), *([plant] if plant else [])]
    with serving(folder / "data", *planted) as demo, contextlib.ExitStack() as stack:
        crowd = Viewers(demo.url, demo.slug, wish.others, folder, seed)
        stack.callback(crowd.end)
        if crowd.until_here(60) < wish.others:
            raise AssertionError("they did not even come")
        talking = stack.enter_context(_talk(demo, wish))
        time.sleep(wish.seconds / 2)
        usual = descriptors(demo.process.pid)
        before = _Measured(crowd, demo.process.pid)
        before.watch(wish.seconds)
        without = [crowd.say("figures")]
        poor = Poor(demo, wish)
        stack.callback(poor.end)
        during = _Measured(crowd, demo.process.pid)
        there = usual + wish.slow + REQUESTS
        back = during.watch(wish.seconds, there, wish.patience)
        told = crowd.say("figures")
        report.sample("descriptors_back_s", back)
        report.sample("kernel_mb", during.kernel - before.kernel)
        report.sample("resident_mb", during.resident - before.resident)
        report.counted["slow lost"] += poor.lost
        if size == FULL:  # Once more without them: a machine is not the same a minute later.
            poor.end()
            time.sleep(2)
            after = _Measured(crowd, demo.process.pid)
            after.watch(wish.seconds)
            without.append(crowd.say("figures"))
        _compare(report, without, told)
        talking.set()
        time.sleep(0.5)
        end = demo.anyone().get(demo.here)
    report.counted.update({"stalled": wish.stalled, "slow": wish.slow, "others": wish.others})
    _judge(report, folder, end)
    if size == FULL and not report.faults:
        pack_views(folder)
    return report


def _compare(report: Report, without: Sequence[Any], during: Any) -> None:
    """How much longer the others waited for what they were told."""
    for kind in ("cue", "pulse"):
        usual = [one[kind]["p99"] for one in without if kind in one]
        if not usual or kind not in during:
            continue
        for p99 in usual:
            report.sample(f"{kind}_without_ms", p99)
        report.sample(f"{kind}_with_ms", during[kind]["p99"])
        least = max(sum(usual) / len(usual), NOTICED_MS)
        report.sample("others_ratio", during[kind]["p99"] / least)


def _judge(report: Report, folder: Path, end: Any) -> None:
    """The others have missed nothing, and those who are slow are still there."""
    lost = sum(line["kind"] == "gone" for line in lines(folder / "comings.jsonl"))
    if lost:
        report.faults.append(f"{lost} of the others lost their connection")
    if report.counted["slow lost"]:
        report.faults.append(f"{report.counted['slow lost']} of the slow lost their connection")
    report.faults += versions(folder / "views" / "crowd.jsonl")
    report.faults += astray(folder / "comings.jsonl", end)


class _Measured:
    """The most memory that the kernel's TCP and the process took, from now on, while the crowd notes
    how long frames take."""

    def __init__(self, crowd: Viewers, pid: int) -> None:
        crowd.say("measure")
        self._pid, self._began, self.kernel, self.resident = pid, time.monotonic(), 0.0, 0.0

    def watch(self, seconds: float, there: int = 1 << 30, patience: float = 0.0) -> float:
        """So many seconds, and until only so many descriptors are left; gives when that was, or a
        million seconds. A second more, for what was held back until then."""
        back, until = 1e6, seconds
        while (now := time.monotonic() - self._began) < max(until, patience if back > now else 0):
            self.kernel = max(self.kernel, tcp_mb())
            self.resident = max(self.resident, resident_mb(self._pid))
            if back == 1e6 and descriptors(self._pid) <= there:
                back, until = now, max(seconds, now + 1)
            time.sleep(0.05)
        return back


@contextlib.contextmanager
def _talk(demo: Running, wish: Size) -> Iterator[threading.Event]:
    """The host takes long questions and sends them off again, so many acts a second."""
    over = threading.Event()

    def work() -> None:
        host, n = Person(demo.url, demo.line["tokens"]["host"]), 0
        due = time.monotonic()
        while not over.wait(max(0.0, due - time.monotonic())):
            due, n = due + 1 / wish.pace, n + 1
            with contextlib.suppress(*TROUBLE):
                if n % 2:
                    asked = {"asker": 3, "text": wish.text}
                    host.call("PUT", f"{demo.here}/stage", asked, new_key())
                else:
                    host.call("DELETE", f"{demo.here}/stage?outcome=withdrawn", None, new_key())
        host.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield over
    finally:
        over.set()
        thread.join(30)


class Poor:
    """Those who stall, and those who are slow, read by one thread as slowly as they are."""

    def __init__(self, demo: Running, wish: Size) -> None:
        port = int(demo.url.rsplit(":", 1)[1])
        hello = greeting(port, f"/h/{demo.slug}/socket?as=json")
        self.lost = 0
        self._wish = wish
        self._stalled = [self._come(port, hello, n, SMALL) for n in range(wish.stalled)]
        self._slow = [self._come(port, hello, n, ORDINARY) for n in range(wish.slow)]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    @staticmethod
    def _come(port: int, hello: bytes, n: int, room: int) -> socket.socket:
        sock = dialled(port, n, room=room)
        sock.sendall(hello)
        sock.recv(1)  # It was let in.
        sock.setblocking(False)
        return sock

    def _read(self) -> None:
        """Each takes its share; whoever has ended is counted."""
        there, due = set(self._slow), time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            due += 1 / self._wish.reads
            for sock in tuple(there):
                try:
                    if sock.recv(self._wish.share):
                        continue
                except BlockingIOError:
                    continue
                except OSError:
                    pass
                there.discard(sock)
                self.lost += 1

    def end(self) -> None:
        """All of them go, once."""
        if self._over.is_set():
            return
        self._over.set()
        self._thread.join(10)
        for sock in (*self._stalled, *self._slow):
            sock.close()


EXPERIMENTS = (
    Experiment(
        "stalled",
        "Viewers that stop reading, and slow ones, cost the others nothing and are given up.",
        "others",
        run,
        crowd_plants.of("one_after_another", "without_end"),
        (
            Limit("others_ratio", "max", 1.5, quick=25),
            Limit("kernel_mb", "max", 64, quick=64),
            Limit("descriptors_back_s", "max", 40, quick=3.8),
        ),
    ),
)
