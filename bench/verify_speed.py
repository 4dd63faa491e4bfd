"""How long `verify.py` takes, on one core: a journal of a million entries, and a large round.

The large round is the largest that the field's notes know: 1,104 raters, 30 officials, 5 dimensions.

    python -m bench.verify_speed [--entries 1000000] [--most 60]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

from server.domain.journal import GENESIS, entry_hash
from server.reports import verify
from server.reports.bundle import Bundle, document, zip_of
from tests.reports.making import bundle, panel_material, rooted
from tests.reports.rounds import material_of

RATERS, SUBJECTS, DIMENSIONS = 1104, 30, 5


def long_journal(entries: int) -> dict[str, bytes]:
    """A sealed bundle with so many entries before those of its round."""
    members = dict(bundle(material_of("grouped")).editions["sealed"])
    own = [json.loads(line) for line in members["journal.jsonl"].splitlines()]
    prev, lines = GENESIS, []
    for seq in range(1, entries + 1):
        place = seq - 1 - (entries - len(own))
        one: dict[str, Any] = own[place] if place >= 0 else {
            "event": "question_approved", "actor": "p-12", "role": "moderator",
            "body": {"id": f"q{seq}", "code": f"Q{seq:07d}", "act": "approve", "reason": None},
            "rooms": {"public": seq, "desk": seq, "host": seq},
        }  # fmt: skip
        at = 1_700_000_000_000 + seq
        hash_ = entry_hash(
            prev, seq, at, one["event"], one["actor"], one["role"], one["body"], one["rooms"]
        )
        lines.append(document({**one, "seq": seq, "at": at, "prev": prev, "hash": hash_}))
        prev = hash_
    return rooted({**members, "journal.jsonl": b"".join(lines)})


def large_round() -> Bundle:
    """1,104 raters, 30 officials, 5 dimensions, trimmed on totals."""
    r = Random(1)
    keys = [f"维度{n}" for n in range(DIMENSIONS)]
    rules = {
        "version": 1,
        "scale": {"kind": "number", "min": "0", "max": "100", "step": "0.5"},
        "dimensions": [{"key": key, "factor": "0.2"} for key in keys],
        "groups": [{"key": "甲", "weight": "0.7"}, {"key": "乙", "weight": "0.3"}],
        "trim": {"high": 5, "low": 5, "on": "total"},
        "rounding": {"mode": "half_up", "dimension": 2, "total": 2},
    }
    rows = [
        (
            f"单位{s:02d}",
            f"seat-{n:04d}-9c0a77d15be3",
            "甲乙"[n % 2],
            key,
            f"{r.randint(120, 200) / 2}",
        )
        for s in range(SUBJECTS)
        for n in range(RATERS)
        for key in keys
    ]
    return bundle(panel_material(r, rules, rows))


def timed(members: Mapping[str, bytes], what: str) -> float:
    """The verifier run as a stranger runs it; CPU seconds of its process."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bundle.zip"
        file.write_bytes(zip_of(members))
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        command = [sys.executable, verify.__file__, str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        after, took = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - begun
    if done.returncode:
        raise SystemExit(done.stderr)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"{what}: {cpu:.1f} s of one core ({took:.1f} s by the clock), {after.ru_maxrss >> 10} MiB at most"
    )
    return cpu


def main() -> int:
    """Prints the times; 1 when the journal took longer than it may."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--most", type=float, default=60.0)
    asked = parser.parse_args()
    cpu = timed(long_journal(asked.entries), f"{asked.entries} entries of a journal")
    made = large_round()
    for edition in ("sealed", "public"):
        timed(made.editions[edition], f"{RATERS} raters × {SUBJECTS} × {DIMENSIONS}, {edition}")
    return 0 if cpu <= asked.most else 1


if __name__ == "__main__":
    raise SystemExit(main())
