"""`pingyi` on the command line: one sentence on standard error, the right status, no traceback."""

from __future__ import annotations

import json
import os
import re
import socket
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from tests.contract.test_people import serving
from tests.nursery import ROOT, finished
from tests.running import PINGYI, Running
from tests.services import free_port


def one_sentence(done: subprocess.CompletedProcess[str], status: int, *words: str) -> None:
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout
    for word in words:
        assert word in done.stderr


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        one_sentence(finished("demo", "--port", port, "--json"), 1, port, "--port")
        one_sentence(finished("serve", "--port", port, data=tmp_path), 1, port)


def test_a_data_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    done = finished("demo", "--port", "0", "--json", "--data", tmp_path / "file" / "data")
    one_sentence(done, 1, "data")


def test_a_broken_show_file_is_told_by_line_and_key(tmp_path: Path) -> None:
    show = tmp_path / "show.yaml"
    show.write_text("title: 评议会\nslug: OK?\nwrong: 1\n", encoding="utf-8")
    done = finished("demo", "--port", "0", "--json", "--show", show)
    one_sentence(done, 1, "2", "slug", "3", "wrong")
    one_sentence(finished("demo", "--json", "--show", tmp_path / "none.yaml"), 1, "none.yaml")


def test_wrong_usage_is_status_2() -> None:
    command = [*PINGYI, "no-such-command"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60).returncode == 2
    assert finished("demo", "--port", "many").returncode == 2
    assert finished("no-such-command").returncode == 2
    assert finished("import", "x.csv").returncode == 2
    for later in ("verify", "web", "edge", "worker", "backup", "restore", "viewers", "password"):
        assert finished(later).returncode == 2
    assert finished("serve", "--workers", "3").returncode == 2


def test_a_second_server_or_another_secret_is_refused_in_a_sentence(
    demo: Running, tmp_path: Path
) -> None:
    one_sentence(finished("serve", "--port", "0", data=demo.data), 1, "PostgreSQL")
    one_sentence(finished("demo", "--port", "0", "--json", "--data", demo.data), 1, "PostgreSQL")
    assert demo.state()["hearing"]["status"] == "live"
    (tmp_path / "a.csv").write_text("工单编号,诉求内容\nA1,路灯不亮\n", encoding="utf-8")
    (demo.data / "secret").write_text("another")
    arguments = ("import", tmp_path / "a.csv", "--hearing", demo.slug, "--source", "s")
    one_sentence(finished(*arguments, data=demo.data), 1, "PINGYI_SECRET")
    demo.kill()
    one_sentence(finished("serve", "--port", "0", data=demo.data), 1, "PINGYI_SECRET")


def test_whoever_runs_the_server_sets_the_password_of_the_only_administrator(
    tmp_path: Path,
) -> None:
    nowhere = tmp_path / "not-there"
    one_sentence(finished("password", "root", "--random", data=nowhere), 1, "“root”")
    assert not nowhere.exists()
    with serving(tmp_path / "data") as house:
        root = house.set_up()
        one_sentence(finished("password", "nobody", "--random", data=house.data), 1, "“nobody”")
        done = finished("password", "Root", "--random", data=house.data)
        assert done.returncode == 0, done.stderr
        made = re.search(r"^(\w{4}-){3}\w{4}$", done.stdout, re.M)
        assert made
        assert root.get("/office").status_code == 303  # Signed out, while the server runs.
        for password, status in (("correct horse battery", 401), (made[0], 303)):
            form = {"login": "root", "password": password}
            assert house.browser().post("/login", data=form).status_code == status
        for typed, status in (("short", 1), ("typed at the prompt", 0)):
            command = [*PINGYI, "password", "root"]
            here = {**os.environ, "PINGYI_DATA": str(house.data)}
            done = subprocess.run(
                command, cwd=ROOT, env=here, input=f"{typed}\n", capture_output=True, text=True
            )
            assert done.returncode == status, done.stderr
            assert typed not in done.stdout
        form = {"login": "root", "password": "typed at the prompt"}
        assert house.browser().post("/login", data=form).status_code == 303


