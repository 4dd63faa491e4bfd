"""Work that each question owes while a flood lasts: over the API, a socket, the plain form and by a browser."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, expect

from server.domain.refusals import CATALOGUE
from server.domain.work import WINDOW_MS, owed, zero_bits
from tests.journeys.browser import PHONE, open_page
from tests.running import Client, Running, frames_until, new_key, running

BITS = 12
TEXT = {"text": "请问夜间施工由哪个部门批准？"}


def nonce_for(bits: int, window: int, viewer: str, key: str) -> str:
    return next(n for n in map(str, itertools.count()) if zero_bits(viewer, window, key, n) >= bits)


def test_work_is_good_for_one_question_of_one_person_for_a_while() -> None:
    now = 5 * WINDOW_MS + 1
    nonce = nonce_for(BITS, 5, "v", "k")
    assert owed(BITS, "v", "k", nonce, now) is None
    assert owed(BITS, "v", "k", nonce, now + WINDOW_MS) is None
    assert owed(0, "v", "k", None, now) is None
    told = owed(BITS, "v", "k", None, now)
    assert told == (BITS, 5, "v")
    assert owed(BITS, "v", "k", nonce, now + 2 * WINDOW_MS) == (BITS, 7, "v")
    assert owed(BITS, "w", "k", nonce, now) is not None
    assert owed(BITS, "v", "l", nonce, now) is not None
    assert owed(BITS, "v", "k", nonce + " ", now) is not None
    assert zero_bits("v", 5, "k", nonce) < 30
    assert owed(30, "v", "k", nonce, now) is not None


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A demonstration that asks for work."""
    data = tmp_path_factory.mktemp("work") / "data"
    with running(data, "--quiet-room", PINGYI_ASK_WORK=str(BITS)) as demo:
        yield demo


def refused(viewer: Client, path: str, body: Any, key: str) -> Any:
    answer = viewer.call("POST", path, body, key)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "work_needed")
    return answer.json()["error"]["detail"]


def test_a_program_asks_with_the_work_that_it_was_told(asked: Running) -> None:
    path, viewer, key = f"{asked.here}/questions", asked.viewer(), new_key()
    told = refused(viewer, path, TEXT, key)
    assert set(told) == {"bits", "window", "viewer"}
    work = nonce_for(**told, key=key)
    stranger = asked.viewer()
    refused(stranger, path, {**TEXT, "work": work}, key)
    refused(viewer, path, {**TEXT, "work": work}, new_key())
    refused(
        viewer,
        path,
        {**TEXT, "work": nonce_for(BITS, told["window"] - 2, told["viewer"], key)},
        key,
    )
    before = {**TEXT, "work": nonce_for(BITS, told["window"] - 1, told["viewer"], key)}
    made = viewer.do("POST", path, before, key)
    assert viewer.do("POST", path, TEXT, key)["code"] == made["code"], "a repeat owes nothing"
    assert viewer.refused("POST", path, {"text": "另一个问题？"}, key) == (422, "key_reused")
    desk = asked.as_("moderator").get(f"{asked.here}/desk/questions?q={made['code']}")["items"]
    assert [one["text"] for one in desk] == [TEXT["text"]]


def test_a_socket_is_told_what_to_do(asked: Running) -> None:
    token, key = asked.anyone().do("POST", "/viewers")["viewer"], new_key()
    with asked.socket() as socket:
        frame = {"type": "ask", **TEXT, "key": key}
        socket.send(json.dumps({"type": "viewer", "viewer": token}))
        socket.send(json.dumps(frame))
        told = frames_until(socket, lambda f: f["type"] == "refusal")[-1]
        assert told["code"] == "work_needed"
        socket.send(json.dumps({**frame, "work": nonce_for(**told["work"], key=key)}))
        assert frames_until(socket, lambda f: f["type"] == "ack")[-1]["secret"]


def test_a_plain_form_is_told_in_a_sentence(asked: Running) -> None:
    address = f"{asked.url}/h/{asked.slug}/questions"
    answer = httpx2.post(address, data=TEXT, trust_env=False)
    assert answer.status_code == 403
    assert CATALOGUE["work_needed"].zh in answer.text
    assert TEXT["text"] in answer.text


@pytest.mark.system
def test_a_browser_works_and_asks(browser: Browser, asked: Running) -> None:
    context = browser.new_context(viewport=PHONE)
    fetched: list[str] = []
    context.on("request", lambda request: fetched.append(request.url))
    page, errors = open_page(context, f"{asked.url}/h/{asked.slug}")
    page.wait_for_selector("html.scripted")
    assert not [one for one in fetched if "/work." in one]
    page.fill("#ask-text", TEXT["text"])
    page.click("[data-ask] [type=submit]")
    expect(page.locator("[data-receipt]")).to_be_visible(timeout=30_000)
    expect(page.locator("[data-ask] [data-error]")).to_be_hidden()
    assert [one for one in fetched if "/work." in one]
    assert not errors
