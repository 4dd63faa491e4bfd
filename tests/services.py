"""Real PostgreSQL and Redis for tests: started on loopback in a folder of their own, ended after.

PostgreSQL refuses to run as root, so as root it runs as `nobody`.
"""

from __future__ import annotations

import contextlib
import glob
import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


def free_port() -> int:
    """A port that nobody listens on now. It is below those that the kernel gives out by itself, so that
    no connection and no server on port 0 takes it before it is used."""
    while True:
        port = random.randrange(15_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _program(name: str) -> str:
    found = shutil.which(name) or next(
        iter(sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), reverse=True)), None
    )
    if found is None:
        raise RuntimeError(f"{name} is missing: tools/system-packages.sh installs it")
    return found


def _as_nobody(command: list[str]) -> list[str]:
    return ["runuser", "-u", "nobody", "--", *command] if os.geteuid() == 0 else command


@contextmanager
def postgresql(
    *, durable: bool = False, on: Sequence[str] = (), address: str = "127.0.0.1"
) -> Iterator[str]:
    """URL (without a database name) of a PostgreSQL server that lives as long as the block. The
    suites cut no power, so that it need not wait for the disk unless it is meant `durable`; nor do
    their many databases live long enough to be tidied. `on` is the beginning of a command that runs
    the rest on another host, which has the `address`."""
    folder = Path(tempfile.mkdtemp(prefix="pingyi-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")
    data, port = folder / "data", free_port()
    try:
        subprocess.run(
            _as_nobody(
                [
                    _program("initdb"),
                    "-D",
                    str(data),
                    "-A",
                    "trust",
                    "-U",
                    "pingyi",
                    "-E",
                    "UTF8",
                    "--locale=C.UTF-8",
                    "--no-sync",
                ]
            ),
            check=True,
            capture_output=True,
            cwd="/",
        )
        with (data / "pg_hba.conf").open("a") as allowed:
            allowed.write("host all all samenet trust\n")
        server = subprocess.Popen(
            [
                *on,
                *_as_nobody(
                    [
                        _program("postgres"),
                        *("-D", str(data), "-p", str(port), "-h", address, "-k", str(folder)),
                        *("-c", "max_connections=200", "-c", f"fsync={'on' if durable else 'off'}"),
                        *(() if durable else ("-c", "autovacuum=off")),
                    ]
                ),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )
        try:
            _wait_until_ready(data / "postmaster.pid", server)
            yield f"postgresql://pingyi@{address}:{port}"
        finally:
            server.terminate()
            server.wait(20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(says: Path, server: subprocess.Popen[bytes], seconds: float = 30) -> None:
    """PostgreSQL writes its state into its own file: whoever else answers at its port is not asked."""
    deadline = time.monotonic() + seconds
    while not (says.exists() and says.read_text().rstrip().endswith("ready")):
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("PostgreSQL does not start")
        time.sleep(0.05)


def create_database(url: str, name: str, *, like: str = "template1") -> str:
    """A new database on the server, with what another one has; gives its URL."""
    host, port = url.rsplit("@", 1)[1].split(":")
    deadline = time.monotonic() + 20
    while True:
        made = subprocess.run(
            [_program("createdb"), "-h", host, "-p", port, "-U", "pingyi", "-T", like, name],
            capture_output=True,
            text=True,
        )
        if made.returncode == 0:
            return f"{url}/{name}"
        if time.monotonic() > deadline:
            raise RuntimeError(made.stderr)
        time.sleep(0.1)  # it still starts up


@contextmanager
def redis_server(
    port: int | None = None, *, on: Sequence[str] = (), address: str = "127.0.0.1"
) -> Iterator[str]:
    """URL of a Redis server (on this port, if given) that lives as long as the block. `on` and
    `address` as for PostgreSQL."""
    port = port or free_port()
    with tempfile.TemporaryDirectory(prefix="pingyi-redis-") as folder:
        server = subprocess.Popen(
            [
                *on,
                _program("redis-server"),
                "--port",
                str(port),
                "--protected-mode",
                "no",
                "--bind",
                address,
                "--save",
                "",
                "--dir",
                folder,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(port, address=address)
            yield f"redis://{address}:{port}/0"
        finally:
            server.terminate()
            server.wait(10)


def _wait_for(port: int, seconds: float = 20, *, address: str = "127.0.0.1") -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex((address, port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"nothing listens on {port}")
