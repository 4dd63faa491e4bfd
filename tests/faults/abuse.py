"""Strangers who mean harm: floods, frames that are too large or never end, heads that never end (R9).

They cost the panel and those who only watch next to nothing, are gone in two seconds, and who
flooded is refused with his token for a minute.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.identity.secrets import Keys, installation_secret
from tests.faults import crowd_plants
from tests.faults.crowd_hands import Hands
from tests.faults.crowd_server import resident_mb, serving
from tests.faults.crowd_viewers import Viewers, pack_views
from tests.faults.experiment import FULL, ROOT, Experiment, Limit, Report
from tests.faults.export import pack
from tests.faults.storm import LAST_S, lines, seen
from tests.running import Running


@dataclass(frozen=True)
class Size:
    """How many watch in silence, abuse, and never finish a head; how long it is waited for somebody
    to be gone, who should be in two seconds, or in six."""

    silent: int
    abusers: int
    heads: int
    patience: float


SIZES = {FULL: Size(10_000, 200, 5_000, 12.0)}
QUICK_SIZE = Size(150, 24, 120, 3.0)


def run(folder: Path, seed: int, size: str, plant: str) -> Report:
    """All of it at once, while the panel casts ballots and others watch in silence."""
    report, wish = Report(), SIZES.get(size, QUICK_SIZE)
    planted = [*([] if size == FULL else ["quick"]), *([plant] if plant else [])]
    with serving(folder / "data", *planted) as demo, ExitStack() as stack:
        crowd = Viewers(demo.url, demo.slug, wish.silent, folder, seed)
        stack.callback(crowd.end)
        if crowd.until_here(60) < wish.silent:
            raise AssertionError("they did not even come")
        hands = stack.enter_context(Hands(demo, folder / "histories", seed).at_work())
        time.sleep(1)
        before, began = resident_mb(demo.process.pid), time.monotonic()
        told = _abused(demo, wish, seed)
        over = time.monotonic()
        report.sample("resident_mb", resident_mb(demo.process.pid) - before)
        end = hands.leave(folder)
        time.sleep(LAST_S)
    for kind, seconds in told["abusers"]:
        report.sample("abusers_gone_s", seconds)
        report.counted[kind] += 1
    for seconds in told["heads"]:
        report.sample("heads_gone_s", seconds)
    hands.judge(report, began, over)
    report.counted.update({"abusers": wish.abusers, "heads": wish.heads, "silent": wish.silent})
    if told["again"]:
        report.faults.append(f"{told['again']} who flooded were let in again with their token")
    lost = sum(line["kind"] == "gone" for line in lines(folder / "comings.jsonl"))
    if lost:
        report.faults.append(f"{lost} who watched in silence lost their connection")
    seen(report, folder, end)
    if size == FULL and not report.faults:
        pack(folder)
        pack_views(folder)
    return report


def _abused(demo: Running, wish: Size, seed: int) -> Any:
    """What the abusers' process tells in the end."""
    keys = Keys(installation_secret(demo.data, None))
    tokens = "\n".join(keys.viewer_token() for _ in range(wish.abusers))
    port, path = demo.url.rsplit(":", 1)[1], f"/h/{demo.slug}/socket"
    command = [sys.executable, "-m", "tests.faults.crowd_abusers", port, path]
    done = subprocess.run(
        [*command, str(wish.heads), str(seed), str(wish.patience)],
        cwd=ROOT, input=tokens, stdout=subprocess.PIPE, text=True, check=True, timeout=120,
    )  # fmt: skip
    return json.loads(done.stdout)


EXPERIMENTS = (
    Experiment(
        "abuse",
        "Floods, endless frames and endless heads are gone soon and cost the others little.",
        "abusers",
        run,
        crowd_plants.of("no_limits"),
        (
            Limit("abusers_gone_s", "max", 2, quick=4),
            Limit("heads_gone_s", "max", 6, quick=5),
            Limit("ballot_ms", "p99", 500, quick=3000),
            Limit("resident_mb", "max", 150, quick=150),
        ),
    ),
)
