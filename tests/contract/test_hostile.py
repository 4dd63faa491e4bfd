"""What is sent to hurt: a file, a letter, a pushed message, another system's answer. Each is refused or read
as far as it goes, told in one sentence, within two seconds of a core and 64 MB, and the next good one of
its road comes in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from moderation.intake.hotline_file import read_hotline_bytes
from moderation.intake.normal_form import IncomingItem
from server.domain.refusals import CATALOGUE
from tests.contract.sender import ORDER, Sender
from tests.moderation import hostile
from tests.moderation.hostile_bounds import resident
from tests.moderation.letters import HOSTILE as LETTERS
from tests.nursery import ROOT
from tests.running import Running

MOST_S, MOST_MB = 2.0, 64
ROADS = {
    "file": {name: becomes for name, (_, becomes) in hostile.FILES.items()},
    "mail": {name: becomes for name, (_, becomes) in LETTERS.items()},
    "answer": {name: becomes for name, (_, becomes) in hostile.ANSWERS.items()},
}


@pytest.fixture(scope="module")
def told() -> Any:
    """What each became and took, read in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.moderation.hostile_bounds"],
        capture_output=True, text=True, check=True, cwd=ROOT, timeout=110,
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.mark.parametrize("road", ROADS)
def test_each_is_refused_or_read_in_bounds_and_the_next_good_one_comes_in(
    told: Any, road: str
) -> None:
    found = told[road]
    assert {name: one["became"] for name, one in found.items()} == ROADS[road]
    assert [name for name, one in found.items() if one["next"] != "read"] == []
    over = {n: one for n, one in found.items() if one["seconds"] > MOST_S or one["mb"] > MOST_MB}
    assert over == {}
    for name, one in found.items():
        if one["became"] != "read":
            for sentence in (one["zh"], one["en"]):
                assert 4 < len(sentence) < 200, name
                assert "\n" not in sentence, name
                assert "Traceback" not in sentence, name


def test_there_are_more_than_forty_kinds_of_them() -> None:
    assert len(hostile.MESSAGES) + len(SIGNATURES) + sum(map(len, ROADS.values())) > 100
    assert min(len(hostile.MESSAGES), *map(len, ROADS.values())) >= 15


@pytest.mark.parametrize("name", ["XML bomb in a workbook", "a file of ours by an entity"])
def test_what_a_workbook_declares_is_not_read_into_its_cells(name: str) -> None:
    (item,) = read_hotline_bytes(hostile.FILES[name][0]()).items
    assert isinstance(item, IncomingItem)
    assert len(item.content) < 10


def test_nothing_slips_out_of_an_archive(tmp_path: Path) -> None:
    read_hotline_bytes(hostile.FILES["zip-slip"][0]())
    for place in (Path("/tmp"), ROOT, ROOT.parent, ROOT.parent.parent.parent):
        assert not list(place.glob("*pingyi-slipped*"))


# ── signed messages, at a server ──


class Served:
    """What a message takes of the server: CPU seconds, MB beyond what it held."""

    def __init__(self, sender: Sender) -> None:
        self.pid = sender.demo.process.pid

    def __enter__(self) -> Served:
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")  # the peak begins anew
        self._mb, self._s = resident(self.pid), self._seconds()
        return self

    def __exit__(self, *_: object) -> None:
        self.mb = resident(self.pid, "VmHWM") - self._mb
        self.seconds = self._seconds() - self._s

    def _seconds(self) -> float:
        told = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture(scope="module")
def sender(shared_demo: Running) -> Sender:
    found = Sender(shared_demo)
    found.push({**ORDER, "工单编号": "FZ0"})
    return found


