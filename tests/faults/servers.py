"""The servers that are broken on purpose: Pingyi, PostgreSQL and Redis, each started and ended here.

Pingyi starts as a command starts, or as the suites start it, from a process that has read all its
modules (`tests/nursery.py`); how soon it serves again is measured with the command alone.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.faults import server_under_test
from tests.faults.experiment import ROOT
from tests.faults.server_under_test import KILL, PLANT
from tests.nursery import _CONTEXT as BORN
from tests.services import _as_nobody as as_nobody
from tests.services import _program as program
from tests.services import free_port

STARTS_S = 30.0
"""Within which a server that is started must answer: beyond all that an experiment allows."""


@dataclass
class Server:
    """One process of `pingyi serve`, on a port that it keeps through restarts. `ordinary`: it is
    started by its command; else it is born with its modules read."""

    data: Path
    secret: str
    database_url: str = ""
    redis_url: str = ""
    plant: str = ""
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | BaseProcess | None = None

    @property
    def log(self) -> Path:
        """What it said on standard output and standard error."""
        return self.data.parent / f"{self.data.name}.log"

    def start(self, *, kill: str = "", ordinary: bool = False) -> float:
        """Starts it and waits until it can commit; gives the seconds from the one to the other.
        `kill` is the point at which it ends itself."""
        self.data.mkdir(parents=True, exist_ok=True)
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("PINGYI_", "FAULTS_"))},
            "PINGYI_DATA": str(self.data),
            "PINGYI_SECRET": self.secret,
            "PINGYI_DATABASE_URL": self.database_url,
            "PINGYI_REDIS_URL": self.redis_url,
            "PINGYI_TRUSTED_NETS": "127.0.0.0/8",
            KILL: kill,
            PLANT: self.plant,
        }
        words = ["serve", "--port", str(self.port)]
        began = time.monotonic()
        if ordinary:
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "tests.faults.server_under_test", *words],
                    stdout=log,
                    stderr=log,
                    cwd=ROOT,
                    env=environment,
                )
        else:
            born = (words, environment, str(self.log))
            self._process = BORN.Process(target=_be, args=born, daemon=True)
            self._process.start()
        while time.monotonic() < began + STARTS_S:
            if ready(self.port):
                return time.monotonic() - began
            if not self.alive:
                break
            time.sleep(0.01)
        self.kill()
        raise AssertionError(f"it did not start: {self.log.read_text()[-2000:]}")

    @property
    def alive(self) -> bool:
        """Whether the process is there."""
        if isinstance(self._process, subprocess.Popen):
            return self._process.poll() is None
        return self._process is not None and self._process.is_alive()

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._gone()

    def stop(self) -> None:
        """Asks it to end."""
        if self._process is not None:
            self._process.terminate()
            self._gone()

    def _gone(self) -> None:
        if isinstance(self._process, subprocess.Popen):
            self._process.wait(20)
        elif self._process is not None:
            self._process.join(20)
            assert self._process.exitcode is not None
        self._process = None


def _be(words: list[str], environment: dict[str, str], log: str) -> None:
    """What a shell does between fork and exec, and then the armed command."""
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environment)
    said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(said, 1)
    os.dup2(said, 2)
    sys.argv = ["pingyi", *words]
    gc.freeze()  # What was read already is not looked through, and so not copied, at each start.
    server_under_test.main()


def ready(port: int) -> bool:
    """Whether `/readyz` says yes."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.settimeout(2)
            connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return connection.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def new_secret() -> str:
    """An installation's secret."""
    return secrets.token_hex(32)


# ── PostgreSQL ──


