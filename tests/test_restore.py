"""`pingyi restore FILE`: the copy is checked before anything changes, nothing of the old database is left
beside it, and nothing of the old one is lost."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import stat
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from server.restore_command import NotRestored, restore
from server.settings import Settings
from tests.nursery import finished
from tests.running import Running, frames_until, new_key

SUPPORTS = "SELECT count(*) FROM supports"


def asked(file: Path, query: str) -> list[tuple[str | int, ...]]:
    """What a database holds."""
    with closing(sqlite3.connect(file)) as database:
        return database.execute(query).fetchall()


def changed(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(statement)


def note(file: Path, words: str) -> None:
    """Something that tells one database from another."""
    values = f"(1, 'test', '{words}', '{{}}')"
    changed(file, f"INSERT INTO audit (at, actor, act, detail) VALUES {values}")


def notes(file: Path) -> list[str]:
    return [str(act) for (act,) in asked(file, "SELECT act FROM audit ORDER BY id")]


def refused(done: subprocess.CompletedProcess[str], *words: str | Path, status: int = 1) -> None:
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    for word in words:
        assert str(word) in done.stderr


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder that no process serves."""
    folder = tmp_path / "data"
    assert finished("migrate", data=folder).returncode == 0
    note(folder / "pingyi.db", "first")
    return folder


@pytest.fixture
def copy(data: Path, tmp_path: Path) -> Path:
    """A copy of it; afterwards it went on."""
    file = tmp_path / "copy.db"
    assert finished("backup", file, data=data).returncode == 0
    note(data / "pingyi.db", "later")
    return file


def test_a_hearing_goes_on_from_the_copy(demo: Running, tmp_path: Path) -> None:
    def supported() -> int:
        question = demo.anyone().get(f"{demo.here}/questions")["items"][0]
        path = f"{demo.here}/questions/{question['code']}/support"
        demo.viewer().do("PUT", path, {"on": True}, new_key())
        return 1

    copy, path = tmp_path / "copy.db", demo.data / "pingyi.db"
    supported()
    assert finished("backup", copy, data=demo.data).returncode == 0
    held = asked(copy, SUPPORTS)[0][0]
    later = supported() + supported()
    before = demo.anyone().get(demo.here)
    refused(finished("restore", copy, data=demo.data), path, "stop the server first")
    assert demo.anyone().get(demo.here) == before  # It is served as if nobody had asked.
    demo.kill()
    assert (demo.data / "pingyi.db-wal").exists()

    done = finished("restore", copy, data=demo.data)
    assert done.returncode == 0, done.stderr
    assert asked(path, SUPPORTS) == [(held,)]
    first, second = done.stdout.splitlines()
    assert str(path) in first
    # What was acknowledged after the copy stood in the log beside the database, and is kept too.
    assert asked(Path(second.split()[-1]), SUPPORTS) == [(held + later,)]  # type: ignore[operator]
    demo.again()
    after = demo.anyone().get(demo.here)
    assert after["state"]["hearing"]["status"] == "paused"
    # A page that knew a number which the copy gives anew is sent a snapshot, never a gap.
    assert after["epoch"] != before["epoch"]
    with demo.socket(epoch=before["epoch"], version=after["version"]) as socket:
        frames = frames_until(socket, lambda frame: frame["type"] in {"snapshot", "cue"})
    assert frames[-1]["type"] == "snapshot"


def test_the_copy_replaces_it_and_the_audit_says_so(data: Path, copy: Path) -> None:
    os.chmod(data / "pingyi.db", 0o640)
    done = finished("restore", copy, data=data)
    assert done.returncode == 0, done.stderr
    path = data / "pingyi.db"
    kept = Path(done.stdout.splitlines()[1].split()[-1])
    assert names_in(data) == {"pingyi.db", "pingyi.db-serving", kept.name}
    assert notes(path) == ["first", "restore"]
    ((detail,),) = asked(path, "SELECT detail FROM audit WHERE act = 'restore'")
    assert json.loads(str(detail)) == {"file": "copy.db"}
    assert notes(kept) == ["first", "later"]
    assert notes(copy) == ["first"]  # It is copied, not moved.
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    # Twice in one second: neither of the two that were replaced takes the other's name.
    again = finished("restore", copy, data=data)
    assert again.returncode == 0
    assert len({kept, Path(again.stdout.splitlines()[1].split()[-1])} & set(data.iterdir())) == 2


