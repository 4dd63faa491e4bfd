"""Photographs every page of the gallery into tests/pictures/out/: `python -m tests.web.pictures`.

`--only stage` takes one page, `--check` also runs axe and fails on a violation or an overflow.
"""

from __future__ import annotations

import argparse
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from tests.journeys.browser import chromium, violations
from tests.web.gallery import PLAIN, app
from tests.web.views import AT, CASES, EXTREMES

OUT = Path(__file__).parent.parent / "pictures" / "out"
PHONE, TABLET, DESKTOP, WALL = (360, 740), (1024, 768), (1440, 900), (1920, 1080)
SCREENS = {
    "public": (PHONE, TABLET, DESKTOP),
    "stage": (WALL,),
    "overlay": (WALL,),
    "podium": (WALL, PHONE),
    "card": (TABLET, PHONE),
}
FIXED = {"stage", "overlay"}
FITTED = FIXED | {"podium"}
"""Pages that must fit a big screen: nothing may overflow or be cut."""

OVERFLOW = """() => {
  const out = [], wide = document.documentElement.scrollWidth
  if (wide > innerWidth + 1) out.push('page ' + wide)
  for (const one of document.querySelectorAll('main *')) {
    const box = one.getBoundingClientRect()
    if (!box.width || one.closest('svg, [hidden], .visually-hidden, .clip, .scroll')) continue
    if (box.right > innerWidth + 1 || box.left < -1) out.push(one.tagName + '.' + one.className)
  }
  return out.slice(0, 5)
}"""
CUT = """() => [...document.querySelectorAll('main *')].filter(one => {
  const box = one.getBoundingClientRect()
  const style = getComputedStyle(one)
  if (!box.width || one.closest('svg')) return false
  const cut = style.overflow === 'hidden' && style.textOverflow !== 'ellipsis' && style.webkitLineClamp === 'none' && one.scrollHeight > one.clientHeight + 2
  return cut || box.bottom > innerHeight + 1
}).map(one => one.tagName + '.' + one.className).slice(0, 5)"""


@contextmanager
def gallery() -> Iterator[str]:
    """The gallery on a free port of the loopback, in a thread."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(5)


Shot = tuple[str, str, tuple[int, int], str, str]
"""(page, case, size, theme, language)."""


def shots(only: str | None) -> Iterator[Shot]:
    """Every case in Chinese; English and the other theme on the full ones."""
    for name in (*SCREENS, *PLAIN):
        if only and name != only:
            continue
        big = EXTREMES if name in FITTED else {}
        cases = PLAIN.get(name, (*CASES, *big))
        sizes = SCREENS.get(name, (PHONE, DESKTOP))
        theme = "dark" if name in {"stage", "overlay", "podium"} else "light"
        other = "light" if theme == "dark" else "dark"
        for case in cases:
            for size in sizes:
                yield name, case, size, theme, "zh"
        for size in sizes:
            for case in {"full", "revealing", "panel_open", "overlong"} & set(cases) or {cases[0]}:
                yield name, case, size, theme, "en"
                if name != "overlay":
                    yield name, case, size, other, "zh"


def problems(tab: Tab, name: str) -> list[str]:
    """axe violations, and what does not fit."""
    wrong = violations(tab)
    wrong += [f"overflow: {one}" for one in tab.evaluate(OVERFLOW)]
    if name in FIXED or (name == "podium" and (tab.viewport_size or {}).get("width") == WALL[0]):
        wrong += [f"cut: {one}" for one in tab.evaluate(CUT)]
    return wrong


def visit(browser: Browser, url: str, shot: Shot, *, take: bool, check: bool) -> list[str]:
    """Opens a page, photographs it if wanted, and says what is wrong with it."""
    name, case, (width, height), theme, lang = shot
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
    )
    tab = context.new_page()
    tab.clock.set_system_time(AT)  # The samples stand at this moment.
    said: list[str] = []
    tab.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
    tab.on("pageerror", lambda e: said.append(str(e)))
    tab.goto(f"{url}/{name}?case={case}&lang={lang}&theme={theme}")
    tab.wait_for_timeout(200)
    if name == "overlay":  # What lies behind the captions in the programme; here a grey.
        tab.evaluate("document.documentElement.style.background = '#5a6b7d'")
    file = f"{name}-{case}-{width}-{theme}-{lang}.png"
    if take:
        tab.screenshot(path=OUT / file)
        if name not in FITTED:
            tab.screenshot(path=OUT / f"whole-{file}", full_page=True)
    if check:
        said += problems(tab, name)
    context.close()
    return [f"{file}: {line}" for line in said]


def main() -> int:
    """Take them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only")
    parser.add_argument("--case")
    parser.add_argument("--check", action="store_true")
    wanted = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    bad: list[str] = []
    with gallery() as url, chromium() as browser:
        for shot in shots(wanted.only):
            if wanted.case in (None, shot[1]):
                bad += visit(browser, url, shot, take=True, check=wanted.check)
    print("\n".join(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
