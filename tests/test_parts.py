"""`web`, `edge` and `worker` by the Procfile, on real PostgreSQL and Redis; what is special of each."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import token_hex

import httpx2
import pytest
from websockets.sync.client import connect

from server.settings import Settings
from server.store import alive
from server.store.transaction import Database
from tests.nursery import ROOT
from tests.running import PINGYI, Client, ask_socket, frames_until
from tests.services import create_database, free_port
from tests.several import in_a_thread, scene

pytestmark = pytest.mark.system


@pytest.fixture
def settings(postgresql_server: str, redis_url: str, tmp_path: Path) -> dict[str, str]:
    """Of an installation of its own."""
    return {
        "PINGYI_DATABASE_URL": create_database(postgresql_server, f"t{token_hex(6)}"),
        "PINGYI_REDIS_URL": redis_url,
        "PINGYI_DATA": str(tmp_path / "data"),
        "PINGYI_SECRET": token_hex(16),
    }


@contextlib.contextmanager
def command(
    arguments: list[str], log: Path, settings: dict[str, str], descriptors: int = 0
) -> Iterator[subprocess.Popen[bytes]]:
    """A command with a group of its own, all of which is gone at the end."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PINGYI_")} | settings
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    words = ["sh", "-c", f'ulimit -n {descriptors}; exec "$@"', "sh"] if descriptors else []
    with log.open("wb") as said:
        process = subprocess.Popen(
            [*words, *arguments], cwd=ROOT, env=environment, stdout=said, stderr=said,
            start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def until(holds: Callable[[], object], seconds: float = 40) -> None:
    """Waits until it holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def answers(port: int, path: str = "/readyz") -> bool:
    with contextlib.suppress(httpx2.HTTPError):
        url = f"http://127.0.0.1:{port}{path}"
        return httpx2.get(url, timeout=5, trust_env=False).status_code == 200
    return False


def free_run(n: int) -> int:
    """A port after which as many are free as honcho counts up: a hundred for each kind of process."""
    while True:
        first = free_port()
        if first + 100 * n > 60_000:
            continue
        with contextlib.suppress(OSError), contextlib.ExitStack() as taken:
            for port in (first + 100 * kind + i for kind in range(n) for i in range(3)):
                taken.enter_context(_bound(port))
            return first


@contextlib.contextmanager
def _bound(port: int) -> Iterator[None]:
    import socket

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        yield


def test_an_installation_by_the_procfile(settings: dict[str, str], tmp_path: Path) -> None:
    first, public, log = free_run(3), free_port(), tmp_path / "honcho.log"
    honcho = ["honcho", "start", "-p", str(first), "-c", "web=1,edge=3,worker=1"]
    own = [first, first + 100, first + 101, first + 102, first + 200]
    with command(honcho, log, {**settings, "PUBLIC_PORT": str(public)}) as process:
        until(lambda: process.poll() is None and all(map(answers, own)))
        assert "/setup/" in log.read_text()  # web alone tells the way in.
        line = in_a_thread(scene(settings, f"http://127.0.0.1:{first}"))
        here = f"/h/{line['hearing']}"
        at_web, at_edges = f"http://127.0.0.1:{first}", f"http://127.0.0.1:{public}"
        assert answers(public, here)
        assert answers(first, here)
        assert httpx2.get(f"{at_edges}/login", trust_env=False).status_code == 404
        assert answers(first, "/login")
        host, anyone = Client(at_web, line["tokens"]["host"]), Client(at_edges)
        viewer = anyone.do("POST", "/viewers")["viewer"]
        address = f"ws://127.0.0.1:{public}{here}/socket?as=json&viewer={viewer}"
        # More sockets than edges: some of them are where the act is not carried out.
        with contextlib.ExitStack() as stack:
            sockets = [stack.enter_context(connect(address, proxy=None)) for _ in range(12)]
            for one in sockets:
                frames_until(one, lambda f: f["type"] == "snapshot")
            begun = time.monotonic()
            host.do("PUT", f"/hearings/{line['hearing']}/screens", {"cleared": True})
            for one in sockets:
                frames_until(one, lambda f: f.get("event") == "screen_cleared", 3)
            assert time.monotonic() - begun < 3
            assert len({where(own[1:4])}) == 1
            state = host.get(f"/hearings/{line['hearing']}")["state"]
            round_ = next(r for r in state["rounds"] if r["audience"] == "public")
            choice = round_["choices"][0]["key"]
            told = ask_socket(sockets[0], {"type": "vote", "round": round_["id"], "choice": choice})
            assert told["type"] == "ack"
            assert host.get(f"/rounds/{round_['id']}")["cast"] == 1
            for one in sockets:  # Also where nobody voted, within the second in which edges look.
                frames_until(one, lambda f: counts(f, round_["id"]) == 1, 4)
        process.terminate()
        assert process.wait(20) in {0, -signal.SIGTERM, 128 + signal.SIGTERM, 143}
    assert "Traceback" not in log.read_text()


def counts(frame: dict[str, object], round_: str) -> object:
    """A round's votes as a pulse tells them."""
    rounds = frame.get("rounds")
    return rounds.get(round_, {}).get("cast") if isinstance(rounds, dict) else None


def where(ports: list[int]) -> bool:
    """Every edge has some of the viewers: the kernel spreads them."""
    metrics = [httpx2.get(f"http://127.0.0.1:{port}/metrics", trust_env=False) for port in ports]
    return sum('pingyi_sockets{room="public"}' in one.text for one in metrics) >= 2


def test_a_full_edge_leaves_newcomers_to_the_others(
    settings: dict[str, str], tmp_path: Path
) -> None:
    """With 300 descriptors an edge holds 170 viewers."""
    public, ports = free_port(), [free_port() for _ in range(3)]
    web = [*PINGYI, "web", "--port", str(ports[0])]
    edges = [
        [*PINGYI, "edge", "--port", str(port), "--public-port", str(public)] for port in ports[1:]
    ]
    with contextlib.ExitStack() as stack, contextlib.ExitStack() as leaving:
        stack.enter_context(command(web, tmp_path / "web.log", settings))
        until(lambda: answers(ports[0]))
        line = in_a_thread(scene(settings, "http://127.0.0.1"))
        address = f"ws://127.0.0.1:{public}/h/{line['hearing']}/socket"
        stack.enter_context(command(edges[0], tmp_path / "a.log", settings, 300))
        until(lambda: answers(public, "/healthz"))
        for n in range(170):
            come(address, leaving if n < 20 else stack)
        with connect(address, proxy=None) as one:  # The one that finds it full is told so.
            assert json.loads(one.recv(5))["type"] == "wait"
        with pytest.raises(ConnectionRefusedError):
            come(address, stack)
        assert answers(ports[1])  # Those who run it still reach it.
        with command(edges[1], tmp_path / "b.log", settings, 300):
            until(lambda: answers(public, "/healthz"))
            with contextlib.ExitStack() as elsewhere:
                for _ in range(20):
                    come(address, elsewhere)
            assert viewers(ports[1]) == 170
        leaving.close()
        until(lambda: answers(public, "/healthz"))  # The first listens again.
        come(address, stack)
        assert viewers(ports[1]) == 151


def come(address: str, stack: contextlib.ExitStack) -> None:
    """One more viewer, who has its snapshot."""
    socket = stack.enter_context(connect(address, proxy=None))
    assert json.loads(socket.recv(5))["type"] == "snapshot"


def viewers(port: int) -> int:
    """The public's sockets of one edge."""
    text = httpx2.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
    found = [line for line in text.splitlines() if line.startswith('pingyi_sockets{room="public"}')]
    return int(float(found[0].split()[1])) if found else 0


def test_duties_are_one_process_and_pass_to_another(settings: dict[str, str]) -> None:
    async def run() -> None:
        database = Database(Settings(database_url=settings["PINGYI_DATABASE_URL"]).database)
        worker, web = alive.Duty(database), alive.Duty(database, 0.3)
        keeping = [asyncio.create_task(duty.keep()) for duty in (worker, web)]
        try:
            await until_async(lambda: worker.mine)
            await asyncio.sleep(1.5)
            assert not web.mine
            keeping[0].cancel()
            await worker.end()
            await until_async(lambda: web.mine)
        finally:
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)
            await worker.end()
            await web.end()
            await database.close()

    in_a_thread(run())


