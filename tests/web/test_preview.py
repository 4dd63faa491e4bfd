"""The console sees the very picture of the hall screen before the press that shows it."""

from __future__ import annotations

import re

import httpx2
import pytest

from tests.running import Running, new_key, round_until

pytestmark = [pytest.mark.system]


def picture(browser: httpx2.Client, path: str) -> str:
    """The hall screen's one fragment on a page."""
    page = browser.get(path)
    assert page.status_code == 200, page.text
    found = re.search(r'<main id="screen".*?</main>', page.text, re.S)
    assert found
    return found.group(0)


def test_the_next_step_is_seen_before_it_is_shown(demo: Running) -> None:
    with httpx2.Client(base_url=demo.url, trust_env=False) as browser:
        foreseen_is_shown(demo, browser)


def foreseen_is_shown(demo: Running, browser: httpx2.Client) -> None:
    host = demo.as_("host")
    browser.get(demo.line["links"]["host"])
    browser.get(demo.line["links"]["stage"])
    id_ = next(r["id"] for r in demo.state()["rounds"] if r["audience"] == "panel")
    ask = f"/h/{demo.slug}/stage?lang=zh"
    assert browser.get(f"{ask}&seat=host&preview={id_}:1").status_code == 403  # No result yet.
    host.do("POST", f"/rounds/{id_}/opening")
    whole = host.get(f"/rounds/{id_}")
    marks = {s["key"]: {d["key"]: "15" for d in whole["dimensions"]} for s in whole["subjects"]}
    demo.as_("panel").do("PUT", f"/rounds/{id_}/ballot", {"marks": marks}, new_key())
    host.do("POST", f"/rounds/{id_}/closing")
    round_until(demo, id_, "tallied")
    host.do("POST", f"/rounds/{id_}/certification")
    before = browser.get(f"{ask}&seat=host&preview={id_}:2")
    assert "75.00" in before.text
    assert "data-socket" not in before.text
    assert "75.00" not in browser.get(f"{ask}&seat=stage").text
    for wrong in (f"{id_}:x", f"{id_}:", "nobody:1", id_, f"{id_}:99999"):
        assert browser.get(f"{ask}&seat=host&preview={wrong}").status_code == 404
    assert browser.get(f"{ask}&seat=stage&preview={id_}:2").status_code == 403
    host.do("POST", f"/rounds/{id_}/publication", {"audience": "hall"})
    foreseen = picture(browser, f"{ask}&seat=host&preview={id_}:2")
    host.do("PUT", f"/rounds/{id_}/reveal", {"step": 2})
    shown = picture(browser, f"{ask}&seat=stage")
    assert foreseen == shown
