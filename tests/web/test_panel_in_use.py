"""The tablet in a real browser against a real server: nothing filled in is lost, nothing counts twice.

What is tried here is what went wrong elsewhere (a half-filled ballot wiped by somebody else's
update, a vote sent twice after a lost answer); the storm of updates is in tests/journeys.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.journeys.browser import DESKTOP, PHONE, TABLET, open_page, violations
from tests.running import Running, running

expect.set_options(timeout=20_000)  # a machine that runs all suites at once is slow
pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]
DIMENSIONS = ("personally", "decisions", "enforcement", "findings", "rectification")


def tablet(browser: Browser, demo: Running, seat: int, **size: Any) -> Page:
    """A seat's tablet, signed in and connected."""
    context = browser.new_context(viewport=size.get("viewport", TABLET), has_touch=True)
    page, _ = open_page(context, demo.line["links"]["panel"][seat])
    page.wait_for_selector('#link[data-state="up"]')
    return page


def opened(demo: Running, nth: int = 0) -> str:
    """A panel round, opened by the host."""
    rounds = [r["id"] for r in demo.state()["rounds"] if r["audience"] == "panel"]
    demo.as_("host").do("POST", f"/rounds/{rounds[nth]}/opening")
    return str(rounds[nth])


def fill(page: Page, *marks: int) -> None:
    """One mark a dimension, by finger."""
    for dimension, mark in zip(DIMENSIONS, marks, strict=False):
        page.locator(f'[data-dimension="{dimension}"] .pips .seg').nth(mark).tap()


def marks_on(page: Page) -> list[str]:
    """What stands on the sheet."""
    values: list[str] = page.locator(".sheet .value").evaluate_all("all => all.map(x => x.value)")
    return values


def state(page: Page, wanted: str) -> None:
    """Waits until the sheet is in a state."""
    page.wait_for_selector(f'.sheet[data-state="{wanted}"]')


def test_a_ballot_from_the_first_mark_to_the_receipt_and_a_change(
    browser: Browser, demo: Running
) -> None:
    page = tablet(browser, demo, 2)
    round_ = opened(demo)
    state(page, "fill")
    assert "5" in page.inner_text('[data-part="left"]')
    fill(page, 16, 17, 18, 19)
    assert "上年问题整改与下步措施" in page.inner_text('[data-part="left"]')
    page.reload()
    state(page, "fill")
    assert marks_on(page) == ["16", "17", "18", "19", ""]
    last = page.locator('[data-dimension="rectification"] .value')
    last.fill("21")
    last.press("Tab")
    assert "0–20" in page.inner_text('[data-dimension="rectification"] [data-part="wrong"]')
    last.fill("２０")  # as a Chinese keyboard types it
    page.tap('[data-do="check"]')
    state(page, "check")
    assert "90" in page.inner_text('[data-part="summary"]')
    assert violations(page) == []
    page.tap('[data-do="send"]')
    state(page, "received")
    cast = demo.as_("panel", 2).get(f"/rounds/{round_}/ballot")
    assert cast["marks"]["housing"] == dict(
        zip(DIMENSIONS, ("16", "17", "18", "19", "20"), strict=True)
    )
    assert page.inner_text('[data-part="receipt"]') == cast["receipt"]
    page.tap('[data-do="edit"]')
    fill(page, 10)
    page.reload()
    state(page, "fill")
    assert marks_on(page)[0] == "10"
    page.tap('[data-do="check"]')
    page.tap('[data-do="send"]')
    state(page, "received")
    changed = demo.as_("panel", 2).get(f"/rounds/{round_}/ballot")
    assert changed["marks"]["housing"]["personally"] == "10"
    assert changed["receipt"] != cast["receipt"]


