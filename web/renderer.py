"""Every live page by room (docs/decisions/0008-public-is-a-room.md), and the HTML that the relay sends
there."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from server.domain.view import HearingView
from web.layout.page import Page
from web.pages.card.live import PAGE as CARD
from web.pages.desk.live import PAGE as DESK
from web.pages.host.live import PAGE as HOST
from web.pages.overlay.live import PAGE as OVERLAY
from web.pages.panel.live import PAGE as PANEL
from web.pages.podium.live import PAGE as PODIUM
from web.pages.public.live import PAGE as PUBLIC
from web.pages.stage.live import PAGE as STAGE

PAGES: Mapping[str, Page] = {
    page.name: page for page in (PUBLIC, PANEL, DESK, HOST, CARD, STAGE, OVERLAY, PODIUM)
}
"""Each room's page, in the order of the rooms; its name is its folder's."""


class PageRenderer:
    """Satisfies the relay's `Renderer`. A part is rendered once for a view, however many events of
    one reading redraw it."""

    def __init__(self) -> None:
        self._view: HearingView | None = None
        self._kept: dict[tuple[str, str, str], str] = {}
        self._left: dict[tuple[str, str], set[str]] = {}

    def content(
        self,
        room: str,
        event: str,
        view: HearingView,
        lang: str,
        codes: tuple[str, ...],
        later: Collection[str] = (),
    ) -> str:
        """The fragments that an event changes on the room's page, but for those that one of the events
        told right after it of this view (`later`) brings: what comes together is drawn once."""
        if view is not self._view:
            self._view, self._kept, self._left = view, {}, {}
        page = PAGES[room]
        parts = []
        brought = {name for other in later for name in page.redraws[other]}
        for name in page.redraws[event]:
            if name in brought:
                continue
            key = (room, lang, name)
            if key not in self._kept:
                self._kept[key] = str(page.fragment(name, view, lang))
            parts.append(self._kept[key])
        left = self._left.setdefault((room, lang), set())
        return "".join(parts) + page.touched(event, view, lang, codes, left)

    def everything(self, room: str, view: HearingView, lang: str) -> str:
        """All fragments of the room's page."""
        return PAGES[room].everything(view, lang)
