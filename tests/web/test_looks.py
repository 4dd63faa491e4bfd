"""Every page in a real browser: axe finds nothing, nothing overflows, big screens fit (law 15).

Then the public page is used: a vote, a 同问, a question, a like, a lost viewer token, a reload; and
the on-air pages lose their connection.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.journeys.browser import open_page
from tests.web import gallery as pretence
from tests.web.gallery import PLAIN
from tests.web.pictures import SCREENS, gallery, look, tab_of, visits
from tests.web.views import CASES
from web.pages.public.live import PAGE

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The gallery."""
    with gallery() as address:
        yield address


@pytest.fixture(autouse=True)
def nobody_has_acted() -> None:
    """The pretence forgets."""
    pretence.votes.clear()
    pretence.supports.clear()
    pretence.asked.clear()


@pytest.mark.parametrize("name", [*SCREENS, *PLAIN])
def test_nothing_is_wrong_in_any_picture(browser: Browser, url: str, name: str) -> None:
    wrong: list[str] = []
    with tab_of(browser) as tab:
        for visit in visits(name):
            wrong += look(tab, url, visit, take=False, check=True)
    assert not wrong, "\n".join(wrong[:20])


def public(browser: Browser, url: str, case: str = "full") -> tuple[Page, list[str]]:
    """The public page on a phone, connected."""
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page, errors = open_page(context, f"{url}/public?case={case}")
    page.wait_for_selector("html.scripted")
    return page, errors


def test_a_viewer_votes_changes_supports_and_finds_it_all_after_a_reload(
    browser: Browser, url: str
) -> None:
    page, errors = public(browser, url)
    chosen = page.locator("#vote-web-housing-satisfied")
    assert page.evaluate("localStorage.getItem('pingyi-viewer')") is None
    chosen.click()
    page.wait_for_selector("#vote-web-housing-satisfied[aria-pressed=true]")
    page.locator("#vote-web-housing-basic").click()
    page.wait_for_selector("#vote-web-housing-basic[aria-pressed=true]")
    assert chosen.get_attribute("aria-pressed") == "false"
    support = page.locator("[data-support=Q0001]")
    support.click()
    page.wait_for_selector("[data-support=Q0001][aria-pressed=true]")
    assert support.inner_text().split() == ["同问", "100"]
    page.reload()
    page.wait_for_selector("#vote-web-housing-basic[aria-pressed=true]")
    page.wait_for_selector("[data-support=Q0001][aria-pressed=true]")
    page.locator("[data-support=Q0001]").click()
    page.wait_for_selector("[data-support=Q0001][aria-pressed=false]")
    assert errors == []
    page.context.close()


def test_a_question_is_asked_and_its_draft_stays_until_then(browser: Browser, url: str) -> None:
    page, errors = public(browser, url)
    page.fill("#ask-text", "请问处罚决定多久公开？")
    assert page.inner_text("[data-counter]") == "11/500"
    page.reload()
    page.wait_for_selector("html.scripted")
    assert page.input_value("#ask-text") == "请问处罚决定多久公开？"
    page.click("[data-ask] [type=submit]")
    page.wait_for_selector("[data-receipt]:not([hidden])")
    assert page.inner_text("[data-code]") == "Q9000"
    assert page.get_attribute("[data-code]", "href") == "/q/Q9000?lang=zh"
    assert page.inner_text("[data-secret]") == "s-3f9a-77"
    assert page.input_value("#ask-text") == ""
    page.reload()
    page.wait_for_selector("[data-mine]:not([hidden])")
    assert page.inner_text("[data-mine] a") == "Q9000"
    assert page.inner_text("[data-mine] .chip") == "新收到"
    assert errors == []
    page.context.close()


