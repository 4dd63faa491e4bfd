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
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Error
from playwright.sync_api import Page as Tab

from tests.journeys.browser import AXE, FRAME, chromium, violations
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
    "panel": (TABLET, PHONE),
    "host": (DESKTOP, TABLET, PHONE),
    "desk": (DESKTOP, TABLET, PHONE),
}
STAFF = {"panel", "host", "desk"}
STAFF_CASES = (
    "empty",
    "full",
    "overlong",
    "rehearsal",
    "paused",
    "panel_open",
    "revealing",
    "over",
)
"""What changes these pages' layout; every other case is rendered and read by other tests."""
THOROUGH = {"full", "overlong", "panel_open", "revealing"}
"""Cases that show most of a page: both languages, both themes, axe in every size. In the others axe
reads one size, and what is measured (overflow, what is cut) is measured in all."""
COLOURS = ("color-contrast", "link-in-text-block")
"""The rules of axe that read colours. In another theme of the same page, where nothing else is
different, they are all that can come out differently."""
FIXED = {"stage", "overlay"}
FITTED = FIXED | {"podium"}
"""Pages that must fit a big screen: nothing may overflow or be cut."""

CLOCK = f"""{{
  const Real = Date, moved = {AT} - Real.now()
  window.Date = class extends Real {{
    constructor (...given) {{ given.length ? super(...given) : super(Real.now() + moved) }}
    static now () {{ return Real.now() + moved }}
  }}
}}"""
"""The samples stand at this moment. (Playwright's own clock wanders when a tab goes to another page.)"""
WEAR = "theme => { document.documentElement.dataset.theme = theme }"
"""What a page that asks for a theme says of itself (base.html); all else is the style sheet's."""
SHAPE = """() => [...document.querySelectorAll('*')].map(one => {
  const box = one.getBoundingClientRect(), style = getComputedStyle(one)
  return [box.x, box.y, box.width, box.height, style.display, style.visibility, style.opacity].join()
}).join(' ')"""
"""Where everything stands and whether it is seen."""
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


@dataclass(frozen=True)
class Visit:
    """A page in one case and language, looked at in several themes and sizes."""

    name: str
    case: str
    lang: str
    themes: tuple[str, ...]
    sizes: tuple[tuple[int, int], ...]


def visits(only: str | None = None) -> Iterator[Visit]:
    """Every case in Chinese; English and the other theme on the full ones."""
    for name in (*SCREENS, *PLAIN):
        if only and name != only:
            continue
        big = EXTREMES if name in FITTED else {}
        cases = PLAIN.get(name, STAFF_CASES if name in STAFF else (*CASES, *big))
        sizes = SCREENS.get(name, (PHONE, DESKTOP))
        themes = ("dark", "light") if name in FITTED else ("light", "dark")
        thorough = sorted(THOROUGH & set(cases)) or cases[:1]
        for case in cases:
            both = case in thorough and name != "overlay"
            yield Visit(name, case, "zh", themes if both else themes[:1], sizes)
        for case in thorough:
            yield Visit(name, case, "en", themes[:1], sizes)


@contextmanager
def tab_of(browser: Browser) -> Iterator[Tab]:
    """A tab with axe and the samples' clock on every page."""
    context = browser.new_context(reduced_motion="reduce")
    context.add_init_script(path=AXE)
    context.add_init_script(script=CLOCK)
    tab = context.new_page()
    yield tab
    context.close()


def unfit(tab: Tab, name: str, width: int) -> list[str]:
    """What does not fit."""
    wrong = [f"overflow: {one}" for one in tab.evaluate(OVERFLOW)]
    if name in FIXED or (name == "podium" and width == WALL[0]):
        wrong += [f"cut: {one}" for one in tab.evaluate(CUT)]
    return wrong


def look(tab: Tab, url: str, visit: Visit, *, take: bool, check: bool) -> list[str]:
    """Opens a page, photographs it in each size and theme if wanted, and says what is wrong with it."""
    said: list[str] = []

    def heard(message: str) -> None:
        said.append(f"{visit.name} {visit.case} {visit.lang}: {message}")

    def console(message: ConsoleMessage) -> None:
        if message.type == "error":
            heard(message.text)

    def failed(error: Error) -> None:
        heard(str(error))

    tab.on("console", console)
    tab.on("pageerror", failed)
    for number, (width, height) in enumerate(visit.sizes):
        tab.set_viewport_size({"width": width, "height": height})
        if number == 0:
            _open(tab, url, visit)
        shape = ""
        for theme in visit.themes:
            if len(visit.themes) > 1:
                _wear(tab, theme)
            tab.evaluate(FRAME)
            file = f"{visit.name}-{visit.case}-{width}-{theme}-{visit.lang}.png"
            if take:
                tab.screenshot(path=OUT / file)
                if visit.name not in FITTED:
                    tab.screenshot(path=OUT / f"whole-{file}", full_page=True)
            if not check:
                continue
            wrong = unfit(tab, visit.name, width)
            if number == 0 or visit.case in THOROUGH:
                before, shape = shape, tab.evaluate(SHAPE)
                wrong += violations(tab, COLOURS if shape == before else ())
            said += [f"{file}: {line}" for line in wrong]
    tab.remove_listener("console", console)
    tab.remove_listener("pageerror", failed)
    return said


def _open(tab: Tab, url: str, visit: Visit) -> None:
    """Goes to the page in its first theme, and opens what it shows on request."""
    theme = visit.themes[0]
    tab.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    tab.goto(f"{url}/{visit.name}?case={visit.case}&lang={visit.lang}&theme={theme}")
    tab.wait_for_timeout(100)
    if visit.name == "overlay":  # What lies behind the captions on air; here a grey.
        tab.evaluate("document.documentElement.style.background = '#5a6b7d'")
    if visit.name == "desk":
        tab.locator('[data-states="received,screened"]').click()
        tab.locator("#list [data-status], #list .empty").first.wait_for()
    if visit.name == "desk" and tab.locator("[data-question]").count():
        tab.locator("[data-question]").first.click()
        tab.locator("#edit-text").wait_for(state="attached")


def _wear(tab: Tab, theme: str) -> None:
    """The page as it stands, in this theme."""
    tab.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    tab.evaluate(WEAR, theme)


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
        for visit in visits(wanted.only):
            if wanted.case in (None, visit.case):
                with tab_of(browser) as tab:
                    bad += look(tab, url, visit, take=True, check=wanted.check)
    print("\n".join(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
