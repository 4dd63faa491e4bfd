"""`pingyi backup FILE`: whole, of one moment, and with everything that was acknowledged before it began."""

from __future__ import annotations

import sqlite3
import stat
import threading
import time
from pathlib import Path

from tests.nursery import finished
from tests.running import Client, Running, new_key, start


def votes_in(file: Path) -> set[str]:
    with sqlite3.connect(file) as database:
        return {key for (key,) in database.execute("SELECT key FROM votes")}


def test_a_copy_under_votes_holds_all_that_was_acknowledged_before(
    demo: Running, tmp_path: Path
) -> None:
    round_ = next(r for r in demo.state()["rounds"] if r["audience"] == "public")
    choice, acknowledged, over = round_["choices"][0]["key"], list[str](), threading.Event()

    def vote() -> None:
        while not over.is_set():
            key, viewer = new_key(), demo.viewer()
            viewer.do("PUT", f"/rounds/{round_['id']}/ballot", {"choice": choice}, key)
            acknowledged.append(key)

    voters = [threading.Thread(target=vote) for _ in range(3)]
    for one in voters:
        one.start()
    try:
        copies = [tmp_path / f"{n}.db" for n in range(3)]
        for copy in copies:
            time.sleep(0.5)
            before = set(acknowledged)
            told = finished("backup", copy, data=demo.data)
            assert told.returncode == 0, told.stderr
            assert before
            assert before <= votes_in(copy)
    finally:
        over.set()
        for one in voters:
            one.join()
    assert not list(tmp_path.glob(".*.db*"))
    assert stat.S_IMODE(copies[0].stat().st_mode) == 0o600
    # A hearing goes on from a copy: the folder has it and the secret, and nothing of what came after.
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    (fresh / "pingyi.db").write_bytes(copies[-1].read_bytes())
    (fresh / "secret").write_bytes((demo.data / "secret").read_bytes())
    process, line = start(["serve", "--port", "0"], fresh, PINGYI_DATA=str(fresh))
    try:
        base = line.split()[-1]
        found = Client(base).get(demo.here)["state"]
        assert found["hearing"]["status"] == "paused"
        assert Client(base).get(f"/rounds/{round_['id']}")["cast"] == len(votes_in(copies[-1]))
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def test_what_cannot_be_copied_says_why_and_leaves_an_older_copy(
    demo: Running, tmp_path: Path
) -> None:
    old = tmp_path / "old.db"
    old.write_bytes(b"an older copy")
    nowhere = finished("backup", old, data=tmp_path / "nowhere")
    assert (nowhere.returncode, nowhere.stdout) == (1, "")
    assert str(tmp_path / "nowhere") in nowhere.stderr
    assert nowhere.stderr.count("PINGYI_DATA") == 2
    absent = finished("backup", tmp_path / "no" / "folder.db", data=demo.data)
    assert absent.returncode == 1
    assert len(absent.stderr.strip().splitlines()) == 1
    server = finished("backup", old, PINGYI_DATABASE_URL="postgresql://u@127.0.0.1/x")
    assert server.returncode == 1
    assert "pg_dump" in server.stderr
    assert old.read_bytes() == b"an older copy"


def test_a_folder_in_a_files_place_is_told_of_in_both_languages(
    demo: Running, tmp_path: Path
) -> None:
    folder = tmp_path / "safe"
    folder.mkdir()
    named = folder / "pingyi-copy.db"
    told = finished("backup", folder, data=demo.data)
    assert told.returncode == 1
    assert told.stderr == (
        f"{folder} 是文件夹：请写出备份的文件名，例如 {named}。"
        f" {folder} is a folder: name the copy's file, such as {named}.\n"
    )
    assert list(folder.iterdir()) == []


def test_a_broken_database_is_not_copied_and_its_fault_stands_in_the_english_half(
    tmp_path: Path,
) -> None:
    data, old = tmp_path / "data", tmp_path / "old.db"
    data.mkdir()
    (data / "pingyi.db").write_bytes(b"no database " * 500)
    old.write_bytes(b"an older copy")
    told = finished("backup", old, data=data)
    assert told.returncode == 1
    chinese, english = told.stderr.strip().split("。", 1)
    assert chinese == "备份没有完成，原有的备份没有改动"
    assert english.startswith("The copy was not made, ")
    assert "not a database" in english
    assert old.read_bytes() == b"an older copy"
    assert not list(tmp_path.glob(".*"))


def test_a_copy_over_what_is_in_use_is_refused(demo: Running, tmp_path: Path) -> None:
    """It would take away what has been acknowledged, or let a second server in."""
    linked = tmp_path / "linked.db"
    linked.symlink_to(demo.data / "pingyi.db")
    hard = tmp_path / "hard.db"
    hard.hardlink_to(demo.data / "pingyi.db")
    before = (demo.data / "pingyi.db").stat().st_ino
    beside = [demo.data / f"pingyi.db{end}" for end in ("", "-wal", "-shm", "-serving", "-journal")]
    for target in (*beside, linked, hard):
        told = finished("backup", target, data=demo.data)
        assert told.returncode == 1, target
        assert "elsewhere" in told.stderr
    assert (demo.data / "pingyi.db").stat().st_ino == before
    assert finished("backup", demo.data / "pingyi.db.copy", data=demo.data).returncode == 0
