"""What nginx in front costs, and adds to the time of a cue, at 16,000 viewers.

    python -m bench.behind_nginx [--viewers 16000] [--seconds 8]

nginx has two workers, because each viewer takes two of a process's descriptors there; it has the product's own
locations (`deploy/nginx`). One line of JSON: when cues and pulses arrived, and what the server and nginx took of
a core each. The crowd and nginx share the cores that the server does not have.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.measure import CROWD_CORE, HERE, Crowd, build, cpu_s, free_port
from bench.run import Busy, pingyi

LOCATIONS = HERE.parent / "deploy" / "nginx" / "locations.conf"


def configuration(folder: Path, front: int, server: str) -> str:
    """nginx's, with everything it writes in `folder`."""
    return f"""
daemon off;
worker_processes 2;
worker_rlimit_nofile 20000;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 19000; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    map $http_upgrade $pingyi_connection {{ default upgrade; "" ""; }}
    upstream pingyi_web {{ server {server}; keepalive 8; }}
    upstream pingyi_edges {{ server {server}; keepalive 8; }}
    server {{ listen 127.0.0.1:{front} reuseport backlog=4096; include {LOCATIONS}; }}
}}
"""


def measure(viewers: int, seconds: float) -> dict[str, Any] | str:
    """The whole run, or why there is none."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        return "missing: apt install nginx"
    with pingyi() as (pid, line, _), tempfile.TemporaryDirectory() as name:
        folder, front = Path(name), free_port()
        server = line["url"].removeprefix("http://")
        (folder / "nginx.conf").write_text(configuration(folder, front, server))
        nginx = subprocess.Popen(
            ["taskset", "-c", CROWD_CORE, program, "-c", str(folder / "nginx.conf")]
        )
        try:
            time.sleep(1)
            crowd = Crowd(front, f"/h/{line['hearing']}/socket?as=json", viewers, seconds)
            time.sleep(2)
            with Busy(line):
                time.sleep(1)
                before, started = (cpu_s(pid), cpu_s(nginx.pid)), time.monotonic()
                told = crowd.measure()
                took = time.monotonic() - started
                server_s, nginx_s = cpu_s(pid) - before[0], cpu_s(nginx.pid) - before[1]
        finally:
            nginx.terminate()
            nginx.wait(20)
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
