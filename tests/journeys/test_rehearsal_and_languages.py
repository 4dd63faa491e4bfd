"""By hand in a real browser: a rehearsal and then the real run, and the other language.

The rehearsal bears 演练 wherever one looks. Nothing of it is in the real run: no question, no choice,
no receipt, no applause; but the tablets that joined stay joined, and unused cards stay good.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.contract.test_people import PASSWORD, County, Serving, did, make_county, serving
from tests.journeys.browser import DESKTOP, PHONE, TABLET, open_page
from tests.running import Running

expect.set_options(timeout=20_000)  # a machine that runs all suites at once is slow
pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]
REHEARSAL = "演练"


@pytest.fixture
def county(tmp_path: Path) -> Iterator[tuple[Serving, County]]:
    """A server without a demonstration, with a hearing that is ready."""
    with serving(tmp_path / "data") as house:
        yield house, make_county(house, house.set_up(), "北湾", "bw")


class Staff:
    """The operator at the host console, signed in through the page."""

    def __init__(self, browser: Browser, house: Serving, slug: str) -> None:
        self.house, self.slug = house, slug
        self.context: BrowserContext = browser.new_context(viewport=DESKTOP)
        self.host, self.errors = open_page(self.context, f"{house.url}/login")
        self.host.fill("#login", "bw-office")
        self.host.fill("#password", PASSWORD)
        self.host.click("button[type=submit]")
        self.host.wait_for_url("**/office?**")
        self.host.goto(f"{house.url}/h/{slug}/host")
        self.connected()

    def connected(self) -> None:
        """The console's socket is open."""
        self.host.wait_for_selector('#link[data-state="up"]')

    def hold(self, words: str) -> None:
        """Holds a button of the console for the second that it takes, and lets go a moment later,
        when another button may stand under the finger."""
        button = self.host.get_by_role("button", name=words, exact=True)
        button.scroll_into_view_if_needed()
        button.hover()
        self.host.mouse.down()
        held = self.host.locator("[data-holding]")
        expect(held).to_have_count(1)
        expect(held).to_have_count(0)
        self.host.wait_for_timeout(300)
        self.host.mouse.up()

    def hold_by_key(self, words: str) -> None:
        """The same with Enter, which repeats itself while it is held."""
        self.host.get_by_role("button", name=words, exact=True).focus()
        for _ in range(15):
            self.host.keyboard.down("Enter")
            self.host.wait_for_timeout(100)
        self.host.keyboard.up("Enter")

    def is_now(self, status: str) -> None:
        """The hearing's status, as the console shows it, and a moment later still."""
        chip = self.host.locator("#run h2 .chip")
        expect(chip).to_have_text(status)
        self.host.wait_for_timeout(300)
        expect(chip).to_have_text(status)

    def open_round(self, title: str) -> None:
        """Presses 开始 on a round."""
        round_ = self.host.locator("#rounds article", has_text=title)
        round_.get_by_role("button", name="开始", exact=True).click()
        expect(round_).to_contain_text("进行中")

    def sees(self, path: str) -> str:
        """The visible text of another page of theirs."""
        page = self.context.new_page()
        page.goto(f"{self.house.url}{path}", wait_until="load")
        text = page.locator("body").inner_text()
        page.close()
        return text


def joined(browser: Browser, house: Serving, code: str, rehearsal: bool) -> Page:
    """A tablet that uses its card on the card's own page."""
    tablet, _ = open_page(
        browser.new_context(viewport=TABLET, has_touch=True), f"{house.url}/join/{code}"
    )
    assert (REHEARSAL in tablet.locator("body").inner_text()) == rehearsal
    tablet.get_by_role("button", name="确认入场").tap()
    tablet.wait_for_selector('#link[data-state="up"]')
    return tablet


def vote(page: Page) -> Locator:
    """The first choice of the round that runs on the public page."""
    return page.locator("form[data-vote] [name=choice]").first


