"""A whole hearing on real messages and orders, through the outside: import, API, sockets.

With its twin on data that the repository generates with the same dirt. Nothing of the real texts is
written anywhere; the real run is demanded by `PINGYI_REAL_DATA=required`.
"""

from __future__ import annotations

import csv
import io
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.moderation import dirty_files
from tests.nursery import ROOT, finished
from tests.real_data import real_data
from tests.running import PINGYI, Running, new_key

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("imports")]


def take_in(demo: Running, path: Path, source: str, *options: str) -> Any:
    """`pingyi import --json` on the running demonstration's data."""
    words = ("import", path, "--hearing", demo.slug, "--source", source, "--json", *options)
    done = finished(*map(str, words), data=demo.data)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check_import(demo: Running, path: Path, source: str) -> int:
    """Dry run, import, import again; gives how many are new."""
    dry = take_in(demo, path, source, "--dry-run")
    assert not demo.as_("moderator").get(f"{demo.here}/desk/questions?source={source}")["items"]
    first = take_in(demo, path, source)
    assert {k: first[k] for k in ("rows", "new")} == {k: dry[k] for k in ("rows", "new")}
    told = first["new"] + first["updated"] + first["unchanged"] + len(first["refused"])
    assert told == first["rows"]
    for refused in first["refused"]:
        assert set(refused) == {"row", "column", "code", "message"}
    again = take_in(demo, path, source)
    assert (again["new"], again["updated"]) == (0, 0)
    assert again["unchanged"] == first["new"] + first["unchanged"]
    return int(first["new"])


def until_screened(demo: Running) -> None:
    desk = demo.as_("moderator")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if not desk.get(f"{demo.here}/desk/questions?status=received")["items"]:
            return
        time.sleep(0.3)
    raise AssertionError("the screener did not finish")


def whole_hearing(demo: Running, source: str, tmp_path: Path) -> None:
    """Twenty questions of the source through every state, three officials, every round."""
    desk, host = demo.as_("moderator"), demo.as_("host")
    here = demo.here
    page = desk.get(f"{here}/desk/questions?source={source}&status=screened")["items"]
    usable = [q for q in page if 2 <= len(q["text"]) <= 600][:24]
    assert len(usable) >= 20
    chosen = [q["id"] for q in usable]
    at = f"{here}/desk/questions"
    desk.do("POST", f"{at}/{chosen[20]}/rejection", {"reason": "off_topic"})
    desk.do("DELETE", f"{at}/{chosen[20]}/rejection")
    desk.do("POST", f"{at}/{chosen[20]}/rejection", {"reason": "in_procedure"})
    for id_ in chosen[:20]:
        desk.do("POST", f"{at}/{id_}/approval")
    desk.do("POST", f"{at}/{chosen[21]}/merging", {"into": chosen[0]})
    desk.do("DELETE", f"{at}/{chosen[21]}/merging")
    desk.do("POST", f"{at}/{chosen[21]}/merging", {"into": chosen[0]})
    desk.do("POST", f"{at}/{chosen[18]}/reply", {"reply": "已书面答复。"})
    desk.do("POST", f"{at}/{chosen[19]}/closing", {"reason": "已由承办单位办结"})
    agenda = demo.anyone().get(f"{here}/agenda")
    officials = [i for i in agenda["items"] if i["subject"]]
    assert len(officials) == 3
    rounds = demo.state()["rounds"]
    published = 0
    for n, item in enumerate(officials):
        mine = chosen[n * 6 : n * 6 + 6]
        for id_ in mine:
            desk.do("POST", f"{at}/{id_}/shortlisting", {"subject": item["subject"]})
        queue = desk.get(f"{here}/queue")
        desk.do("PUT", f"{here}/queue", {"version": queue["version"], "ids": mine})
        for step in item["steps"]:
            slot = demo.state()["slot"]
            host.do(
                "PUT",
                f"{here}/position",
                {"version": slot["version"] if slot else 0, "item": item["id"], "step": step},
            )
            if step == "questions":
                for turn, id_ in enumerate(mine):
                    host.do("PUT", f"{here}/stage", {"question": id_, "asker": turn + 1})
                    host.do("PATCH", f"{here}/stage", {"phase": "answering"})
                    outcome = (
                        "answered",
                        "answered",
                        "answered",
                        "deferred",
                        "withdrawn",
                        "answered",
                    )
                    host.do("DELETE", f"{here}/stage?outcome={outcome[turn]}")
            if step == "evaluation":
                for round_ in rounds:
                    told = demo.anyone().get(f"/rounds/{round_['id']}")
                    if [s["key"] for s in told["subjects"]] == [item["subject"]]:
                        hold_round(demo, told, tmp_path)
                        published += 1
    assert published == 6
    states = desk.get(f"{here}/desk/questions?source={source}")["counts"]
    for state in (
        "answered",
        "withdrawn",
        "queued",
        "rejected",
        "merged",
        "replied_in_writing",
        "closed",
    ):
        assert states.get(state, 0) >= 1, state
    version = demo.state()["hearing"]["version"]
    host.do("PUT", f"{here}/status", {"version": version, "status": "ended"})
    host.do("PUT", f"{here}/status", {"version": version + 1, "status": "certified"})


