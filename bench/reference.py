"""The references, each at its documented best; one that is not installed is named as missing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import httpx2

from bench.measure import HERE, OUT, RATE, SERVER_CORE, Crowd, delivery, free_port, served


def bare_c(viewers: int, size: int, seconds: float) -> dict[str, Any]:
    """The floor: one `send` each from C."""
    port = free_port()
    process = subprocess.Popen(
        ["taskset", "-c", SERVER_CORE, str(OUT / "sender"), str(port), str(size), str(RATE),
         str(seconds), str(viewers)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    process.stderr.readline()
    crowd = Crowd(port, "/crowd", viewers, seconds + 2)
    told = crowd.measure()
    said = json.loads(process.stdout.readline())
    process.wait()
    return {
        "viewers": told["joined"],
        "frames_per_s": said["per_s"],
        "share_of_core": said["share"],
        "us_a_frame": said["us_a_frame"],
        "p99_ms": told["pulse"]["p99_ms"],
        "crowd_share": round(told["cpu_s"] / told["seconds"], 3),
    }


def fastapi_loop(viewers: int, size: int, seconds: float) -> dict[str, Any]:
    """FastAPI's own loop of `send_text`."""
    port = free_port()
    script = str(HERE / "references" / "fastapi_loop.py")
    with served(sys.executable, script, str(port), str(size), str(RATE)) as pid:
        return delivery(pid, port, "/crowd", viewers, seconds)


def node_ws(viewers: int, size: int, seconds: float) -> dict[str, Any] | str:
    """Node's `ws`, one ready frame."""
    if not shutil.which("node") or not (HERE / "references" / "node_modules" / "ws").exists():
        return "missing: node, or `npm install ws` in bench/references"
    port = free_port()
    script = str(HERE / "references" / "ws.mjs")
    with served("node", script, str(port), str(size), str(RATE)) as pid:
        return delivery(pid, port, "/", viewers, seconds)


def nchan(viewers: int, size: int, seconds: float) -> dict[str, Any] | str:
    """nchan in nginx."""
    if not shutil.which("nginx") or not Path("/usr/lib/nginx/modules/ngx_nchan_module.so").exists():
        return "missing: apt install nginx libnginx-mod-nchan"
    port, folder = free_port(), Path(tempfile.mkdtemp())
    configuration = (HERE / "references" / "nchan.conf").read_text()
    configuration = configuration.replace("PORT", str(port)).replace("FOLDER", str(folder))
    (folder / "nginx.conf").write_text(configuration)
    over = threading.Event()

    def publish() -> None:
        due = time.monotonic()
        with httpx2.Client(trust_env=False) as client:
            while not over.is_set():
                due += 1 / RATE
                time.sleep(max(0.0, due - time.monotonic()))
                head = f'{{"type":"pulse","at":{time.time_ns() // 1_000_000},"pad":"'
                text = head + "x" * (size - len(head) - 2) + '"}'
                client.post(f"http://127.0.0.1:{port}/publish", content=text)

    with served("nginx", "-c", str(folder / "nginx.conf")) as pid:
        thread = threading.Thread(target=publish)
        thread.start()
        try:
            return delivery(pid, port, "/crowd", viewers, seconds)
        finally:
            over.set()
            thread.join()
            shutil.rmtree(folder, ignore_errors=True)


def channels(viewers: int, size: int, seconds: float) -> dict[str, Any] | str:
    """Django Channels with Redis, at a crowd that it holds."""
    python = os.environ.get("PINGYI_BENCH_CHANNELS", "")
    if not python or not shutil.which("redis-server"):
        return (
            "missing: PINGYI_BENCH_CHANNELS = a Python with django channels channels-redis daphne"
        )
    port, redis = free_port(), free_port()
    store = subprocess.Popen(
        ["redis-server", "--port", str(redis), "--save", "", "--bind", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
    )
    try:
        script = str(HERE / "references" / "channels_app.py")
        address = f"redis://127.0.0.1:{redis}"
        with served(python, script, str(port), str(size), str(RATE), address) as pid:
            return delivery(pid, port, "/crowd", min(viewers, 1000), seconds)
    finally:
        store.terminate()
        store.wait(10)
