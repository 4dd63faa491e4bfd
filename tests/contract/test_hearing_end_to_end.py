"""A whole hearing through the outside alone: API and sockets, as CONTRACT.md describes them."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from typing import Any

import pytest

from tests.nursery import ROOT
from tests.running import PINGYI, Running, ask_socket, frames_until, new_key, round_until
from tests.several import Several


@pytest.fixture
def demo(everywhere: Running) -> Running:
    """In one process and in several: every page, act and socket behaves the same."""
    return everywhere


def test_ready_line_says_what_the_contract_promises(shared_demo: Running) -> None:
    line = shared_demo.line
    assert line["ready"] is True
    assert set(line["links"]) == {
        "public", "desk", "host", "card", "stage", "overlay", "podium", "office", "panel",
        "duty",
    }  # fmt: skip
    assert set(line["tokens"]) == {
        "moderator", "host", "office", "teller", "scrutineer", "panel", "duty",
    }  # fmt: skip
    assert len(line["links"]["panel"]) == len(line["tokens"]["panel"]) == 21
    state = shared_demo.state()
    assert state["hearing"]["status"] == "live"
    assert state["hearing"]["run"] == "real"
    assert state["slot"]["step"] == "statement"
    rounds = state["rounds"]
    assert next(r["status"] for r in rounds if r["audience"] == "public") == "open"
    assert sum(r["status"] == "open" for r in rounds) == 1
    assert all(r["status"] == "ready" for r in rounds if r["audience"] == "panel")


def test_question_from_asking_to_its_fate(demo: Running) -> None:
    viewer, desk, host = demo.viewer(), demo.as_("moderator"), demo.as_("host")
    with demo.socket() as socket:
        snapshot = json.loads(socket.recv())
        assert list(snapshot)[:2] == ["type", "at"]
        assert snapshot["type"] == "snapshot"
        key = new_key()
        text = "小区电梯半年修不好，致电13800138000无人回应，依法应由谁监督？"
        asked = viewer.do("POST", f"{demo.here}/questions", {"text": text}, key)
        assert asked["status"] == "received"
        again = viewer.do("POST", f"{demo.here}/questions", {"text": text}, key)
        assert again == asked
        assert viewer.refused("POST", f"{demo.here}/questions", {"text": text + "?"}, key) == (
            422,
            "key_reused",
        )
        listed = desk.get(f"{demo.here}/desk/questions?q=电梯半年")["items"]
        assert len(listed) == 1
        question = listed[0]
        assert "13800138000" not in question["text"]
        id_ = question["id"]
        assert desk.do("POST", f"{demo.here}/desk/questions/{id_}/approval")["status"] == "approved"
        cue = frames_until(socket, lambda f: f.get("event") == "question_approved")[-1]
        assert cue["version"] == snapshot["version"] + 1
        assert [q["code"] for q in cue["data"]["questions"]] == [asked["code"]]
        # Two moderators: the second, with an old version, gets both texts.
        version = desk.get(f"{demo.here}/desk/questions/{id_}")["version"]
        first = desk.do(
            "PATCH",
            f"{demo.here}/desk/questions/{id_}",
            {"version": version, "text": "电梯长期停运，谁来监督维修？"},
        )
        assert first["rewritten"] is True
        stale = desk.call(
            "PATCH", f"{demo.here}/desk/questions/{id_}", {"version": version, "text": "另一种写法"}
        )
        assert stale.status_code == 409
        assert stale.json()["error"]["code"] == "version_stale"
        assert stale.json()["error"]["detail"]["current"]["text"] == first["text"]
        assert desk.refused("PATCH", f"{demo.here}/desk/questions/{id_}", {"text": "x y"}) == (
            422,
            "version_missing",
        )
        full = desk.get(f"{demo.here}/desk/questions/{id_}")
        assert full["wordings"][0]["text"].startswith("小区电梯")
        # The queue, a panelist, the stage.
        subject = demo.state()["slot"]["subject"]
        desk.do("POST", f"{demo.here}/desk/questions/{id_}/shortlisting", {"subject": subject})
        queue = desk.get(f"{demo.here}/queue")
        queue = desk.do(
            "PUT", f"{demo.here}/queue", {"version": queue["version"], "ids": [id_, *queue["ids"]]}
        )
        assert queue["next"] == id_
        host.do("PUT", f"{demo.here}/queue/{id_}/asker", {"seat": 3})
        taken = host.do("PUT", f"{demo.here}/stage", {"question": id_})
        assert taken["phase"] == "asking"
        cue = frames_until(socket, lambda f: f.get("event") == "question_taken")[-1]
        assert cue["data"]["stage"]["code"] == asked["code"]
        assert cue["data"]["code"] == asked["code"]
        assert host.refused("PUT", f"{demo.here}/stage", {"question": id_})[0] == 409
        for phase in ("answering", "follow_up", "done"):
            assert host.do("PATCH", f"{demo.here}/stage", {"phase": phase})["phase"] == phase
        assert host.refused("PATCH", f"{demo.here}/stage", {"phase": "asking"}) == (
            409,
            "phase_illegal",
        )
        host.do("DELETE", f"{demo.here}/stage?outcome=answered")
        fate = demo.anyone().get(f"/questions/{asked['code']}")
        assert fate["status"] == "answered"
        assert fate["answered_at"]
        assert "text" not in fate


def test_off_the_cuff_question_and_deferring(demo: Running) -> None:
    host, desk = demo.as_("host"), demo.as_("moderator")
    taken = host.do("PUT", f"{demo.here}/stage", {"asker": 5})
    assert taken["text"] == ""
    host.do("DELETE", f"{demo.here}/stage?outcome=answered")
    version = desk.get(f"{demo.here}/desk/questions/{taken['id']}")["version"]
    typed = desk.do(
        "PATCH",
        f"{demo.here}/desk/questions/{taken['id']}",
        {"version": version, "text": "请问行政处罚的裁量基准在哪里公开？"},
    )
    assert typed["text"].startswith("请问")
    queue = desk.get(f"{demo.here}/queue")
    next_ = queue["next"]
    host.do("PUT", f"{demo.here}/stage", {"question": next_})
    assert host.do("DELETE", f"{demo.here}/stage")["status"] == "queued"
    assert desk.get(f"{demo.here}/queue")["ids"][0] == next_


def test_public_round_with_change(demo: Running) -> None:
    state = demo.state()
    round_ = next(r for r in state["rounds"] if r["audience"] == "public" and r["status"] == "open")
    with demo.socket() as watcher:
        watcher.recv()
        viewers = [demo.viewer() for _ in range(5)]
        choices = [c["key"] for c in round_["choices"]]
        for i, viewer in enumerate(viewers):
            viewer.do(
                "PUT", f"/rounds/{round_['id']}/ballot", {"choice": choices[i % 2]}, new_key()
            )
        key = new_key()
        changed = viewers[0].do(
            "PUT", f"/rounds/{round_['id']}/ballot", {"choice": choices[2]}, key
        )
        assert changed["replaced"] is True
        assert (
            viewers[0].do("PUT", f"/rounds/{round_['id']}/ballot", {"choice": choices[2]}, key)[
                "replaced"
            ]
            is True
        )
        assert viewers[0].refused(
            "PUT", f"/rounds/{round_['id']}/ballot", {"choice": choices[0]}, key
        ) == (422, "key_reused")
        assert viewers[1].refused(
            "PUT", f"/rounds/{round_['id']}/ballot", {"choice": "no-such"}, new_key()
        ) == (422, "choice_unknown")
        assert viewers[1].refused(
            "PUT", f"/rounds/{round_['id']}/ballot", {"choice": choices[0]}
        ) == (422, "key_missing")
        counts = {choices[0]: 2, choices[1]: 2, choices[2]: 1}

        def complete(frame: Any) -> bool:
            told = frame.get("rounds") or {}
            return (
                frame["type"] == "pulse"
                and {k: v for k, v in told.get(round_["id"], {}).get("counts", {}).items() if v}
                == counts
            )

        pulse = frames_until(watcher, complete)[-1]
        assert len(json.dumps(pulse, separators=(",", ":")).encode()) <= 300
    host = demo.as_("host")
    host.do("POST", f"/rounds/{round_['id']}/closing")
    assert viewers[1].refused(
        "PUT", f"/rounds/{round_['id']}/ballot", {"choice": choices[0]}, new_key()
    ) == (409, "round_closed")
    round_until(demo, round_["id"], "tallied")
    assert demo.anyone().refused("GET", f"/rounds/{round_['id']}/result") == (409, "not_published")
    host.do("POST", f"/rounds/{round_['id']}/certification")
    host.do("POST", f"/rounds/{round_['id']}/publication", {"audience": "public"})
    result = demo.anyone().get(f"/rounds/{round_['id']}/result")
    assert {c["key"]: c["count"] for c in result["choices"]} == counts


def test_panel_round_to_a_recomputed_public_result(demo: Running, tmp_path: Any) -> None:
    host = demo.as_("host")
    round_id = next(r["id"] for r in demo.state()["rounds"] if r["audience"] == "panel")
    told = host.get(f"/rounds/{round_id}")
    subject = told["subjects"][0]["key"]
    dimensions = [d["key"] for d in told["dimensions"]]
    panel = [demo.as_("panel", i) for i in range(21)]
    marks = {subject: dict.fromkeys(dimensions, "15")}
    assert panel[0].refused("PUT", f"/rounds/{round_id}/ballot", {"marks": marks}, new_key()) == (
        409,
        "round_not_open",
    )
    host.do("POST", f"/rounds/{round_id}/opening")
    assert host.refused("POST", f"/rounds/{round_id}/opening") == (409, "round_step_illegal")
    for i, seat in enumerate(panel[:20]):
        seat.call("PUT", f"/rounds/{round_id}/draft", {})
        seat_marks = {subject: {d: str((i + 3 * n) % 21) for n, d in enumerate(dimensions)}}
        key = new_key()
        cast = seat.do("PUT", f"/rounds/{round_id}/ballot", {"marks": seat_marks}, key)
        assert cast["replaced"] is False
        repeat = seat.do("PUT", f"/rounds/{round_id}/ballot", {"marks": seat_marks}, key)
        assert {k: v for k, v in repeat.items() if k != "at"} == {
            k: v for k, v in cast.items() if k != "at"
        }
    changed = panel[0].do("PUT", f"/rounds/{round_id}/ballot", {"marks": marks}, new_key())
    assert changed["replaced"] is True
    wrong = [
        ({"marks": {"nobody": {}}}, "subject_unknown"),
        ({"marks": {subject: {"nothing": "1"}}}, "dimension_unknown"),
        ({"marks": {subject: {dimensions[0]: "21"}}}, "value_out_of_range"),
        ({"marks": {}}, "ballot_empty"),
    ]
    for body, problem in wrong:
        answer = panel[1].call("PUT", f"/rounds/{round_id}/ballot", body, new_key())
        assert answer.status_code == 422
        assert answer.json()["error"]["detail"]["problem"] == problem
    assert host.get(f"/rounds/{round_id}/turnout") == {"due": 21, "present": 21, "cast": 20}
    host.do("POST", f"/rounds/{round_id}/closing", {"in": 1})
    panel[20].do("PUT", f"/rounds/{round_id}/ballot", {"recused": [subject]}, new_key())
    round_until(demo, round_id, "tallied")
    assert demo.as_("teller").call("GET", f"/rounds/{round_id}/result").status_code == 409
    host.do("POST", f"/rounds/{round_id}/certification")
    assert host.refused("POST", f"/rounds/{round_id}/certification")[0] == 409
    host.do("POST", f"/rounds/{round_id}/publication", {"audience": "internal"})
    assert demo.anyone().refused("GET", f"/rounds/{round_id}/result") == (409, "not_published")
    host.do("POST", f"/rounds/{round_id}/publication", {"audience": "public"})
    result = demo.anyone().call("GET", f"/rounds/{round_id}/result").json()
    # `pingyi tally` reproduces it from the exported rules and ballots.
    ballots = demo.as_("teller").call("GET", f"/rounds/{round_id}/ballots.csv").content
    rules = demo.anyone().call("GET", f"/rounds/{round_id}/rules.json").content
    (tmp_path / "ballots.csv").write_bytes(ballots)
    (tmp_path / "rules.json").write_bytes(rules)
    rows = list(csv.DictReader(io.StringIO(ballots.decode())))
    assert len({row["rater"] for row in rows}) == 20
    again = subprocess.run(
        [*PINGYI, "tally", "--rules", tmp_path / "rules.json", "--ballots", tmp_path / "ballots.csv"],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    assert json.loads(again.stdout) == result
    assert host.refused("POST", f"/rounds/{round_id}/voiding", {"reason": "迟了"}) == (
        409,
        "round_step_illegal",
    )


def test_voided_round_is_held_again(demo: Running) -> None:
    host = demo.as_("host")
    round_id = next(r["id"] for r in demo.state()["rounds"] if r["audience"] == "panel")
    host.do("POST", f"/rounds/{round_id}/opening")
    voided = host.do("POST", f"/rounds/{round_id}/voiding", {"reason": "规则宣布有误"})
    assert voided["status"] == "voided"
    again = host.get(f"/rounds/{voided['again']}")
    assert again["status"] == "ready"
    assert again["rules_hash"] == host.get(f"/rounds/{round_id}")["rules_hash"]


def test_run_of_show_needs_the_version(demo: Running) -> None:
    host = demo.as_("host")
    agenda = demo.anyone().get(f"{demo.here}/agenda")
    slot = demo.state()["slot"]
    item = next(i for i in agenda["items"] if i["id"] == slot["item"])
    body = {"item": item["id"], "step": "questions"}
    assert host.refused("PUT", f"{demo.here}/position", body) == (422, "version_missing")
    moved = host.do("PUT", f"{demo.here}/position", {**body, "version": slot["version"]})
    assert moved["version"] == slot["version"] + 1
    stale = host.call("PUT", f"{demo.here}/position", {**body, "version": slot["version"]})
    assert stale.status_code == 409
    assert stale.json()["error"]["detail"]["current"]["step"] == "questions"
    version = demo.state()["hearing"]["version"]
    host.do("PUT", f"{demo.here}/status", {"version": version, "status": "paused"})
    assert demo.state()["slot"]["ends_at"] is None
    assert host.refused(
        "PUT", f"{demo.here}/status", {"version": version + 1, "status": "certified"}
    ) == (409, "hearing_step_illegal")
    assert demo.as_("moderator").refused(
        "PUT", f"{demo.here}/status", {"version": version + 1, "status": "live"}
    ) == (403, "not_allowed")
    assert demo.anyone().refused(
        "PUT", f"{demo.here}/status", {"version": version + 1, "status": "live"}
    ) == (401, "not_signed_in")


def test_support_is_one_each_and_undone(demo: Running) -> None:
    code = demo.state()["questions"][0]["code"]
    token = demo.anyone().do("POST", "/viewers")["viewer"]
    with demo.socket(viewer=token) as socket:
        socket.recv()
        before = demo.state()["questions"][0]["support"]
        first = ask_socket(socket, {"type": "support", "question": code, "on": True})
        assert first["type"] == "ack"
        assert first["support"] == before + 1
        again = ask_socket(socket, {"type": "support", "question": code, "on": True})
        assert again["support"] == before + 1
        undone = ask_socket(socket, {"type": "support", "question": code, "on": False})
        assert undone["support"] == before


def test_socket_refuses_what_is_wrong(demo: Running) -> None:
    with demo.socket() as socket:
        socket.recv()
        socket.send("{not json")
        assert frames_until(socket, lambda f: f["type"] == "refusal")[-1]["code"] == "bad_json"
        refused = ask_socket(socket, {"type": "ask", "text": "没有身份也能问吗"})
        assert refused["code"] == "viewer_needed"
        socket.send(
            json.dumps({"type": "viewer", "viewer": demo.anyone().do("POST", "/viewers")["viewer"]})
        )
        assert ask_socket(socket, {"type": "ask", "text": "问"})["code"] == "text_too_short"
        assert ask_socket(socket, {"type": "ask", "text": "问" * 501})["code"] == "text_too_long"
        assert (
            ask_socket(socket, {"type": "ask", "text": "问题", "x": 1})["code"] == "unknown_field"
        )
        done = ask_socket(socket, {"type": "ask", "text": "请问多久能答复？"})
        assert set(done) >= {"code", "secret", "status"}


def test_reconnecting_gets_the_gap(demo: Running) -> None:
    host = demo.as_("host")
    with demo.socket() as first:
        snapshot = json.loads(first.recv())
        with demo.socket() as second:
            second.recv()
            host.do("PUT", f"{demo.here}/stage", {"asker": 2, "text": "第一问"})
            host.do("PATCH", f"{demo.here}/stage", {"phase": "answering"})
            seen = frames_until(first, lambda f: f.get("event") == "question_phase")
        cues = [f for f in seen if f["type"] == "cue"]
        assert [c["version"] for c in cues] == [snapshot["version"] + 1, snapshot["version"] + 2]
        with demo.socket(epoch=snapshot["epoch"], version=snapshot["version"]) as back:
            told = json.loads(back.recv())
            if isinstance(demo, Several) and told["type"] == "snapshot":
                # An edge where nobody has watched yet has kept no cues: a snapshot intervenes.
                assert told["version"] == cues[-1]["version"]
            else:
                gap = [told, *frames_until(back, lambda f: f.get("event") == "question_phase")]
                # Numbers may be told in between: they have no version.
                assert [f for f in gap if f["type"] != "pulse"] == cues
        with demo.socket(epoch="other", version=snapshot["version"]) as back:
            assert json.loads(back.recv())["type"] == "snapshot"


def test_ballots_are_withheld_from_people_of_the_house_until_the_result_is_public(
    demo: Running,
) -> None:
    host, panelist = demo.as_("host"), demo.as_("panel")
    round_id = next(r["id"] for r in demo.state()["rounds"] if r["audience"] == "panel")
    address = f"/rounds/{round_id}/ballots.csv"
    assert demo.anyone().refused("GET", address) == (401, "not_signed_in")
    assert panelist.refused("GET", address) == (409, "not_published")
    assert demo.as_("teller").refused("GET", address) == (409, "not_published")
    host.do("POST", f"/rounds/{round_id}/opening")
    host.do("POST", f"/rounds/{round_id}/closing")
    assert demo.as_("teller").call("GET", address).status_code == 200
    assert panelist.refused("GET", address) == (409, "not_published")
    round_until(demo, round_id, "tallied")
    host.do("POST", f"/rounds/{round_id}/certification")
    host.do("POST", f"/rounds/{round_id}/publication", {"audience": "public"})
    assert panelist.refused("GET", address) == (403, "not_allowed")


def test_wrong_secrets_are_slowed_down(demo: Running) -> None:
    code = demo.viewer().do(
        "POST", f"{demo.here}/questions", {"text": "请问处罚依据是什么？"}, new_key()
    )["code"]
    body = {"secret": "x" * 20, "text": "请再看一次"}
    codes = [demo.anyone().refused("POST", f"/questions/{code}/appeal", body)[1] for _ in range(40)]
    assert codes[0] == "secret_wrong"
    assert codes[-1] == "too_many"
