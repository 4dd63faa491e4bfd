"""`pingyi viewers N --hearing SLUG`: each token is a viewer to the servers of that database, or none is made."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from tests.nursery import finished
from tests.running import Client, Running, new_key


def refused(done: subprocess.CompletedProcess[str], *words: str, status: int = 1) -> None:
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    for word in words:
        assert word in done.stderr


def test_each_token_is_a_viewer_of_its_own(demo: Running) -> None:
    round_ = next(r for r in demo.state()["rounds"] if r["audience"] == "public")
    done = finished("viewers", "5", "--hearing", demo.slug, data=demo.data)
    assert done.returncode == 0, done.stderr
    tokens = done.stdout.split("\n")
    assert tokens.pop() == ""
    assert len(set(tokens)) == 5
    before = demo.anyone().get(f"/rounds/{round_['id']}")["cast"]
    for token in tokens:
        choice = {"choice": round_["choices"][0]["key"]}
        Client(demo.url, token).do("PUT", f"/rounds/{round_['id']}/ballot", choice, new_key())
    assert demo.anyone().get(f"/rounds/{round_['id']}")["cast"] == before + 5


def test_none_is_made_where_it_would_be_a_strangers(demo: Running, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    refused(finished("viewers", "5", "--hearing", "h", data=fresh), "“h”", str(fresh))
    assert not fresh.exists()
    nowhere = finished("viewers", "5", "--hearing", "nowhere", data=demo.data)
    refused(nowhere, "“nowhere”", str(demo.data), "--hearing")
    (demo.data / "secret").write_text("another")
    refused(finished("viewers", "5", "--hearing", demo.slug, data=demo.data), "PINGYI_SECRET")


def test_what_cannot_be_asked(demo: Running, tmp_path: Path) -> None:
    assert finished("viewers", "0", "--hearing", demo.slug, data=demo.data).returncode == 2
    assert finished("viewers", "5", data=demo.data).returncode == 2
    away = finished(
        "viewers",
        "5",
        "--hearing",
        "h",
        data=tmp_path,
        PINGYI_DATABASE_URL="postgresql://u@127.0.0.1:1/x",
    )
    refused(away, "PINGYI_DATABASE_URL")
    demo.kill()
    with closing(sqlite3.connect(demo.data / "pingyi.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '0001'")
    refused(finished("viewers", "5", "--hearing", demo.slug, data=demo.data), "pingyi migrate")
