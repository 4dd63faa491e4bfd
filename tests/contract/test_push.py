"""What other systems push: signed, in time, each message once, each item in or refused with its reason.
What is sent to hurt is in `test_hostile.py`."""

from __future__ import annotations

import json
import threading
from typing import Any

import httpx2
import pytest

from tests.contract.sender import ORDER, Sender
from tests.running import Running


@pytest.fixture(scope="module")
def shared_demo(everywhere_shared: Running) -> Running:
    """In one process, and in several."""
    return everywhere_shared


@pytest.fixture
def sender(shared_demo: Running) -> Sender:
    return Sender(shared_demo)


def code_of(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_an_order_comes_in_masked_and_its_sender_learns_its_number(sender: Sender) -> None:
    told = sender.push({"items": [ORDER, {"工单编号": "X-2", "诉求内容": ""}, {"备注": "?"}]})
    assert told.status_code == 200, told.text
    answer = told.json()
    assert [answer[name] for name in ("rows", "new", "updated", "unchanged")] == [3, 1, 0, 0]
    refused = [(one["row"], one["column"], one["code"]) for one in answer["refused"]]
    assert refused == [(2, "诉求内容", "content_missing"), (3, None, "content_missing")]
    (question,) = sender.on_the_desk()
    assert answer["codes"] == {"FZ16100800318": question["code"]}
    assert question["source"] == "hotline"
    assert "13912345678" not in json.dumps(question)
    assert "王小明" not in json.dumps(question)
    assert question["text"].startswith("东街路灯不亮")
    assert sender.demo.anyone().get(f"/questions/{question['code']}")["status"] == "screened"
    state = sender.state()
    assert state["counts"] == {"new": 1, "updated": 0, "unchanged": 0, "refused": 2}
    assert state["last_at"]


def test_one_item_alone_is_a_message_too_and_newer_news_win(sender: Sender) -> None:
    assert sender.push(ORDER).json()["new"] == 1
    newer = {**ORDER, "诉求内容": "路灯修好后又坏了", "受理时间": "2026-11-21 08:00:00"}
    assert sender.push(newer).json()["updated"] == 1
    assert sender.push(ORDER).json() | {"codes": {}} == {
        "rows": 1, "new": 0, "updated": 0, "unchanged": 1, "refused": [], "codes": {},
    }  # fmt: skip
    (question,) = sender.on_the_desk()
    assert question["text"] == "路灯修好后又坏了"


def test_the_same_message_again_gets_the_first_answer(sender: Sender) -> None:
    first = sender.push(ORDER, id_="msg_once")
    again = sender.push(ORDER, id_="msg_once")
    assert (again.status_code, again.json()) == (200, first.json())
    assert sender.state()["totals"]["new"] == 1
    other = {**ORDER, "诉求内容": "另一件事"}
    assert code_of(sender.push(other, id_="msg_once")) == (422, "key_reused")
    (question,) = sender.on_the_desk()
    assert question["text"].startswith("东街")


def test_one_message_sent_by_many_at_once_comes_in_once(sender: Sender) -> None:
    body = json.dumps(ORDER).encode()
    headers = sender.headers(body, id_="msg_at_once")
    answers: list[Any] = []
    threads = [
        threading.Thread(target=lambda: answers.append(sender.send(body, headers).json()))
        for _ in range(6)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(answers) == 6
    assert all(one == answers[0] and one["new"] == 1 for one in answers)
    assert len(sender.on_the_desk()) == 1


def test_a_body_that_was_changed_on_the_way_stays_out(sender: Sender) -> None:
    body = json.dumps(ORDER).encode()
    headers = sender.headers(body)
    assert code_of(sender.send(body.replace(b"FZ16", b"FZ17"), headers)) == (401, "signature_wrong")
    assert sender.send(body, headers).json()["new"] == 1


def test_keys_change_over_without_a_lost_message(sender: Sender) -> None:
    before, sender.secret = sender.secret, sender.new_key()
    assert sender.push({**ORDER, "工单编号": "1"}, secret=before).json()["new"] == 1
    assert sender.push({**ORDER, "工单编号": "2"}).json()["new"] == 1
    sender.new_key()
    assert code_of(sender.push(ORDER, secret=before)) == (401, "signature_wrong")
    assert sender.push({**ORDER, "工单编号": "3"}).json()["new"] == 1


def test_a_paused_source_takes_nothing_and_loses_nothing(sender: Sender) -> None:
    path = f"{sender.demo.here}/sources/{sender.key}"
    version = sender.state()["version"]
    sender.office.do("PATCH", path, {"version": version, "paused": True})
    assert code_of(sender.push(ORDER, id_="msg_paused")) == (409, "source_paused")
    sender.office.do("PATCH", path, {"version": version + 1, "paused": False})
    assert sender.push(ORDER, id_="msg_paused").json()["new"] == 1


def test_odd_values_are_kept_as_texts(sender: Sender) -> None:
    odd = {
        **ORDER,
        "工单编号": 16100800318,
        "是否公开": True,
        "点赞数": 3,
        "备注\u202e": "a\u0000b\ud800c",
        "空": None,
    }
    assert sender.push(odd).json()["codes"].keys() == {"16100800318"}
    (question,) = sender.on_the_desk()
    assert question["likes"] == 3


def test_no_number_and_too_deep_a_member_are_no_order(sender: Sender) -> None:
    """NaN, which programs write for what is missing, would be every order's number."""
    for odd in (float("nan"), float("inf")):
        assert code_of(sender.push({**ORDER, "工单编号": odd}))[0] == 422
    (refused,) = sender.push({**ORDER, "工单编号": True}).json()["refused"]
    assert refused["code"] == "external_id_missing"
    for depth in (500, 980, 984, 986, 988, 5_000):
        deep: Any = "[" * depth + "]" * depth
        body = json.dumps({**ORDER, "其他": "DEEP"}).replace('"DEEP"', deep)
        assert sender.send(body.encode(), sender.headers(body.encode())).status_code in (
            200,
            422,
        ), depth


def test_a_source_of_another_kind_has_no_such_address(sender: Sender) -> None:
    body = json.dumps(ORDER).encode()
    unknown = f"{sender.demo.url}/api/v1/intake/nobody-12345678"
    answer = httpx2.post(
        unknown, content=body, headers=sender.headers(body), timeout=30, trust_env=False
    )
    assert code_of(answer) == (404, "not_found")


def test_members_are_named_by_the_saved_mapping(sender: Sender) -> None:
    path = f"{sender.demo.here}/sources/{sender.key}"
    mapping = {"bh": "external_id", "nr": "content", "bt": "title"}
    sender.office.do("PATCH", path, {"version": sender.state()["version"], "mapping": mapping})
    told = sender.push({"items": [{"bh": "A1", "nr": "路面塌陷"}, {"bh": "A2", "nr": "噪声"}]})
    assert told.json()["new"] == 2
    twice = sender.push({"bh": "A3", "工单编号": "A4", "nr": "x", "诉求内容": "y"})
    assert twice.json()["new"] == 1  # What was chosen holds; the other is kept beside it.
