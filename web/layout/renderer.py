"""Every live page by room, and the HTML that the relay sends there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from server.domain.events import ROOMS
from server.domain.view import HearingView
from web.layout.page import Page


@cache
def pages() -> Mapping[str, Page]:
    """The pages that have a room: `web/pages/<room>/live.py`."""
    found: dict[str, Page] = {}
    for room in ROOMS:
        if find_spec(f"web.pages.{room}") and find_spec(f"web.pages.{room}.live"):
            found[room] = import_module(f"web.pages.{room}.live").PAGE
    return found


class PageRenderer:
    """Satisfies the relay's `Renderer`. A part is rendered once for a view, however many events of
    one reading redraw it."""

    def __init__(self) -> None:
        self._view: HearingView | None = None
        self._kept: dict[tuple[str, str, str], str] = {}

    def content(
        self, room: str, event: str, view: HearingView, lang: str, codes: tuple[str, ...]
    ) -> str:
        """The fragments that an event changes on the room's page."""
        if view is not self._view:
            self._view, self._kept = view, {}
        page = pages()[room]
        parts = []
        for name in page.redraws[event]:
            key = (room, lang, name)
            if key not in self._kept:
                self._kept[key] = str(page.fragment(name, view, lang))
            parts.append(self._kept[key])
        return "".join(parts) + page.touched(event, view, lang, codes)

    def everything(self, room: str, view: HearingView, lang: str) -> str:
        """All fragments of the room's page."""
        return pages()[room].everything(view, lang)