def cast(tablet: Page, mark: int) -> str:
    """One mark on the open sheet, sent; its receipt."""
    tablet.locator(".sheet .pips .seg").nth(mark).tap()
    tablet.tap('[data-do="check"]')
    tablet.tap('[data-do="send"]')
    tablet.wait_for_selector('.sheet[data-state="received"]')
    return tablet.inner_text('[data-part="receipt"]')


def test_a_rehearsal_by_hand_and_then_the_real_run(
    browser: Browser, county: tuple[Serving, County]
) -> None:
    house, place = county
    slug = place.announced
    here = f"/hearings/{slug}"
    staff = Staff(browser, house, slug)
    cards = [did(place.browser, "POST", f"{here}/cards", {"seat": n})["code"] for n in (1, 2)]
    staff.hold("开始演练")
    expect(staff.host.locator(".topbar .rehearsal")).to_be_visible()
    staff.connected()
    tablet = joined(browser, house, cards[0], rehearsal=True)
    staff.hold("宣布开始")
    staff.is_now("进行中")
    staff.host.locator("body").press("PageDown")
    phone, _ = open_page(browser.new_context(viewport=PHONE), f"{house.url}/h/{slug}")

    # 演练 stands wherever one looks.
    for page in (phone, tablet):
        expect(page.locator(".topbar .rehearsal")).to_be_visible()
    for page_name in ("desk", "card", "stage", "overlay", "podium"):
        assert REHEARSAL in staff.sees(f"/h/{slug}/{page_name}"), page_name
    for path in ("/", "/office", f"/office/hearings/{slug}", f"/join/{cards[1]}"):
        assert REHEARSAL in staff.sees(path), path

    # Everybody tries everything.
    staff.open_round("北湾网络评价")
    vote(phone).click()
    expect(vote(phone)).to_have_attribute("aria-pressed", "true")
    support = phone.locator("[data-support]").first
    support.click()
    expect(support).to_have_attribute("aria-pressed", "true")
    phone.locator("[data-like]").click()
    text = "演练时问一句：路灯归谁管？"
    phone.fill("#ask-text", text)
    phone.locator("form[data-ask] button[type=submit]").click()
    asked = phone.locator("[data-receipt] [data-code]")
    expect(asked).to_have_text(re.compile("^[2-9A-Z]{8}$"))
    code = asked.inner_text()
    expect(phone.locator("[data-mine]")).to_contain_text(code)
    assert REHEARSAL in staff.sees(f"/q/{code}")
    staff.open_round("北湾测评")
    receipt = cast(tablet, 15)
    tablet.tap("#ask-open")
    tablet.fill("#ask-text", "演练时的申请")
    # One phone loses its network in the middle of an act, which waits on the phone from then on.
    lost, _ = open_page(browser.new_context(viewport=PHONE), f"{house.url}/h/{slug}")
    vote(lost).click()
    expect(vote(lost)).to_have_attribute("aria-pressed", "true")
    lost.context.set_offline(True)
    lost.locator("[data-support]").first.click()
    assert "support" in lost.evaluate("JSON.stringify(localStorage)")
    staff.hold("演练结束，开始正式签到")
    staff.is_now("签到")

    # The real run: every page has come to it by itself, and there is nothing in it.
    lost.context.set_offline(False)
    for page in (staff.host, phone, tablet, lost):
        expect(page.locator(".topbar .rehearsal")).to_have_count(0)
    state = did(place.browser, "GET", here)["state"]
    assert (state["likes"], state["hearing"]["run"]) == (0, "real")
    assert all(q["support"] == 0 for q in state["questions"])
    assert all(r["cast"] == 0 for r in state["rounds"])
    assert text not in str(did(place.browser, "GET", f"{here}/desk/questions"))
    expect(phone.locator("[data-mine]")).to_be_hidden()
    expect(phone.locator("[data-support][aria-pressed=true]")).to_have_count(0)
    for path in ("/?now", "/office", f"/office/hearings/{slug}", f"/join/{cards[1]}"):
        assert REHEARSAL not in staff.sees(path), path
    for page_name in ("desk", "card", "stage", "overlay", "podium"):
        assert REHEARSAL not in staff.sees(f"/h/{slug}/{page_name}"), page_name

    # The tablet is present without a new card, the unused card is still good.
    staff.connected()
    expect(staff.host.locator("#status")).to_contain_text("1 / 2")
    tablet.wait_for_selector('#link[data-state="up"]')
    assert tablet.locator(".sheet").count() == 0
    assert receipt not in tablet.content()
    assert tablet.input_value("#ask-text") == ""
    assert "演练" not in tablet.evaluate("JSON.stringify(localStorage)")
    second = joined(browser, house, cards[1], rehearsal=False)
    expect(staff.host.locator("#status")).to_contain_text("2 / 2")
    staff.hold_by_key("宣布开始")
    staff.is_now("进行中")
    staff.open_round("北湾网络评价")
    expect(vote(phone)).to_have_attribute("aria-pressed", "false")
    staff.open_round("北湾测评")
    for page, mark in ((tablet, 10), (second, 11)):
        assert page.locator(".sheet .pips input:checked").count() == 0
        assert cast(page, mark) != receipt
    panel = next(r for r in did(place.browser, "GET", here)["state"]["rounds"] if r["cast"])
    assert (panel["audience"], panel["cast"]) == ("panel", 2)
    assert not staff.errors


