"""A large hotline file in a browser: how far it is, whoever reloads, loses the network or has no script."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.browser import open_page
from tests.moderation.dirty_files import csv_bytes
from tests.running import Running

ROWS = 8_000
AGAIN = 6
"""As often is the same said in each of them: no machine reads that while the browser waits for its
first page."""
HEADER = ("工单编号", "来电人", "主要内容", "受理时间")


def orders(key: str) -> bytes:
    rows = [
        (
            f"{key}{n:05}",
            "王小明",
            f"东街路灯不亮{n}天，请致电13912345678，老人夜里摔倒。" * AGAIN,
            "2019/2/28",
        )
        for n in range(ROWS)
    ]
    return csv_bytes([HEADER, *rows, ("", "王小明", "没有编号", "2019/2/28")])


def hand_in(page: Page, slug: str, source: str, data: bytes) -> None:
    page.goto(re.sub(r"/office.*?\?", f"/office/hearings/{slug}?", page.url))
    form = page.locator("form[enctype]").first
    form.locator("input[name=source]").fill(source)
    file = {"name": "orders.csv", "mimeType": "text/csv", "buffer": data}
    form.locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type]
    form.locator("button[type=submit]").click()


def test_a_large_file_goes_on_whoever_leaves_and_comes_back(
    demo: Running, chromium_of_module: Browser
) -> None:
    context = chromium_of_module.new_context()
    page, errors = open_page(context, demo.line["links"]["office"])
    hand_in(page, demo.slug, "hotline-large", orders("A"))
    moving = page.locator("#moving")
    expect(moving).to_contain_text(f"/ {ROWS} 条", timeout=30_000)
    here = page.url
    assert "orders" not in here
    page.reload()
    expect(moving).to_contain_text(f"/ {ROWS} 条")
    context.set_offline(True)
    page.wait_for_timeout(1_500)
    expect(moving).to_be_visible()
    context.set_offline(False)
    expect(page.get_by_role("heading", name="试读结果")).to_be_visible(timeout=60_000)
    assert page.url == here
    assert page.locator(".figure").all_inner_texts() == [str(ROWS + 1), str(ROWS), "0", "0", "1"]
    page.get_by_role("button", name=f"导入 {ROWS} 条").click()
    expect(page.get_by_role("heading", name="已导入")).to_be_visible(timeout=60_000)
    assert page.locator(".figure").all_inner_texts() == [str(ROWS + 1), str(ROWS), "0", "0", "1"]
    with page.expect_download() as download:
        page.get_by_role("button", name="下载行号和原因").click()
    assert "缺少工单编号" in download.value.path().read_text(encoding="utf-8-sig")
    page.goto(here)
    expect(page.get_by_role("heading", name="已导入")).to_be_visible()
    counts = demo.as_("moderator").get(f"{demo.here}/desk/questions?source=hotline-large")
    assert "13912345678" not in str(counts)
    assert counts["items"]
    assert [one for one in errors if "ERR_INTERNET" not in one] == []


def test_it_goes_without_script(demo: Running, chromium_of_module: Browser) -> None:
    context = chromium_of_module.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(demo.line["links"]["office"])
    hand_in(page, demo.slug, "hotline-plain", orders("B"))
    for _ in range(60):
        if page.get_by_role("heading", name="试读结果").count():
            break
        page.get_by_role("link", name="看看到哪里了").click()
        page.wait_for_timeout(300)
    page.get_by_role("button", name=f"导入 {ROWS} 条").click()
    for _ in range(60):
        if page.get_by_role("heading", name="已导入").count():
            break
        page.get_by_role("link", name="看看到哪里了").click()
        page.wait_for_timeout(300)
    expect(page.get_by_role("heading", name="已导入")).to_be_visible()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_file_whose_columns_nobody_knows_is_asked_about(
    shared_demo: Running, chromium_of_module: Browser, lang: str
) -> None:
    page, errors = open_page(chromium_of_module.new_context(), shared_demo.line["links"]["office"])
    page.goto(page.url + f"&lang={lang}")
    table = [("编号", "情况", "13912345678"), (f"{lang}-1", "东街路灯不亮", "x")]
    hand_in(page, shared_demo.slug, f"hotline-odd-{lang}", csv_bytes(table))
    expect(page.locator("h1")).to_have_text(
        "请指明各列" if lang == "zh" else "Say what the columns are"
    )
    assert "13912345678" not in page.content()
    page.reload()
    expect(page.locator("h1")).not_to_have_text("已导入")
    page.locator('select[name="map.编号"]').select_option("external_id")
    page.locator('select[name="map.情况"]').select_option("content")
    page.locator("button[value=columns]").click()
    expect(page.locator(".figure").first).to_have_text("1")
    page.locator("button[value=import]").click()
    expect(page.locator(".note.ok")).to_be_visible()
    assert [one for one in errors if "422" not in one] == []
