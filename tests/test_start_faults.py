"""A start that cannot be: one sentence that says what to do, exit 1 or 2, and nothing half-started."""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import create_engine, text

from server.domain.refusals import CATALOGUE
from server.store.start_faults import start_fault
from tests.nursery import finished
from tests.running import start
from tests.services import create_database

SERVE = ("serve", "--port", "0")
EDGE = ("edge", "--port", "0", "--public-port", "0")
PARTS = (("web", "--port", "0"), EDGE, ("worker", "--port", "0"))
NOWHERE = "redis://127.0.0.1:1/0"


def told(code: str, *arguments: str | Path, data: Path, status: int = 1, **settings: Any) -> None:
    """The command ends with the catalogue's sentence for this code, and nothing else."""
    done = finished(*arguments, data=data, **settings)
    lines = done.stderr.strip().splitlines()
    row = CATALOGUE[code]
    # A Redis that is away is logged and is no reason not to start.
    assert lines[-1] == f"{row.zh} {row.en}", done.stderr
    assert all('"event": "bus_lost"' in line for line in lines[:-1]), done.stderr
    assert done.stdout == ""
    assert done.returncode == status


@pytest.fixture
def database(postgresql_server: str) -> str:
    return create_database(postgresql_server, f"t{secrets.token_hex(6)}")


