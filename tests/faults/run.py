"""`make faults`: every fault experiment, and a table of what came out (docs/faults.md).

    python -m tests.faults.run [NAME …] [--size full|quick] [--seed N] [--plant NAME] [--into DIR]

`FAULTS` of make is the rest of the command line: `make faults FAULTS="kills --size quick"`. Each
run keeps histories, exports and its report in a folder of its own; the same seed and folder go on
where they were broken off. `tests/faults/report.json` keeps the last report of each experiment.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import secrets
import signal
import sys
from pathlib import Path
from typing import Any

import tests.faults
from tests.faults.experiment import FULL, QUICK, Experiment, carry_out

HERE = Path(__file__).parent
REPORT = HERE / "report.json"


def experiments() -> dict[str, Experiment]:
    """Those of every module here that has `EXPERIMENTS`."""
    found: dict[str, Experiment] = {}
    for module in pkgutil.iter_modules(tests.faults.__path__):
        if not module.name.startswith("test_"):
            there = importlib.import_module(f"tests.faults.{module.name}")
            for one in getattr(there, "EXPERIMENTS", ()):
                found[one.name] = one
    return found


def line(told: dict[str, Any]) -> str:
    """One row of the table."""
    n = f"{told['n']:,} {told['trials']}"
    acks = f"{told['counted'].get('acknowledged', 0):,} acknowledged"
    figures = " · ".join(
        f"{name} p50 {f['p50']} p99 {f['p99']} max {f['max']} (n {f['n']})"
        for name, f in told["figures"].items()
    )
    name = told["experiment"] + (f" with {told['plant']}" if told["plant"] else "")
    return f"{name:28} {n:>18} {acks:>24}  {told['says']}\n    {figures}"


def keep(told: dict[str, Any]) -> None:
    """The last report of each experiment, size and plant."""
    all_ = json.loads(REPORT.read_text()) if REPORT.exists() else {}
    name = " ".join(filter(None, (told["experiment"], told["size"], told["plant"])))
    all_[name] = told
    REPORT.write_text(json.dumps(all_, ensure_ascii=False, indent=1, sort_keys=True))


def main() -> int:
    """Exit status 0 when nothing failed (with a plant: when it was caught)."""
    known = experiments()
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=" ".join(known))
    parser.add_argument("--size", choices=(FULL, QUICK), default=FULL)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--plant", default="")
    parser.add_argument("--into", type=Path, default=HERE / "runs")
    wish = parser.parse_args()
    for name in wish.names:
        if name not in known:
            parser.error(f"there is no experiment {name}: {' '.join(known)}")
    # Whoever ends it by `kill` or `timeout` leaves no server behind.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    status = 0
    for name in wish.names or known:
        experiment = known[name]
        if wish.plant and wish.plant not in experiment.plants:
            parser.error(f"{name} knows no plant {wish.plant}: {' '.join(experiment.plants)}")
        place = wish.into / "-".join(filter(None, (name, wish.size, wish.plant, str(wish.seed))))
        told = carry_out(experiment, place, wish.seed, wish.size, wish.plant)
        keep(told)
        print(line(told), flush=True)
        for fault in told["faults"]:
            print(f"    {fault}", flush=True)
        if bool(told["failures"]) is not bool(wish.plant):
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
