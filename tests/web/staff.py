"""The three staff pages (panel, host, desk) over the sample hearings, for their tests."""

from __future__ import annotations

import dataclasses
from typing import Any

from tests.web.views import CASES, SEATS
from web.layout.page import Page
from web.pages.desk.live import PAGE as DESK
from web.pages.host.live import PAGE as HOST
from web.pages.panel.live import PAGE as PANEL

PAGES: dict[str, Page] = {page.name: page for page in (PANEL, HOST, DESK)}
LANGUAGES = ("zh", "en")


def html(name: str, case: str, lang: str, **extra: Any) -> str:
    """A whole page as the server makes it for a session called `label`."""
    return PAGES[name].html(
        CASES[case](),
        lang,
        socket=f"/h/yunlan-shufa/{name}/socket",
        seat="label",
        slug="yunlan-shufa",
        me=SEATS[2],
        by=None,
        **extra,
    )


def frozen(value: Any) -> bool:
    """Whether this and everything in it is frozen or plain."""
    if dataclasses.is_dataclass(value):
        if not value.__dataclass_params__.frozen:  # type: ignore[union-attr]
            return False
        return all(frozen(getattr(value, f.name)) for f in dataclasses.fields(value))
    if isinstance(value, tuple | frozenset):
        return all(frozen(one) for one in value)
    return value is None or isinstance(value, str | int | bool)
