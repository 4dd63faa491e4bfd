"""Likely twins as people meet them: a moderator merges with one key, a viewer supports instead of asking."""

from __future__ import annotations

import json
import time

from playwright.sync_api import Browser, expect

from tests.contract.sender import Sender
from tests.journeys.browser import open_page
from tests.running import Running
from tests.web.test_desk_in_use import listed


def test_one_key_merges_into_the_likeliest_twin_and_one_takes_it_back(
    shared_demo: Running, chromium_of_module: Browser
) -> None:
    sender = Sender(shared_demo)
    told = {
        "诉求标题": "云澜大桥南端路灯不亮",
        "诉求内容": "云澜大桥南端的路灯从九月起一直不亮，由谁维修？",
    }
    again = {"诉求标题": "大桥的灯", "诉求内容": "云澜大桥南端的路灯，从九月起一直不亮！由谁维修"}
    first = sender.push({**told, "工单编号": "T-1"}).json()["codes"]["T-1"]
    sender.on_the_desk()
    second = sender.push({**again, "工单编号": "T-2"}).json()["codes"]["T-2"]
    sender.on_the_desk()
    desk = shared_demo.as_("moderator")
    path = f"{shared_demo.here}/desk/questions"

    def standing(code: str) -> dict[str, object]:
        found: dict[str, object] = desk.get(f"{path}?q={code}")["items"][0]
        return found

    until = time.monotonic() + 10
    while time.monotonic() < until:  # The machine puts it into the index by itself.
        twins = desk.get(f"{path}/{standing(second)['id']}/duplicates")["items"]
        if twins:
            break
        time.sleep(0.1)
    assert (twins[0]["code"], twins[0]["reason"]) == (first, "same_text")
    page, errors = open_page(chromium_of_module.new_context(), shared_demo.line["links"]["desk"])
    listed(page)
    page.locator("#auto-next").uncheck()  # What was done is to be looked at.
    page.locator("#f-q").fill(second)
    page.locator(".row-button").filter(has_text="云澜大桥").first.click()
    twin = page.locator(".twins li").first
    expect(twin).to_contain_text(first)
    expect(twin.locator("mark").first).to_contain_text("云澜大桥南端")
    expect(twin).to_contain_text("原文相同")
    page.locator("#pane-title").focus()
    page.keyboard.press("t")
    expect(page.locator(".pane .chip").first).to_contain_text("已合并")
    assert standing(second)["merged_into"] == first
    assert standing(first)["askers"] == 2
    page.keyboard.press("u")
    expect(page.locator(".pane .chip").first).to_contain_text("待处理")
    assert standing(first)["askers"] == 1
    assert not errors, json.dumps(errors)


def test_whoever_types_a_question_is_shown_one_like_it_and_supports_that(
    shared_demo: Running, chromium_of_module: Browser
) -> None:
    public = shared_demo.anyone().get(f"{shared_demo.here}/questions")["items"]
    asked = next(one for one in public if one["status"] == "approved")
    page, errors = open_page(chromium_of_module.new_context(), shared_demo.line["links"]["public"])
    box = page.locator("[data-similar]")
    expect(box).to_be_hidden()
    page.locator("#ask-text").fill(asked["text"][:30])
    expect(box).to_contain_text(asked["text"][:20])
    button = box.locator(f'[data-support="{asked["code"]}"]')
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    page.locator("#ask-text").fill("完全没有人问过的一件小事情呀")
    expect(box).to_be_hidden()
    now = shared_demo.anyone().get(f"{shared_demo.here}/questions")["items"]
    assert next(one for one in now if one["code"] == asked["code"])["support"] == (
        asked["support"] + 1
    )
    assert not errors, json.dumps(errors)
