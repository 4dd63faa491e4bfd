"""A hundred thousand viewers on one machine: edges on one port, PostgreSQL and Redis beside them.

    python -m bench.machine [--viewers 100000] [--edges 6] [--seconds 20]

Everything runs on this machine, the crowds too: they take about as much as what they watch. A host
acts once a second, each time with a cue of 1 kB, while a viewer supports a question four times a
second, so that numbers move all the time. One line of JSON says how long it took until all were up,
when cues and pulses arrived, how many pulses a viewer got a second, and what each process took.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import httpx2

from bench.measure import HERE, Crowd, build, children, cpu_s
from tests.services import create_database, free_port, postgresql, redis_server
from tests.several import in_a_thread, scene

UP_S = 120.0
TEXT = "请问这条路什么时候修好，由哪个单位负责，依据哪份文件，经费从哪里来，工期多长，" * 7
"""Some 250 characters: a cue with it on stage has 1 kB."""


class Parts:
    """One `web`, one command of edges, one `worker`."""

    def __init__(self, settings: dict[str, str], edges: int) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PINGYI_")}
        self.environment = environment | settings
        self.web, self.public, self.own = free_port(), free_port(), free_port()
        self.processes = [
            self._begin("web", "--port", str(self.web)),
            self._begin("worker", "--port", "0"),
            self._begin(
                "edge", "--processes", str(edges), "--port", str(self.own),
                "--public-port", str(self.public),
            ),
        ]  # fmt: skip
        deadline = time.monotonic() + 60
        for port in (self.web, *(self.own + nth for nth in range(edges))):
            while not self._answers(port):
                if time.monotonic() > deadline:
                    raise TimeoutError
                time.sleep(0.1)

    @property
    def edges(self) -> list[int]:
        """The edges' processes."""
        return children(self.processes[2].pid)

    def _begin(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "server.cli", *arguments],
            cwd=HERE.parent, env=self.environment, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    @staticmethod
    def _answers(port: int) -> bool:
        try:
            url = f"http://127.0.0.1:{port}/readyz"
            return httpx2.get(url, timeout=5, trust_env=False).status_code == 200
        except httpx2.HTTPError:
            return False

    def end(self) -> None:
        """Ends all of them."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(30)


class Stage:
    """A question is on stage, and its phase changes once a second; meanwhile 同问 come and go."""

    def __init__(self, base: str, line: dict[str, Any]) -> None:
        self._here = f"{base}/api/v1/hearings/{line['hearing']}"
        self._base, self._token = base, line["tokens"]["host"]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.took: list[float] = []

    def __enter__(self) -> Stage:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        host = {"Authorization": f"Bearer {self._token}"}
        with httpx2.Client(trust_env=False, timeout=30) as client:
            put = client.put(
                f"{self._here}/stage", json={"text": TEXT, "asker": "群众代表"}, headers=host
            )
            put.raise_for_status()
            token = client.post(f"{self._base}/api/v1/viewers").json()["viewer"]
            viewer = {"Authorization": f"Bearer {token}"}
            code = client.get(f"{self._here}/questions").json()["items"][0]["code"]
            due, n = time.monotonic(), 0
            while not self._over.is_set():
                begun = time.monotonic()
                if n % 4 == 0:
                    phase = "answering" if n % 8 == 0 else "follow_up"
                    client.patch(f"{self._here}/stage", json={"phase": phase}, headers=host)
                    self.took.append(time.monotonic() - begun)
                client.put(
                    f"{self._here}/questions/{code}/support",
                    json={"on": n % 2 == 0},
                    headers={**viewer, "Idempotency-Key": secrets.token_hex(12)},
                )
                n, due = n + 1, due + 0.25
                time.sleep(max(0.0, due - time.monotonic()))


def used_s() -> dict[str, float]:
    """CPU time so far of everything that this process began, by what it is."""
    found: dict[str, float] = {}
    for child in children(os.getpid()):
        words = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        for name in ("postgres", "redis-server", " web ", " worker ", " edge ", "/crowd "):
            if name in f"{words} ":
                key = name.strip(" /")
                found[key] = found.get(key, 0.0) + cpu_s(child)
                break
    return found


def memory_mb(pid: int) -> dict[str, float]:
    """Resident, and with what is shared divided among those who share it."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    found = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines[1:]}
    return {"rss": round(found["Rss"], 1), "pss": round(found["Pss"], 1)}


def measure(viewers: int, edges: int, seconds: float) -> dict[str, Any]:
    """The whole run."""
    with (
        tempfile.TemporaryDirectory() as folder,
        postgresql(durable=True) as server,
        redis_server() as redis,
    ):
        settings = {
            "PINGYI_DATABASE_URL": create_database(server, "machine"),
            "PINGYI_REDIS_URL": redis,
            "PINGYI_DATA": folder,
            "PINGYI_SECRET": secrets.token_hex(16),
            "PINGYI_TRUSTED_NETS": "127.0.0.0/8",
        }
        parts = Parts(settings, edges)
        try:
            line = in_a_thread(scene(settings, "http://127.0.0.1"))
            idle = [memory_mb(pid) for pid in parts.edges]
            begun = time.monotonic()
            crowds = Crowd.several(
                edges, parts.public, f"/h/{line['hearing']}/socket?as=json", viewers, seconds
            )
            up = time.monotonic() - begun
            time.sleep(3)
            with Stage(f"http://127.0.0.1:{parts.web}", line) as stage:
                time.sleep(8)  # The ladder finds its step.
                stage.took.clear()
                Crowd.begin_all(crowds)
                before, started = used_s(), time.monotonic()
                time.sleep(seconds - 1)  # The crowds measure meanwhile and then end.
                after, took = used_s(), time.monotonic() - started
                told = [crowd.measure() for crowd in crowds]
            return {
                "viewers": sum(one["joined"] for one in told),
                "edges": edges,
                "up_s": round(up, 1),
                "cues_per_viewer": round(sum(o["cue"]["n"] for o in told) / viewers, 2),
                "cue_p99_ms": max(one["cue"]["p99_ms"] for one in told),
                "cue_max_ms": max(one["cue"]["max_ms"] for one in told),
                "pulses_per_viewer_s": round(
                    sum(o.get("pulse", {"n": 0})["n"] for o in told) / viewers / seconds, 3
                ),
                "act_max_ms": round(max(stage.took) * 1000),
                "lost": sum(one["lost"] for one in told),
                "gaps": sum(one["gaps"] for one in told),
                "repeats": sum(one["repeats"] for one in told),
                "shares_of_core": {
                    name: round((after[name] - before[name]) / took, 3) for name in after
                },
                "memory_idle_mb": idle,
                "memory_mb": [memory_mb(pid) for pid in parts.edges],
            }
        finally:
            parts.end()


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--viewers", type=int, default=100_000)
    parser.add_argument("--edges", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=20)
    wanted = parser.parse_args()
    build()
    print(json.dumps(measure(wanted.viewers, wanted.edges, wanted.seconds)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