def test_the_other_language_by_the_switch_that_one_sees(
    browser: Browser, shared_demo: Running
) -> None:
    demo = shared_demo
    host = demo.as_("host")
    panel_round = next(r["id"] for r in demo.state()["rounds"] if r["audience"] == "panel")
    host.do("POST", f"/rounds/{panel_round}/opening")
    phone, heard = open_page(browser.new_context(viewport=PHONE), demo.line["links"]["public"])
    tablet, errors = open_page(
        browser.new_context(viewport=TABLET, has_touch=True), demo.line["links"]["panel"][4]
    )
    seg = tablet.locator('.sheet [data-dimension="personally"] .pips .seg').nth(17)
    seg.tap()
    tablet.tap("#ask-open")
    tablet.fill("#ask-text", "请问依据")
    phone.fill("#ask-text", "写到一半的提问")
    for page, there, back, english, chinese in (
        (phone, "English", "中文", "Ask", "我要提问"),
        (tablet, "English", "中文", "Connected", "已连接"),
    ):
        for words, lang, told in ((there, "en", english), (back, "zh-CN", chinese)):
            page.get_by_role("link", name=words, exact=True).click()
            expect(page.locator("html")).to_have_attribute("lang", lang)
            expect(page.locator("body")).to_contain_text(told)
            # What was begun is not lost by it, and the page goes on in its new language.
            assert page.input_value("#ask-text") in {"写到一半的提问", "请问依据"}
            version = page.evaluate("+document.body.dataset.version")
            host.do("PUT", f"{demo.here}/screens", {"cleared": False})
            slot = demo.state()["slot"]
            step = "questions" if slot["step"] == "statement" else "statement"
            body = {"version": slot["version"], "item": slot["item"], "step": step}
            host.do("PUT", f"{demo.here}/position", body)
            page.wait_for_function(
                "version => +document.body.dataset.version > version", arg=version
            )
            word = {
                ("questions", "en"): "Questions", ("questions", "zh-CN"): "提问答复",
                ("statement", "en"): "Statement", ("statement", "zh-CN"): "述法",
            }[step, lang]  # fmt: skip
            expect(page.locator("#now")).to_contain_text(word)
            expect(page.locator("#say")).to_have_text(
                "The show moved on" if lang == "en" else "进入下一环节"
            )
    expect(tablet.locator('.sheet [data-dimension="personally"] input:checked')).to_have_value("17")
    assert tablet.locator(".seat").inner_text().startswith("5号席")
    assert not errors
    assert not heard
