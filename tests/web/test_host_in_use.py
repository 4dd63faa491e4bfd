"""The console in a real browser against a real server: keys, holding, controls, order, turnout."""

from __future__ import annotations

import sqlite3
import time

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.journeys.browser import DESKTOP, TABLET, look_as, open_page, violations
from tests.running import Running

expect.set_options(timeout=20_000)  # a machine that runs all suites at once is slow
pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]
HELD_MS = 1200


def console(browser: Browser, demo: Running) -> Page:
    """The host's console, connected."""
    page, _ = open_page(browser.new_context(viewport=DESKTOP), demo.line["links"]["host"])
    page.wait_for_selector('#link[data-state="up"]')
    return page


def hold(page: Page, button: Locator, ms: int = HELD_MS) -> None:
    """Presses a button for so long."""
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.wait_for_timeout(ms)
    page.mouse.up()


def step(demo: Running) -> str:
    """Where the show stands."""
    return str(demo.state()["slot"]["step"])


def ids(page: Page) -> list[int]:
    """The queue as it is shown."""
    found: list[int] = page.locator("#queue [data-id]").evaluate_all(
        "all => all.map(one => +one.dataset.id)"
    )
    return found


def test_a_script_that_comes_late_misses_nothing_of_the_socket(
    browser: Browser, demo: Running
) -> None:
    context = browser.new_context(viewport=DESKTOP)

    def late(route: Route) -> None:
        time.sleep(1.5)  # live.js and its socket would be long ready.
        route.continue_()

    context.route("**/host.*.js", late)
    page, _ = open_page(context, demo.line["links"]["host"])
    expect(page.locator("#link")).to_have_attribute("data-state", "up")


def test_a_clicker_moves_the_show_and_never_while_somebody_types(
    browser: Browser, demo: Running
) -> None:
    page = console(browser, demo)
    page.keyboard.press("PageDown")
    expect(page.locator("#now-title")).to_contain_text("提问答复")
    page.wait_for_timeout(500)
    page.keyboard.press("PageUp")
    expect(page.locator("#now-title")).to_contain_text("述法")
    page.locator("#notice-text").focus()
    page.keyboard.press("PageDown")
    page.keyboard.press("Space")
    page.keyboard.press("b")
    page.wait_for_timeout(500)
    assert step(demo) == "statement"
    assert page.input_value("#notice-text") == " b"
    assert not demo.state()["hearing"]["cleared"]
    page.locator("#main").focus()
    page.keyboard.press("b")
    expect(page.locator("#screens")).to_contain_text("正在显示垫片")
    assert demo.state()["hearing"]["cleared"]


def test_space_is_next_also_after_a_button_was_pressed(browser: Browser, demo: Running) -> None:
    page = console(browser, demo)
    page.get_by_role("button", name="暂停", exact=True).click()
    again = page.get_by_role("button", name="继续", exact=True)
    expect(again).to_be_visible()
    again.click()
    expect(page.get_by_role("button", name="暂停", exact=True)).to_be_visible()
    page.keyboard.press("Space")
    expect(page.locator("#now-title")).to_contain_text("提问答复")
    assert demo.state()["hearing"]["status"] == "live"


def test_what_closes_a_round_must_be_held(browser: Browser, demo: Running) -> None:
    page = console(browser, demo)
    open_ = next(r["id"] for r in demo.state()["rounds"] if r["status"] == "open")
    now = page.locator(f"#round-{open_} [data-held]", has_text="立即截止")
    hold(page, now, 300)
    page.wait_for_timeout(900)
    assert page.locator(f"#round-{open_}.open").count() == 1
    hold(page, now)
    page.wait_for_selector(f"#round-{open_}.tallied")
    now_void = page.locator(f"#round-{open_} [data-open='void']")
    now_void.click()
    page.fill("#void-reason", "误开")
    hold(page, page.locator("#void-go"))
    page.wait_for_selector(f"#round-{open_}.voided")
    expect(page.locator("#void-dialog")).to_be_hidden()


def test_a_control_held_elsewhere_is_taken_over_with_one_press(
    browser: Browser, demo: Running
) -> None:
    page = console(browser, demo)
    demo.as_("host").do("PUT", f"{demo.here}/leases/show")
    expect(page.locator("#lease-show .button")).to_be_visible()
    page.keyboard.press("PageDown")
    page.wait_for_selector("#takeover:not([hidden])")
    assert step(demo) == "statement"
    page.locator("#takeover button").click()
    page.wait_for_selector('#lease-show[data-state="mine"]')
    page.wait_for_timeout(600)  # a second press within 400 ms is a worn clicker's
    page.keyboard.press("PageDown")
    expect(page.locator("#now-title")).to_contain_text("提问答复")


