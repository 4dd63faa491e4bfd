"""A secret round at a real server: what the outside is told while it is open, and a kill in the middle."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import stat
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2

from tests.nursery import finished
from tests.running import Client, Running, frames_until, new_key, round_until

MARKS = ("3.75", "11.25", "17.5", "6.25", "19.75")
"""Nothing else in a hearing is called so."""
RULES = {
    "version": 1,
    "scale": {"kind": "number", "min": "0", "max": "20", "step": "0.25"},
    "dimensions": [{"key": key} for key in ("one", "two", "three", "four", "five")],
    "within": "mean",
    "across": "sum",
    "rounding": {"mode": "half_up", "total": 2},
}


def secret_round(**more: Any) -> dict[str, Any]:
    """What makes one."""
    return {
        "title": "无记名测评", "audience": "panel", "secrecy": "secret", "subjects": ["housing"],
        "rules": RULES, **more,
    }  # fmt: skip


def opened(demo: Running, **more: Any) -> str:
    """A secret round of the whole panel, open."""
    host = demo.as_("host")
    id_ = str(host.do("POST", f"{demo.here}/rounds", secret_round(**more))["id"])
    host.do("POST", f"/rounds/{id_}/opening")
    return id_


def sheet(turn: int = 0) -> dict[str, Any]:
    """Five marks, in another order for each seat."""
    order = [MARKS[(n + turn) % 5] for n in range(5)]
    keys = [one["key"] for one in RULES["dimensions"]]  # type: ignore[index, attr-defined]
    return {"marks": {"housing": dict(zip(keys, order, strict=True))}}


def cast(demo: Running, id_: str, seat: int, key: str = "") -> Any:
    key = key or new_key()
    return demo.as_("panel", seat).do("PUT", f"/rounds/{id_}/ballot", sheet(seat), key)


def seals(demo: Running) -> list[Path]:
    return list((demo.data / "seals").iterdir())


def test_nothing_derived_from_values_leaves_while_it_is_open(demo: Running) -> None:
    """I10, with all roles listening: frames, pages, metrics, logs, journal, an ordinary copy."""
    tokens, seen = demo.line["tokens"], list[str]()
    with (
        demo.socket() as public,
        demo.socket("host", token=tokens["host"]) as host,
        demo.socket("panel", token=tokens["panel"][5]) as panel,
    ):
        id_ = opened(demo)
        for seat in range(21):
            cast(demo, id_, seat)
        cast(demo, id_, 0)
        frames = frames_until(host, lambda f: "c" * 21 in json.dumps(f))
        for socket in (public, panel):
            frames += frames_until(socket, lambda f: f.get("event") == "round_opened")
            with contextlib.suppress(TimeoutError):
                while True:
                    frames.append(json.loads(socket.recv(timeout=0.5)))
        seen += [json.dumps(f) for f in frames]
    for role in ("host", "teller", "scrutineer", "office"):
        client = demo.as_(role)
        assert client.get(f"/rounds/{id_}/turnout") == {"due": 21, "present": 21, "cast": 21}
        for path in ("result", "ballots.csv"):
            assert client.refused("GET", f"/rounds/{id_}/{path}") == (409, "not_published")
        seen.append(json.dumps(client.get(f"/rounds/{id_}")))
    # The seat's own tablet is told that it has cast, and no mark.
    own = demo.as_("panel", 3).get(f"/rounds/{id_}/ballot")
    assert set(own) == {"round", "receipt", "at"}
    seen += [json.dumps(own), json.dumps(demo.anyone().get(demo.here))]
    for path in ("/metrics", f"/h/{demo.slug}", "/healthz"):
        seen.append(httpx2.get(f"{demo.url}{path}", trust_env=False).text)
    seen.append(demo.data.with_suffix(".log").read_text())
    copy = demo.data.parent / "copy.db"
    assert finished("backup", copy, data=demo.data).returncode == 0
    with closing(sqlite3.connect(copy)) as database:
        seen.append("\n".join(database.iterdump()))
    told = "\n".join(seen)
    assert [mark for mark in MARKS if mark in told] == []
    # All of that would be found: after the closing the marks stand where they belong.
    demo.as_("host").do("POST", f"/rounds/{id_}/closing")
    round_until(demo, id_, "tallied")
    text = demo.as_("scrutineer").call("GET", f"/rounds/{id_}/ballots.csv").text
    assert [mark for mark in MARKS if mark not in text] == []
    assert text.count("\n") == 1 + 21 * 5
    assert set(demo.as_("panel", 3).get(f"/rounds/{id_}/ballot")) == {"round", "receipt", "at"}


def test_the_round_says_in_one_sentence_who_can_see_what(demo: Running) -> None:
    made = demo.as_("host").do("POST", f"{demo.here}/rounds", secret_round())["id"]
    for client in (demo.as_("moderator"), Client(demo.url)):
        assert client.refused("POST", f"/rounds/{made}/opening")[0] in {401, 403}
    assert not (demo.data / "seals").exists()  # Who may not open a round makes no seal either.
    id_ = opened(demo)
    said = demo.anyone().get(f"/rounds/{id_}")["secrecy_in_words"]
    assert said["zh"].startswith("无记名：")
    assert "一项一项拆开" in said["zh"]
    together = opened(demo, rules={**RULES, "ballot": {"void_all_equal": True}})
    assert "一整张票" in demo.anyone().get(f"/rounds/{together}")["secrecy_in_words"]["zh"]
    named = next(r["id"] for r in demo.state()["rounds"] if r["audience"] == "panel")
    assert demo.anyone().get(f"/rounds/{named}")["secrecy_in_words"]["zh"].startswith("记名：")
    page = httpx2.get(
        f"{demo.url}/h/{demo.slug}/panel/sheet/{id_}",
        headers={"Authorization": f"Bearer {demo.line['tokens']['panel'][0]}"},
        trust_env=False,
    ).text
    assert said["zh"] in page


def test_a_kill_at_the_closing_leaves_it_wholly_open_or_wholly_closed(demo: Running) -> None:
    """Killed right after the answer, while the seal is being destroyed and the tally made."""
    id_ = opened(demo)
    keys = [new_key() for _ in range(21)]
    receipts = [cast(demo, id_, seat, keys[seat])["receipt"] for seat in range(21)]
    demo.as_("host").do("POST", f"/rounds/{id_}/closing")
    demo.kill()
    demo.again()
    round_until(demo, id_, "tallied")
    deadline = time.monotonic() + 5
    while seals(demo) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert seals(demo) == []
    again = [cast(demo, id_, seat, keys[seat])["receipt"] for seat in range(21)]
    assert again == receipts
    late = demo.as_("panel").refused("PUT", f"/rounds/{id_}/ballot", sheet(), new_key())
    assert late == (409, "round_closed")
    host = demo.as_("host")
    result = host.get(f"/rounds/{id_}/result")
    assert result["subjects"][0]["ballots"]["valid"] == 21 * 5
    host.do("POST", f"/rounds/{id_}/certification")
    host.do("POST", f"/rounds/{id_}/publication", {"audience": "public"})
    while "root" not in (whole := host.get(f"/rounds/{id_}")) or not whole["root"]:
        assert time.monotonic() < deadline + 20
        time.sleep(0.1)
    for edition in ("public", "sealed"):
        bundle = demo.data.parent / f"{edition}.zip"
        got = demo.as_("scrutineer").call("GET", f"/rounds/{id_}/bundle?edition={edition}")
        bundle.write_bytes(got.content)
        checked = finished("verify", bundle, "--root", whole["root"], data=demo.data)
        assert checked.returncode == 0, checked.stderr


def test_an_open_round_goes_on_from_a_copy_only_with_its_seals(
    demo: Running, tmp_path: Path
) -> None:
    id_, copy, apart = opened(demo), tmp_path / "copy.db", tmp_path / "seals.json"
    key = new_key()
    receipt = cast(demo, id_, 0, key)["receipt"]
    done = finished("backup", copy, "--seals", apart, data=demo.data)
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(apart.stat().st_mode) == 0o600
    (seal,) = seals(demo)
    assert seal.read_bytes().hex() in apart.read_text()
    assert seal.read_bytes()[:32] not in copy.read_bytes()
    # The round closes; nobody has its seal any more but who keeps the file.
    demo.as_("host").do("POST", f"/rounds/{id_}/closing")
    round_until(demo, id_, "tallied")
    demo.kill()

    done = finished("restore", copy, "--seals", apart, data=demo.data)
    assert done.returncode == 0, done.stderr
    assert "无记名测评" not in done.stdout
    demo.again()
    assert cast(demo, id_, 0, key)["receipt"] == receipt
    cast(demo, id_, 1)
    assert demo.as_("host").get(f"/rounds/{id_}/turnout")["cast"] == 2
    demo.kill()

    for one in seals(demo):
        one.unlink()
    done = finished("restore", copy, data=demo.data)
    assert done.returncode == 0, done.stderr
    assert "无记名测评" in done.stdout
    demo.again()
    round_until(demo, id_, "voided")


def test_what_is_no_file_of_seals_restores_nothing(tmp_path: Path) -> None:
    data, copy, wrong = tmp_path / "data", tmp_path / "copy.db", tmp_path / "wrong.json"
    assert finished("migrate", data=data).returncode == 0
    assert finished("backup", copy, data=data).returncode == 0
    before = (data / "pingyi.db").read_bytes()
    for text in ("", '{"pingyi-seals":1,"seals":{"00":"00"}}'):
        wrong.write_text(text)
        done = finished("restore", copy, "--seals", wrong, data=data)
        assert (done.returncode, done.stdout) == (1, "")
        assert "wrong.json" in done.stderr
        assert (data / "pingyi.db").read_bytes() == before
    for place in (copy, data / "pingyi.db"):
        done = finished("backup", copy, "--seals", place, data=data)
        assert done.returncode == 1, place
        assert len(done.stderr.strip().splitlines()) == 1
