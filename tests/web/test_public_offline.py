"""The public page tells a lost connection in one sentence, moves nothing for it, and takes it back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from time import monotonic

import pytest
from playwright.sync_api import Browser, Locator, Page, WebSocketRoute, expect

from tests.journeys.browser import open_page
from tests.running import Running, running

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]
LOST_MS = 5000
PLACES = """() => [...document.querySelectorAll('main section, main article, footer, .dock')]
  .map(one => { const b = one.getBoundingClientRect(); return [b.x, b.y, b.width, b.height] })"""
"""Where everything stands that somebody may be reading."""


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A hearing in which nobody acts: whatever moves is this page's own doing."""
    with running(tmp_path_factory.mktemp("quiet"), "--quiet-room") as demo:
        yield demo


@pytest.fixture
def page(browser: Browser, quiet: Running) -> Iterator[Page]:
    """The public page on a phone, connected."""
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page, errors = open_page(context, f"{quiet.url}/h/{quiet.slug}")
    page.wait_for_selector("html.scripted")
    yield page
    assert [e for e in errors if "ERR_INTERNET_DISCONNECTED" not in e] == []
    context.close()


def lost(page: Page) -> Locator:
    """Where the sentence stands."""
    return page.locator("[data-lost]")


def test_without_network_one_sentence_comes_and_goes(page: Page) -> None:
    page.wait_for_timeout(LOST_MS + 1000)
    expect(lost(page)).to_be_empty()  # connected: nothing is said, however long one reads
    before = page.evaluate(PLACES)
    page.context.set_offline(True)
    page.wait_for_timeout(2000)
    expect(lost(page)).to_be_empty()  # a moment's break is nobody's business
    expect(lost(page)).to_have_text("网络中断，恢复后会自动重发。", timeout=LOST_MS)
    assert page.evaluate(PLACES) == before
    page.context.set_offline(False)
    expect(lost(page)).to_be_empty(timeout=10_000)
    assert page.evaluate(PLACES) == before


def test_an_act_that_waits_is_told_at_once_and_is_done_when_the_server_is_back(
    page: Page, quiet: Running
) -> None:
    button = page.locator("[data-support]").first
    button.click()
    code = button.get_attribute("data-support")
    mine = f'[data-support="{code}"][aria-pressed=true]'
    page.wait_for_selector(mine)
    quiet.kill()
    try:
        other = page.locator("[data-support][aria-pressed=false]").first
        other.click()
        expect(lost(page)).to_have_text("网络中断，恢复后会自动重发。", timeout=LOST_MS - 1500)
        waits = other.get_attribute("data-support")
    finally:
        quiet.again()
    page.wait_for_selector(f'[data-support="{waits}"][aria-pressed=true]', timeout=40_000)
    expect(lost(page)).to_be_empty()


def test_taps_on_like_wait_for_the_server_and_all_are_counted(page: Page, quiet: Running) -> None:
    like = page.locator("[data-like]")
    like.click()
    expect(page.locator('[data-pulse="likes"]').first).to_have_text("1")
    quiet.kill()
    try:
        page.wait_for_timeout(500)
        for _ in range(80):
            like.click()
        expect(lost(page)).to_have_text("网络中断，恢复后会自动重发。", timeout=LOST_MS - 1500)
    finally:
        quiet.again()
    expect(page.locator('[data-pulse="likes"]').first).to_have_text("81", timeout=40_000)
    expect(lost(page)).to_be_empty()


def test_taps_on_like_wait_for_the_network(page: Page, quiet: Running) -> None:
    sent: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda f: sent.append(str(f))))
    page.reload()
    page.wait_for_selector("html.scripted")
    page.wait_for_timeout(500)
    before = int(quiet.state()["likes"])
    page.context.set_offline(True)
    for _ in range(3):
        page.click("[data-like]")
    page.wait_for_timeout(1500)
    assert not [frame for frame in sent if '"like"' in frame]
    page.context.set_offline(False)
    expect(page.locator('[data-pulse="likes"]').first).to_have_text(str(before + 3), timeout=30_000)


def test_a_full_server_is_left_alone_for_as_long_as_it_says(page: Page) -> None:
    came: list[float] = []

    def full(socket: WebSocketRoute) -> None:
        came.append(monotonic())
        socket.send(json.dumps({"type": "wait", "at": 0, "retry_ms": 4000}))
        socket.close(code=1013)

    page.route_web_socket(re.compile("/socket"), full)
    page.reload()
    while not came:
        page.wait_for_timeout(50)
    for _ in range(3):  # Whatever wakes the page meanwhile.
        page.wait_for_timeout(500)
        page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_timeout(2000)
    assert len(came) == 1
    page.wait_for_timeout(2000)  # Half a second more at most, each page its own.
    assert len(came) == 2
    assert 3.9 < came[1] - came[0] < 5