class Cluster:
    """A PostgreSQL that can be killed, stopped, frozen and started again on its data."""

    connections = 60
    """As many as it takes."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self._folder, self._port = folder, free_port()
        self._options = ["-c", f"max_connections={self.connections}"]
        self._options += ["-c", f"fsync={'on' if durable else 'off'}"]
        self._server: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody")
        made = [program("initdb"), "-D", str(self.data), "-A", "trust", "-U", "pingyi"]
        made += ["-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        subprocess.run(as_nobody(made), check=True, capture_output=True, cwd="/")

    @property
    def data(self) -> Path:
        """Its data folder."""
        return self._folder / "data"

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    @property
    def url(self) -> str:
        """Its address, without a database's name."""
        return f"postgresql://pingyi@127.0.0.1:{self._port}"

    def start(self) -> None:
        """Starts it and waits until it takes connections, recovery included."""
        command = [program("postgres"), "-D", str(self.data), "-p", str(self._port)]
        command += ["-h", "127.0.0.1", "-k", str(self._folder), *self._options]
        # Not by `runuser`, which stops itself as well when its child is frozen, and stays so.
        root = os.geteuid() == 0
        self._server = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            user="nobody" if root else None,
            extra_groups=[] if root else None,
        )
        asked = [program("pg_isready"), "-h", "127.0.0.1", "-p", str(self._port), "-q"]
        deadline = time.monotonic() + STARTS_S
        while subprocess.run(asked).returncode:
            assert time.monotonic() < deadline, "PostgreSQL does not come back"
            time.sleep(0.02)

    def processes(self) -> list[int]:
        """The first process and all that it has made."""
        assert self._server is not None
        first = self._server.pid
        tasks = Path(f"/proc/{first}/task").glob("*/children")
        return [first, *(int(pid) for task in tasks for pid in task.read_text().split())]

    def kill(self) -> None:
        """Every process of it at once, by kill -9."""
        self.send(signal.SIGKILL)
        self._wait()

    def send(self, number: signal.Signals) -> None:
        """A signal to each of its processes."""
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def stop(self, mode: signal.Signals = signal.SIGINT) -> None:
        """The fast stop; SIGQUIT is the immediate one, SIGTERM waits for whoever is connected."""
        os.kill(self.processes()[0], mode)
        self._wait()

    def _wait(self) -> None:
        assert self._server is not None
        self._server.wait(20)
        self._server = None
        deadline = time.monotonic() + 10
        while ready_port(self._port) and time.monotonic() < deadline:
            time.sleep(0.01)

    def end(self) -> None:
        """It is over, whatever state it is in."""
        if self._server is not None and self._server.poll() is None:
            self.send(signal.SIGCONT)
            self.stop(signal.SIGQUIT)


@contextlib.contextmanager
def cluster(*, durable: bool) -> Iterator[Cluster]:
    """A PostgreSQL as long as the block lasts, running at its beginning and at its end. Where it
    need not wait for the disk, it is the same one for all blocks of this process: to make one takes
    two seconds of CPU."""
    if not durable:
        yield _kept()
        return
    with _made(durable=True) as found:
        yield found


@functools.cache
def _kept() -> Cluster:
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(_made(durable=False))


@contextlib.contextmanager
def _made(*, durable: bool) -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="pingyi-faults-pg-"))
    try:
        found = Cluster(folder, durable=durable)
        found.start()
        try:
            yield found
        finally:
            found.end()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# ── Redis ──


class Redis:
    """A Redis that keeps nothing: started again it is empty."""

    def __init__(self) -> None:
        self.port = free_port()
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Starts it, empty."""
        command = [program("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1"]
        self._server = subprocess.Popen(
            [*command, "--save", "", "--appendonly", "no"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=tempfile.gettempdir(),
        )
        deadline = time.monotonic() + STARTS_S
        while not ready_port(self.port):
            assert time.monotonic() < deadline, "Redis does not come back"
            time.sleep(0.01)

    def send(self, number: signal.Signals) -> None:
        """A signal to it."""
        assert self._server is not None
        self._server.send_signal(number)

    def kill(self) -> None:
        """kill -9."""
        assert self._server is not None
        self._server.kill()
        self._server.wait(10)
        self._server = None

    def say(self, *words: str) -> None:
        """One command, such as FLUSHALL."""
        command = [program("redis-cli"), "-p", str(self.port), *words]
        subprocess.run(command, check=True, capture_output=True)

    def end(self) -> None:
        """It is over, whatever state it is in."""
        if self._server is not None:
            self.kill()


@contextlib.contextmanager
def redis() -> Iterator[Redis]:
    """A Redis, as long as the block lasts."""
    found = Redis()
    found.start()
    try:
        yield found
    finally:
        found.end()


def ready_port(port: int) -> bool:
    """Whether somebody listens."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
