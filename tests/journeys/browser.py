"""Debian's Chromium, driven by Playwright, for journeys through the real pages."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium-headless-shell"
"""Chromium without a window's frame and menus, which no test looks at: four tenths of the CPU less."""
OFF = (
    # A menu of the address bar, which is a page of its own in a process of its own with every window.
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    # A process kept ready for a site that nobody here goes to.
    "SpareRendererForSitePerProcess",
    # What Playwright switches off itself: a second list takes the place of the first.
    "AimEnabled",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)
"""Parts of Chromium that have nothing to do with a page. The first three were half of what a test in
a browser cost."""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
    # No page lives long enough to win back what the optimizing compilers of JavaScript cost: an eighth.
    "--js-flags=--no-opt --no-maglev",
    f"--disable-features={','.join(OFF)}",
]
AXE = Path(__file__).parent.parent / "vendor" / "axe.min.js"
PHONE: Any = {"width": 360, "height": 740}
TABLET: Any = {"width": 1024, "height": 768}
DESKTOP: Any = {"width": 1440, "height": 900}
STAGE: Any = {"width": 1920, "height": 1080}
LESS_URGENT = 15
"""A `nice` value: a thirtieth of the share of a process that has none."""
FRAME = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""Until the page is drawn as it is now."""

HEARD: deque[str] = deque(maxlen=50)
"""What pages said of themselves lately: a test that fails tells it (`tests/conftest.py`)."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """One browser."""
    with browsers(1) as (browser,):
        yield browser


@contextmanager
def browsers(n: int) -> Iterator[tuple[Browser, ...]]:
    """Several browsers, each a process of its own."""
    with sync_playwright() as playwright:
        launched = tuple(
            playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS) for _ in range(n)
        )
        try:
            yield launched
        finally:
            for browser in launched:
                browser.close()


def give_way() -> None:
    """Browsers that this process has started take what the server leaves of the machine: people's
    stand on devices of their own. Linux shares a machine by login first, and each browser is one of its
    own (`sched_autogroup`), so that two browsers are given twice what the server is."""
    parents = {}
    for one in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            stat = (one / "stat").read_text().rpartition(")")[2].split()
            parents[int(one.name)] = int(stat[1])
    for pid in parents:
        above = pid
        while above in parents and above != os.getpid():
            above = parents[above]
        with contextlib.suppress(OSError):
            if above == os.getpid() and b"chromium" in Path(f"/proc/{pid}/cmdline").read_bytes():
                Path(f"/proc/{pid}/autogroup").write_text(str(LESS_URGENT))


def open_page(context: BrowserContext, url: str) -> tuple[Page, list[str]]:
    """A page that is connected, and the list into which its errors go as they happen."""
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("pageerror", lambda error: HEARD.append(f"{page.url}: {error}"))
    page.on("console", lambda message: HEARD.append(f"{page.url}: {message.text}"))
    page.on("requestfailed", lambda one: HEARD.append(f"{page.url}: {one.url} {one.failure}"))
    # Chromium tells a broken connection, and a refusal that the page itself puts into words, as
    # errors of the console; neither is a fault of the page.
    page.on(
        "console",
        lambda message: (
            errors.append(message.text)
            if message.type == "error"
            and "WebSocket connection" not in message.text
            and "status of 409" not in message.text
            else None
        ),
    )
    page.goto(url, wait_until="load")
    return page, errors


def look_as(page: Page, size: Any, theme: str) -> None:
    """The page as it stands, in this size and theme. Where motion is not reduced, colours take a
    moment to change."""
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.evaluate(FRAME)


def violations(page: Page, rules: tuple[str, ...] = ()) -> list[str]:
    """What axe finds on the page, by these rules or by all: rule and element, one line each. Pages
    in frames are pages of their own: they are looked at by themselves."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    how = {
        "resultTypes": ["violations"],
        "iframes": False,
        **({"runOnly": list(rules)} if rules else {}),
    }
    found: Any = page.evaluate(
        "async how => (await axe.run(document, how)).violations"
        ".flatMap(v => v.nodes.map(n => `${v.id}: ${n.target} — ${n.failureSummary}`))",
        how,
    )
    return list(found)
