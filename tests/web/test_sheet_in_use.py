"""The sheet in a real browser: one official and thirty, every kind of scale, rules counted along.

The pages come from the gallery, so that every kind of sheet is there without a hearing of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.browser import PHONE, TABLET, look_as, open_page, violations
from tests.web.pictures import OVERFLOW, gallery

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The gallery."""
    with gallery() as url:
        yield url


def sheet(browser: Browser, address: str, case: str, size: Any = TABLET, lang: str = "zh") -> Page:
    """A tablet with the sheet of a case."""
    context = browser.new_context(viewport=size, has_touch=True, service_workers="block")
    page, errors = open_page(context, f"{address}/panel?case={case}&lang={lang}")
    page.wait_for_selector('.sheet[data-state="fill"]', state="attached")
    if size is PHONE:
        page.tap('button[data-tab="sheets"]')
    assert not [one for one in errors if "404" not in one]
    return page


def field(page: Page, official: int, line: int = 0) -> Any:
    """The field of a line."""
    return page.locator(".official").nth(official).locator(".value").nth(line)


def put(page: Page, official: int, mark: str, line: int = 0) -> None:
    """A mark typed in and left."""
    field(page, official, line).fill(mark)
    field(page, official, line).press("Tab")


def test_thirty_officials_by_five_lines_one_by_one_and_as_a_whole(
    browser: Browser, address: str
) -> None:
    page = sheet(browser, address, "sheet_thirty")
    assert page.locator(".official:visible").count() == 1
    assert "0 / 30" in page.inner_text('[data-part="progress"]')
    page.tap('.seg:has([value="all"])')
    assert page.locator(".official:visible").count() == 30
    field(page, 28).tap()
    page.locator(".mark.picked .pips .seg").nth(17).tap()
    assert field(page, 28).input_value() == "17"
    expect(page.locator('[data-done="s29"]')).to_have_text("已填 1 / 5 项")
    for line in range(1, 5):
        put(page, 28, "16", line)
    expect(page.locator('[data-done="s29"]')).to_have_text("已填 5 / 5 项 ✓")
    assert "1 / 30" in page.inner_text('[data-part="progress"]')
    page.locator('[data-subject="s30"] .seg:has([value="dont_know"])').tap()
    page.tap('[data-do="check"]')
    summary = page.locator('[data-part="summary"]')
    assert summary.locator(".sum").count() == 30
    assert "81" in summary.locator(".sum").nth(28).inner_text()
    assert "不了解" in summary.locator(".sum").nth(29).inner_text()
    assert "140 项未打分" in summary.inner_text()
    for theme in ("light", "dark"):
        for size in (TABLET, PHONE):
            look_as(page, size, theme)
            assert page.evaluate(OVERFLOW) == []
    assert violations(page) == []
    summary.get_by_role("button", name="修改").nth(28).tap()
    expect(page.locator('[data-part="fill"]')).to_be_visible()
    # How this tablet is looked at outlives the page, as the marks do.
    page.tap("#large")
    page.reload()
    page.wait_for_selector('.sheet[data-by="all"]')
    assert page.locator("#large").get_attribute("aria-pressed") == "true"
    assert field(page, 28).input_value() == "17"
    for theme in ("light", "dark"):
        for size in (TABLET, PHONE):
            look_as(page, size, theme)
            assert page.evaluate(OVERFLOW) == []