@contextmanager
def answering(words: bytes) -> Iterator[int]:
    """A port where whoever says something is answered with these words; to b"" with silence."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(4096)
                    connection.sendall(words)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part[0])
def test_parts_need_postgresql_and_redis(part: tuple[str, ...], tmp_path: Path) -> None:
    told("parts_need_both", *part, data=tmp_path, status=2)
    told("parts_need_both", *part, data=tmp_path, status=2, PINGYI_REDIS_URL=NOWHERE)
    told(
        "parts_need_both",
        *part,
        data=tmp_path,
        status=2,
        PINGYI_DATABASE_URL="postgresql://u@127.0.0.1:1/x",
    )
    assert not (tmp_path / "pingyi.db").exists()


def test_several_whole_processes_need_them_too(tmp_path: Path) -> None:
    told("parts_need_both", *SERVE, "--workers", "3", data=tmp_path, status=2)
    told("parts_need_both", *SERVE, data=tmp_path, status=2, PINGYI_WORKERS="2")


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("mysql://u@127.0.0.1/x", "database_url_wrong"),
        ("rubbish", "database_url_wrong"),
        ("postgresql://u@127.0.0.1:port/x", "database_url_wrong"),
        ("postgresql://u@127.0.0.1:1/x", "database_unreachable"),
        ("postgresql://u@no-such-host.invalid/x", "database_unreachable"),
    ],
)
@pytest.mark.parametrize("command", [SERVE, ("migrate",)], ids=["serve", "migrate"])
def test_a_wrong_database(url: str, code: str, command: tuple[str, ...], tmp_path: Path) -> None:
    told(code, *command, data=tmp_path, PINGYI_DATABASE_URL=url)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), "database_unreachable"),
        (TimeoutError(), "database_unreachable"),
        (socket.gaierror(socket.EAI_NONAME, "no such host"), "database_unreachable"),
        (OSError(errno.EHOSTUNREACH, "no route"), "database_unreachable"),
        (OSError("Multiple exceptions: [Errno 111], [Errno 111]"), "database_unreachable"),
        # A PostgreSQL behind a socket in the file system that is not there, or not for this user.
        (FileNotFoundError(errno.ENOENT, "no such file"), "database_unreachable"),
        (PermissionError(errno.EACCES, "denied"), "database_unreachable"),
        (OSError(errno.ENOSPC, "full", "/data/secret"), "disk_full"),
        (PermissionError(errno.EACCES, "Permission denied", "/data/secret"), "file_unusable"),
        (FileNotFoundError(errno.ENOENT, "No such file", "/data/secret"), "file_unusable"),
        (OSError(errno.EMFILE, "Too many open files"), None),
        (ssl.SSLCertVerificationError(1, "certificate verify failed"), None),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, OSError) else one,
)
def test_only_a_server_that_is_not_there_is_unreachable(error: OSError, code: str | None) -> None:
    wrapped = RuntimeError("as a driver wraps it")
    wrapped.__cause__ = error
    for one in (error, wrapped):
        fault = start_fault(one)
        assert (fault and fault.code) == code
        if fault is not None and code == "file_unusable":
            assert "/data/secret" in fault.message("zh")
            assert f"/data/secret cannot be used ({error.strerror})" in fault.message("en")


@pytest.mark.parametrize("name", ["secret", "pingyi.db-serving"])
def test_a_file_that_cannot_be_used_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    named(finished(*SERVE, data=tmp_path), tmp_path / name)


def test_a_file_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    (tmp_path / "secret").symlink_to(tmp_path / "nowhere" / "secret")
    named(finished(*SERVE, data=tmp_path), tmp_path / "secret")


def named(done: subprocess.CompletedProcess[str], file: Path) -> None:
    """The one sentence says which file it is, and what to do."""
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.strip().splitlines()) == 1
    assert f"The file {file} cannot be used" in done.stderr
    assert "belongs to the user that runs Pingyi" in done.stderr


def test_a_postgresql_whose_socket_is_not_there(tmp_path: Path) -> None:
    url = f"postgresql://u@/x?host={tmp_path}"
    told("database_unreachable", *SERVE, data=tmp_path, PINGYI_DATABASE_URL=url)


def test_what_answers_as_no_database_does(tmp_path: Path) -> None:
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        url = f"postgresql://u@127.0.0.1:{port}/x"
        told("database_unreachable", *SERVE, data=tmp_path, PINGYI_DATABASE_URL=url)


@pytest.mark.system
def test_a_database_that_lets_nobody_in_or_is_not_there(database: str, tmp_path: Path) -> None:
    for url, code in (
        (database.replace("pingyi@", "stranger@"), "database_denied"),
        (f"{database}-absent", "database_missing"),
    ):
        for command in (SERVE, EDGE):
            settings = {"PINGYI_DATABASE_URL": url, "PINGYI_REDIS_URL": NOWHERE}
            told(code, *command, data=tmp_path, **settings)  # type: ignore[arg-type]


@pytest.mark.system
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_schema_from_a_newer_release(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    settings: dict[str, str] = {}
    url = f"sqlite:///{tmp_path / 'pingyi.db'}"
    if engine == "postgresql":
        database = request.getfixturevalue("database")
        settings = {"PINGYI_DATABASE_URL": database, "PINGYI_REDIS_URL": NOWHERE}
    assert finished("migrate", data=tmp_path, **settings).returncode == 0
    change = "UPDATE alembic_version SET version_num = '9999'"
    if engine == "postgresql":
        _execute(database, change)
    else:
        made = create_engine(url)
        with made.begin() as connection:
            connection.execute(text(change))
        made.dispose()
    told("schema_newer", *SERVE, data=tmp_path, **settings)  # type: ignore[arg-type]
    told("schema_newer", "migrate", data=tmp_path, **settings)  # type: ignore[arg-type]
    if settings:
        told("schema_newer", *EDGE, data=tmp_path, **settings)  # type: ignore[arg-type]


def _execute(url: str, statement: str) -> None:
    """One statement on PostgreSQL."""

    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    "words",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"-ERR nobody is let in\r\n", b"\xff\x00rubbish\r\n"],
    ids=["http", "refusing", "rubbish"],
)
def test_a_redis_that_is_none(words: bytes, tmp_path: Path) -> None:
    with answering(words) as port:
        told("redis_wrong", *SERVE, data=tmp_path, PINGYI_REDIS_URL=f"redis://127.0.0.1:{port}/0")
    told("redis_wrong", *SERVE, data=tmp_path, PINGYI_REDIS_URL="http://127.0.0.1/")


@pytest.mark.system
def test_two_edges_with_different_secrets(database: str, tmp_path: Path, redis_url: str) -> None:
    settings = {"PINGYI_DATABASE_URL": database, "PINGYI_REDIS_URL": redis_url}
    assert finished("migrate", data=tmp_path, **settings).returncode == 0
    _execute(
        database,
        "INSERT INTO secret_fingerprints (kid, fingerprint, created_at) VALUES ('0', 'another', 0)",
    )
    for command in (EDGE, ("worker", "--port", "0"), SERVE):
        told("secret_differs", *command, data=tmp_path, PINGYI_SECRET="mine", **settings)  # type: ignore[arg-type]


@pytest.mark.system
@pytest.mark.parametrize(
    "arguments",
    [
        ("serve", "--port", "TAKEN"),
        ("web", "--port", "TAKEN"),
        ("edge", "--port", "TAKEN", "--public-port", "0"),
        ("edge", "--port", "0", "--public-port", "TAKEN"),
        ("worker", "--port", "TAKEN"),
    ],
    ids=lambda arguments: "-".join(arguments).replace("--", ""),
)
def test_a_port_in_use(
    arguments: tuple[str, ...], database: str, redis_url: str, tmp_path: Path
) -> None:
    settings = {"PINGYI_DATABASE_URL": database, "PINGYI_REDIS_URL": redis_url}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        words = (port if word == "TAKEN" else word for word in arguments)
        done = finished(*words, data=tmp_path, **settings)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert port in done.stderr


@pytest.mark.system
@pytest.mark.parametrize("kilobytes", [8, 200])
def test_a_full_disk(kilobytes: int, tmp_path: Path) -> None:
    """Not even the secret fits, or the database does not."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", disk], check=True)
    try:
        (disk / "filler").write_bytes(bytes(min(kilobytes, 8) * 1024))
        told("disk_full", *SERVE, data=disk)
        left = {path.name: path.stat().st_size for path in disk.iterdir()}
        assert left.get("secret", 64) == 64  # Whole or not there.
        (disk / "filler").unlink()
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        process, line = start(["serve", "--port", "0"], disk, PINGYI_DATA=str(disk))
        process.terminate()
        process.wait(10)
        process.stdout.close()
        assert "Pingyi" in line  # With room it starts, on what the failed start left.
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "pingyi.db").write_bytes(b"this is a letter and no database" * 100)
    told("database_broken", *SERVE, data=tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "eight"), ("PINGYI_WORKERS", "0"), ("PINGYI_PROXIES", "my-proxy, 10.0.0.0/8")],
)
def test_a_setting_that_cannot_be_read(name: str, value: str, tmp_path: Path) -> None:
    done = finished("serve", data=tmp_path, **{name: value})
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert name in done.stderr
