"""A tablet that several panelists share: a one-time code each, a sheet each, and nothing left behind."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from server.identity.limits import PER_ADDRESS
from tests.journeys.browser import DESKTOP, PHONE, TABLET, look_as, open_page, violations
from tests.running import Running

expect.set_options(timeout=20_000)
pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


def code_of(demo: Running, seat: int) -> str:
    """A new code for a seat."""
    made = demo.as_("office").do("POST", f"{demo.here}/cards", {"seat": seat, "kiosk": True})
    assert made["url"].endswith(f"/h/{demo.slug}/kiosk")
    return str(made["code"])


def entered(demo: Running, code: str) -> tuple[int, Any]:
    """What typing a code in is answered."""
    address = f"{demo.url}/h/{demo.slug}/kiosk/session?lang=en"
    answer = httpx2.post(address, json={"code": code}, trust_env=False)
    told = answer.json()
    return answer.status_code, told["error"]["code"] if "error" in told else told["address"]


def opened(demo: Running) -> str:
    """The first panel round, opened."""
    round_ = next(r["id"] for r in demo.state()["rounds"] if r["audience"] == "panel")
    demo.as_("host").do("POST", f"/rounds/{round_}/opening")
    return str(round_)


def type_in(page: Page, code: str) -> None:
    """Types the code as people do, in two halves."""
    page.locator("#code").fill(f"{code[:4]} {code[4:].lower()}")
    page.get_by_role("button", name="开始测评").click()


def kept(page: Page) -> str:
    """What this device holds of the panel."""
    return str(
        page.evaluate(
            "JSON.stringify(Object.entries(localStorage).filter(([name]) => name.includes(':')))"
        )
    )


def test_two_panelists_share_a_tablet_and_find_nothing_of_each_other(
    browser: Browser, demo: Running
) -> None:
    round_ = opened(demo)
    page, errors = open_page(
        browser.new_context(viewport=TABLET, has_touch=True), f"{demo.url}/h/{demo.slug}/kiosk"
    )
    assert violations(page) == []
    for seat in (5, 6):
        code = code_of(demo, seat)
        type_in(page, code)
        sheet = page.locator(f"#sheet-{round_}")
        expect(sheet.locator('[data-part="fill"]')).to_be_visible()
        assert page.locator(".tabs").is_hidden()
        assert page.locator(".pane.hall").is_hidden()
        marks = sheet.locator(".value").evaluate_all("all => all.map(x => x.value)")
        assert marks == [""] * 5
        for line in range(5):
            sheet.locator(".mark").nth(line).locator(".pips .seg").nth(seat).tap()
        sheet.locator('[data-do="check"]').tap()
        sheet.locator('[data-do="send"]').tap()
        dialog = page.locator("#shared")
        expect(dialog.locator("[data-receipt]")).not_to_be_empty()
        receipt = demo.as_("panel", seat - 1).get(f"/rounds/{round_}/ballot")["receipt"]
        assert dialog.locator("[data-receipt]").inner_text() == receipt
        assert violations(page) == []
        dialog.locator("[data-leave]").tap()
        page.wait_for_url("**/kiosk?lang=zh")
        assert page.locator("#code").input_value() == ""
        assert kept(page) == "[]"
        assert not [c for c in page.context.cookies() if "kiosk" in c["name"]]
        assert entered(demo, code) == (409, "kiosk_used")
        page.go_back()  # to the sheet of whoever sat here: he is signed out
        page.wait_for_load_state()
        assert page.locator(f"#sheet-{round_}").count() == 0
        page.goto(f"{demo.url}/h/{demo.slug}/kiosk")
    assert demo.as_("host").get(f"/rounds/{round_}/turnout")["cast"] == 2
    assert not errors


def test_who_goes_away_leaves_nothing(browser: Browser, demo: Running) -> None:
    round_ = opened(demo)
    context = browser.new_context(viewport=TABLET, has_touch=True)
    page, _ = open_page(context, f"{demo.url}/h/{demo.slug}/kiosk")
    page.clock.install()
    type_in(page, code_of(demo, 7))
    sheet = page.locator(f"#sheet-{round_}")
    sheet.locator(".mark").first.locator(".pips .seg").nth(9).tap()
    assert "pingyi-sheet" in kept(page)
    page.clock.fast_forward(121_000)
    dialog = page.locator("#shared")
    expect(dialog.get_by_role("button", name="继续填写")).to_be_visible()
    dialog.get_by_role("button", name="继续填写").tap()
    expect(dialog).to_be_hidden()
    assert sheet.locator(".value").first.input_value() == "9"
    page.clock.fast_forward(121_000)
    expect(dialog).to_be_visible()
    page.clock.fast_forward(31_000)
    page.wait_for_url("**/kiosk?lang=zh")
    assert kept(page) == "[]"


def test_whoever_sat_here_is_signed_out_however_the_page_was_left(
    browser: Browser, demo: Running
) -> None:
    round_ = opened(demo)
    page, _ = open_page(
        browser.new_context(viewport=TABLET, has_touch=True), f"{demo.url}/h/{demo.slug}/kiosk"
    )
    type_in(page, code_of(demo, 9))
    page.locator(f"#sheet-{round_} .mark").first.locator(".pips .seg").nth(9).tap()
    assert "pingyi-sheet" in kept(page)
    cookies = page.context.cookies()
    page.goto(f"{demo.url}/h/{demo.slug}/kiosk")  # the home button
    expect(page.locator("#code")).to_be_focused()
    page.wait_for_function("!Object.keys(localStorage).some(name => name.includes('sheet'))")
    page.goto(f"{demo.url}/h/{demo.slug}/panel?seat=kiosk-09")
    assert page.locator(".seat").count() == 0
    # As if the page had been gone before it could say so.
    page.context.add_cookies(cookies)  # type: ignore[arg-type]
    address = f"{demo.url}/h/{demo.slug}/panel?seat=kiosk-09"
    assert page.context.request.get(address).status == 401


def test_entering_ends_the_session_before(demo: Running) -> None:
    round_ = opened(demo)
    with httpx2.Client(trust_env=False, base_url=demo.url) as tablet:
        for seat in (9, 10, 9):
            code = code_of(demo, seat)
            answer = tablet.post(f"/h/{demo.slug}/kiosk/session", json={"code": code})
            assert answer.status_code == 200, answer.text
            assert [name for name in tablet.cookies if "kiosk" in name] == [
                f"pingyi_as_kiosk-{seat:02d}"
            ]
        kept = dict(tablet.cookies)
        assert tablet.get(f"/h/{demo.slug}/panel/sheet/{round_}?seat=kiosk-09").status_code == 200
        tablet.post(f"/h/{demo.slug}/kiosk/end")
        tablet.cookies.update(kept)
        assert tablet.get(f"/h/{demo.slug}/panel/sheet/{round_}?seat=kiosk-09").status_code == 401


def test_a_sheet_on_its_way_is_waited_for_and_the_end_too(browser: Browser, demo: Running) -> None:
    round_ = opened(demo)
    page, _ = open_page(
        browser.new_context(viewport=TABLET, has_touch=True), f"{demo.url}/h/{demo.slug}/kiosk"
    )
    type_in(page, code_of(demo, 12))
    sheet = page.locator(f"#sheet-{round_}")
    sheet.locator(".mark").first.locator(".pips .seg").nth(9).tap()
    page.route("**/ballot", lambda route: route.abort())
    sheet.locator('[data-do="check"]').tap()
    sheet.locator('[data-do="send"]').tap()
    expect(sheet.locator('[data-part="sending"]')).to_be_visible()
    page.locator(".topbar [data-leave]").tap()
    dialog = page.locator("#shared")
    expect(dialog).to_contain_text("还在提交")
    page.unroute("**/ballot")
    expect(dialog.locator("[data-receipt]")).not_to_be_empty()
    page.route("**/kiosk/end", lambda route: route.abort())
    dialog.locator("[data-leave]").tap()
    expect(dialog).to_contain_text("请不要交给他人")
    assert page.evaluate("document.getElementById('main').inert")
    assert kept(page) == "[]"
    page.unroute("**/kiosk/end")
    page.wait_for_url("**/kiosk?lang=zh")
    assert demo.as_("host").get(f"/rounds/{round_}/turnout")["cast"] == 1


def test_a_seat_that_votes_on_paper_keeps_its_code(demo: Running) -> None:
    round_, code = opened(demo), code_of(demo, 13)
    demo.as_("host").do("PUT", f"/rounds/{round_}/seats/13/paper", {"paper": True})
    assert entered(demo, code) == (409, "votes_on_paper")
    demo.as_("host").do("PUT", f"/rounds/{round_}/seats/13/paper", {"paper": False})
    assert entered(demo, code)[0] == 200


def test_guessing_comes_to_an_end(demo: Running) -> None:
    opened(demo)
    right = code_of(demo, 14)
    for _ in range(PER_ADDRESS["kiosk"]):
        assert entered(demo, "NOSUCHXX")[1] == "kiosk_unknown"
    assert entered(demo, right) == (429, "too_many")


def test_a_code_is_used_up_only_by_a_sheet_that_can_be_filled_in(demo: Running) -> None:
    code, other = code_of(demo, 8), code_of(demo, 9)
    assert entered(demo, code) == (409, "kiosk_signed_in")
    round_ = opened(demo)
    assert entered(demo, "NOSUCHXX") == (404, "kiosk_unknown")
    card = demo.as_("office").do("POST", f"{demo.here}/cards", {"seat": 10})["code"]
    assert entered(demo, card) == (404, "kiosk_unknown")  # a join card is no code for a kiosk
    assert entered(demo, code)[0] == 200
    newer = code_of(demo, 9)
    assert entered(demo, other) == (404, "kiosk_unknown")
    demo.as_("host").do("POST", f"/rounds/{round_}/closing")
    assert entered(demo, newer) == (409, "kiosk_signed_in")


def test_a_code_ends_no_tablet_of_its_seat(browser: Browser, demo: Running) -> None:
    page, _ = open_page(browser.new_context(viewport=TABLET), demo.line["links"]["panel"][10])
    page.wait_for_selector('#link[data-state="up"]')
    round_ = opened(demo)
    status, address = entered(demo, code_of(demo, 11))
    assert (status, address.split("=")[1].split("&")[0]) == (200, "kiosk-11")
    expect(page.locator(f"#sheet-{round_}")).to_be_visible()
    assert page.locator("#link").get_attribute("data-state") == "up"


def test_the_slips_are_printed_from_the_hearings_page(browser: Browser, demo: Running) -> None:
    page, errors = open_page(browser.new_context(viewport=DESKTOP), demo.line["links"]["office"])
    page.goto(f"{demo.url}/office/hearings/{demo.slug}")
    page.once("dialog", lambda asked: asked.accept())
    page.locator("#kiosk").click()
    slips = page.locator(".join-card")
    expect(slips).to_have_count(21)
    assert "共用平板" in page.locator("h1").inner_text()
    codes = page.locator(".big-code").all_inner_texts()
    assert len({"".join(one.split()) for one in codes}) == 21
    assert all(len("".join(one.split())) == 8 for one in codes)
    assert violations(page) == []
    assert not errors


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_entrance_fits_and_is_accessible(browser: Browser, demo: Running, lang: str) -> None:
    page, _ = open_page(
        browser.new_context(reduced_motion="reduce"),
        f"{demo.url}/h/{demo.slug}/kiosk?lang={lang}",
    )
    for size, theme in ((PHONE, "light"), (TABLET, "dark"), (DESKTOP, "light")):
        look_as(page, size, theme)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 1, size
        assert not violations(page), (size, theme)


def test_who_is_not_signed_in_yet_is_by_the_code(demo: Running) -> None:
    host, code = demo.as_("host"), code_of(demo, 15)
    host.do("PUT", f"{demo.here}/seats/15/presence", {"present": False})
    assert entered(demo, code) == (409, "kiosk_signed_in")
    opened(demo)
    assert entered(demo, code)[0] == 200


def test_one_seats_code_in_the_dialog(browser: Browser, demo: Running) -> None:
    page, errors = open_page(browser.new_context(viewport=DESKTOP), demo.line["links"]["office"])
    page.goto(f"{demo.url}/office/hearings/{demo.slug}")
    page.get_by_role("button", name="共用平板代码，16 号席", exact=True).click()
    dialog = page.locator("#issued")
    expect(dialog.locator(".join-card")).to_have_count(1)
    assert len("".join(dialog.locator(".big-code").inner_text().split())) == 8
    opened(demo)
    assert entered(demo, "".join(dialog.locator(".big-code").inner_text().split()))[0] == 200
    assert not errors


def test_a_sheet_that_was_sent_before_may_be_changed_here(browser: Browser, demo: Running) -> None:
    round_ = opened(demo)
    dimensions = ("personally", "decisions", "enforcement", "findings", "rectification")
    marks = {"housing": dict.fromkeys(dimensions, "12")}
    demo.as_("panel", 16).do("PUT", f"/rounds/{round_}/ballot", {"marks": marks}, "key-of-seat-17")
    page, _ = open_page(
        browser.new_context(viewport=TABLET, has_touch=True), f"{demo.url}/h/{demo.slug}/kiosk"
    )
    type_in(page, code_of(demo, 17))
    sheet = page.locator(f"#sheet-{round_}")
    sheet.locator('[data-do="edit"]').tap()
    sheet.locator(".mark").first.locator(".pips .seg").nth(15).tap()
    sheet.locator('[data-do="check"]').tap()
    sheet.locator('[data-do="send"]').tap()
    expect(page.locator("#shared [data-receipt]")).not_to_be_empty()
    now = demo.as_("panel", 16).get(f"/rounds/{round_}/ballot")["marks"]["housing"]
    assert now["personally"] == "15"