async def until_async(holds: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.05)


def test_several_whole_processes_on_one_port(settings: dict[str, str], tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    serve = [*PINGYI, "serve", "--workers", "2", "--port", str(port)]
    with command(serve, log, settings) as process:
        until(lambda: answers(port) and len(children(process.pid)) == 2)
        until(lambda: log.read_text().count("/setup/") == 1)
        killed = children(process.pid)[1]
        until(lambda: time.monotonic() - started(killed) > 2)
        os.kill(killed, signal.SIGKILL)
        until(lambda: len(children(process.pid)) == 2 and killed not in children(process.pid))
        until(lambda: answers(port))
        assert log.read_text().count("/setup/") == 1
        living = children(process.pid)
        process.terminate()
        assert process.wait(20) == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in living)
    assert "Traceback" not in log.read_text()


def test_edges_from_one_command_share_memory(settings: dict[str, str], tmp_path: Path) -> None:
    public, own, log = free_port(), free_run(1), tmp_path / "log"
    web = [*PINGYI, "web", "--port", str(free_port())]
    edges = [*PINGYI, "edge", "--processes", "3", "--port", str(own), "--public-port", str(public)]
    with command(web, tmp_path / "web.log", settings), command(edges, log, settings) as process:
        until(lambda: all(answers(own + nth) for nth in range(3)) and answers(public, "/healthz"))
        resident, shared_fairly = (
            sum(memory(pid, name) for pid in children(process.pid)) for name in ("Rss", "Pss")
        )
        assert shared_fairly < 0.6 * resident
        process.terminate()
        assert process.wait(20) == 0
    assert "Traceback" not in log.read_text()


def memory(pid: int, name: str) -> int:
    """Kilobytes of a process: `Rss` is what is resident, `Pss` divides what is shared."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1])


def test_an_edge_reads_no_modules_that_it_does_not_need() -> None:
    heavy = {"alembic", "mako", "rich", "pygments"}
    says = f"import sys, server.cli, server.run_part; print(sorted({heavy} & set(sys.modules)))"
    told = subprocess.run(
        [sys.executable, "-c", says], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout == "[]\n"


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def started(pid: int) -> float:
    """When a process began, on the monotonic clock."""
    ticks = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
    return ticks / os.sysconf("SC_CLK_TCK")
