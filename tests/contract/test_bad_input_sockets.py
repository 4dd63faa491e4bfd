"""Wrong frames and wrong addresses at the sockets: one sentence, the socket stays, nothing changed."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from server.actions.perform import KEY_FORM
from server.domain.refusals import CATALOGUE
from tests.contract.kept import Kept
from tests.running import Running, frames_until, new_key

PHONE = "13800138000"
ACTS: dict[str, dict[str, Any]] = {
    "viewer": {"viewer": "v1.x"},
    "vote": {"round": "R", "choice": "satisfied", "key": "K"},
    "ask": {"text": "请问多久答复？", "subject": None, "key": "K"},
    "support": {"question": "Q", "on": True, "key": "K"},
    "like": {"n": 3},
    "clock": {"behind_ms": 1},
    "tablet": {"battery": 1, "charging": True},
    "resume": {"epoch": "E", "version": 1},
}
NO_FRAMES = (
    "", " ", "null", "1", '"text"', "[]", "{", "{not json", "NaN", '{"type":NaN}', "\ufeff{}",
    '{"type":"like","n":1e400}', '{"type":"ask","text":"\\ud800"}', "[" * 15_000, "{}{}",
    '{"type":"like","n":' + "9" * 5000 + "}",
)  # fmt: skip
WRONG: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 2**31, 2**63, -(2**63), "", " ", "²", "x" * 300, "字" * 5000,
    f"\x07\u202e{PHONE}\u200b", "a\x00b", "<script>'\"--../..", [], ["x"], {}, {"a": 1},
)  # fmt: skip
PUBLIC_ACTS = {"vote", "ask", "support"}
ANSWERS = {"ack", "refusal", "unknown"}
SILENT = {"clock", "resume", "like", "tablet"}
"""Frames that are not answered by an ack or a refusal when they are right."""


@pytest.fixture
def kept(either_demo: Running) -> Iterator[Kept]:
    found = Kept(either_demo.data)
    yield found
    found.close()


def answer_to(socket: ClientConnection, text: str) -> Any:
    """The ack or refusal of a frame, or None. An act is answered under its key, later perhaps than
    what comes after it; anything else before a frame that is wrong on purpose."""
    socket.send(text)
    with contextlib.suppress(ValueError):
        sent = orjson.loads(text)
        key = sent.get("key") if isinstance(sent, dict) else None
        if isinstance(key, str) and KEY_FORM.fullmatch(key) and sent["type"] in PUBLIC_ACTS:
            return frames_until(socket, lambda f: f["type"] in ANSWERS and f["key"] == key)[-1]
    marker = new_key()
    socket.send(json.dumps({"type": "none", "key": marker}))
    seen = frames_until(socket, lambda f: f["type"] == "refusal" and f["key"] == marker)
    told = [f for f in seen[:-1] if f["type"] in ANSWERS]
    assert len(told) <= 1
    return told[0] if told else None


def frames(round_: str, code: str) -> Iterator[tuple[str, str]]:
    """(what, frame): every act with every member wrong, left out, and one too many."""
    for kind, members in ACTS.items():
        right = {**members, "key": new_key()} if "key" in members else members
        right = {k: {"R": round_, "Q": code}.get(v, v) if isinstance(v, str) else v for k, v in right.items()}  # fmt: skip
        for name in right:
            for value in WRONG:
                changed = {"type": kind, **right, name: value}
                if name != "key" and "key" in right:
                    changed["key"] = new_key()
                yield f"{kind}.{name} = {value!r:.30}", json.dumps(changed, ensure_ascii=False)
            yield f"{kind} without {name}", json.dumps({"type": kind, **{k: v for k, v in right.items() if k != name}})  # fmt: skip
        yield f"{kind} with another", json.dumps({"type": kind, **right, "x\u202e" * 500: 1})
    for value in (*WRONG, "snapshot", "cue", "ack", "VOTE"):
        yield f"type = {value!r:.30}", json.dumps({"type": value}, ensure_ascii=False)
    yield "no type", "{}"


@pytest.mark.parametrize("page", ["", "host", "panel"])
def test_a_wrong_frame_is_refused_and_the_socket_stays(
    either_demo: Running, kept: Kept, page: str
) -> None:
    demo = either_demo
    lang = "zh" if page else "en"
    tokens = demo.line["tokens"]
    token = {"": None, "host": tokens["host"], "panel": tokens["panel"][0]}[page]
    state = demo.state()
    round_ = next(r["id"] for r in state["rounds"] if r["status"] == "open")
    wrong = []

    def opened() -> ClientConnection:
        # A viewer of its own for every socket: none comes near a limit.
        viewer = demo.anyone().do("POST", "/viewers")["viewer"]
        return demo.socket(page, token=token, lang=lang, viewer=viewer)

    every = [("no frame", text) for text in NO_FRAMES]
    every += frames(round_, state["questions"][0]["code"])
    kept.settle()
    for start in range(0, len(every), 25):  # below what is taken for a flood
        with opened() as socket:
            for what, text in every[start : start + 25]:
                answer = answer_to(socket, text)
                problem = verdict(answer, what, text, lang)
                if answer is not None and answer["type"] == "ack":
                    kept.settle()
                elif changed := kept.changed():
                    problem = f"refused, but it changed {changed}"
                    kept.settle()
                if problem:
                    wrong.append(f"{what}: {problem}")
    assert not wrong, "\n".join(wrong)
    assert len(every) > 300
    log = Path(f"{demo.data}.log").read_text()
    assert PHONE not in log
    assert "Traceback" not in log


def verdict(answer: Any, what: str, text: str, lang: str) -> str | None:
    """What is wrong with the answer to a frame."""
    if answer is None:
        kind = json.loads(text)["type"]
        return None if kind in SILENT else "no answer"
    if answer["type"] == "ack":
        # Only a text may be strange: it is cleaned.
        fine = what.startswith(("ask.text", "ask.subject", "support.on", "ask.key", "vote.key"))
        return None if fine else "taken"
    if answer["type"] != "refusal" or answer["code"] not in CATALOGUE:
        return f"{answer}"
    row = CATALOGUE[answer["code"]]
    if row.status >= 500:
        return answer["code"]
    begins = (row.en if lang == "en" else row.zh).partition("{")[0]
    if not answer["message"].strip() or not answer["message"].startswith(begins):
        return f"not the {lang} sentence: {answer['message']!r}"
    if not all(c.isprintable() for c in answer["message"]) or len(answer["message"]) > 400:
        return f"no sentence for a screen: {answer['message']!r:.100}"
    if "\\u0000" in text and answer["code"] != "malformed":
        return f"NUL: {answer['code']}"  # PostgreSQL would fail at it, and with it a whole batch
    if what == "no frame" and answer["code"] != "bad_json":
        return answer["code"]
    return None


def closed_with(socket: ClientConnection) -> int | None:
    """The close code, once everything that was sent has been read."""
    with pytest.raises(ConnectionClosed):
        while True:
            socket.recv(timeout=5)
    return socket.close_code


@pytest.mark.parametrize("page", ["", "host"])
def test_what_no_socket_takes_closes_it(
    either_demo: Running, kept: Kept, page: str, request: pytest.FixtureRequest
) -> None:
    demo, lean = either_demo, "lean" in request.node.name and not page
    token = demo.line["tokens"]["host"] if page else None
    sent: tuple[tuple[str | bytes, int], ...] = (
        (b"binary", 1003),
        (b"", 1003),
        ("x" * (16 * 1024 + 1), 1009),
        ("字" * (16 * 1024 // 3 + 1), 1009),
        (b"x" * 100_000, 1009),
        ("x" * 2_000_000, 1009),
    )
    for frame, code in sent:
        with demo.socket(page, token=token) as socket:
            socket.recv()
            with contextlib.suppress(ConnectionClosed):  # before it was sent whole
                socket.send(frame)
            # uvicorn closes at once: with megabytes still on their way, the reset that they cause may
            # overtake its close frame. The lean socket reads on until the other end has gone.
            overtaken = len(frame) > 1_000_000 and not lean
            assert closed_with(socket) in {code, 1006 if overtaken else code}, frame[:10]
    with demo.socket(page, token=token) as socket:
        socket.recv()
        with pytest.raises(ConnectionClosed):
            for _ in range(500):
                socket.send('{"type":"like","n":99}')
            while True:
                socket.recv(timeout=5)
        assert socket.close_code == 1008
    with demo.socket(page, token=token) as socket:
        socket.recv()
        socket.send("{" + "x" * (16 * 1024 - 1))
        assert frames_until(socket, lambda f: f["type"] == "refusal")[-1]["code"] == "bad_json"
    assert not kept.changed()


def test_a_wrong_address_is_harmless(either_demo: Running, kept: Kept) -> None:
    demo = either_demo
    for query in (
        {"version": "9" * 5000, "epoch": demo.anyone().get(demo.here)["epoch"]},
        {"version": "-1", "epoch": "x"},
        {"version": "1e9", "epoch": "%00"},
        {"version": "%C2%B2", "epoch": "%ff"},
        {"lang": "xx", "viewer": "v1.rubbish.%00"},
        {"viewer": "pgy_" + "x" * 5000},
        {"unknown": "1"},
    ):
        with demo.socket(**query) as socket:
            assert json.loads(socket.recv())["type"] == "snapshot", query
    for page, token, query, refused, code in (
        ("", None, {"as": "xml"}, "malformed", 4403),
        ("nowhere", None, {}, "not_found", 4403),
        ("%00", None, {}, "not_found", 4403),
        ("host", "pgy_" + "x" * 5000, {}, "bad_token", 4401),
        ("host", None, {"seat": "..%2f%00"}, "not_signed_in", 4401),
        ("host", demo.line["tokens"]["moderator"], {}, "not_allowed", 4403),
    ):
        with demo.socket(page, token=token, lang="en", **query) as socket:
            told = json.loads(socket.recv())
            assert (told["type"], told["code"]) == ("refusal", refused)
            assert told["message"].isascii()
            assert closed_with(socket) == code
    assert not kept.changed()
    log = Path(f"{demo.data}.log").read_text()
    assert "Traceback" not in log
