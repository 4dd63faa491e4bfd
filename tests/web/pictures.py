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
from typing import Any

import uvicorn
from playwright.sync_api import Page as Tab
from playwright.sync_api import sync_playwright

from tests.web.gallery import PLAIN, app
from tests.web.views import CASES, EXTREMES

OUT = Path(__file__).parent.parent / "pictures" / "out"
AXE = (Path(__file__).parent.parent / "vendor" / "axe.min.js").read_text()
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
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


def shots(only: str | None) -> Iterator[tuple[str, str, tuple[int, int], str, str]]:
    """(page, case, size, theme, language): every case in Chinese; English and the other theme on
    the full ones."""
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
    tab.evaluate(AXE)
    found: dict[str, Any] = tab.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    wrong = [
        f"{v['id']}: {n['target']} {n.get('failureSummary', '')[:160]}"
        for v in found["violations"]
        for n in v["nodes"][:3]
    ]
    wrong += [f"overflow: {one}" for one in tab.evaluate(OVERFLOW)]
    if name in FIXED or (name == "podium" and (tab.viewport_size or {}).get("width") == WALL[0]):
        wrong += [f"cut: {one}" for one in tab.evaluate(CUT)]
    return wrong


def main() -> int:
    """Take them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only")
    parser.add_argument("--case")
    parser.add_argument("--check", action="store_true")
    wanted = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    bad = 0
    with gallery() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        for name, case, (width, height), theme, lang in shots(wanted.only):
            if wanted.case and case != wanted.case:
                continue
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if theme == "dark" else "light",
                reduced_motion="reduce",
            )
            tab = context.new_page()
            said: list[str] = []
            tab.on("console", lambda m, s=said: s.append(m.text) if m.type == "error" else None)
            tab.on("pageerror", lambda e, s=said: s.append(str(e)))
            tab.goto(f"{url}/{name}?case={case}&lang={lang}&theme={theme}")
            tab.wait_for_timeout(250)
            if name == "overlay":  # OBS shows what lies behind; here a grey stands for it
                tab.evaluate("document.documentElement.style.background = '#5a6b7d'")
            file = f"{name}-{case}-{width}-{theme}-{lang}.png"
            tab.screenshot(path=OUT / file)
            if name not in FITTED:
                tab.screenshot(path=OUT / f"whole-{file}", full_page=True)
            for line in [*said, *(problems(tab, name) if wanted.check else [])]:
                bad += 1
                print(f"{file}: {line}")
            context.close()
        browser.close()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
