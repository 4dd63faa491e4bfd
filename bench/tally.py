"""How long a tally takes: a large panel round from its files, and a million ballots in little memory.

`python -m bench.tally` prints the seconds of `pingyi tally` with the start of its process (1,104
raters × 30 officials × 5 dimensions, the panel of a real evaluation), and the peak memory of the same
command for 10,000 and for 1,000,000 ballots whose raters stand in order, which is what a bundle
holds. Figures of one run on one machine; only ratios carry over to another.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RATERS, OFFICIALS, DIMENSIONS = 1_104, 30, 5
PANEL: dict[str, Any] = {
    "version": 1,
    "scale": {"kind": "number", "min": "0", "max": "10", "step": "0.5"},
    "dimensions": [{"key": f"d{n}", "factor": "2"} for n in range(DIMENSIONS)],
    "groups": [{"key": "deputies", "weight": "0.4"}, {"key": "citizens", "weight": "0.6"}],
    "trim": {"high": 1, "low": 1, "from": 5, "on": "dimension"},
    "rounding": {"mode": "half_up", "dimension": 2, "weighted": 2, "group": 2, "total": 2},
}
VOTE: dict[str, Any] = {
    "version": 1,
    "scale": {"kind": "labels", "labels": [{"key": one} for one in ("good", "fair", "poor")]},
    "dimensions": [{"key": "choice"}],
    "within": "rate",
    "positive": ["good"],
}


def panel() -> Iterator[str]:
    """The rows of the panel round, rater after rater."""
    for rater in range(RATERS):
        group = "deputies" if rater % 3 else "citizens"
        for official in range(OFFICIALS):
            for n in range(DIMENSIONS):
                mark = random.randrange(10, 21) / 2
                yield f"official-{official},rater-{rater:05d},{group},d{n},{mark:g}"


def votes(number: int) -> Iterator[str]:
    """So many ballots of one row, raters in order."""
    for n in range(number):
        yield f"s,{n:010x},,choice,{random.choice(('good', 'good', 'fair', 'poor'))}"


def written(folder: Path, name: str, rules: dict[str, Any], rows: Iterator[str]) -> list[str]:
    """The arguments of `pingyi tally` for these rules and rows."""
    rules_path, ballots = folder / f"{name}.json", folder / f"{name}.csv"
    rules_path.write_text(json.dumps(rules), "utf-8")
    with ballots.open("w", encoding="utf-8") as file:
        file.write("subject,rater,group,dimension,value\n")
        file.writelines(f"{row}\n" for row in rows)
    command = [str(Path(sys.executable).with_name("pingyi")), "tally"]
    return [*command, "--rules", str(rules_path), "--ballots", str(ballots)]


def timed(command: list[str]) -> tuple[float, float]:
    """(seconds, peak MB) of one run."""
    code = (
        "import resource,subprocess,sys;"
        "subprocess.run(sys.argv[1:],check=True,stdout=subprocess.DEVNULL);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    began = time.monotonic()
    told = subprocess.run(
        [sys.executable, "-S", "-c", code, *command], check=True, capture_output=True, text=True
    )
    return time.monotonic() - began, int(told.stdout) / 1024


def main() -> None:
    """Measures and prints."""
    random.seed(7)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        command = written(folder, "panel", PANEL, panel())
        runs = sorted(timed(command) for _ in range(5))
        rows = RATERS * OFFICIALS * DIMENSIONS
        print(f"panel round, {rows:,} marks: {runs[2][0]:.2f} s, {runs[2][1]:.0f} MB (≤ 1 s)")
        for number in (10_000, 1_000_000):
            seconds, memory = timed(written(folder, f"votes-{number}", VOTE, votes(number)))
            print(f"{number:,} ballots: {seconds:.2f} s, {memory:.0f} MB")


if __name__ == "__main__":
    main()