def test_a_drag_under_way_is_not_disturbed_and_the_newest_comes_in_after(
    browser: Browser, demo: Running
) -> None:
    page = console(browser, demo)
    before = ids(page)
    page.locator("#queue").scroll_into_view_if_needed()
    third = page.locator("#queue li").nth(2).locator(".handle").bounding_box()
    first = page.locator("#queue li").nth(0).locator(".handle").bounding_box()
    assert third
    assert first
    page.mouse.move(third["x"] + 5, third["y"] + 5)
    page.mouse.down()
    # At a person's pace: the list follows the pointer with a short animation.
    for y in range(int(third["y"]), int(first["y"]) - 6, -6):
        page.mouse.move(third["x"] + 5, y)
        page.wait_for_timeout(25)
    page.wait_for_timeout(300)
    dragged = ids(page)
    assert dragged[0] == before[2]
    version = page.evaluate("+document.body.dataset.version")
    demo.as_("host").do("PUT", f"{demo.here}/queue/{before[0]}/asker", {"seat": 5})
    expect(page.locator(f'body:not([data-version="{version}"])')).to_have_count(1)
    assert ids(page) == dragged
    page.mouse.up()
    # The queue had changed meanwhile, so the order is refused, said, and the newest is shown.
    expect(page.locator("#toast")).to_be_visible()
    expect(page.locator("#queue")).to_contain_text("已交给5号席")
    expect(page.locator("#queue:not([data-own])")).to_have_count(1)
    assert ids(page) == before
    page.locator("#queue li").nth(0).locator("[data-move='1']").focus()
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Alt+ArrowDown")
    wanted = [before[1], before[2], before[0], *before[3:]]
    assert ids(page) == wanted
    for _ in range(40):
        if demo.as_("host").get(f"{demo.here}/queue")["ids"] == wanted:
            break
        page.wait_for_timeout(250)
    assert demo.as_("host").get(f"{demo.here}/queue")["ids"] == wanted
    assert ids(page) == wanted


def test_turnout_by_seat_also_for_a_console_opened_late(browser: Browser, demo: Running) -> None:
    host = demo.as_("host")
    round_ = next(r["id"] for r in demo.state()["rounds"] if r["audience"] == "panel")
    host.do("POST", f"/rounds/{round_}/opening")
    marks = {"housing": {"personally": "9"}}
    demo.as_("panel", 0).do("PUT", f"/rounds/{round_}/ballot", {"marks": marks}, "turnout-key-0")
    demo.as_("panel", 4).do("PUT", f"/rounds/{round_}/draft")
    page = console(browser, demo)
    cells = page.locator(f'[data-turnout="{round_}"] .seatmap li')
    expect(cells.nth(0)).to_have_attribute("data-state", "cast")
    expect(cells.nth(4)).to_have_attribute("data-state", "begun")
    expect(cells.nth(1)).to_have_attribute("data-state", "none")
    demo.as_("panel", 1).do("PUT", f"/rounds/{round_}/ballot", {"marks": marks}, "turnout-key-1")
    expect(cells.nth(1)).to_have_attribute("data-state", "cast")
    expect(page.locator(f'[data-pulse="none:{round_}"]')).to_have_text("18")


def test_one_key_puts_a_question_off_the_cuff_on_stage(browser: Browser, demo: Running) -> None:
    page = console(browser, demo)
    page.keyboard.press("o")
    page.wait_for_selector("#seat-dialog[open]")
    page.keyboard.type("12")
    page.keyboard.press("Enter")
    page.wait_for_selector('#stage[data-needs-text="yes"]')
    expect(page.locator("#later")).to_be_visible()
    assert demo.state()["stage"]["asker"].endswith("笪明溪")


def test_the_text_typed_later_outlives_what_other_windows_do(
    browser: Browser, demo: Running
) -> None:
    page, host = console(browser, demo), demo.as_("host")
    asked = host.do("PUT", f"{demo.here}/stage", {"asker": 12})
    page.wait_for_selector('#stage[data-needs-text="yes"]')
    text = "罚款决定为什么当天没有公开？"
    field = page.locator("#later-text")
    field.fill(text)
    expect(page.locator("#later-left")).to_be_hidden()
    host.do("DELETE", f"{demo.here}/stage", {"outcome": "answered"})
    expect(page.locator("#later-left")).to_be_visible()
    host.do("PUT", f"{demo.here}/stage", {"asker": 3})  # the next one has no text either
    expect(page.locator("#stage")).to_have_attribute("data-needs-text", "yes")
    expect(field).to_have_value(text)
    expect(field).to_be_focused()
    assert violations(page) == []
    page.reload()
    expect(field).to_have_value(text)
    page.locator("#later button").click()
    expect(field).to_have_value("")
    expect(page.locator("#later-left")).to_be_hidden()
    expect(page.locator("#later")).to_be_visible()  # for the one on stage now
    desk = demo.as_("moderator")
    assert desk.get(f"{demo.here}/desk/questions/{asked['id']}")["text"] == text


