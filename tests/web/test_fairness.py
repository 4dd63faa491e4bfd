"""Fairness that can be seen, in a real browser: the public's numbers move, the host's chart follows."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.browser import DESKTOP, PHONE, look_as, open_page, violations
from tests.running import Running, wait_until

expect.set_options(timeout=20_000)
pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


def test_the_publics_numbers_move_without_anybody_reloading(
    browser: Browser, demo: Running
) -> None:
    context = browser.new_context(viewport=PHONE, reduced_motion="reduce")
    page, errors = open_page(context, demo.line["links"]["public"])
    page.locator(".fates summary").click()
    refused = page.locator('[data-pulse="fates:refused"]')
    expect(refused).to_have_text("0")
    desk = demo.as_("moderator")
    waiting = f"{demo.here}/desk/questions?status=screened"
    wait_until(lambda: desk.get(waiting)["items"])
    id_ = desk.get(waiting)["items"][0]["id"]
    desk.do("POST", f"{demo.here}/desk/questions/{id_}/rejection", {"reason": "insulting"})
    expect(refused).to_have_text("1")
    expect(page.locator('[data-pulse="reasons:insulting"]')).to_have_text("1")
    numbers = page.locator("[data-pulse^='fates:']").all_inner_texts()
    received, *others = map(int, numbers)
    assert received == sum(others)
    for theme in ("light", "dark"):
        look_as(page, PHONE, theme)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert errors == []


def test_the_chart_is_asked_for_when_it_is_opened_and_follows(
    browser: Browser, demo: Running
) -> None:
    host = demo.as_("host")
    page, errors = open_page(browser.new_context(viewport=DESKTOP), demo.line["links"]["host"])
    page.wait_for_selector('#link[data-state="up"]')
    assert page.locator("#fairness table").count() == 0
    page.locator("#fairness summary").click()
    asked = page.locator("#fairness [data-part='chart'] > p b").nth(1)
    expect(asked).to_have_text("0")
    first = host.get(f"{demo.here}/queue")["ids"][0]
    host.do("PUT", f"{demo.here}/stage", {"question": first})
    expect(asked).to_have_text("1")
    assert violations(page) == []
    # Officials stand in the office's order.
    names = page.locator("#fairness table").last.locator("tbody th").all_inner_texts()
    assert names[:3] == ["糜知屿", "亓砚舟", "郗望棠"]
    assert errors == []