def test_a_quota_is_counted_along_and_cannot_be_broken(browser: Browser, address: str) -> None:
    page = sheet(browser, address, "sheet_quotas")
    most, least = page.locator(".quotas li").nth(0), page.locator(".quotas li").nth(1)
    expect(most).to_have_text("90 分及以上最多 3 名，已用 0")
    page.tap('.seg:has([value="all"])')
    for official in range(3):
        put(page, official, str(90 + official))
    expect(most).to_have_text("90 分及以上最多 3 名，已用 3")
    put(page, 3, "95")
    assert field(page, 3).input_value() == ""
    expect(page.locator(".official").nth(3).locator(".error")).to_contain_text("先调低一位")
    expect(most).to_have_attribute("data-holds", "yes")
    field(page, 3).tap()
    page.locator(".mark.picked .pips .seg").nth(9).tap()  # 90, by finger
    assert page.locator(".official").nth(3).locator("input:checked").count() == 1  # 打分
    assert violations(page) == []
    put(page, 0, "89")
    put(page, 3, "95")
    assert field(page, 3).input_value() == "95"
    expect(least).to_have_text("70 分以下至少 1 名，已有 0")
    page.tap('[data-do="check"]')
    expect(page.locator("#toast")).to_contain_text("70 分以下至少 1 名")
    assert page.locator('[data-part="check"]').is_hidden()
    put(page, 4, "69")
    page.tap('[data-do="check"]')
    assert page.locator('[data-part="check"]').is_visible()


def test_a_ballot_that_would_be_void_is_not_sent(browser: Browser, address: str) -> None:
    page = sheet(browser, address, "sheet_quotas")
    page.tap('.seg:has([value="all"])')
    for official in range(2):
        put(page, official, "60")
    page.tap('[data-do="check"]')
    expect(page.locator("#toast")).to_contain_text("全部相同")
    put(page, 1, "61")
    page.tap('[data-do="check"]')
    assert page.locator('[data-part="check"]').is_visible()


def test_factors_make_an_exact_total(browser: Browser, address: str) -> None:
    page = sheet(browser, address, "sheet_factors")
    for line, mark in enumerate(("9.125", "8", "1")):
        put(page, 0, mark, line)
    page.tap('[data-do="check"]')
    # (9.125 × 0.7 + 8 × 0.3 − 1) / 3, which does not end
    expect(page.locator(".sum").nth(0).locator(".total")).to_have_text("合计 约 2.6")
    page.tap('[data-do="back"]')
    put(page, 0, "9", 0)
    put(page, 0, "10.1", 1)  # off the scale
    expect(page.locator(".mark").nth(1).locator(".error")).to_have_text("请填 0–10")
    put(page, 0, "9", 1)
    put(page, 0, "0", 2)
    page.tap('[data-do="check"]')
    expect(page.locator(".sum").nth(0).locator(".total")).to_have_text("合计 3")


def test_below_the_rounds_figure_a_reason_is_required(browser: Browser, address: str) -> None:
    page = sheet(browser, address, "sheet_texts")
    says = page.locator(".official").nth(0).locator(".says")
    expect(says.locator('[data-part="may"]')).to_be_visible()
    for line, mark in enumerate(("12", "12", "12", "12", "11")):
        put(page, 0, mark, line)
    expect(says.locator('[data-part="must"]')).to_have_text("合计低于 60，请写明理由（必填）")
    page.tap('[data-do="check"]')
    expect(page.locator("#toast")).to_contain_text("理由")
    assert page.locator('[data-part="check"]').is_hidden()
    says.locator("textarea").fill("整改不到位")
    page.tap('[data-do="check"]')
    expect(page.locator(".sum .said")).to_have_text("整改不到位")
    page.reload()
    expect(says.locator("textarea")).to_have_value("整改不到位")
    put(page, 0, "12", 4)
    expect(says.locator('[data-part="may"]')).to_be_visible()
    for theme in ("light", "dark"):
        for size in (TABLET, PHONE):
            look_as(page, size, theme)
            assert page.evaluate(OVERFLOW) == []
    assert violations(page) == []


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_verdicts_have_neither_totals_nor_numbers(
    browser: Browser, address: str, lang: str
) -> None:
    page = sheet(browser, address, "sheet_verdict", PHONE, lang)
    page.tap('.seg:has([value="all"])')
    page.locator(".official").nth(1).locator(".pips .seg").nth(2).tap()
    page.tap('[data-do="check"]')
    assert "基本称职" in page.locator(".sum").nth(1).inner_text()
    assert page.locator(".sum .total").count() == 0
    for theme in ("light", "dark"):
        look_as(page, PHONE, theme)
        assert page.evaluate(OVERFLOW) == []
    assert violations(page) == []
