"""Every viewer is cut off at once and comes back (R7v).

Two ways: every connection is reset, as when a network breaks; or the server is killed and started
again. Meanwhile the panel casts ballots and the host's stage is watched.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.faults import crowd_plants
from tests.faults.crowd_hands import Hands
from tests.faults.crowd_server import cpu_s, serving
from tests.faults.crowd_viewers import Viewers, pack_views
from tests.faults.experiment import FULL, Experiment, Limit, Report, in_groups
from tests.faults.export import checked, pack
from tests.running import Running

VIEWERS, QUICK_VIEWERS, PLANTED_VIEWERS = 16_384, 1_000, 200
BACK_S = 60.0
"""Within which all must be back."""
LAST_S = 0.7
"""In which viewers are told what happened last."""
PARTS = 3
"""How often it happens in a full run: one storm is over before the panel has cast a hundred ballots."""


def reset(folder: Path, seed: int, size: str, plant: str) -> Report:
    """Every connection is reset."""
    return _storms(folder, seed, size, plant, killed=False)


def killed(folder: Path, seed: int, size: str, plant: str) -> Report:
    """The server is killed and started again."""
    return _storms(folder, seed, size, plant, killed=True)


def _storms(folder: Path, seed: int, size: str, plant: str, *, killed: bool) -> Report:
    parts = PARTS if size == FULL else 1

    def part(place: Path, group: int, n: int) -> Report:
        return _storm(place, seed + group, size, plant, killed=killed)

    return in_groups(folder, parts, 1, part)


def _storm(folder: Path, seed: int, size: str, plant: str, *, killed: bool) -> Report:
    report, calm = Report(), 4.0 if size == FULL else 0.5
    n = VIEWERS if size == FULL else PLANTED_VIEWERS if plant else QUICK_VIEWERS
    planted = [plant] if plant in crowd_plants.PLANTS else []
    with serving(folder / "data", *planted, ordinary=size == FULL) as demo, ExitStack() as stack:
        crowd = Viewers(demo.url, demo.slug, n, folder, seed, lockstep=plant == "lockstep")
        stack.callback(crowd.end)
        if crowd.until_here(60) < n:
            raise AssertionError("they did not even come")
        hands = stack.enter_context(Hands(demo, folder / "histories", seed).at_work())
        time.sleep(calm)
        cut, served = _cut(demo, crowd, killed)
        used = cpu_s(demo.process.pid)
        crowd.until_here(BACK_S + 5)
        back = max(time.monotonic(), served + 2)
        report.sample("cpu_a_viewer_ms", (cpu_s(demo.process.pid) - used) * 1000 / n)
        time.sleep(max(0.0, back - time.monotonic()) + calm / 2)
        end = hands.leave(folder)
        time.sleep(LAST_S)
    if killed:
        report.sample("serving_again_s", served - cut)
    hands.judge(report, cut, back, served if killed else None)
    _judge_comings(report, folder, n, cut)
    seen(report, folder, end)
    if size == FULL and not report.faults:
        pack(folder)
        pack_views(folder)
    return report


def _cut(demo: Running, crowd: Viewers, killed: bool) -> tuple[float, float]:
    """(when all were cut off, when there was a server again)."""
    at = time.monotonic()
    if killed:
        demo.kill()
        demo.again()
        return at, time.monotonic()
    crowd.say("cut")
    return at, at


def _judge_comings(report: Report, folder: Path, n: int, cut: float) -> None:
    """Who came back when."""
    report.counted["viewers"] += n
    here: dict[int, float] = {}
    tries: Counter[int] = Counter()
    for line in lines(folder / "comings.jsonl"):
        after = line["t"] / 1e9 - cut
        if after < 0:
            continue
        if line["kind"] == "here":
            here.setdefault(line["viewer"], after)
        elif line["kind"] == "try":
            tries[int(after * 10)] += 1
            report.counted["tries"] += 1
        elif line["kind"] == "wait":
            report.counted["told to wait"] += 1
    for took in here.values():
        report.sample("back_s", took)
    for _ in range(n - len(here)):
        report.sample("back_s", 1e6)
    report.sample("busiest_tenth", max(tries.values()) / n)


def seen(report: Report, folder: Path, end: Any) -> None:
    """Whether everybody saw everything, in order, and what the checker says of views and ballots."""
    checked(folder, report)
    report.faults += versions(folder / "views" / "crowd.jsonl")
    report.faults += astray(folder / "comings.jsonl", end)


def astray(comings: Path, end: Any) -> Iterator[str]:
    """I9: viewers that do not stand in the end where the server says that it is."""
    right = end["epoch"], end["version"], end["state"]["hearing"]["cleared"]
    stood = Counter(
        (line["epoch"], line["version"], line["cleared"])
        for line in lines(comings)
        if line["kind"] == "stands"
    )
    del stood[right]
    for where, n in stood.most_common(5):
        yield f"I9: {n} viewers stand at {where}, not at {right}"


def versions(views: Path) -> Iterator[str]:
    """I9: each viewer's versions rise by one, or a snapshot comes between, which goes back in no
    epoch."""
    stands: dict[int, tuple[str, int]] = {}
    for line in lines(views):
        epoch, version = stands.get(line["viewer"], ("", -1))
        new = line["version"]
        if line["kind"] == "cue" and new != version + 1:
            yield f"I9: viewer {line['viewer']}: cue {new} follows {version}"
        elif line["kind"] == "snapshot" and line["epoch"] == epoch and new < version:
            yield f"I9: viewer {line['viewer']}: snapshot {new} follows {version} in one epoch"
        stands[line["viewer"]] = line.get("epoch", epoch), new


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """A file of JSON lines."""
    with path.open() as file:
        yield from map(json.loads, file)


LIMITS = (
    Limit("back_s", "p999", 30, quick=20),
    Limit("back_s", "max", BACK_S, quick=BACK_S),
    Limit("ballot_ms", "p99", 500, quick=3000),
    Limit("stage_ms", "max", 2000, quick=5000),
    Limit("busiest_tenth", "max", 0.6, quick=0.6),
)
LOCKSTEP = {"lockstep": "Everybody waits the same time before he comes back."}
EXPERIMENTS = (
    Experiment(
        "storm_reset",
        "All viewers are cut off at once: all are back soon, in order, and the panel feels little.",
        "viewers",
        reset,
        LOCKSTEP,
        LIMITS,
    ),
    Experiment(
        "storm_killed",
        "The server is killed: all viewers are back soon, in order, and the panel feels little.",
        "viewers",
        killed,
        LOCKSTEP | crowd_plants.of("forgotten_offset"),
        LIMITS,
    ),
)
