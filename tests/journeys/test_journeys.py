"""The three journeys through the real pages, by hand in a real browser, on loopback and over plain
http on another address of the machine (law 14: nothing there may need a secure context)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from server.demo.run import lan_address
from tests.journeys.browser import DESKTOP, PHONE, STAGE, TABLET, open_page
from tests.running import Running, running
from tests.web.test_desk_in_use import listed

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]


@pytest.fixture(params=["loopback", "lan"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    """A demonstration on loopback, and one reached by the machine's own address."""
    options = ("--lan",) if request.param == "lan" else ()
    with running(tmp_path / "data", *options) as found:
        if request.param == "lan":
            assert not ipaddress.ip_address(lan_address()).is_loopback
            assert lan_address() in found.url
        yield found


class Hall:
    """Several people in one hearing, each in a window of their own."""

    def __init__(self, browser: Browser, place: Running) -> None:
        self.browser, self.place = browser, place
        self.errors: list[str] = []

    def sees(self, page: str, size: Any, seat: int = 0, lang: str = "") -> Page:
        """Opens a person's page."""
        link = self.place.line["links"][page]
        link = link[seat] if isinstance(link, list) else link
        opened, errors = open_page(self.browser.new_context(viewport=size), link)
        if lang:
            opened.goto(opened.url + ("&" if "?" in opened.url else "?") + f"lang={lang}")
        self.errors = errors
        return opened


def test_a_question_from_a_phone_to_the_stage(browser: Browser, place: Running) -> None:
    hall = Hall(browser, place)
    phone, desk = hall.sees("public", PHONE), hall.sees("desk", DESKTOP)
    stage, podium = hall.sees("stage", STAGE), hall.sees("podium", STAGE)
    text = "老旧小区加装电梯被邻居反对，依法应当怎么协商？"
    phone.locator("#ask-text").fill(text)
    phone.locator("form[data-ask] button[type=submit]").click()
    code = phone.locator("[data-receipt] [data-code]")
    expect(code).to_have_text(re.compile("^[2-9A-Z]{8}$"), timeout=10_000)
    asked = code.inner_text()
    row = place.as_("moderator").get(f"{place.here}/desk/questions?q=加装电梯被邻居")["items"][0]
    assert row["code"] == asked
    desk.reload()
    listed(desk)
    desk.locator(f'[data-question="{row["id"]}"]').click()
    desk.locator('button[data-act$="/approval"]').click()
    expect(phone.locator("[data-release=questions]")).to_be_visible(timeout=10_000)
    phone.locator("[data-release=questions]").click()
    expect(phone.locator(f"#q-{asked}")).to_contain_text("加装电梯")
    host = place.as_("host")
    host.do("PUT", f"{place.here}/stage", {"question": row["id"], "asker": 6})
    for page in (stage, podium, phone):
        expect(page.locator("body")).to_contain_text("依法应当怎么协商", timeout=5_000)
    host.do("DELETE", f"{place.here}/stage?outcome=answered")
    expect(stage.locator("body")).not_to_contain_text("依法应当怎么协商", timeout=5_000)
    phone.goto(f"{place.url}/q/{asked}")
    expect(phone.locator("body")).to_contain_text("已答复")
    assert not hall.errors


def test_a_sheet_from_the_tablet_to_the_reveal(browser: Browser, place: Running) -> None:
    hall = Hall(browser, place)
    tablet, stage = hall.sees("panel", TABLET), hall.sees("stage", STAGE)
    phone = hall.sees("public", PHONE)
    host = place.as_("host")
    round_id = next(r["id"] for r in place.state()["rounds"] if r["audience"] == "panel")
    host.do("POST", f"/rounds/{round_id}/opening")
    sheet = tablet.locator(f"#sheet-{round_id}")
    sheet.locator("form").wait_for()
    dimensions = sheet.locator("[data-dimension]")
    assert sheet.locator("[data-dimension] input[type=radio]:checked").count() == 0
    for n in range(dimensions.count() - 1):
        dimensions.nth(n).locator("label.seg").nth(18).click()
    last = dimensions.nth(dimensions.count() - 1)
    expect(sheet.locator('[data-part="left"]')).to_contain_text("还差 1 项")
    expect(sheet.locator('[data-part="left"]')).to_contain_text(
        last.get_attribute("data-label") or "?"
    )
    last.locator("label.seg").nth(17).click()
    sheet.locator('[data-do="check"]').click()
    sheet.locator('[data-do="send"]').click()
    expect(sheet.locator('[data-part="received-at"]')).to_contain_text("已收到", timeout=10_000)
    expect(sheet.locator('[data-part="receipt"]')).not_to_be_empty()
    host.do("POST", f"/rounds/{round_id}/closing")
    expect(tablet.locator("body")).to_contain_text("本轮已截止", timeout=10_000)
    for _ in range(100):
        if host.get(f"/rounds/{round_id}")["status"] == "tallied":
            break
        tablet.wait_for_timeout(50)
    host.do("POST", f"/rounds/{round_id}/certification")
    host.do("POST", f"/rounds/{round_id}/publication", {"audience": "public"})
    total = place.anyone().get(f"/rounds/{round_id}/result")["subjects"][0]["total"]
    for step in (1, 2):
        expect(stage.locator("body")).not_to_contain_text(total)
        host.do("PUT", f"/rounds/{round_id}/reveal", {"step": step})
        stage.wait_for_timeout(400)
    expect(stage.locator("body")).to_contain_text(total, timeout=5_000)
    expect(phone.locator("body")).to_contain_text(total, timeout=5_000)


def counts(place: Running, round_id: str) -> dict[str, int]:
    """The round's counts as everybody sees them."""
    found = next(r for r in place.state()["rounds"] if r["id"] == round_id)
    return {key: n for key, n in found["counts"].items() if n}


def test_a_public_vote_with_a_change_and_the_other_language(
    browser: Browser, place: Running
) -> None:
    hall = Hall(browser, place)
    phone, english = hall.sees("public", PHONE), hall.sees("public", PHONE, lang="en")
    round_ = next(r for r in place.state()["rounds"] if r["status"] == "open")
    keys = [choice["key"] for choice in round_["choices"]]

    def vote(key: str) -> Locator:
        return phone.locator(f"#vote-{round_['id']}-{key}")

    for key in (keys[0], keys[2]):
        vote(key).click()
        expect(vote(key)).to_have_attribute("aria-pressed", "true", timeout=10_000)
        for _ in range(100):
            if counts(place, round_["id"]).get(key):
                break
            phone.wait_for_timeout(50)
    cast = next(r for r in place.state()["rounds"] if r["id"] == round_["id"])
    assert cast["cast"] == 1
    assert counts(place, round_["id"]) == {keys[2]: 1}
    phone.reload()
    expect(vote(keys[2])).to_have_attribute("aria-pressed", "true", timeout=10_000)
    expect(english.locator("html")).to_have_attribute("lang", "en")
    expect(english.locator("h2", has_text="Ask")).to_be_visible()


def test_two_host_windows_share_one_control(browser: Browser, place: Running) -> None:
    hall = Hall(browser, place)
    first, second = hall.sees("host", DESKTOP), hall.sees("host", DESKTOP)
    before = place.state()["slot"]["version"]
    first.locator("body").press("PageDown")
    first.wait_for_timeout(800)
    after = place.state()["slot"]
    assert after["version"] == before + 1
    expect(second.locator("body")).to_contain_text("提问答复", timeout=5_000)
