"""The desk in a real browser against a real server: keys, arrivals, two people on one question."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.journeys.browser import DESKTOP, TABLET, open_page, violations
from tests.running import Running, new_key, wait_until

expect.set_options(timeout=20_000)  # a machine that runs all suites at once is slow
pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


def desk(browser: Browser, demo: Running) -> Page:
    """The desk, connected, with its list, when everything of the demonstration is screened."""
    waiting = f"{demo.here}/desk/questions?status=received"
    wait_until(lambda: not demo.as_("moderator").get(waiting)["items"])
    page, _ = open_page(browser.new_context(viewport=DESKTOP), demo.line["links"]["desk"])
    page.wait_for_selector('#link[data-state="up"]')
    listed(page)
    return page


def listed(page: Page) -> None:
    """From the groups, on which it opens, to the list of what waits."""
    page.wait_for_selector("#list li")
    page.locator('[data-states="received,screened"]').click()
    # Without groups the desk has opened on this list already: it is read once more.
    page.wait_for_selector('#list:not([aria-busy]) [data-status="screened"]')


def chosen(page: Page) -> str:
    """Id of the question in the middle."""
    return page.locator(".pane").get_attribute("data-id") or ""


def test_by_keys_from_one_question_to_the_next(browser: Browser, shared_demo: Running) -> None:
    demo = shared_demo
    page = desk(browser, demo)
    page.keyboard.press("j")
    page.wait_for_selector(".pane")
    first = chosen(page)
    page.keyboard.press("a")
    expect(page.locator(f'.pane:not([data-id="{first}"])')).to_be_visible()
    second = chosen(page)
    page.keyboard.press("r")
    page.keyboard.press("5")
    expect(page.locator(f'.pane:not([data-id="{second}"])')).to_be_visible()
    api = demo.as_("moderator")
    assert api.get(f"{demo.here}/desk/questions/{first}")["status"] == "approved"
    assert api.get(f"{demo.here}/desk/questions/{second}")["reason"] == "unclear"
    expect(page.locator(f"#row-{first}.left")).to_contain_text("已通过")
    page.keyboard.press("k")
    expect(page.locator(f'.pane[data-id="{second}"]')).to_be_visible()
    page.keyboard.press("u")
    expect(page.locator('.pane[data-status="screened"]')).to_be_visible()


def test_the_last_act_on_one_question_is_taken_back_from_the_next(
    browser: Browser, shared_demo: Running
) -> None:
    """With the next one open already: it stays where it is, with what is typed there."""
    api, here = shared_demo.as_("moderator"), f"{shared_demo.here}/desk/questions"
    page = desk(browser, shared_demo)
    page.keyboard.press("j")
    page.wait_for_selector(".pane")
    undo = page.locator("#undo")
    for keys, status, word in (("a", "approved", "已通过"), ("r5", "rejected", "已退回")):
        first = chosen(page)
        code = api.get(f"{here}/{first}")["code"]
        for key in keys:
            page.keyboard.press(key)
        expect(page.locator(f'.pane:not([data-id="{first}"])')).to_be_visible()
        open_ = chosen(page)
        expect(undo).to_contain_text(code)
        expect(undo).to_contain_text(word)
        assert api.get(f"{here}/{first}")["status"] == status
        page.keyboard.press("e")
        page.locator("#edit-tags").fill("待查")
        page.locator("#edit-tags").blur()
        page.keyboard.press("z")
        expect(undo).to_contain_text(f"已撤销 {code}")
        assert api.get(f"{here}/{first}")["status"] == "screened"
        expect(page.locator(f"#row-{first}:not(.left)")).to_contain_text("待处理")
        assert chosen(page) == open_
        assert page.locator("#edit-tags").input_value() == "待查"
        page.locator("#edit-tags").fill("")
        page.keyboard.press("Escape")
    first = chosen(page)
    page.keyboard.press("m")
    page.keyboard.type("电梯")
    page.locator("#merge li button").first.click()
    expect(page.locator(f'.pane:not([data-id="{first}"])')).to_be_visible()
    assert api.get(f"{here}/{first}")["status"] == "merged"
    undo.locator("button").click()
    expect(undo).to_contain_text("已撤销")
    assert api.get(f"{here}/{first}")["status"] == "screened"
    assert violations(page) == []


def test_what_somebody_worked_on_since_is_not_taken_back(
    browser: Browser, shared_demo: Running
) -> None:
    api, here = shared_demo.as_("moderator"), f"{shared_demo.here}/desk/questions"
    page = desk(browser, shared_demo)
    page.keyboard.press("j")
    page.wait_for_selector(".pane")
    first = chosen(page)
    page.keyboard.press("a")
    expect(page.locator("#undo")).to_be_visible()
    now = api.get(f"{here}/{first}")
    api.do("PATCH", f"{here}/{first}", {"version": now["version"], "text": now["text"] + "（改）"})
    page.keyboard.press("z")
    expect(page.locator("#toast")).to_contain_text("内容已被别人改过")
    assert api.get(f"{here}/{first}")["status"] == "approved"


def test_arrivals_wait_behind_a_pill(browser: Browser, shared_demo: Running) -> None:
    demo = shared_demo
    page = desk(browser, demo)
    rows = page.locator("#list [data-row]").count()
    for n in range(3):
        demo.viewer().do(
            "POST", f"{demo.here}/questions", {"text": f"路灯坏了{n}个月没人修"}, new_key()
        )
    expect(page.locator("#pill")).to_contain_text("3")
    assert page.locator("#list [data-row]").count() == rows
    page.keyboard.press("n")
    expect(page.locator("#list [data-row]")).to_have_count(rows + 3)
    expect(page.locator("#pill")).to_be_hidden()


def test_two_people_rewrite_one_question(browser: Browser, shared_demo: Running) -> None:
    demo = shared_demo
    page = desk(browser, demo)
    page.keyboard.press("j")
    page.wait_for_selector(".pane")
    id_ = chosen(page)
    page.keyboard.press("e")
    mine = page.input_value("#edit-text") + "请书面答复。"
    page.fill("#edit-text", mine)
    api = demo.as_("moderator")
    now = api.get(f"{demo.here}/desk/questions/{id_}")
    theirs = now["text"] + "（已核实）"
    api.do(
        "PATCH", f"{demo.here}/desk/questions/{id_}", {"version": now["version"], "text": theirs}
    )
    expect(page.locator('[data-part="moved"]')).to_be_visible()
    assert page.input_value("#edit-text") == mine
    page.reload()
    listed(page)
    page.wait_for_selector(f"#row-{id_}")
    page.click(f"#row-{id_} .row-button")
    expect(page.locator('[data-part="draft"]')).to_be_visible()
    assert page.input_value("#edit-text") == mine
    page.locator("#edit-text").press("Control+Enter")
    page.wait_for_selector("#conflict:not([hidden])")
    assert page.inner_text('[data-part="theirs"]') == theirs
    assert page.inner_text('[data-part="mine"]') == mine
    assert violations(page) == []
    page.fill("#both-text", theirs + "请书面答复。")
    page.click('[data-do="take-both"]')
    expect(page.locator('[data-part="text"]')).to_have_text(theirs + "请书面答复。")
    page.keyboard.press("e")
    expect(page.locator('[data-part="draft"]')).to_be_hidden()


def test_nobody_decides_about_a_text_that_somebody_rewrote_meanwhile(
    browser: Browser, shared_demo: Running
) -> None:
    demo, api = shared_demo, shared_demo.as_("moderator")
    page = desk(browser, demo)
    page.keyboard.press("j")
    page.wait_for_selector(".pane")
    id_ = chosen(page)
    at = f"{demo.here}/desk/questions/{id_}"
    read = api.get(at)
    text = read["text"] + "（已核实）"
    api.do("PATCH", at, {"version": read["version"], "text": text})
    page.keyboard.press("a")
    both = page.locator('[data-part="stale"]')
    expect(both).to_be_visible()
    assert page.inner_text('[data-part="read"]') == read["text"]
    assert page.inner_text('[data-part="present"]') == text
    assert both.evaluate("box => box === document.activeElement")
    assert page.locator("#toast").is_hidden()
    assert violations(page) == []
    assert api.get(at)["status"] == "screened"
    page.keyboard.press("r")
    page.keyboard.press("5")
    expect(both).to_be_visible()
    assert api.get(at)["status"] == "screened"
    both.locator("button").click()
    expect(page.locator('.pane [data-part="text"]')).to_have_text(text)
    # What is not the text may move: the act goes on.
    page.locator("#auto-next").uncheck()
    page.locator("#auto-next").blur()
    api.do("PATCH", at, {"version": api.get(at)["version"], "tags": ["路灯"]})
    page.keyboard.press("a")
    expect(page.locator('.pane[data-status="approved"]')).to_be_visible()
    api.do("PATCH", at, {"version": api.get(at)["version"], "text": read["text"]})
    page.keyboard.press("v")
    page.locator("#verify-note").fill("到现场看过")
    page.keyboard.press("Control+Enter")
    expect(both).to_be_visible()
    assert page.locator("#verify-note").input_value() == "到现场看过"
    assert api.get(at)["verification"] is None


class Slow:
    """A network on which requests of one kind are on their way until they are let through."""

    def __init__(self, page: Page, pattern: str, method: str) -> None:
        self._page, self._method, self._held = page, method, list[Route]()
        page.route(pattern, self._carry)

    def _carry(self, route: Route) -> None:
        if route.request.method == self._method:
            self._held.append(route)
        else:
            route.fallback()

    def wait(self) -> None:
        """Waits until a request is on its way."""
        while not self._held:
            self._page.wait_for_timeout(50)

    def let_through(self) -> None:
        """It arrives and is answered."""
        self._held.pop().continue_()


class SlowSaves(Slow):
    """A network on which a rewrite takes long."""

    def __init__(self, page: Page) -> None:
        super().__init__(page, "**/desk/questions/*", "PATCH")

    def save(self) -> None:
        """Sends what stands in the form."""
        self._page.locator("#edit-text").press("Control+Enter")
        self.wait()

    def let_through(self) -> None:
        """The rewrite arrives, and the desk says so."""
        super().let_through()
        expect(self._page.locator("#toast")).to_have_text("已保存")


def drafts(page: Page) -> set[str]:
    """Ids of the questions whose rewrite is kept on this device."""
    names: list[str] = page.evaluate("Object.keys(localStorage)")
    return {n.rsplit(":", 1)[1] for n in names if n.startswith("pingyi-desk:")}


def test_a_slow_save_touches_no_other_question(browser: Browser, shared_demo: Running) -> None:
    page = desk(browser, shared_demo)
    slow = SlowSaves(page)
    page.keyboard.press("j")
    page.wait_for_selector(".pane")
    first = chosen(page)
    page.keyboard.press("e")
    saved = page.input_value("#edit-text") + "请公开依据。"
    page.fill("#edit-text", saved)
    slow.save()
    other = page.locator(f'#list [data-row]:not([data-row="{first}"]) button').last
    other.click()
    expect(page.locator(f'.pane:not([data-id="{first}"])')).to_be_visible()
    second = chosen(page)
    page.locator('[data-do="edit"]').first.click()
    mine = page.input_value("#edit-text") + "请说明时限。"
    page.fill("#edit-text", mine)
    slow.let_through()
    page.wait_for_timeout(1500)
    assert chosen(page) == second
    expect(page.locator("#edit-text")).to_have_value(mine)
    expect(page.locator("#edit-text")).to_be_focused()
    assert drafts(page) == {second}
    api = shared_demo.as_("moderator")
    assert api.get(f"{shared_demo.here}/desk/questions/{first}")["text"] == saved
    page.reload()
    listed(page)
    page.wait_for_selector(f"#row-{second}")
    page.click(f"#row-{second} .row-button")
    expect(page.locator("#edit-text")).to_have_value(mine)


def test_what_is_typed_during_a_slow_save_goes_on_from_what_was_saved(
    browser: Browser, shared_demo: Running
) -> None:
    page = desk(browser, shared_demo)
    slow = SlowSaves(page)
    page.keyboard.press("j")
    page.wait_for_selector(".pane")
    id_ = chosen(page)
    page.keyboard.press("e")
    field = page.locator("#edit-text")
    saved = field.input_value() + "请公开清单。"
    field.fill(saved)
    slow.save()
    field.press("End")
    field.press_sequentially("并说明时限。")
    slow.let_through()
    expect(field).to_be_focused()
    expect(field).to_have_value(saved + "并说明时限。")
    page.wait_for_timeout(1500)
    expect(page.locator('[data-part="moved"]')).to_be_hidden()
    slow.save()
    page.evaluate("document.getElementById('toast').textContent = ''")
    slow.let_through()  # no conflict with oneself
    expect(page.locator('[data-part="text"]')).to_have_text(saved + "并说明时限。")
    assert drafts(page) == set()
    api = shared_demo.as_("moderator")
    assert api.get(f"{shared_demo.here}/desk/questions/{id_}")["text"] == saved + "并说明时限。"


def test_whoever_went_on_queues_the_question_that_was_meant(
    browser: Browser, shared_demo: Running
) -> None:
    page = desk(browser, shared_demo)
    slow = Slow(page, "**/queue", "GET")
    page.click('[data-states="shortlisted"]')
    expect(page.locator("#list-title")).to_have_text("入选")
    page.keyboard.press("j")
    page.wait_for_selector(".pane")
    meant = chosen(page)
    page.keyboard.press("q")
    slow.wait()
    page.keyboard.press("j")
    expect(page.locator(f'.pane:not([data-id="{meant}"])')).to_be_visible()
    other = chosen(page)
    slow.let_through()
    expect(page.locator(f"#queued-{meant}")).to_be_visible()
    assert page.locator(f"#queued-{other}").count() == 0
    page.wait_for_timeout(500)
    assert chosen(page) == other


def test_a_slow_reply_leaves_the_next_questions_reply_alone(
    browser: Browser, shared_demo: Running
) -> None:
    page = desk(browser, shared_demo)
    page.click('[data-states="approved"]')
    expect(page.locator("#list-title")).to_have_text("已通过")
    page.keyboard.press("j")
    page.wait_for_selector(".pane")
    page.keyboard.press("j")
    first = page.locator("#list [data-row]").first.get_attribute("data-row")
    second = page.locator("#list [data-row]").nth(1).get_attribute("data-row")
    expect(page.locator(f'.pane[data-id="{second}"]')).to_be_visible()
    page.locator('[data-do="reply"]').first.click()
    page.fill("#reply-text", "第二条的答复草稿。")
    page.click(f"#row-{first} .row-button")
    expect(page.locator(f'.pane[data-id="{first}"]')).to_be_visible()
    answers, panes = (
        Slow(page, "**/reply", "POST"),
        Slow(page, f"**/desk/question/{second}?*", "GET"),
    )
    page.locator('[data-do="reply"]').first.click()
    page.fill("#reply-text", "第一条的答复。")
    page.locator("#reply-text").press("Control+Enter")
    answers.wait()
    page.click(f"#row-{second} .row-button")
    panes.wait()
    answers.let_through()
    page.wait_for_timeout(1000)
    panes.let_through()
    expect(page.locator("#reply-text")).to_have_value("第二条的答复草稿。")
    api = shared_demo.as_("moderator")
    there = api.get(f"{shared_demo.here}/desk/questions/{first}")
    assert there["status"] == "replied_in_writing"


def test_another_desk_sees_what_left_the_queue(browser: Browser, shared_demo: Running) -> None:
    """Ordering the queue changes its questions' states, and `queue_changed` alone tells of it."""
    api, queue = shared_demo.as_("moderator"), f"{shared_demo.here}/queue"
    now = api.get(queue)
    page = desk(browser, shared_demo)
    page.click('[data-states="queued"]')
    last = now["ids"][-1]
    page.click(f"#row-{last} .row-button")
    expect(page.locator(f'.pane[data-id="{last}"][data-status="queued"]')).to_be_visible()
    api.do("PUT", queue, {"version": now["version"], "ids": now["ids"][:-1]})
    expect(page.locator(f"#row-{last}.left")).to_be_visible()
    expect(page.locator('[data-part="moved"]')).to_be_visible()


