"""`make bench`: the live path against references measured in the same run.

One core serves (the first of the machine), the other drives (`crowd.c`). Every figure is CPU time
of the server by the frames that the crowd received, so that a busy machine makes all of them worse
alike: read the ratios. A reference whose program is not installed is named as missing, never
guessed. The table goes to the terminal and everything to `bench/report.json`.

    python -m bench.run [--seconds 8] [--viewers 4000 16000] [--votes 100000]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2

from server.identity.secrets import Keys, installation_secret

HERE = Path(__file__).parent
OUT = HERE / "out"
SERVER_CORE, CROWD_CORE = "0", "1"
PULSE, CUE = 220, 1000
"""Bytes of a frame: what the contract allows a pulse (300), and an ordinary cue."""
RATE = 4.0
TICKS = os.sysconf("SC_CLK_TCK")


def build() -> None:
    """Compiles the crowd and the bare sender."""
    OUT.mkdir(exist_ok=True)
    for name in ("crowd", "sender"):
        source, program = HERE / f"{name}.c", OUT / name
        if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
            subprocess.run(["cc", "-O2", "-o", str(program), str(source)], check=True)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_s(pid: int) -> float:
    """CPU time of a process and of the children that it has now."""
    total = 0.0
    for one in (pid, *children(pid)):
        with contextlib.suppress(OSError):
            told = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
            total += (int(told[11]) + int(told[12])) / TICKS
    return total


def children(pid: int) -> list[int]:
    """Its children."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(one) for one in path.read_text().split()] if path.exists() else []


def rss_kb(pid: int, *, alone: bool = False) -> int:
    """Resident memory of a process and, unless it is meant alone, its children."""
    total = 0
    for one in (pid, *(() if alone else children(pid))):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{one}/status").read_text().splitlines():
                if line.startswith("VmRSS"):
                    total += int(line.split()[1])
    return total


class Crowd:
    """`crowd.c` at work: joined when made, measuring when told to."""

    def __init__(self, port: int, path: str, viewers: int, seconds: float, *more: str) -> None:
        self.hold = Path(tempfile.mkdtemp()) / "go"
        self._process = subprocess.Popen(
            [
                "taskset", "-c", CROWD_CORE, str(OUT / "crowd"), "--port", str(port), "--path", path,
                "--viewers", str(viewers), "--seconds", str(seconds), "--hold", str(self.hold), *more,
            ],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stderr is not None
        self._process.stderr.readline()

    def measure(self) -> dict[str, Any]:
        """What it saw from now on."""
        self.hold.touch()
        assert self._process.stdout is not None
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        self._process.wait()
        shutil.rmtree(self.hold.parent)
        return told


def delivery(pid: int, port: int, path: str, viewers: int, seconds: float) -> dict[str, Any]:
    """What a frame costs a server that sends by itself."""
    before = rss_kb(pid)
    crowd = Crowd(port, path, viewers, seconds)
    time.sleep(2)
    memory = (rss_kb(pid) - before) / viewers
    started, used = time.monotonic(), cpu_s(pid)
    told = crowd.measure()
    took, used = time.monotonic() - started, cpu_s(pid) - used
    kind = "pulse" if "pulse" in told else "cue"
    return {
        "viewers": told["joined"],
        "frames_per_s": told["frames_per_s"],
        "share_of_core": round(used / took, 3),
        "us_a_frame": round(used / max(1, told["frames"]) * 1e6, 2),
        "p99_ms": told.get(kind, {}).get("p99_ms"),
        "joins_per_s": round(told["joined"] / told["join_s"]),
        "kb_a_viewer": round(memory, 2),
        "crowd_share": round(told["cpu_s"] / told["seconds"], 3),
        "lost": told["lost"],
    }


@contextlib.contextmanager
def served(*command: str, **environment: str) -> Iterator[int]:
    """A reference on the server's core; gives its process."""
    process = subprocess.Popen(
        ["taskset", "-c", SERVER_CORE, *command],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **environment},
    )  # fmt: skip
    time.sleep(2.5)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(10)


# ── references ──


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


# ── ours ──


@contextlib.contextmanager
def pingyi() -> Iterator[tuple[int, dict[str, Any], Path]]:
    """`pingyi demo` on the server's core, on SQLite: (process, its line, data folder)."""
    folder = Path(tempfile.mkdtemp())
    process = subprocess.Popen(
        ["taskset", "-c", SERVER_CORE, sys.executable, "-m", "server.cli", "demo", "--json",
         "--crowd", "1", "--port", "0", "--data", str(folder / "data")],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=HERE.parent,
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
            started, used = time.monotonic(), cpu_s(pid)
            told = crowd.measure()
            took, used = time.monotonic() - started, cpu_s(pid) - used
            cast = client.get(f"/rounds/{round_['id']}").json()["cast"]
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
