"""Topics as people meet them: the office brings its scheme, a moderator takes a suggestion with one tap."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.contract.sender import Sender
from tests.journeys.browser import open_page
from tests.running import Running

SCHEME = """编码,名称,上级,关键词
01,城乡建设,,
0102,道路照明,01,路灯
02,交通运输,,
0203,公交线路,02,末班车
"""


def test_a_scheme_comes_by_a_file_and_a_topic_by_one_tap(
    shared_demo: Running, chromium_of_module: Browser, tmp_path: Path
) -> None:
    demo = shared_demo
    page, errors = open_page(chromium_of_module.new_context(), demo.line["links"]["office"])
    page.goto(re.sub(r"/office.*?\?", f"/office/hearings/{demo.slug}/topics?", page.url))
    expect(page.locator("main")).to_contain_text("还没有分类")
    wrong, good = tmp_path / "wrong.csv", tmp_path / "good.csv"
    wrong.write_text(SCHEME + "0299,站牌,09,\n", encoding="utf-8")
    good.write_text(SCHEME, encoding="gb18030")
    page.locator("#file").set_input_files(wrong)
    page.get_by_role("button", name="导入").click()
    expect(page.locator("table")).to_contain_text("找不到上级")
    expect(page.locator("tbody td").first).to_have_text("6")
    expect(page.locator("main")).to_contain_text("还没有分类")
    page.locator("#file").set_input_files(good)
    page.get_by_role("button", name="导入").click()
    expect(page.locator(".note.ok")).to_contain_text("4 个主题")
    expect(page.locator("main")).to_contain_text("good.csv")

    sender = Sender(demo)
    told = {
        "诉求标题": "南湖路黑了",
        "诉求内容": "南湖路夜里很黑，小区的路灯坏了。",
        "工单编号": "K-1",
    }
    code = sender.push(told).json()["codes"]["K-1"]
    sender.on_the_desk()
    desk, errors_of_desk = open_page(chromium_of_module.new_context(), demo.line["links"]["desk"])
    desk.locator("#auto-next").uncheck()
    desk.locator("#f-q").fill(code)
    desk.locator(".row-button").filter(has_text="南湖路").first.click()
    chip = desk.locator(".topics button").first
    expect(chip).to_contain_text("城乡建设/道路照明")
    expect(chip).to_contain_text("含“路灯”")
    chip.click()
    expect(desk.locator(".topic .chip")).to_have_text("城乡建设/道路照明")
    expect(desk.locator(".topics button")).to_have_count(0)
    path = f"{demo.here}/desk/questions"
    api = demo.as_("moderator")
    assert [one["code"] for one in api.get(f"{path}?topic=城乡建设")["items"]] == [code]
    assert api.get(f"{path}?topic=交通运输")["items"] == []

    # In the drawer it is chosen from the office's list, and what is not on it is refused with all kept.
    desk.locator("#pane-title").focus()
    desk.keyboard.press("e")
    field = desk.locator("#edit-topic")
    field.focus()
    expect(desk.locator("#topic-list option")).to_have_count(4)
    field.fill("城乡建设/路面")
    desk.locator("#edit button.primary").click()
    expect(desk.locator("#toast")).to_contain_text("城乡建设/路面")
    expect(field).to_have_value("城乡建设/路面")
    field.fill("0203")  # The office's own code will do.
    desk.locator("#edit button.primary").click()
    expect(desk.locator(".topic .chip")).to_have_text("交通运输/公交线路")
    # The refused file and the refused topic are answered 422, which a browser notes.
    wrong_ones = [one for one in errors + errors_of_desk if "422" not in one]
    assert not wrong_ones, json.dumps(wrong_ones)
