"""The frame of a fault experiment: what it counts, what it found, what it measured, where all is kept.

An experiment is a function of a folder, a seed, a size and a plant. The folder keeps the histories,
the exports and the report; the seed draws everything that is by chance in it; the size is `quick`
(the continuous checks) or `full`; a plant is a fault put into the product on purpose, which the
experiment must catch, or "".
"""

from __future__ import annotations

import json
import math
import os
import platform
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
QUICK, FULL = "quick", "full"


@dataclass
class Report:
    """What one run, or one part of it, counted, found and measured."""

    counted: Counter[str] = field(default_factory=Counter)
    """Such as {"kills": 20, "acknowledged": 18034}."""
    faults: list[str] = field(default_factory=list)
    """A sentence for each thing that must not be; those of the checker begin with its invariant."""
    samples: dict[str, list[float]] = field(default_factory=dict)
    """Such as {"serving_again_s": [0.8, …]}: all of them, so that parts can be put together."""
    unchecked: list[str] = field(default_factory=list)
    """What nobody looked at."""

    def sample(self, name: str, value: float) -> None:
        """One more measured value."""
        self.samples.setdefault(name, []).append(round(value, 4))

    def add(self, other: Report) -> None:
        """The other part's, too."""
        self.counted.update(other.counted)
        self.faults += other.faults
        for name, values in other.samples.items():
            self.samples.setdefault(name, []).extend(values)
        self.unchecked += [one for one in other.unchecked if one not in self.unchecked]


@dataclass(frozen=True)
class Limit:
    """A measured value may be this much at most: `of` is `max`, `p50`, `p99` or `p999`. A quick run
    has no time limits, because it runs where others run, unless `quick` says one."""

    sample: str
    of: str
    most: float
    quick: float | None = None


@dataclass(frozen=True)
class Experiment:
    """`proves` in a sentence; `trials` is the counter that is n; `plants` maps each planted fault to
    what it does."""

    name: str
    proves: str
    trials: str
    run: Callable[[Path, int, str, str], Report]
    plants: Mapping[str, str]
    limits: Sequence[Limit] = ()


def percentile(values: Iterable[float], of: str) -> float:
    """The `of` of these values: `max`, or `p99` as the smallest that 99 % of them do not exceed."""
    ordered = sorted(values)
    if of == "max":
        return ordered[-1]
    share = float(f"0.{of[1:]}")
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def bound(n: int) -> str:
    """What none in n trials says: the rule of three."""
    return f"< {3 / n:.2g} at 95 %" if n else "nothing was tried"


def in_groups(
    folder: Path, wanted: int, each: int, run: Callable[[Path, int, int], Report]
) -> Report:
    """`wanted` trials in groups of `each`, with a folder of its own each: `run(folder, group, n)`. A
    group whose report is there is not run again, so that a long run can be broken off."""
    whole = Report()
    for group in range(math.ceil(wanted / each)):
        place = folder / f"group-{group:03d}"
        kept = place / "part.json"
        if kept.exists():
            whole.add(_read(json.loads(kept.read_text())))
            continue
        shutil.rmtree(place, ignore_errors=True)  # A group that was broken off begins anew.
        place.mkdir(parents=True)
        part = run(place, group, min(each, wanted - group * each))
        kept.write_text(json.dumps(vars(part), ensure_ascii=False))
        whole.add(part)
        print(f"  {folder.name} {group + 1}: {dict(whole.counted)}", flush=True)
    return whole


def _read(told: Mapping[str, Any]) -> Report:
    return Report(Counter(told["counted"]), told["faults"], told["samples"], told["unchecked"])


def carry_out(
    experiment: Experiment, folder: Path, seed: int, size: str, plant: str = ""
) -> dict[str, Any]:
    """Runs it and keeps `report.json` in the folder; gives what stands there."""
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    report = experiment.run(folder, seed, size, plant)
    told = summary(experiment, report, size) | {
        "size": size,
        "plant": plant,
        "seed": seed,
        "commit": commit(),
        "machine": machine(),
        "seconds": round(time.monotonic() - began, 1),
        "kept_in": str(folder),
    }
    (folder / "report.json").write_text(json.dumps(told, ensure_ascii=False, indent=1))
    return told


def summary(experiment: Experiment, report: Report, size: str = FULL) -> dict[str, Any]:
    """The report in figures; a limit that was not kept is a fault like any other."""
    n, faults, figures = report.counted[experiment.trials], list(report.faults), {}
    for name, values in sorted(report.samples.items()):
        figures[name] = {of: percentile(values, of) for of in ("p50", "p99", "max")}
        figures[name]["n"] = len(values)
    for limit in experiment.limits:
        most = limit.most if size == FULL else limit.quick
        values = report.samples.get(limit.sample, [])
        if most is None:
            continue
        if not values:
            faults.append(f"{limit.sample} was not measured")
        elif (reached := percentile(values, limit.of)) > most:
            faults.append(f"{limit.sample} {limit.of} is {reached}, not at most {most}")
    return {
        "experiment": experiment.name,
        "proves": experiment.proves,
        "trials": experiment.trials,
        "n": n,
        "counted": dict(report.counted),
        "failures": len(faults),
        "says": bound(n) if not faults else f"{len(faults)} failures",
        "faults": faults[:50],
        "figures": figures,
        "unchecked": report.unchecked,
    }


def commit() -> str:
    """The commit that is tried, with `+` when something is not committed."""

    def git(*words: str) -> str:
        told = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
        return told.stdout.strip()

    changed = git("status", "--porcelain", "--", "server", "web", "moderation")
    return (git("rev-parse", "--short=12", "HEAD") or "unknown") + ("+" if changed else "")


def machine() -> dict[str, Any]:
    """Where it ran."""
    return {
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }
