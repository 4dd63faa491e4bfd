"""What nginx in front costs, and adds to the time of a cue, at 16,000 viewers.

    python -m bench.behind_nginx [--viewers 16000] [--seconds 8]

nginx has two workers, because each viewer takes two of a process's descriptors there; it has the product's own
locations (`deploy/nginx`). One line of JSON: when cues and pulses arrived, and what the server and nginx took of
a core each. The crowd and nginx share the cores that the server does not have.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.measure import CROWD_CORE, Crowd, build, cpu_s, free_port
from bench.run import Busy, pingyi
from tests.several import nginx


def measure(viewers: int, seconds: float) -> dict[str, Any] | str:
    """The whole run, or why there is none."""
    if shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        return "missing: apt install nginx"
    with pingyi() as (pid, line, _), tempfile.TemporaryDirectory() as name:
        server, front = line["url"].removeprefix("http://"), free_port()
        beside = ("taskset", "-c", CROWD_CORE)
        here = f"127.0.0.1:{front}"
        with nginx(Path(name), here, server, server, on=beside, workers=2) as proxy:
            crowd = Crowd(front, f"/h/{line['hearing']}/socket?as=json", viewers, seconds)
            time.sleep(2)
            with Busy(line):
                time.sleep(1)
                before, started = (cpu_s(pid), cpu_s(proxy)), time.monotonic()
                told = crowd.measure()
                took = time.monotonic() - started
                server_s, nginx_s = cpu_s(pid) - before[0], cpu_s(proxy) - before[1]
    return {
        "viewers": told["joined"],
        "frames_per_s": told["frames_per_s"],
        "cue_p99_ms": told["cue"]["p99_ms"],
        "pulse_p99_ms": told["pulse"]["p99_ms"],
        "server_share": round(server_s / took, 3),
        "nginx_share": round(nginx_s / took, 3),
        "nginx_us_a_frame": round(nginx_s / max(1, told["frames"]) * 1e6, 2),
        "gaps": told["gaps"],
        "repeats": told["repeats"],
        "lost": told["lost"],
    }


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--viewers", type=int, default=16_000)
    parser.add_argument("--seconds", type=float, default=8)
    wanted = parser.parse_args()
    build()
    print(json.dumps(measure(wanted.viewers, wanted.seconds)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
