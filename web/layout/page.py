"""A page is a template, its fragments, and which event redraws which fragment.

The page includes the very fragments that its socket pushes: both are rendered here, from the same
template and the same context, so that live = reload (law 6) can hold at all.

A fragment `now` lies in `pages/<page>/_now.html`, is rendered with `f` (its typed context) and has
one root element with the id `now`. Fragments show the same to everyone in the room (law 8).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from server.domain.events import EVENTS, ROOMS
from server.domain.questions import TEXT_LONGEST
from server.domain.topics import TOPIC_LONGEST
from server.domain.view import HearingView
from web.layout import texts
from web.layout.assets import asset_url
from web.layout.language import LANGUAGES, html_language, translations

WEB = Path(__file__).parent.parent
STAFF = tuple(room for room in ROOMS if room != "public")
"""Pages behind a session."""

Build = Callable[[HearingView, str], Any]
"""(view, language) → the frozen dataclass that a fragment or a page is rendered with."""


@cache
def environment(lang: str) -> jinja2.Environment:
    """The templates of one language: autoescaped, strict about undefined names."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader([WEB / "pages", WEB / "layout"]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.install_gettext_translations(translations(lang), newstyle=True)  # type: ignore[attr-defined]
    env.globals.update(
        lang=lang,
        html_lang=html_language(lang),
        languages=LANGUAGES,
        asset=asset_url,
        texts=texts.Texts(lang),
        text_longest=TEXT_LONGEST,
        topic_longest=TOPIC_LONGEST,
    )
    return env


def render(template: str, lang: str, **values: Any) -> str:
    """A template of `pages/` or `layout/` in a language."""
    return environment(lang).get_template(template).render(**values)


@dataclass(frozen=True)
class Page:
    """One live page. `name` is its folder and its room.

    `fragments`: name → context builder. `redraws`: event → names of the fragments that it
    changes; every event of the room stands in it, with an empty tuple when nothing on this page
    shows it. `items`: event → builder of list items that come and go with the event
    (`(view, lang, codes)`), rendered by `_item.html`. `list_id`: the list on the page that holds
    just these items, so that what a new one pushed off its end leaves the page too (law 6), and
    `edge` the codes that may have moved up when so many others left, after so many before them.
    """

    name: str
    fragments: Mapping[str, Build]
    redraws: Mapping[str, tuple[str, ...]]
    items: Callable[[HearingView, str], Mapping[str, Any]] | None = None
    item_events: frozenset[str] = field(default_factory=frozenset)
    list_id: str | None = None
    edge: Callable[[HearingView, int, int], tuple[str, ...]] | None = None

    def __post_init__(self) -> None:
        mine = {event for event, row in EVENTS.items() if self.name in row.rooms}
        missing = mine - set(self.redraws)
        if missing:
            raise ValueError(f"page {self.name} does not say what {sorted(missing)} redraw")

    def fragment(self, name: str, view: HearingView, lang: str) -> Markup:
        """One fragment's HTML."""
        context = self.fragments[name](view, lang)
        return Markup(render(f"{self.name}/_{name}.html", lang, f=context).strip())

    def everything(self, view: HearingView, lang: str) -> str:
        """All fragments: what a snapshot puts on an old page."""
        return "".join(self.fragment(name, view, lang) for name in self.fragments)

    def content(self, event: str, view: HearingView, lang: str, codes: tuple[str, ...] = ()) -> str:
        """The fragments that an event changes, then the list items that it touched."""
        parts = [str(self.fragment(name, view, lang)) for name in self.redraws[event]]
        return "".join(parts) + self.touched(event, view, lang, codes)

    def touched(
        self,
        event: str,
        view: HearingView,
        lang: str,
        codes: tuple[str, ...],
        left: set[str] | None = None,
    ) -> str:
        """The list items that an event touched: each as it is now, or that it is gone. `left`: the codes
        that events before it told gone of this very view; this one's are added."""
        if self.items is None or event not in self.item_events:
            return ""
        items = self.items(view, lang)
        parts = []
        if self.list_id:
            ids = " ".join(f"q-{code}" for code in items)
            parts.append(f'<i data-only="{self.list_id}" data-ids="{ids}"></i>')
        left = set() if left is None else left
        gone = {code for code in codes if code not in items} - left
        moved_up = self.edge(view, len(gone), len(left)) if self.edge and gone else ()
        left |= gone
        for code in dict.fromkeys((*codes, *moved_up)):
            if code in items:
                parts.append(render(f"{self.name}/_item.html", lang, f=items[code]).strip())
            else:
                parts.append(f'<i id="q-{code}" data-gone></i>')
        return "".join(parts)

    def html(self, view: HearingView, lang: str, **extra: Any) -> str:
        """The whole page. `extra` reaches the template beside `view` and `fragment`."""
        return render(
            f"{self.name}/page.html",
            lang,
            view=view,
            page=self.name,
            fragment=lambda name: self.fragment(name, view, lang),
            version=view.versions[self.name],
            epoch=view.hearing.epoch,
            **extra,
        )
