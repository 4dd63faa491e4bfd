"""Law 7: assistive technology hears one sentence for each act, and nothing else.

Everything that a screen reader would be told is recorded in a real browser: each change inside a live
region of the public page, a tablet and the host console, while a storm of acts goes over them. The
journal says what it should have been. Counts move, countdowns run and lists grow meanwhile, unheard.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from server.domain.events import sentence
from tests.journeys.browser import DESKTOP, PHONE, TABLET, chromium, give_way, open_page
from tests.journeys.storm import Storm
from tests.running import Running, new_key

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

SECONDS = 12
LEAST = 8
"""Acts a second that the storm must really make; two quiet cores make many times as many."""

RECORD = """() => {
  const LIVE = '[aria-live],[role=status],[role=alert],[role=log],output'
  const region = node => {
    const one = (node.nodeType === 1 ? node : node.parentElement)?.closest(LIVE)
    return one && one.getAttribute('aria-live') !== 'off' ? one : null
  }
  Object.assign(window, {heard: [], cues: [], pulses: 0, ticks: 0})
  const hear = text => { if (text.trim()) window.heard.push(text.trim()) }
  new MutationObserver(records => {
    const written = new Set()                // a region that is written and shown at once is heard once
    for (const one of records) {
      if (one.target.closest?.('.countdown')) window.ticks++
      const there = region(one.target)
      if (there && one.type !== 'attributes') {
        written.add(there)
        for (const node of one.type === 'childList' ? one.addedNodes : [one.target]) hear(node.textContent)
      } else if (there && !there.hidden && !written.has(there)) hear(there.textContent)
      else if (!there) for (const node of one.addedNodes) {
        if (node.nodeType !== 1) continue
        for (const born of [node, ...node.querySelectorAll(LIVE)]) if (born.matches(LIVE) && region(born)) hear(born.textContent)
      }
    }
  }).observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ['hidden', 'aria-label']})
  document.addEventListener('pingyi:cue', ({detail}) => detail.type === 'cue' && window.cues.push(detail.version))
  document.addEventListener('pingyi:pulse', () => window.pulses++)
}"""


class Ear:
    """One page, and what a screen reader on it is told."""

    def __init__(self, room: str, page: Page) -> None:
        self.room, self.page = room, page
        self.began = int(page.evaluate("+document.body.dataset.version"))
        page.evaluate(RECORD)

    def since(self) -> tuple[list[str], list[int]]:
        """What was heard, and the versions that acts led to, since this was asked last."""
        found: Any = self.page.evaluate(
            "() => { const all = [window.heard, window.cues]; window.heard = []; window.cues = [];"
            " return all }"
        )
        return found[0], found[1]


@pytest.fixture(scope="module")
def ears(shared_demo: Running) -> Iterator[dict[str, Ear]]:
    """The three pages, connected and recorded."""
    links = shared_demo.line["links"]
    with chromium() as browser:
        found = {}
        for room, link, size in (
            ("public", links["public"], PHONE),
            ("panel", links["panel"][0], TABLET),
            ("host", links["host"], DESKTOP),
        ):
            page, _ = open_page(browser.new_context(viewport=size), link)
            if room != "public":
                page.wait_for_selector('#link[data-state="up"]')
            page.wait_for_timeout(500)  # What arriving says (已连接) is said.
            found[room] = Ear(room, page)
        yield found


class Acts:
    """The run's journal as far as it was read."""

    def __init__(self, demo: Running) -> None:
        self.demo, self.entries = demo, list[Any]()

    def sentences(self, room: str, versions: list[int]) -> list[str]:
        """Those of the acts that led a room to these versions, as the journal has them."""
        office = self.demo.as_("office")
        while True:
            after = self.entries[-1]["seq"] if self.entries else 0
            page = office.get(f"{self.demo.here}/journal?after={after}")["entries"]
            if not page:
                break
            self.entries += page
        acts = {e["rooms"][room]: e["event"] for e in self.entries if room in e["rooms"]}
        return [sentence(acts[version], "zh") for version in versions]


@pytest.fixture(scope="module")
def acts(shared_demo: Running) -> Acts:
    """What should have been heard."""
    return Acts(shared_demo)


def test_in_a_storm_each_act_is_heard_once_and_nothing_else(
    shared_demo: Running, ears: dict[str, Ear], acts: Acts
) -> None:
    give_way()
    began = time.monotonic()
    with Storm(shared_demo) as storm:
        while (
            time.monotonic() < began + SECONDS
        ):  # Viewers come, clap and go: counts that nobody may hear.
            with shared_demo.socket(viewer=shared_demo.viewer().token) as socket:
                socket.send('{"type":"like","n":3}')
                time.sleep(1.3)
            time.sleep(1.3)
    rate = storm.acts / (time.monotonic() - began)
    told = {}
    for room, ear in ears.items():
        ear.page.wait_for_timeout(1500)
        heard, versions = ear.since()
        assert heard == acts.sentences(room, versions), room
        assert versions == sorted(set(versions)), room
        pulses, ticks = ear.page.evaluate("[window.pulses, window.ticks]")
        assert (pulses > 5, ticks > 5) == (True, True), (room, pulses, ticks)
        told[room] = len(heard)
    print(f"{storm.acts} acts, {rate:.0f}/s; heard: {told}")
    assert rate >= LEAST
    assert min(told.values()) >= LEAST * SECONDS / 2


def test_what_concerns_one_seat_is_heard_there_in_its_own_words_and_once(
    shared_demo: Running, ears: dict[str, Ear], acts: Acts
) -> None:
    demo, host, here = shared_demo, shared_demo.as_("host"), shared_demo.here
    rounds = [r["id"] for r in demo.state()["rounds"] if r["audience"] == "panel"]

    def give() -> None:
        first = host.get(f"{here}/queue")["ids"][0]
        host.do("PUT", f"{here}/queue/{first}/asker", {"seat": 1})

    def settle(outcome: str) -> None:
        wish = demo.as_("panel", 0).do(
            "POST", f"{here}/floor", {"kind": "ask", "text": "请问依据"}, new_key()
        )
        expect(ears["panel"].page.locator(f"#wish-{wish['id']}")).to_be_visible()
        host.do("POST", f"{here}/floor/{wish['id']}/outcome", {"outcome": outcome})

    for act, mine in (
        (give, ["您是下一位"]),
        (lambda: settle("granted"), ["有成员申请提问", "申请提问 · 已安排，请准备发言"]),
        (lambda: settle("declined"), ["有成员申请提问", "申请提问 · 本次未安排"]),
        (lambda: host.do("POST", f"/rounds/{rounds[0]}/opening"), ["评价开始"]),
        (lambda: host.do("POST", f"{here}/notices", {"text": "请尽快收尾"}), []),
    ):
        act()
        if mine == ["评价开始"]:  # Its sheet comes a moment later, with a toast that is only seen.
            expect(ears["panel"].page.locator("#toast")).to_have_text("测评开始")
        for room, ear in ears.items():
            ear.page.wait_for_timeout(300)
            heard, versions = ear.since()
            assert heard == (mine if room == "panel" else acts.sentences(room, versions)), room
