"""`make bench`: the live path against references measured in the same run.

One core serves (the first of the machine), the other drives (`crowd.c`). Every figure is CPU time
of the server by the frames that the crowd received, so that a busy machine makes all of them worse
alike: read the ratios. A reference whose program is not installed is named as missing, never
guessed. The table goes to the terminal and everything to `bench/report.json`.

    python -m bench.run [--seconds 8] [--viewers 4000 16000] [--votes 100000] [--without-machine]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2

from bench import machine
from bench.lines import table
from bench.measure import (
    CROWD_CORE,
    CUE,
    HERE,
    OUT,
    PULSE,
    SERVER_CORE,
    Crowd,
    build,
    cpu_s,
    rss_kb,
)
from bench.panel import Panel
from bench.reference import bare_c, channels, fastapi_loop, nchan, node_ws
from server.identity.secrets import Keys, installation_secret


@contextlib.contextmanager
def pingyi() -> Iterator[tuple[int, dict[str, Any], Path]]:
    """`pingyi demo` on the server's core, on SQLite: (process, its line, data folder)."""
    folder = Path(tempfile.mkdtemp())
    process = subprocess.Popen(
        ["taskset", "-c", SERVER_CORE, sys.executable, "-m", "server.cli", "demo", "--json",
         "--crowd", "1", "--port", "0", "--data", str(folder / "data")],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=HERE.parent,
        env={k: v for k, v in os.environ.items() if not k.startswith("PINGYI_")},
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield process.pid, json.loads(process.stdout.readline()), folder / "data"
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


class Busy:
    """A hearing in which something happens: numbers change four times a second, and every second
    the host acts, so that pulses and cues go out as they do on air."""

    def __init__(self, line: dict[str, Any]) -> None:
        self._line, self._over = line, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Busy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        base, here = f"{self._line['url']}/api/v1", f"/hearings/{self._line['hearing']}"
        host = {"Authorization": f"Bearer {self._line['tokens']['host']}"}
        with httpx2.Client(trust_env=False, base_url=base) as client:
            viewer = {"Authorization": f"Bearer {client.post('/viewers').json()['viewer']}"}
            code = client.get(f"{here}/questions").json()["items"][0]["code"]
            due, n = time.monotonic(), 0
            while not self._over.is_set():
                if n % 4 == 0:
                    client.put(f"{here}/screens", json={"cleared": n % 8 == 0}, headers=host)
                address = f"{here}/questions/{code}/support"
                keyed = {**viewer, "Idempotency-Key": f"bench-{n:08d}"}
                client.put(address, json={"on": n % 2 == 0}, headers=keyed)
                n, due = n + 1, due + 0.25
                time.sleep(max(0.0, due - time.monotonic()))


def acting(seconds: float) -> float:
    """The share of a core that the acts of `Busy` take by themselves, seen by ten viewers."""
    with pingyi() as (pid, line, _):
        port = int(line["url"].rsplit(":", 1)[1])
        crowd = Crowd(port, f"/h/{line['hearing']}/socket?as=json", 10, seconds)
        with Busy(line):
            time.sleep(1)
            started, used = time.monotonic(), cpu_s(pid)
            crowd.measure()
            return (cpu_s(pid) - used) / (time.monotonic() - started)


def ours(viewers: int, seconds: float) -> dict[str, Any]:
    """Pulses and cues to a crowd, with all bookkeeping. What the acts themselves cost is measured
    apart, and left out of `us_a_frame`: no reference acts. `us_with_acts` is the whole."""
    base = acting(seconds)
    with pingyi() as (pid, line, _):
        port = int(line["url"].rsplit(":", 1)[1])
        before, used = rss_kb(pid, alone=True), cpu_s(pid)
        crowd = Crowd(port, f"/h/{line['hearing']}/socket?as=json", viewers, seconds)
        joining = cpu_s(pid) - used
        time.sleep(2)
        memory = (rss_kb(pid, alone=True) - before) / viewers
        with Busy(line):
            time.sleep(1)
            started, used = time.monotonic(), cpu_s(pid)
            told = crowd.measure()
            took, used = time.monotonic() - started, cpu_s(pid) - used
    return {
        "viewers": told["joined"],
        "frames_per_s": told["frames_per_s"],
        "share_of_core": round(used / took, 3),
        "us_a_frame": round((used - base * took) / max(1, told["frames"]) * 1e6, 2),
        "us_with_acts": round(used / max(1, told["frames"]) * 1e6, 2),
        "share_of_acts": round(base, 3),
        "p99_ms": told["pulse"]["p99_ms"],
        "cue_p99_ms": told["cue"]["p99_ms"],
        "joins_per_s": round(told["joined"] / told["join_s"]),
        "us_a_join": round(joining / viewers * 1e6),
        "kb_a_viewer": round(memory, 2),
        "crowd_share": round(told["cpu_s"] / told["seconds"], 3),
        "lost": told["lost"],
        "gaps": told["gaps"],
        "repeats": told["repeats"],
    }


def votes(n: int, viewers: int, within: float) -> dict[str, Any]:
    """Votes over sockets, each of another voter, each acknowledged after its commit."""
    with pingyi() as (pid, line, data), tempfile.TemporaryDirectory() as folder:
        port = int(line["url"].rsplit(":", 1)[1])
        keys, tokens = Keys(installation_secret(data, None)), Path(folder) / "tokens"
        tokens.write_text("".join(f"{keys.viewer_token()}\n" for _ in range(n)))
        host = {"Authorization": f"Bearer {line['tokens']['host']}"}
        base = f"{line['url']}/api/v1"
        with httpx2.Client(trust_env=False, base_url=base, headers=host) as client:
            state = client.get(f"/hearings/{line['hearing']}").json()["state"]
            round_ = next(r for r in state["rounds"] if r["audience"] == "public")
            if round_["status"] == "ready":
                client.post(f"/rounds/{round_['id']}/opening").raise_for_status()
            crowd = Crowd(
                port, f"/h/{line['hearing']}/socket?as=json", viewers, 120,
                "--tokens", str(tokens), "--round", round_["id"],
                "--choice", round_["choices"][0]["key"], "--votes", str(n),
                "--window", "4000", "--within", str(within),
            )  # fmt: skip
            panel = Panel(line) if within else None
            with panel or contextlib.nullcontext():
                started, used = time.monotonic(), cpu_s(pid)
                told = crowd.measure()
                took, used = time.monotonic() - started, cpu_s(pid) - used
            cast = client.get(f"/rounds/{round_['id']}").json()["cast"]
    if not told["ack"]["n"] == cast == n:
        raise AssertionError(f"{n} votes, {told['ack']['n']} acknowledged, {cast} counted")
    answers = {kind: told[kind]["n"] for kind in ("ack", "refusal", "unknown") if kind in told}
    return {
        "votes": n,
        "viewers": viewers,
        "within_s": within,
        **told["votes"],
        **answers,
        "counted": cast,
        "share_of_core": round(used / took, 3),
        "us_a_vote": round(used / n * 1e6, 1),
        **({"panel": panel.told()} if panel else {}),
    }


def arrivals(people: int, within: float) -> dict[str, Any]:
    """People with a cold cache: page, assets, socket, in one process on its own core."""
    with pingyi() as (pid, line, _):
        port = int(line["url"].rsplit(":", 1)[1])
        page = f"/h/{line['hearing']}"
        with httpx2.Client(trust_env=False, base_url=line["url"]) as client:
            html = client.get(page).text
        linked = re.findall(r'(?:src|href)="(/static/[^"]+)"', html)
        paths = [page, *dict.fromkeys(linked)]
        used, started = cpu_s(pid), time.monotonic()
        told = subprocess.run(
            ["taskset", "-c", CROWD_CORE, str(OUT / "arrival"), "--port", str(port),
             "--people", str(people), "--within", str(within), "--paths", ",".join(paths),
             "--socket", f"{page}/socket?as=html"],
            capture_output=True, text=True,
        )  # fmt: skip
        used, took = cpu_s(pid) - used, time.monotonic() - started
    return {
        **json.loads(told.stdout),
        "files": len(paths),
        "within_s": within,
        "share_of_core": round(used / took, 3),
        "us_a_person": round(used / people * 1e6),
    }


def box(engine: str, n: int) -> list[dict[str, Any]]:
    """The ballot box alone (`box.py`), or nothing where the engine is not installed."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.box", engine, str(n)],
        capture_output=True, text=True, cwd=HERE.parent,
    )  # fmt: skip
    if done.returncode:
        print(f"  {engine}: {done.stderr.strip().splitlines()[-1]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def main() -> int:
    """Measures, prints the table, keeps the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--viewers", type=int, nargs="+", default=[4000, 16000])
    parser.add_argument("--votes", type=int, default=100_000)
    parser.add_argument("--stored", type=int, default=1_000_000)
    parser.add_argument(
        "--without-machine", action="store_true", help="leave 100,000 viewers on one machine out"
    )
    wanted = parser.parse_args()
    build()
    report: dict[str, Any] = {
        "machine": {"cpu": _model(), "cores": os.cpu_count(), "python": platform.python_version()},
        "delivery": {},
    }
    for viewers in wanted.viewers:
        here = report["delivery"][str(viewers)] = {}
        for name, size in (("bare C, 220 B", PULSE), ("bare C, 1 kB", CUE)):
            here[name] = bare_c(viewers, size, wanted.seconds)
        here["pingyi"] = ours(viewers, wanted.seconds)
        for name, reference in (
            ("nchan", nchan),
            ("Node ws", node_ws),
            ("FastAPI send_text", fastapi_loop),
            ("Django Channels", channels),
        ):
            here[name] = reference(viewers, PULSE, wanted.seconds)
        _table(viewers, here)
    report["box"] = [*box("sqlite", wanted.stored), *box("postgresql", wanted.stored)]
    for one in report["box"]:
        print(json.dumps(one))
    report["votes"] = [votes(wanted.votes, 4000, 0), votes(16_000, 16_000, 5)]
    for one in report["votes"]:
        print(json.dumps(one))
    report["arrivals"] = arrivals(16_000, 20)
    print(json.dumps(report["arrivals"]))
    if not wanted.without_machine:
        report["machine_100k"] = machine.measure(100_000, 6, 15)
        print(json.dumps(report["machine_100k"]))
    print(f"\n{table(report)}")
    (HERE / "report.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    return 0


def _table(viewers: int, rows: dict[str, Any]) -> None:
    floor = rows["bare C, 220 B"]["us_a_frame"]
    print(
        f"\n{viewers} viewers · µs of CPU a frame · × bare C · share · p99 ms · KB a viewer · joins/s"
    )
    for name, one in rows.items():
        if isinstance(one, str):
            print(f"  {name:20} {one}")
            continue
        print(
            f"  {name:20} {one['us_a_frame']:8} {one['us_a_frame'] / floor:7.2f}"
            f" {one['share_of_core']:7} {one['p99_ms']!s:>8} {one.get('kb_a_viewer', '')!s:>7}"
            f" {one.get('joins_per_s', '')!s:>7}  ({one['viewers']} joined,"
            f" {one['frames_per_s']} frames/s, crowd {one['crowd_share']})"
        )


def _model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


if __name__ == "__main__":
    sys.exit(main())
