"""An act that finds no room is kept by the page and sent again, later each time, with the same key.

A real page against a real server; the answers that a healthy server does not give are put in between.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, WebSocketRoute, expect

from server.identity.limits import PER_KEY
from tests.journeys.browser import PHONE, open_page
from tests.running import Running

expect.set_options(timeout=20_000)  # a machine that runs all suites at once is slow
pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]
ACTS = ("vote", "support", "ask")
TOLD_MS = 2500
Answer = Callable[[dict[str, Any]], dict[str, Any] | None]
"""What an act is answered in the server's place; None: the server answers it."""


@dataclass
class Between:
    """Stands between the pages of a browser and the server."""

    answer: Answer = lambda frame: None
    acts: list[dict[str, Any]] = field(default_factory=list)
    at: list[float] = field(default_factory=list)

    def carry(self, socket: WebSocketRoute) -> None:
        """One socket."""
        server = socket.connect_to_server()

        def hear(text: str | bytes) -> None:
            frame = json.loads(text)
            answer = None
            if frame["type"] in ACTS:
                self.acts.append(frame)
                self.at.append(monotonic())
                answer = self.answer(frame)
            if answer is None:
                server.send(text)
            else:
                socket.send(json.dumps({"at": 0, "key": frame["key"], **answer}))

        socket.on_message(hear)

    def wait(self, page: Page, acts: int) -> None:
        """Until so many acts were sent."""
        for _ in range(400):
            if len(self.acts) >= acts:
                return
            page.wait_for_timeout(50)
        raise AssertionError(f"{len(self.acts)} of {acts}")

    @property
    def keys(self) -> set[str]:
        """Those of all acts."""
        return {str(act["key"]) for act in self.acts}


def too_many(frame: dict[str, Any]) -> dict[str, Any]:
    """As the server tells it."""
    return {
        "type": "refusal",
        "code": "too_many",
        "message": "操作太频繁，请稍后再试。",
        "retry_ms": TOLD_MS,
    }


def unknown(frame: dict[str, Any]) -> dict[str, Any]:
    """As the server tells it."""
    return {"type": "unknown", "retry_ms": 800}


def then_the_server(*answers: Answer) -> Answer:
    """These, one for each act, and then the server's own."""
    left = list(answers)
    return lambda frame: left.pop(0)(frame) if left else None


@pytest.fixture
def context(browser: Browser) -> BrowserContext:
    """A phone."""
    return browser.new_context(viewport=PHONE)


@pytest.fixture
def between(context: BrowserContext) -> Between:
    """Who stands between it and the server."""
    found = Between()
    context.route_web_socket("**/socket*", found.carry)
    return found


@pytest.fixture
def page(context: BrowserContext, between: Between, shared_demo: Running) -> Iterator[Page]:
    """The public page, connected."""
    page, errors = open_page(context, f"{shared_demo.url}/h/{shared_demo.slug}")
    page.wait_for_selector("html.scripted")
    yield page
    assert errors == []


def support(page: Page) -> str:
    """Presses a 同问 that was not pressed; gives how it is found."""
    button = page.locator("[data-support][aria-pressed=false]").first
    found = f'[data-support="{button.get_attribute("data-support")}"]'
    button.click()
    return found


def test_what_finds_no_room_waits_and_goes_again_when_it_was_told(
    page: Page, between: Between
) -> None:
    between.answer = then_the_server(too_many)
    button = support(page)
    between.wait(page, 1)
    page.wait_for_timeout(1000)
    expect(page.locator(button)).to_have_attribute("aria-busy", "true")
    expect(page.locator("#toast")).to_be_hidden()
    expect(page.locator(f"{button}[aria-pressed=true]")).to_be_visible()
    assert page.locator(button).get_attribute("aria-busy") is None
    assert len(between.acts) == 2
    assert len(between.keys) == 1
    assert between.at[1] - between.at[0] >= TOLD_MS / 1000 - 0.1


def test_it_is_kept_on_the_device_too(page: Page, between: Between) -> None:
    between.answer = then_the_server(too_many)
    button = support(page)
    between.wait(page, 1)
    page.wait_for_timeout(200)
    page.reload()
    expect(page.locator(f"{button}[aria-pressed=true]")).to_be_visible()
    assert len(between.keys) == 1


def test_whoever_hears_nothing_for_a_minute_stays_below_the_limit_of_a_key(
    page: Page, between: Between
) -> None:
    page.clock.install()
    page.reload()
    page.wait_for_selector("html.scripted")
    between.answer = unknown
    support(page)
    between.wait(page, 1)
    for _ in range(240):  # A minute of the page's clock, in which every answer has time to arrive.
        page.clock.run_for(250)
        page.wait_for_timeout(15)
    assert 4 < len(between.acts) < PER_KEY / 2
    assert len(between.keys) == 1


def test_a_later_vote_is_not_undone_by_one_that_waited(page: Page, between: Between) -> None:
    between.answer = then_the_server(too_many)
    choices = page.locator("form[data-vote] [name=choice]")
    first, second = (choices.nth(n).get_attribute("value") for n in (0, 1))
    page.on("dialog", lambda dialog: dialog.accept())
    choices.nth(0).click()
    between.wait(page, 1)
    choices.nth(1).click()
    expect(choices.nth(1)).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(TOLD_MS * 1.5 + 500)
    assert [act["choice"] for act in between.acts] == [first, second]
    expect(choices.nth(0)).to_have_attribute("aria-pressed", "false")
    assert choices.nth(0).get_attribute("aria-busy") is None


def test_who_asks_too_much_is_told_and_keeps_his_text(page: Page, between: Between) -> None:
    between.answer = too_many
    text = "请问东门公交站什么时候恢复？"
    page.fill("#ask-text", text)
    page.click("[data-ask] [type=submit]")
    expect(page.locator("[data-ask] [data-error]")).to_have_text("操作太频繁，请稍后再试。")
    expect(page.locator("#ask-text")).to_have_value(text)
    page.wait_for_timeout(TOLD_MS * 1.5 + 500)
    assert len(between.acts) == 1


def test_a_question_that_may_be_there_already_is_not_given_up(page: Page, between: Between) -> None:
    between.answer = then_the_server(unknown, too_many)
    page.fill("#ask-text", "请问北门停车场由谁管理？")
    page.click("[data-ask] [type=submit]")
    expect(page.locator("[data-receipt]")).to_be_visible()
    expect(page.locator("[data-ask] [data-error]")).to_be_hidden()
    assert len(between.acts) == 3
    assert len(between.keys) == 1