def hold_round(demo: Running, told: Any, tmp_path: Path) -> None:
    """One round from opening to a recomputed, published result."""
    host, id_ = demo.as_("host"), told["id"]
    if told["status"] == "ready":
        host.do("POST", f"/rounds/{id_}/opening")
    if told["audience"] == "public":
        for n in range(6):
            choice = told["choices"][n % len(told["choices"])]["key"]
            demo.viewer().do("PUT", f"/rounds/{id_}/ballot", {"choice": choice}, new_key())
    else:
        subject, dims = told["subjects"][0]["key"], [d["key"] for d in told["dimensions"]]
        for seat in range(21):
            marks = {subject: {d: str((seat * 7 + n * 3) % 21) for n, d in enumerate(dims)}}
            demo.as_("panel", seat).do("PUT", f"/rounds/{id_}/ballot", {"marks": marks}, new_key())
    host.do("POST", f"/rounds/{id_}/closing")
    deadline = time.monotonic() + 10
    while host.get(f"/rounds/{id_}")["status"] != "tallied":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    host.do("POST", f"/rounds/{id_}/certification")
    host.do("POST", f"/rounds/{id_}/publication", {"audience": "public"})
    result = demo.anyone().get(f"/rounds/{id_}/result")
    ballots = demo.as_("teller").call("GET", f"/rounds/{id_}/ballots.csv").content
    if told["audience"] == "public":
        rows = list(csv.DictReader(io.StringIO(ballots.decode())))
        for choice in result["choices"]:
            assert choice["count"] == sum(r["value"] == choice["key"] for r in rows)
        return
    (tmp_path / "b.csv").write_bytes(ballots)
    rules = demo.anyone().call("GET", f"/rounds/{id_}/rules.json").content
    (tmp_path / "r.json").write_bytes(rules)
    again = subprocess.run(
        [*PINGYI, "tally", "--rules", tmp_path / "r.json", "--ballots", tmp_path / "b.csv"],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    assert json.loads(again.stdout) == result


@pytest.mark.real_data
def test_real_orders(demo: Running, tmp_path: Path) -> None:
    orders = real_data("hotline-orders", "work_orders.csv")
    assert check_import(demo, orders, "orders") == 700
    until_screened(demo)
    whole_hearing(demo, "orders", tmp_path)


@pytest.mark.real_data
def test_real_messages(demo: Running) -> None:
    messages = real_data("messages-zh", "a3_messages_votes.xlsx")
    assert check_import(demo, messages, "messages-mailbox") == 4326
    until_screened(demo)
    kept = demo.as_("moderator").get(f"{demo.here}/desk/questions?source=messages-mailbox")
    assert kept["counts"].get("received", 0) == 0
    assert len(kept["items"]) == 50


def test_generated_twins(demo: Running, tmp_path: Path) -> None:
    path = tmp_path / "twin.xlsx"
    table = [*dirty_files.TABLE, *dirty_files.CROWDED_ACCOUNT[1:]]
    path.write_bytes(dirty_files.xlsx_bytes(table))
    assert check_import(demo, path, "messages-mailbox") == 97
    until_screened(demo)
    whole_hearing(demo, "messages-mailbox", tmp_path)
