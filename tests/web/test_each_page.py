"""Every page of a real hearing, opened by its person: no error on the console, the other language one
tap away, and on an English phone no word cut or broken in its head."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.browser import DESKTOP, PHONE, STAGE, open_page
from tests.running import Running

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]
WITHOUT_A_HAND = ("stage", "overlay", "podium")
"""Screens that nobody touches: whoever opens them says in which language."""
TOUCHED = ("public", "panel", "desk", "host", "card", "office")

BROKEN = """() => [...document.querySelectorAll('header.topbar, header.topbar :not(.clip):not(time)')]
  .filter(one => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== 'inline' && one.clientWidth > 1)
  .map(one => 'cut: ' + one.outerHTML.slice(0, 90))
  .concat([...document.querySelectorAll('header.topbar *')].flatMap(one => [...one.childNodes]).flatMap(text => {
    if (text.nodeType !== 3) return []
    return [...text.data.matchAll(/[A-Za-z]+/g)].filter(word => {
      const range = document.createRange()
      range.setStart(text, word.index)
      range.setEnd(text, word.index + word[0].length)
      return new Set([...range.getClientRects()].map(box => Math.round(box.top))).size > 1
    }).map(word => 'broken: ' + word[0])
  }))"""


def link(demo: Running, name: str) -> str:
    """The address that opens the page signed in."""
    found = demo.line["links"][name]
    return str(found[0] if isinstance(found, list) else found)


@pytest.mark.parametrize("name", [*TOUCHED, *WITHOUT_A_HAND])
def test_the_console_of_the_browser_tells_no_error(
    browser: Browser, shared_demo: Running, name: str
) -> None:
    context = browser.new_context(viewport=STAGE if name in WITHOUT_A_HAND else DESKTOP)
    page, errors = open_page(context, link(shared_demo, name))
    page.wait_for_timeout(1000)
    assert errors == []
    context.close()


@pytest.mark.parametrize("name", TOUCHED)
def test_the_other_language_is_one_tap_away(
    browser: Browser, shared_demo: Running, name: str
) -> None:
    context = browser.new_context(viewport=DESKTOP)
    page, _ = open_page(context, link(shared_demo, name))
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    seat = page.locator("body").get_attribute("data-seat")
    page.get_by_role("link", name="English", exact=True).click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert page.locator("body").get_attribute("data-seat") == seat  # the same person
    page.get_by_role("link", name="中文", exact=True).click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    context.close()


@pytest.mark.parametrize("name", TOUCHED)
def test_on_an_english_phone_no_word_of_the_head_is_cut_or_broken(
    browser: Browser, shared_demo: Running, name: str
) -> None:
    context = browser.new_context(viewport=PHONE)
    page, _ = open_page(context, link(shared_demo, name))
    page.get_by_role("link", name="English", exact=True).click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.wait_for_timeout(500)
    assert page.evaluate(BROKEN) == []
    context.close()


@pytest.mark.parametrize("name", TOUCHED)
def test_no_link_leads_where_its_reader_may_not_go(
    browser: Browser, shared_demo: Running, name: str
) -> None:
    context = browser.new_context(viewport=DESKTOP)
    page, _ = open_page(context, link(shared_demo, name))
    leads: list[str] = page.locator("a[href]").evaluate_all("all => all.map(one => one.href)")
    here = [one for one in dict.fromkeys(leads) if one.startswith(shared_demo.url)]
    assert here
    closed = [one for one in here if context.request.get(one).status >= 400]
    assert closed == []
    context.close()