def test_queue_and_merge(browser: Browser, shared_demo: Running) -> None:
    demo = shared_demo
    page = desk(browser, demo)
    page.click('[data-states="approved"]')
    expect(page.locator("#list-title")).to_have_text("已通过")
    page.keyboard.press("j")
    page.wait_for_selector(".pane")
    id_ = chosen(page)
    page.keyboard.press("q")
    expect(page.locator(f"#queued-{id_}")).to_be_visible()
    expect(page.locator('.pane[data-status="queued"]')).to_be_visible()
    assert demo.as_("moderator").get(f"{demo.here}/queue")["ids"][-1] == int(id_)
    page.keyboard.press("u")
    expect(page.locator('.pane[data-status="shortlisted"]')).to_be_visible()
    page.keyboard.press("m")
    page.keyboard.type("电梯")
    found = page.locator("#merge li button").first
    found.click()
    expect(
        page.locator(f'.pane[data-id="{id_}"][data-status="merged"], .pane:not([data-id="{id_}"])')
    ).to_be_visible()
    assert demo.as_("moderator").get(f"{demo.here}/desk/questions/{id_}")["status"] == "merged"


def test_search_filters_and_narrow_screens(browser: Browser, shared_demo: Running) -> None:
    demo = shared_demo
    page = desk(browser, demo)
    page.click('[data-states=""]')
    page.fill("#f-q", "电梯")
    expect(page.locator("#list [data-row]").first).to_contain_text("电梯")
    page.select_option("#f-source", "mailbox")
    facts = page.locator("#list .row-facts")
    expect(facts.filter(has_not_text="市长信箱")).to_have_count(0)
    expect(facts.first).to_be_visible()
    page.select_option("#f-source", "")
    page.fill("#f-q", "")
    expect(page.locator("#list [data-row]")).to_have_count(50)
    page.click("#list .more button")
    expect(page.locator("#list .more")).to_have_count(0)
    assert page.locator("#list [data-row]").count() > 50
    rows = page.locator("#list [data-row]").evaluate_all("all => all.map(x => x.dataset.row)")
    assert len(rows) == len(set(rows))
    page.set_viewport_size(TABLET)  # type: ignore[arg-type]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []


def test_a_text_box_that_was_pulled_larger_puts_no_style_into_the_next_question(
    browser: Browser, shared_demo: Running
) -> None:
    demo = shared_demo
    page = desk(browser, demo)
    errors: list[str] = []
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.keyboard.press("j")
    page.wait_for_selector(".pane")
    first = chosen(page)
    page.evaluate("document.getElementById('edit-text').style.height = '20rem'")  # as a hand does
    page.keyboard.press("j")
    expect(page.locator(f'.pane:not([data-id="{first}"])')).to_be_visible()
    page.wait_for_timeout(300)
    assert errors == []


def test_an_address_opens_one_question(browser: Browser, shared_demo: Running) -> None:
    """As the page of a brief links to what keeps it back."""
    demo = shared_demo
    one = demo.as_("moderator").get(f"{demo.here}/desk/questions?status=approved")["items"][0]
    page, errors = open_page(
        browser.new_context(viewport=DESKTOP), f"{demo.line['links']['desk']}#question-{one['id']}"
    )
    expect(page.locator(f'.pane[data-id="{one["id"]}"]')).to_be_visible()
    assert errors == []
