"""The page of a hearing's sources in a browser, and its examples run as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.contract.sender import Sender
from tests.counterpart import city
from tests.journeys.browser import open_page
from tests.running import Running


def test_an_office_makes_a_source_gets_its_key_once_and_pauses_it(
    shared_demo: Running, chromium_of_module: Browser
) -> None:
    demo = shared_demo
    page, errors = open_page(chromium_of_module.new_context(), demo.line["links"]["office"])
    page.goto(re.sub(r"/office.*?\?", f"/office/hearings/{demo.slug}/sources?", page.url))
    # With no source yet it stands open.
    page.locator("details.kind", has=page.locator("#push-key")).evaluate(
        "one => { one.open = true }"
    )
    page.locator("#push-key").fill("district-hotline")
    page.locator("#push-name").fill("区热线平台")
    page.locator("#push-key").locator("xpath=ancestor::form").get_by_role("button").click()
    card = page.locator("section", has=page.locator("#source-district-hotline"))
    expect(card).to_contain_text("还没有密钥")
    button = card.get_by_role("button", name="新密钥")
    button.hover()
    page.mouse.down()
    expect(page.locator("[data-secret]")).to_contain_text("whsec_")
    page.mouse.up()
    secret = page.locator("[data-secret]").inner_text()
    card.get_by_role("button", name="暂停").click()
    expect(card.locator(".chip.bad")).to_have_text("已暂停")
    page.reload()
    assert secret not in page.content()
    page.locator(".kind summary").filter(has_text="邮箱收取").click()
    page.locator("#imap-key").fill("mayor-mailbox")
    page.locator("#imap-name").fill("市长信箱")
    for name, value in (("host", "mail.example"), ("user", "mayor"), ("password", "geheim")):
        page.locator(f"#imap-new-{name}").fill(value)
    page.locator("#imap-key").locator("xpath=ancestor::form").get_by_role("button").click()
    mailbox = page.locator("section", has=page.locator("#source-mayor-mailbox"))
    mailbox.locator("summary").click()
    expect(mailbox.locator("#mayor-mailbox-host")).to_have_value("mail.example")
    expect(mailbox.locator("#mayor-mailbox-password")).to_have_value("")
    mailbox.locator("#mayor-mailbox-folder").fill("Letters")
    with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        mailbox.get_by_role("button", name="保存").click()
    page.reload()
    mailbox.locator("summary").click()
    expect(mailbox.locator("#mayor-mailbox-folder")).to_have_value("Letters")
    assert not errors


def test_an_office_joins_a_city_by_open311_both_ways(
    shared_demo: Running, chromium_of_module: Browser
) -> None:
    """A source that is asked, paused and asked again; one that is offered, whose key is changed over."""
    demo = shared_demo
    page, errors = open_page(chromium_of_module.new_context(), demo.line["links"]["office"])
    page.goto(re.sub(r"/office.*?\?", f"/office/hearings/{demo.slug}/sources?", page.url))

    def make(connector: str, key: str, **told: str) -> Locator:
        kind = page.locator("details.kind", has=page.locator(f"#{connector}-key"))
        kind.evaluate("one => { one.open = true }")
        for name, value in {"key": key, "name": "市政平台", **told}.items():
            kind.locator(f"#{connector}-{name}").fill(value)
        kind.get_by_role("button", name="新建").click()
        return page.locator("section", has=page.locator(f"#source-{key}"))

    with city() as there:
        there.add(7, "东街路灯不亮")
        card = make("open311_pull", "city-asked", **{"new-url": there.url})
        for _ in range(100):
            expect(card).to_be_visible()
            if "正常" in card.inner_text():
                break
            page.wait_for_timeout(200)
            page.reload()
        expect(card.locator(".tallies").first).to_contain_text("新增 1")
        card.get_by_role("button", name="暂停").click()
        expect(card.locator(".chip.bad")).to_have_text("已暂停")
        expect(card.get_by_role("button", name="马上收取")).to_be_disabled()
        card.get_by_role("button", name="恢复").click()
        expect(card.get_by_role("button", name="马上收取")).to_be_enabled()
    card = make("open311_offer", "city-offered")
    secrets = []
    for name in ("新密钥", "更换密钥"):
        button = card.get_by_role("button", name=name)
        button.hover()
        before = page.locator("[data-secret]").text_content()
        page.mouse.down()
        expect(page.locator("[data-secret]")).not_to_have_text(before or "")
        page.mouse.up()
        secrets.append(page.locator("[data-secret]").inner_text())
        page.mouse.move(0, 0)
    expect(card).to_contain_text("有效至")
    assert secrets[0] != secrets[1]
    page.reload()
    assert not [one for one in secrets if one in page.content()]
    assert not errors


@pytest.mark.parametrize("which", ["shell", "python"])
def test_an_example_runs_as_it_stands_on_the_page(
    shared_demo: Running, tmp_path: Path, which: str
) -> None:
    sender = Sender(shared_demo)
    here = f"{shared_demo.url}/office/hearings/{shared_demo.slug}/sources/{sender.key}/examples"
    with httpx2.Client(trust_env=False, follow_redirects=True) as office:
        seat = office.get(shared_demo.line["links"]["office"]).url.params["seat"]
        page = office.get(here, params={"seat": seat}).text
    assert sender.secret not in page
    found = re.search(rf'id="{which}"[^>]*><code>(.*?)</code>', page, re.DOTALL)
    assert found is not None
    text = unescape(found[1]).replace("whsec_…", sender.secret)
    command = [sys.executable, "-c", text] if which == "python" else ["bash", "-euc", text]
    env = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=env, check=True, timeout=60
    )
    assert sender.state()["counts"]["new"] == 1, done
    (question,) = sender.on_the_desk()
    assert question["code"] in done.stdout