def test_a_folder_without_a_database_gets_one(copy: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    done = finished("restore", copy, data=fresh)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert notes(fresh / "pingyi.db") == ["first", "restore"]
    assert stat.S_IMODE((fresh / "pingyi.db").stat().st_mode) == 0o600


@pytest.mark.parametrize("there", ["absent", "broken"])
def test_no_log_of_an_older_database_is_left_to_ruin_the_new_one(
    there: str, data: Path, copy: Path
) -> None:
    path = data / "pingyi.db"
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        with writer:
            writer.execute("UPDATE audit SET act = 'of the log'")
        log = Path(f"{path}-wal").read_bytes()
    assert b"of the log" in log
    path.unlink()
    if there == "broken":
        path.write_bytes(b"this is a letter and no database" * 100)
    Path(f"{path}-wal").write_bytes(log)
    Path(f"{path}-journal").write_bytes(b"rubbish")
    done = finished("restore", copy, data=data)
    assert done.returncode == 0, done.stderr
    # Looked at before SQLite opens it, which sweeps away some of what it finds beside.
    assert {name for name in names_in(data) if name.startswith("pingyi.db-")} == {
        "pingyi.db-serving"
    }
    assert notes(path) == ["first", "restore"]
    assert asked(path, "PRAGMA integrity_check") == [("ok",)]
    kept = Path(done.stdout.splitlines()[1].split()[-1])
    assert Path(f"{kept}-wal").read_bytes() == log
    assert kept.exists() == (there == "broken")


def spoiled(copy: Path) -> None:
    """Whole at first sight: a page in its middle is not."""
    size = 4096
    with copy.open("r+b") as file:
        file.seek(copy.stat().st_size // size // 2 * size)
        file.write(b"\xff" * size)


def a_letter(copy: Path) -> None:
    copy.write_bytes(b"this is a letter and no database" * 100)


def of_another_program(copy: Path) -> None:
    copy.unlink()
    changed(copy, "CREATE TABLE recipes (id INTEGER)")


def of_a_newer_release(copy: Path) -> None:
    changed(copy, "UPDATE alembic_version SET version_num = '9999'")


def of_another_secret(copy: Path) -> None:
    changed(copy, "INSERT INTO secret_fingerprints VALUES ('kid', 'another', 0)")


def absent(copy: Path) -> None:
    copy.unlink()


def a_folder(copy: Path) -> None:
    copy.unlink()
    copy.mkdir()


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (spoiled, "sound"),
        (a_letter, "sound"),
        (of_another_program, "no copy"),
        (of_a_newer_release, "newer release"),
        (of_another_secret, "PINGYI_SECRET"),
        (absent, "No such file"),
        (a_folder, "directory"),
    ],
)
def test_what_is_no_copy_for_here_changes_nothing(
    spoil: object, word: str, data: Path, copy: Path
) -> None:
    path = data / "pingyi.db"
    before, inode = path.read_bytes(), path.stat().st_ino
    spoil(copy)  # type: ignore[operator]
    refused(finished("restore", copy, data=data), copy, word)
    assert (path.read_bytes(), path.stat().st_ino) == (before, inode)
    assert names_in(data) <= {"pingyi.db", "pingyi.db-serving"}  # No secret was made either.


def test_the_secret_of_the_copy_or_the_one_before_a_change(demo: Running, tmp_path: Path) -> None:
    copy, fresh = tmp_path / "copy.db", tmp_path / "fresh"
    assert finished("backup", copy, data=demo.data).returncode == 0
    secret = (demo.data / "secret").read_text()
    refused(finished("restore", copy, data=fresh), copy, "PINGYI_SECRET")
    refused(finished("restore", copy, data=fresh, PINGYI_SECRET="new"), copy, "PINGYI_SECRET")
    assert not (fresh / "pingyi.db").exists()
    changing = {"PINGYI_SECRET": "new", "PINGYI_SECRET_BEFORE": secret}
    for settings in (changing, {"PINGYI_SECRET": secret}):
        assert finished("restore", copy, data=fresh, **settings).returncode == 0


def test_a_secret_that_was_changed_since_restores_nothing(demo: Running, tmp_path: Path) -> None:
    """A server would not start with it either."""
    copy, fresh = tmp_path / "copy.db", tmp_path / "fresh"
    assert finished("backup", copy, data=demo.data).returncode == 0
    secret = (demo.data / "secret").read_text()
    with closing(sqlite3.connect(copy)) as database, database:
        database.execute(
            "INSERT INTO secret_fingerprints VALUES ('newer', 'of a newer secret', ?)", (1 << 60,)
        )
    refused(finished("restore", copy, data=fresh, PINGYI_SECRET=secret), copy, "PINGYI_SECRET")


def test_a_program_that_has_the_database_open_is_waited_for(data: Path, copy: Path) -> None:
    path = data / "pingyi.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("SELECT * FROM audit").fetchall()
        refused(finished("restore", copy, data=data), path, "import")
    assert notes(path) == ["first", "later"]
    assert finished("restore", copy, data=data).returncode == 0


def test_no_server_starts_while_it_works(
    data: Path, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = []
    replace = os.replace

    def slowly(source: Path, target: Path) -> None:
        said.append(finished("serve", "--port", "0", data=data))
        replace(source, target)

    monkeypatch.setattr("server.restore_command.os.replace", slowly)
    asyncio.run(restore(Settings(data=data), copy))
    assert [one.returncode for one in said] == [1]
    assert "PostgreSQL" in said[0].stderr


def test_a_step_that_fails_leaves_the_old_database(
    data: Path, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("server.restore_command.os.replace", no_room)
    with pytest.raises(NotRestored, match="No space left"):
        asyncio.run(restore(Settings(data=data), copy))
    assert notes(data / "pingyi.db") == ["first", "later"]
    assert not [name for name in names_in(data) if "restore" in name]


def test_what_root_puts_back_belongs_to_the_server(data: Path, copy: Path, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    for folder in (data, fresh):
        for path in (folder, *folder.iterdir()):
            os.chown(path, 65534, 65534)
        assert finished("restore", copy, data=folder).returncode == 0
        for name in ("pingyi.db", "pingyi.db-serving"):
            assert (folder / name).stat().st_uid == 65534


def test_postgresql_has_its_own_command(copy: Path) -> None:
    url = "postgresql://u@127.0.0.1/x"
    refused(finished("restore", copy, PINGYI_DATABASE_URL=url), "pg_restore", status=2)


def test_a_copy_of_an_older_release_is_put_back_as_it_is(data: Path, copy: Path) -> None:
    shutil.copy(copy, data / "older.db")
    changed(data / "older.db", "UPDATE alembic_version SET version_num = '0001'")
    assert finished("restore", data / "older.db", data=data).returncode == 0
    assert asked(data / "pingyi.db", "SELECT version_num FROM alembic_version") == [("0001",)]