def test_likes_are_gathered(browser: Browser, url: str) -> None:
    page, _ = public(browser, url)
    sent: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda f: sent.append(str(f))))
    page.reload()
    page.wait_for_selector("html.scripted")
    page.wait_for_timeout(200)
    for _ in range(13):
        page.click("[data-like]")
    page.wait_for_timeout(1600)
    likes = [f for f in sent if '"like"' in f]
    numbers = [json.loads(f)["n"] for f in likes]
    assert sum(numbers) == 13
    assert max(numbers) <= 10
    assert len(likes) <= 5
    page.context.close()


def push(page: Page, event: str, case: str, codes: tuple[str, ...] = ()) -> None:
    """What the socket would bring after `event` led to `case`."""
    content = PAGE.content(event, CASES[case](), "zh", codes)
    page.evaluate(
        "async content => { const live = await import(document.querySelector('script[src*=\"live.\"]').src);"
        " await live.swap(content, false) }",
        content,
    )


PAINTED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def test_what_one_reads_stays_in_place_and_new_questions_wait(browser: Browser, url: str) -> None:
    page, _ = public(browser, url, "speaking")
    page.locator("#q-Q0003").scroll_into_view_if_needed()
    page.evaluate(PAINTED)
    before = page.locator("#q-Q0003").bounding_box()
    push(page, "question_taken", "full", ("Q0001",))
    page.wait_for_selector("#stage blockquote")
    page.evaluate(PAINTED)  # The browser holds what one reads in its place with the next picture.
    after = page.locator("#q-Q0003").bounding_box()
    assert before
    assert after
    assert abs(before["y"] - after["y"]) <= 1
    push(page, "question_approved", "full", ("Q0014", "Q0013"))
    assert page.locator("#q-Q0014").count() == 0
    pill = page.locator("[data-release=questions]")
    assert pill.inner_text() == "有 2 条新提问"
    again = page.locator("#q-Q0003").bounding_box()
    assert again
    assert abs(after["y"] - again["y"]) <= 1
    pill.click()
    listed = page.locator("#questions > .question").evaluate_all("all => all.map(one => one.id)")
    assert listed == [f"q-Q{n:04d}" for n in range(14, 0, -1)]
    page.context.close()


def test_my_choice_and_focus_stay_when_the_round_is_redrawn(browser: Browser, url: str) -> None:
    page, _ = public(browser, url)
    page.locator("#vote-web-housing-basic").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#vote-web-housing-basic[aria-pressed=true]")
    push(page, "round_closing", "public_open")
    page.wait_for_selector(".round .chip.warn")
    assert page.evaluate("document.activeElement.id") == "vote-web-housing-basic"
    assert page.get_attribute("#vote-web-housing-basic", "aria-pressed") == "true"
    page.context.close()


@pytest.mark.parametrize("name", ["stage", "overlay"])
def test_on_air_a_lost_connection_keeps_the_picture_then_holds(
    browser: Browser, url: str, name: str
) -> None:
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    page = context.new_page()
    page.clock.install()
    page.route_web_socket("**/socket*", lambda socket: socket.close())
    page.goto(f"{url}/{name}?case=full")
    page.clock.run_for(15_000)
    assert page.locator("[data-hold-card]").is_hidden()
    assert "交房两年了" in page.inner_text("main")
    page.clock.run_for(10_000)
    assert page.evaluate("'held' in document.body.dataset")
    assert page.locator("[data-hold-card]").evaluate("one => !one.hidden")
    context.close()


def test_pages_are_whole_without_scripts(browser: Browser, url: str) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{url}/public?case=full")
    assert page.locator("form[data-ask]").get_attribute("method") == "post"
    assert (
        page.locator("form[data-ask]").get_attribute("action")
        == "/h/yunlan-shufa/questions?lang=zh"
    )
    vote = page.locator("form[data-vote]")
    assert vote.get_attribute("action") == "/h/yunlan-shufa/rounds/web-housing/vote?lang=zh"
    assert page.locator("[data-support]").first.is_hidden()
    assert page.locator("[data-like]").is_hidden()
    context.close()