def test_a_lost_answer_is_asked_for_again_under_the_same_key(
    browser: Browser, demo: Running
) -> None:
    page = tablet(browser, demo, 4)
    round_ = opened(demo)
    state(page, "fill")
    keys: list[str] = []

    def lose(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            route.fetch()  # it arrives and is committed; only the answer is lost
            route.abort()
        else:
            route.continue_()

    page.route("**/ballot", lambda r: lose(r) if r.request.method == "PUT" else r.continue_())
    fill(page, 1, 2, 3, 4, 5)
    page.tap('[data-do="check"]')
    page.tap('[data-do="send"]')
    state(page, "received")
    assert len(keys) == 2
    assert keys[0] == keys[1]
    cast = demo.as_("panel", 4).get(f"/rounds/{round_}/ballot")
    assert page.inner_text('[data-part="receipt"]') == cast["receipt"]
    turnout = demo.as_("host").get(f"/rounds/{round_}/turnout")
    assert turnout["cast"] == 1


def test_offline_it_waits_and_a_reload_goes_on_sending(browser: Browser, demo: Running) -> None:
    page = tablet(browser, demo, 5)
    round_ = opened(demo)
    state(page, "fill")
    fill(page, 5, 5, 5, 5, 5)
    page.tap('[data-do="check"]')
    page.route("**/ballot", lambda route: route.abort())
    page.tap('[data-do="send"]')
    state(page, "sending")
    expect(page.locator('[data-part="sending-word"]')).to_contain_text("网络")
    assert page.locator('[data-part="received"]').is_hidden()
    assert demo.as_("panel", 5).get(f"/rounds/{round_}/ballot")["receipt"] is None
    page.unroute("**/ballot")
    page.reload()
    state(page, "received")
    assert demo.as_("panel", 5).get(f"/rounds/{round_}/ballot")["receipt"]


def test_where_the_connection_is_trusted_the_page_opens_without_a_network(
    browser: Browser, demo: Running
) -> None:
    page = tablet(browser, demo, 8)
    expect(page.locator("#offline")).to_contain_text("没有网络时也能打开")
    kept = "caches.match(location.href).then(a => a.text()).then(t => t.includes('data-running'))"
    round_ = opened(demo)
    state(page, "fill")
    for _ in range(100):
        if page.evaluate(kept):
            break
        page.wait_for_timeout(100)
    fill(page, 11, 12)
    demo.kill()
    page.reload()
    state(page, "fill")
    assert marks_on(page) == ["11", "12", "", "", ""]
    expect(page.locator("#link")).to_have_attribute("data-state", "down")
    fill(page, 11, 12, 13, 14, 15)
    page.tap('[data-do="check"]')
    page.tap('[data-do="send"]')
    state(page, "sending")
    page.close()  # The browser is gone too; another window of it finds what was to be sent.
    page = browser.contexts[-1].new_page()
    page.goto(demo.line["links"]["panel"][8].split("/demo/")[0] + f"/h/{demo.slug}/panel")
    state(page, "sending")
    demo.again()
    state(page, "received")
    cast = demo.as_("panel", 8).get(f"/rounds/{round_}/ballot")
    assert list(cast["marks"]["housing"].values()) == ["11", "12", "13", "14", "15"]
    assert demo.as_("host").get(f"/rounds/{round_}/turnout")["cast"] == 1
    # Its worker is the panel page's alone.
    other = browser.contexts[-1].new_page()
    other.goto(f"{demo.url}/h/{demo.slug}")
    assert not other.evaluate("!!navigator.serviceWorker.controller")
    manifest = page.evaluate(
        "fetch(document.querySelector('[rel=manifest]').href).then(a => a.json())"
    )
    assert manifest["scope"] == f"/h/{demo.slug}/panel"
    assert page.evaluate(f"fetch({manifest['icons'][1]['src']!r}).then(a => a.ok)")


def test_over_plain_http_it_says_so_and_still_loses_nothing(
    browser: Browser, tmp_path: Path
) -> None:
    with running(tmp_path / "data", "--lan") as demo:
        page = tablet(browser, demo, 8)
        context = page.context
        assert not page.evaluate("isSecureContext")
        expect(page.locator("#offline")).to_contain_text("没有网络时不能重新打开")
        round_ = opened(demo)
        state(page, "fill")
        fill(page, 11, 12)
        context.set_offline(True)
        fill(page, 11, 12, 13, 14, 15)
        page.tap('[data-do="check"]')
        page.tap('[data-do="send"]')
        state(page, "sending")
        address = page.url
        page.close()
        context.set_offline(False)
        page = context.new_page()
        page.goto(address)
        state(page, "received")
        cast = demo.as_("panel", 8).get(f"/rounds/{round_}/ballot")
        assert list(cast["marks"]["housing"].values()) == ["11", "12", "13", "14", "15"]


def test_a_spare_tablet_takes_over_a_seat_with_the_hosts_consent(
    browser: Browser, demo: Running
) -> None:
    old = tablet(browser, demo, 4)
    console, _ = open_page(browser.new_context(viewport=DESKTOP), demo.line["links"]["host"])
    round_ = opened(demo)
    state(old, "fill")
    fill(old, 5, 6, 7, 8, 9)
    old.tap('[data-do="check"]')
    old.tap('[data-do="send"]')
    state(old, "received")
    receipt = old.inner_text('[data-part="receipt"]')
    spare = browser.new_context(viewport=TABLET, has_touch=True).new_page()
    for number, told in (("99", "没有这个席位"), ("5", "等主持台同意")):
        spare.goto(f"{demo.url}/h/{demo.slug}/panel")
        spare.fill("#number", number)
        spare.tap("#ask button")
        expect(spare.locator("#word")).to_contain_text(told)
    assert violations(spare) == []
    asked = console.locator("#takeovers li")
    expect(asked).to_contain_text("5 号席位请求换平板")
    expect(asked.locator(".code")).to_have_text(spare.inner_text("#check"))
    expect(console.locator("#spare-asks")).to_have_text("换平板请求 1")
    assert violations(console) == []
    asked.get_by_role("button", name="同意").click()
    began = time.monotonic()
    expect(old.locator("#link")).to_have_attribute("data-state", "out")
    assert time.monotonic() - began < 2
    state(spare, "received")
    assert spare.inner_text('[data-part="receipt"]') == receipt
    expect(console.locator("#spare-asks")).to_be_hidden()
    # The old tablet sends no more; the new one's ballot is the seat's one ballot.
    old.tap('[data-do="edit"]')
    fill(old, 1)
    old.tap('[data-do="check"]')
    old.tap('[data-do="send"]')
    expect(old.locator("#toast")).to_be_visible()
    spare.tap('[data-do="edit"]')
    fill(spare, 20)
    spare.tap('[data-do="check"]')
    spare.tap('[data-do="send"]')
    state(spare, "received")
    cast = demo.as_("panel", 4).get(f"/rounds/{round_}/ballot")
    assert cast["marks"]["housing"]["personally"] == "20"
    assert demo.as_("host").get(f"/rounds/{round_}/turnout")["cast"] == 1


def test_a_comment_goes_from_the_tablet_to_its_review(browser: Browser, demo: Running) -> None:
    host = demo.as_("host")
    rules = host.get(f"/rounds/{opened(demo)}")["rules"]
    new = {
        "title": "有意见建议的一轮",
        "audience": "panel",
        "secrecy": "secret",
        "subjects": ["city"],
        "rules": rules,
        "comments": True,
        "reason_below": "60",
    }
    id_ = host.do("POST", f"{demo.here}/rounds", new)["id"]
    page = tablet(browser, demo, 6)
    host.do("POST", f"/rounds/{id_}/opening")
    sheet = page.locator(f"#sheet-{id_}")
    for dimension in DIMENSIONS:
        sheet.locator(f'[data-dimension="{dimension}"] .pips .seg').nth(5).tap()
    sheet.locator('[data-do="check"]').tap()
    assert sheet.locator('[data-part="check"]').is_hidden()
    sheet.locator("[data-text]").fill("占道经营反复回潮")
    sheet.locator('[data-do="check"]').tap()
    sheet.locator('[data-do="send"]').tap()
    expect(sheet.locator('[data-part="receipt"]')).not_to_be_empty()
    office, _ = open_page(browser.new_context(viewport=TABLET), demo.line["links"]["office"])
    address = f"{demo.url}/office/hearings/{demo.slug}/rounds/{id_}/comments"
    office.goto(address)
    expect(office.locator("#comments")).to_contain_text("截止前任何人都不能查看")
    assert "占道经营" not in office.content()
    host.do("POST", f"/rounds/{id_}/closing")
    office.goto(address)
    expect(office.locator("#comments")).to_contain_text("占道经营反复回潮")
    assert "7 号席" not in office.inner_text("#comments")
    assert violations(office) == []
    office.get_by_role("button", name="公开", exact=True).click()
    expect(office.locator("#comments .chip")).to_have_text("已公开")
    kept = page.evaluate("Object.values(localStorage).join('')")
    assert "占道经营" not in kept  # after the close it leaves the device, as the marks do


def test_the_console_sees_which_tablets_are_there_and_how_full(
    browser: Browser, shared_demo: Running
) -> None:
    demo = shared_demo
    console, _ = open_page(browser.new_context(viewport=DESKTOP), demo.line["links"]["host"])
    context = browser.new_context(viewport=TABLET)
    level = "navigator.getBattery = async () => ({ level: 0.15, charging: false })"
    context.add_init_script(level)
    _page, _ = open_page(context, demo.line["links"]["panel"][11])
    seat = console.locator('#tablets-map [data-seat-number="12"]')
    expect(seat).to_contain_text("15%")
    expect(seat).to_contain_text("已连接")
    expect(console.locator("#tablets-trouble")).to_contain_text("12 号")
    expect(console.locator("#tablets-trouble")).to_contain_text("电量 15%")
    never = console.locator('#tablets-map [data-seat-number="13"]')
    expect(never).to_contain_text("未连接")
    assert violations(console) == []
    context.close()
    expect(seat).to_contain_text("已断开")
    expect(console.locator("#tablets-trouble")).to_contain_text("已断开，最后")
    entries = demo.as_("office").get(f"{demo.here}/journal?after=0")["entries"]
    assert "battery" not in str(entries)


def test_a_spare_tablet_of_the_seat_knows_what_was_cast(browser: Browser, demo: Running) -> None:
    round_ = opened(demo)
    marks = {"housing": dict.fromkeys(DIMENSIONS, "12")}
    receipt = demo.as_("panel", 6).do(
        "PUT", f"/rounds/{round_}/ballot", {"marks": marks}, "spare-key-1"
    )["receipt"]
    page = tablet(browser, demo, 6)
    state(page, "received")
    assert page.inner_text('[data-part="receipt"]') == receipt
    page.tap('[data-do="edit"]')
    assert marks_on(page) == ["12"] * 5
    demo.as_("host").do("POST", f"/rounds/{round_}/closing")
    state(page, "shut")
    assert receipt in page.inner_text('[data-part="shut"]')
    assert "修改没有再次提交" in page.inner_text('[data-part="shut"]')
    kept = page.evaluate("Object.values(localStorage).join('')")
    assert '"12"' not in kept  # after the close the marks leave the device


def test_of_a_secret_ballot_a_spare_tablet_knows_only_that_it_was_cast(
    browser: Browser, demo: Running
) -> None:
    host = demo.as_("host")
    named = next(r["id"] for r in demo.state()["rounds"] if r["audience"] == "panel")
    body = {
        "title": "无记名测评",
        "audience": "panel",
        "secrecy": "secret",
        "subjects": ["housing"],
        "rules": host.get(f"/rounds/{named}")["rules"],
    }
    round_ = host.do("POST", f"{demo.here}/rounds", body)["id"]
    host.do("POST", f"/rounds/{round_}/opening")
    own = tablet(browser, demo, 6)
    state(own, "fill")
    assert own.inner_text('[data-part="secrecy"]').startswith("无记名：")
    fill(own, 12, 12, 12, 12, 12)
    own.tap('[data-do="check"]')
    own.tap('[data-do="send"]')
    state(own, "received")
    assert own.locator('[data-part="mine"]').is_visible()  # what this tablet itself has sent
    spare = tablet(browser, demo, 6)
    state(spare, "received")
    receipt = own.inner_text('[data-part="receipt"]')
    assert spare.inner_text('[data-part="receipt"]') == receipt
    assert spare.locator('[data-part="mine"]').is_hidden()
    spare.tap('[data-do="edit"]')
    assert marks_on(spare) == [""] * 5
    fill(spare, 9, 9, 9, 9, 9)
    spare.tap('[data-do="check"]')
    spare.tap('[data-do="send"]')
    state(spare, "received")
    host.do("POST", f"/rounds/{round_}/closing")
    for page in (own, spare):
        state(page, "shut")
        kept = page.evaluate("Object.values(localStorage).join('')")
        assert '"12"' not in kept
        assert '"9"' not in kept


def test_abstain_and_recuse_are_sent_as_such(browser: Browser, demo: Running) -> None:
    host = demo.as_("host")
    rounds = [r["id"] for r in demo.state()["rounds"] if r["audience"] == "panel"]
    rules = host.get(f"/rounds/{rounds[0]}")["rules"]
    body = {
        "title": "三位一并测评",
        "audience": "panel",
        "subjects": ["housing", "city", "market"],
        "rules": rules,
    }
    id_ = host.do("POST", f"{demo.here}/rounds", body)["id"]
    page = tablet(browser, demo, 7, viewport=PHONE)
    host.do("POST", f"/rounds/{id_}/opening")
    state(page, "fill")
    first, second = (page.locator(f'[data-subject="{s}"]') for s in ("housing", "city"))
    first.locator('.modes .seg:has([data-mode="recuse"])').tap()
    page.tap('[data-do="next"]')
    second.locator('.modes .seg:has([data-mode="abstain"])').tap()
    page.tap('[data-do="next"]')
    page.locator('[data-subject="market"] .mark .seg').nth(20).tap()
    page.tap('[data-do="check"]')
    assert "4 项未打分" in page.inner_text('[data-part="summary"]')
    page.tap('[data-do="send"]')
    state(page, "received")
    cast = demo.as_("panel", 7).get(f"/rounds/{id_}/ballot")
    assert cast["recused"] == ["housing"]
    assert set(cast["marks"]["city"].values()) == {"abstain"}
    assert list(cast["marks"]["market"].values()) == ["20"]


def test_a_whole_sheet_is_sent_at_the_closing_only_where_the_round_says_so(
    browser: Browser, demo: Running
) -> None:
    host, page = demo.as_("host"), tablet(browser, demo, 3)
    rules = host.get(f"/rounds/{opened(demo)}")["rules"]
    rounds = {}
    for unsent in ("send", "discard"):
        body = {
            "title": unsent,
            "audience": "panel",
            "unsent": unsent,
            "subjects": ["city"],
            "rules": rules,
        }
        rounds[unsent] = host.do("POST", f"{demo.here}/rounds", body)["id"]
        host.do("POST", f"/rounds/{rounds[unsent]}/opening")
        on = page.locator(f"#sheet-{rounds[unsent]}")
        for dimension in DIMENSIONS:
            on.locator(f'[data-dimension="{dimension}"] .pips .seg').nth(12).tap()
        word = {"send": "由本机自动提交", "discard": "没有提交的测评表不计入"}[unsent]
        assert word in on.inner_text()
    soon = page.locator("#closing-soon")
    assert soon.is_hidden()
    host.do("POST", f"/rounds/{rounds['send']}/closing", {"in": 16})
    expect(soon).to_contain_text("秒后截止 · 已填完，将自动提交")
    assert violations(page) == []
    host.do("POST", f"/rounds/{rounds['discard']}/closing", {"in": 4})
    expect(soon).to_contain_text("秒后截止 · 请尽快提交")  # of the two the one that closes first
    page.wait_for_selector(f"#sheet-{rounds['discard']}[data-state='shut']")
    page.wait_for_selector(f"#sheet-{rounds['send']}[data-state='shut']")
    seat = demo.as_("panel", 3)
    assert seat.get(f"/rounds/{rounds['discard']}/ballot")["receipt"] is None
    receipt = seat.get(f"/rounds/{rounds['send']}/ballot")["receipt"]
    assert receipt in page.inner_text(f"#sheet-{rounds['send']} [data-part='shut']")
    expect(soon).to_be_hidden()


def test_only_the_seat_that_is_asked_sees_that_it_is_next(browser: Browser, demo: Running) -> None:
    mine, other = tablet(browser, demo, 2), tablet(browser, demo, 3)
    host = demo.as_("host")
    first = host.get(f"{demo.here}/queue")["ids"][0]
    host.do("PUT", f"{demo.here}/queue/{first}/asker", {"seat": 3})
    mine.wait_for_selector("#given .given", state="visible")
    other.wait_for_selector("#given .given", state="attached")
    assert other.locator("#given .given").is_hidden()
    mine.tap("#ask-open")
    mine.fill("#ask-text", "请问裁量基准在哪里公开")
    mine.reload()
    assert mine.input_value("#ask-text") == "请问裁量基准在哪里公开"
    mine.tap("#ask-form button.primary")
    mine.wait_for_selector("#floor .mine", state="visible")
    assert mine.input_value("#ask-text") == ""
    assert violations(mine) == []


def test_what_became_of_a_request_stays_until_it_is_put_away_or_the_item_is_over(
    browser: Browser, shared_demo: Running
) -> None:
    demo, host = shared_demo, shared_demo.as_("host")
    mine, other = tablet(browser, demo, 8), tablet(browser, demo, 9)

    def ask(kind: str, text: str) -> int:
        if mine.locator("#ask-form").is_hidden():
            mine.tap("#ask-open")
        mine.locator(f'#ask-form .seg:has([value="{kind}"])').tap()
        mine.fill("#ask-text", text)
        mine.tap("#ask-form button.primary")
        note = mine.locator(f'#floor .mine[data-kind="{kind}"][data-outcome="open"]')
        expect(note).to_contain_text(text)
        return int(note.get_attribute("data-wish") or 0)

    def settle(id_: int, outcome: str) -> None:
        host.do("POST", f"{demo.here}/floor/{id_}/outcome", {"outcome": outcome})

    asked = ask("ask", "请问裁量基准在哪里公开")
    settle(asked, "declined")
    note = mine.locator(f"#wish-{asked}")
    expect(note).to_contain_text("本次未安排")
    expect(mine.locator("#toast")).to_have_text("申请提问 · 本次未安排")
    assert other.locator(f"#wish-{asked}").is_hidden()
    assert "裁量基准" not in other.content()
    # Its text is kept, on a spare tablet too, and asking again loses nothing that is being written.
    spare = tablet(browser, demo, 8)
    expect(spare.locator(f"#wish-{asked}")).to_contain_text("请问裁量基准在哪里公开")
    mine.tap("#ask-open")
    mine.fill("#ask-text", "还有一问")
    note.locator("[data-again]").tap()
    assert mine.input_value("#ask-text") == "还有一问\n请问裁量基准在哪里公开"
    assert violations(mine) == []
    mine.tap("#ask-form button.primary")
    expect(note).to_have_count(0)
    again = mine.locator('#floor .mine[data-outcome="open"]')
    settle(int(again.get_attribute("data-wish") or 0), "granted")
    granted = mine.locator('#floor .mine[data-outcome="granted"]')
    expect(granted).to_contain_text("已安排，请准备发言")
    mine.reload()
    expect(granted).to_be_visible()
    granted.locator("[data-dismiss]").tap()
    expect(granted).to_be_hidden()
    mine.reload()
    mine.wait_for_selector('#link[data-state="up"]')
    expect(granted).to_be_hidden()
    # What is not put away goes with the item, for a tablet that is open and for a reload alike.
    settle(ask("follow_up", "依据哪一条"), "declined")
    expect(mine.locator("#floor .mine:visible")).to_have_count(1)
    step = demo.state()["slot"]
    items = demo.anyone().get(f"{demo.here}/agenda")["items"]
    later = next(i for i in items if i["status"] == "coming")
    body = {"version": step["version"], "item": later["id"], "step": later["steps"][0]}
    host.do("PUT", f"{demo.here}/position", body)
    expect(mine.locator("#floor .mine")).to_have_count(0)
