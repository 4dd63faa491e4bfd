"""The public's asking form in a real browser: what is typed while the earlier question waits stays."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from tests.journeys.browser import PHONE, open_page
from tests.running import Running, wait_until

expect.set_options(timeout=20_000)  # a machine that runs all suites at once is slow
pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]
FIRST, SECOND = "请问南门早市的噪声归谁管？", "再问一句：夜间施工由谁批准？"


class Slow:
    """The public page on a phone, which gets the answer to its question only when it is let through."""

    def __init__(self, browser: Browser, demo: Running) -> None:
        self.context = browser.new_context(viewport=PHONE)
        self.held: list[tuple[WebSocketRoute, str | bytes]] = []
        self.context.route_web_socket("**/socket*", self._carry)
        self.page, _ = open_page(self.context, f"{demo.url}/h/{demo.slug}")
        self.page.wait_for_selector("html.scripted")

    def _carry(self, socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def answer(frame: str | bytes) -> None:
            if '"secret"' in str(frame):
                self.held.append((socket, frame))
            else:
                socket.send(frame)

        server.on_message(answer)

    def ask(self, text: str) -> Page:
        """Sends a question and waits until its answer is held back."""
        self.page.fill("#ask-text", text)
        self.page.click("[data-ask] [type=submit]")
        while not self.held:
            self.page.wait_for_timeout(50)
        return self.page

    def let_through(self) -> None:
        """The answer arrives."""
        for socket, frame in self.held:
            socket.send(frame)
        expect(self.page.locator("[data-receipt]")).to_be_visible()


def test_what_is_typed_while_the_earlier_question_waits_stays(
    browser: Browser, shared_demo: Running
) -> None:
    slow = Slow(browser, shared_demo)
    page = slow.ask(FIRST)
    page.fill("#ask-text", SECOND)
    slow.let_through()
    field = page.locator("#ask-text")
    expect(field).to_have_value(SECOND)
    expect(field).to_be_focused()
    page.reload()
    expect(field).to_have_value(SECOND)  # and its draft stays on the device
    slow.context.close()


def test_a_question_that_was_taken_leaves_the_form_empty(
    browser: Browser, shared_demo: Running
) -> None:
    slow = Slow(browser, shared_demo)
    page = slow.ask("请问西门夜市的油烟归谁管？")
    slow.let_through()
    expect(page.locator("#ask-text")).to_have_value("")
    expect(page.locator("[data-receipt]")).to_be_focused()
    page.reload()
    expect(page.locator("#ask-text")).to_have_value("")
    slow.context.close()


def test_what_others_asked_already_is_told_above_the_button_and_moves_nothing(
    browser: Browser, shared_demo: Running
) -> None:
    """On a phone the list itself stands below what is seen."""
    page, errors = open_page(
        browser.new_context(viewport=PHONE), f"{shared_demo.url}/h/{shared_demo.slug}"
    )
    asked = f"{shared_demo.here}/questions"
    known = shared_demo.anyone().get(asked)["items"][0]["text"]
    wait_until(
        lambda: shared_demo.anyone().do("POST", f"{asked}/similar", {"text": known})["items"]
    )
    below = """() => document.querySelector('[data-ask] [type=submit]').getBoundingClientRect().top
      - document.getElementById('ask-text').getBoundingClientRect().top"""
    page.fill("#ask-text", "路")
    before = page.evaluate(below)
    page.fill("#ask-text", known)
    link = page.locator("#ask-hint a")
    expect(link).to_be_visible()
    assert page.evaluate(below) == pytest.approx(before, abs=1)
    link.click()
    expect(page.locator("#similar button").first).to_be_in_viewport()
    assert errors == []


def test_a_code_is_looked_up_on_the_page_however_it_is_typed(
    browser: Browser, shared_demo: Running
) -> None:
    demo = shared_demo
    code = demo.anyone().get(f"{demo.here}/questions")["items"][0]["code"]
    page, _ = open_page(browser.new_context(viewport=PHONE), f"{demo.url}/h/{demo.slug}")
    page.fill("input[name=code]", f" {code.lower()} ")
    page.click("form[action='/q'] button")
    expect(page.locator("h1 .code")).to_have_text(code)
    page.goto(f"{demo.url}/q?code=zzz9zzz9")
    expect(page.locator("h1")).to_contain_text("没有编号为“ZZZ9ZZZ9”的提问")