def test_import_of_what_cannot_be_imported(demo: Running, tmp_path: Path) -> None:
    good = tmp_path / "good.csv"
    good.write_text("工单编号,诉求内容\nA1,路灯不亮\nA2,\n,没有编号\n", encoding="utf-8")
    picture = tmp_path / "picture.xlsx"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    nowhere = finished("import", good, "--hearing", "nowhere", "--source", "s", data=demo.data)
    one_sentence(nowhere, 1, "nowhere", str(demo.data))
    fresh = tmp_path / "not-there"
    for more in ((), ("--dry-run",)):
        absent = finished("import", good, "--hearing", "h", "--source", "s", *more, data=fresh)
        one_sentence(absent, 1, "“h”", str(fresh))
        assert not fresh.exists()
    wrong = finished("import", picture, "--hearing", demo.slug, "--source", "s", data=demo.data)
    one_sentence(wrong, 1)
    gone = finished(
        "import", tmp_path / "gone.csv", "--hearing", demo.slug, "--source", "s", data=demo.data
    )
    one_sentence(gone, 1)
    key = finished("import", good, "--hearing", demo.slug, "--source", "Not A Key", data=demo.data)
    one_sentence(key, 1)
    done = finished(
        "import", good, "--hearing", demo.slug, "--source", "s", "--json", data=demo.data
    )
    told = json.loads(done.stdout)
    assert (told["rows"], told["new"]) == (3, 1)
    assert [(r["row"], r["column"], r["code"]) for r in told["refused"]] == [
        (3, "诉求内容", "content_missing"),
        (4, "工单编号", "external_id_missing"),
    ]


def test_import_into_a_database_that_is_away(tmp_path: Path) -> None:
    file = tmp_path / "good.csv"
    file.write_text("工单编号,诉求内容\nA1,路灯不亮\n", encoding="utf-8")
    away = {"PINGYI_DATABASE_URL": f"postgresql://x@127.0.0.1:{free_port()}/x"}
    asked = ("import", file, "--hearing", "h", "--source", "s")
    one_sentence(finished(*asked, data=tmp_path / "data", **away), 1, "PINGYI_DATABASE_URL")


def test_a_dry_run_of_an_import_leaves_an_older_database_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "good.csv"
    file.write_text("工单编号,诉求内容\nA1,路灯不亮\n", encoding="utf-8")
    data = tmp_path / "data"
    data.mkdir()
    with closing(sqlite3.connect(data / "pingyi.db")) as database:
        database.execute("CREATE TABLE of_an_earlier_version (id INTEGER)")

    def schema() -> list[tuple[str]]:
        with closing(sqlite3.connect(data / "pingyi.db")) as database:
            return database.execute("SELECT name FROM sqlite_master").fetchall()

    asked = ("import", file, "--hearing", "h", "--source", "s")
    one_sentence(finished(*asked, "--dry-run", data=data), 1, "pingyi migrate")
    assert schema() == [("of_an_earlier_version",)]
    assert finished("migrate", data=data).returncode == 0
    one_sentence(finished(*asked, "--dry-run", data=data), 1, "“h”")  # now it is looked into


def test_import_says_whether_anything_was_written(demo: Running, tmp_path: Path) -> None:
    file = tmp_path / "good.csv"
    file.write_text("工单编号,诉求内容\nW1,路灯不亮\nW2,井盖响\n", encoding="utf-8")
    asked = ("import", file, "--hearing", demo.slug, "--source", "w")
    for _ in range(2):  # A dry run that wrote would find nothing new the second time.
        dry = finished(*asked, "--dry-run", data=demo.data).stdout
        assert "什么都没有写入" in dry
        assert "nothing was written" in dry
        assert "会写入 2 条" in dry
    real = finished(*asked, data=demo.data).stdout
    assert "已写入 2 条。Written: 2." in real
    assert "没有写入" not in real
    assert "已写入 0 条" in finished(*asked, data=demo.data).stdout


def test_import_remembers_what_the_columns_of_a_source_mean(demo: Running, tmp_path: Path) -> None:
    file, meanings = tmp_path / "odd.csv", tmp_path / "meanings.json"
    file.write_text("甲,乙\nM1,路灯不亮\n", encoding="utf-8")
    meanings.write_text(json.dumps({"甲": "external_id", "乙": "content"}), encoding="utf-8")
    asked = ("import", file, "--hearing", demo.slug, "--source", "odd", "--json")
    one_sentence(finished(*asked, data=demo.data), 1)
    chosen = finished(*asked, "--mapping", meanings, data=demo.data)
    assert json.loads(chosen.stdout)["new"] == 1
    again = finished(*asked, data=demo.data)
    assert json.loads(again.stdout)["unchanged"] == 1, again.stderr