def code_of(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def next_comes_in(sender: Sender) -> None:
    order = {**ORDER, "工单编号": f"FZ{time.time_ns()}"}
    assert sender.push(order).json()["new"] == 1


@pytest.mark.parametrize("name", hostile.MESSAGES)
def test_a_message_that_is_signed_and_hostile(sender: Sender, name: str) -> None:
    make, becomes = hostile.MESSAGES[name]
    body = make()
    headers = sender.headers(body)
    with Served(sender) as took:
        answer = sender.send(body, headers)
    if becomes == "read":
        assert answer.status_code == 200, answer.text
        for one in answer.json()["refused"]:
            assert one["message"] > "", name
    else:
        error = answer.json()["error"]
        assert error["code"] == becomes
        assert 4 < len(error["message"]) < 300
    assert took.seconds <= MOST_S
    assert took.mb <= MOST_MB
    next_comes_in(sender)


Changed = Callable[[dict[str, str]], dict[str, str]]
SIGNATURES: dict[str, tuple[Changed, str]] = {
    "forged": (
        lambda h: {**h, "webhook-signature": "v1," + "A" * 43 + "="},
        "signature_wrong",
    ),
    "no ASCII": (lambda h: {**h, "webhook-signature": "v1,é"}, "signature_wrong"),
    "half": (lambda h: {**h, "webhook-signature": "v1"}, "signature_wrong"),
    "no base64": (lambda h: {**h, "webhook-signature": "v1,%%%"}, "signature_wrong"),
    "of another version": (
        lambda h: {**h, "webhook-signature": h["webhook-signature"].replace("v1,", "v2,")},
        "signature_wrong",
    ),
    "a thousand of them": (
        lambda h: {**h, "webhook-signature": " ".join(["v1," + "A" * 43 + "="] * 1000)},
        "signature_wrong",
    ),
    "replayed under another number": (
        lambda h: {**h, "webhook-id": "msg_another"},
        "signature_wrong",
    ),
    "replayed at another time": (
        lambda h: {**h, "webhook-timestamp": str(int(time.time()) - 60)},
        "signature_wrong",
    ),
    "at no time": (lambda h: {**h, "webhook-timestamp": "NaN"}, "signature_wrong"),
    "at a time without end": (lambda h: {**h, "webhook-timestamp": "9" * 400}, "signature_wrong"),
    "none": (
        lambda h: {k: v for k, v in h.items() if k != "webhook-signature"},
        "signature_missing",
    ),
    "without a time": (
        lambda h: {k: v for k, v in h.items() if k != "webhook-timestamp"},
        "signature_missing",
    ),
    "a number without end": (lambda h: {**h, "webhook-id": "x" * 129}, "signature_missing"),
    "a number with a space": (lambda h: {**h, "webhook-id": "a b"}, "signature_missing"),
}
"""Signatures that are none: what is changed of a good message's headers."""


@pytest.mark.parametrize("name", SIGNATURES)
def test_what_is_not_signed_by_the_key_stays_out(sender: Sender, name: str) -> None:
    change, code = SIGNATURES[name]
    body = json.dumps({**ORDER, "工单编号": "FORGED"}).encode()
    headers = [(k.encode(), v.encode()) for k, v in change(sender.headers(body)).items()]
    before = sender.state()["last_at"]
    with Served(sender) as took:
        answer = httpx2.post(
            sender.address, content=body, headers=headers, timeout=30, trust_env=False
        )
    assert code_of(answer) == (401, code)
    row = CATALOGUE[code]
    assert row.zh in answer.json()["error"]["message"]
    assert row.en
    assert sender.state()["last_at"] == before
    assert took.seconds <= MOST_S
    assert took.mb <= MOST_MB
    next_comes_in(sender)


@pytest.mark.parametrize("off", [-301, -3600, 302, 86_400])
def test_a_message_of_another_time_stays_out(sender: Sender, off: int) -> None:
    assert code_of(sender.push(ORDER, at=time.time() + off)) == (401, "signature_stale")
    next_comes_in(sender)


def test_a_message_that_is_replayed_changes_nothing(sender: Sender) -> None:
    body = json.dumps({**ORDER, "工单编号": "REPLAYED"}).encode()
    headers = sender.headers(body)
    first = sender.send(body, headers)
    before = sender.state()["totals"]
    again = [sender.send(body, headers) for _ in range(3)]
    assert [one.json() for one in again] == [first.json()] * 3
    assert first.json()["new"] == 1
    assert sender.state()["totals"] == before
    next_comes_in(sender)