def test_a_text_that_somebody_else_typed_meanwhile_is_not_replaced(
    browser: Browser, demo: Running
) -> None:
    page, host = console(browser, demo), demo.as_("host")
    asked = host.do("PUT", f"{demo.here}/stage", {"asker": 12})
    page.wait_for_selector('#stage[data-needs-text="yes"]')
    page.fill("#later-text", "罚款决定为什么没有公开？")
    one = f"{demo.here}/desk/questions/{asked['id']}"
    theirs = "处罚决定应在几天内公开？"
    version = demo.as_("moderator").get(one)["version"]
    host.do("PATCH", one, {"version": version, "text": theirs})
    expect(page.locator("#stage .asked")).to_have_text(theirs)
    page.locator("#later button").click()
    expect(page.locator("#toast")).to_contain_text("内容已被别人改过")
    expect(page.locator("#later-text")).to_have_value("罚款决定为什么没有公开？")
    assert demo.as_("moderator").get(one)["text"] == theirs
    page.fill("#later-text", "")
    page.locator("#main").focus()
    expect(page.locator("#later")).to_be_hidden()


def test_axe_finds_nothing(browser: Browser, demo: Running) -> None:
    host = demo.as_("host")
    round_ = next(r["id"] for r in demo.state()["rounds"] if r["audience"] == "panel")
    host.do("POST", f"/rounds/{round_}/opening")
    demo.as_("panel", 3).do("POST", f"{demo.here}/floor", {"kind": "ask", "text": "想问"})
    host.do("PUT", f"{demo.here}/stage", {"question": host.get(f"{demo.here}/queue")["ids"][0]})
    host.do("POST", f"{demo.here}/notices", {"text": "还有一分钟"})
    context = browser.new_context(reduced_motion="reduce")
    page, errors = open_page(context, demo.line["links"]["host"])
    page.wait_for_selector('#link[data-state="up"]')
    for size, theme in ((DESKTOP, "light"), (TABLET, "light"), (TABLET, "dark")):
        look_as(page, size, theme)
        assert violations(page) == [], (size, theme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.keyboard.press("?")
        expect(page.locator("dialog[open]")).to_have_count(1)
        assert violations(page) == [], (size, theme)
        page.keyboard.press("Escape")
        page.click("[data-open='give'] >> nth=0")
        expect(page.locator("dialog[open]")).to_have_count(1)
        assert violations(page) == [], (size, theme)
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
    assert errors == []


def test_pressed_twice_is_one_act(browser: Browser, demo: Running) -> None:
    page = console(browser, demo)
    page.fill("#notice-text", "请控制时间")
    page.evaluate(
        """() => {
            const form = document.getElementById('notice-text').form
            for (let i = 0; i < 2; i++) form.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }))
        }"""
    )
    expect(page.locator("#notice-text")).to_have_value("")
    page.wait_for_timeout(500)
    entries = demo.as_("office").get(f"{demo.here}/journal")["entries"]
    assert [one["event"] for one in entries].count("notice") == 1


def test_the_console_says_what_thins_out(browser: Browser, demo: Running) -> None:
    """Another process of the installation stands on the ladder's third step, and leaves it again."""
    page = console(browser, demo)
    load = page.locator("#load")
    expect(load).to_be_hidden()
    beat = 4_000_000_000_000
    with sqlite3.connect(demo.data / "pingyi.db", timeout=20) as database:
        database.execute(
            "INSERT INTO viewers (process, run_id, n, beat, load)"
            " SELECT 'another', run_id, 0, ?, 3 FROM hearings",
            (beat,),
        )
    expect(load).to_contain_text("负荷 3/5")
    expect(load).to_contain_text("每秒更新一次")
    page.reload()
    expect(load).to_contain_text("负荷 3/5")
    assert not violations(page)
    with sqlite3.connect(demo.data / "pingyi.db", timeout=20) as database:
        database.execute("DELETE FROM viewers WHERE process = 'another'")
    expect(load).to_be_hidden()