def test_import_tells_a_terminal_how_far_it_is_and_nobody_else(
    demo: Running, tmp_path: Path
) -> None:
    file = tmp_path / "many.csv"
    rows = "".join(f"P{n},第{n}盏路灯不亮\n" for n in range(450))
    file.write_text(f"工单编号,诉求内容\n{rows}", encoding="utf-8")
    asked = ("import", file, "--hearing", demo.slug, "--source", "p", "--json")
    terminal, theirs = os.openpty()
    done = subprocess.run(
        [*PINGYI, *map(str, asked)],
        cwd=ROOT,
        env={**os.environ, "PINGYI_DATA": str(demo.data)},
        stdout=subprocess.PIPE,
        stderr=theirs,
        check=True,
    )
    os.close(theirs)
    told = os.read(terminal, 65_536).decode()
    os.close(terminal)
    assert json.loads(done.stdout)["new"] == 450
    assert "读取 · reading 450/450" in told
    assert "导入 · taking in 450/450" in told
    assert told.endswith("\r\x1b[K")
    quiet = finished(*asked, data=demo.data)
    assert (json.loads(quiet.stdout)["unchanged"], quiet.stderr) == (450, "")


def test_import_tells_of_every_row_that_gave_way_to_a_newer_one(
    demo: Running, tmp_path: Path
) -> None:
    file = tmp_path / "twice.csv"
    file.write_text(
        "工单编号,诉求内容,受理时间,办结时限\n"
        "B1,新的说法,2026-03-02,5个工作日\nB1,旧的说法,2026-03-01,\n"
        "B2,一样,2026-03-01,\nB2,一样,2026-03-01,\nB3,时间不明,昨天,\n",
        encoding="utf-8",
    )
    for new, unchanged in ((2, 1), (0, 3)):  # The second time nothing is changed.
        done = finished(
            "import", file, "--hearing", demo.slug, "--source", "t", "--json", data=demo.data
        )
        told = json.loads(done.stdout)
        refused = told.pop("refused")
        assert told == {"rows": 5, "new": new, "updated": 0, "unchanged": unchanged}
        assert [(r["row"], r["column"], r["code"]) for r in refused] == [
            (3, "工单编号", "row_repeated"),
            (6, "受理时间", "date_invalid"),
        ]
        assert "第 2 行" in refused[0]["message"]
        assert new + unchanged + len(refused) == told["rows"]
    texts = [
        q["text"]
        for q in demo.as_("moderator").get(f"{demo.here}/desk/questions?limit=200")["items"]
    ]
    assert texts.count("新的说法") == 1
    assert "旧的说法" not in texts


@pytest.mark.parametrize("language", ["zh", "en"])
def test_exported_show_starts_another_hearing(demo: Running, tmp_path: Path, language: str) -> None:
    office = demo.as_("office")
    text = office.call("GET", f"{demo.here}/show").text
    checked = office.do("POST", f"/shows/check?lang={language}", {"text": text})
    assert checked["ok"] is True
    assert checked["questions"] == 60
    slug = f"again-{language}"
    made = office.do("POST", "/offices/1/hearings", {"text": text, "slug": slug})
    assert made == {"slug": slug, "title": checked["title"], "status": "draft"}
    assert demo.anyone().refused("GET", f"/hearings/{slug}") == (404, "not_found")
    assert demo.anyone().refused("GET", f"/viewers/me?hearing={slug}") == (404, "not_found")
    assert office.refused("POST", "/offices/1/hearings", {"text": text, "slug": slug}) == (
        409,
        "slug_taken",
    )
    wrong = office.do("POST", f"/shows/check?lang={language}", {"text": "title: x\nslug: y\n"})
    assert wrong["ok"] is False
    assert {"line", "key", "code", "message"} == set(wrong["problems"][0])


def test_an_error_that_nobody_foresaw_leaves_no_traceback_and_nobodys_words(demo: Running) -> None:
    desk, said = demo.as_("moderator"), "张三的电话是一三八"
    question = desk.get(f"{demo.here}/desk/questions?status=approved")["items"][0]
    with sqlite3.connect(demo.data / "pingyi.db") as database:
        database.execute("DROP TABLE question_texts")
    answer = httpx2.patch(
        f"{demo.url}/api/v1{demo.here}/desk/questions/{question['id']}",
        json={"version": question["version"], "text": said},
        headers={"Authorization": f"Bearer {desk.token}"},
        trust_env=False,
    )
    assert answer.status_code == 500
    demo.stop()
    log = (demo.data.parent / f"{demo.data.name}.log").read_text()
    assert "OperationalError" in log
    assert "Traceback" not in log
    assert said not in log
