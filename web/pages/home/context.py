"""The list of hearings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from web.layout.texts import Texts
from web.pages import shared


@dataclass(frozen=True)
class Listed:
    """A hearing as the server lists it: nothing of a draft is told."""

    slug: str
    title: str
    office: str
    status: str
    kind: str


@dataclass(frozen=True)
class Row:
    """One hearing."""

    slug: str
    title: str
    office: str
    word: str
    tone: str
    rehearsal: bool


@dataclass(frozen=True)
class Home:
    """Hearings going on, then those to come, then those past."""

    on: tuple[Row, ...]
    coming: tuple[Row, ...]
    past: tuple[Row, ...]


def home(listed: Iterable[Listed], lang: str) -> Home:
    """Drafts are left out."""
    texts = Texts(lang)
    on: list[Row] = []
    coming: list[Row] = []
    past: list[Row] = []
    for one in listed:
        if one.status == "draft":
            continue
        tone = {"live": "bad dot", "paused": "warn", "check_in": "accent"}.get(one.status, "")
        place = past if one.status in shared.OVER else coming if one.status in shared.BEFORE else on
        place.append(
            Row(
                slug=one.slug,
                title=one.title,
                office=one.office,
                word=texts.word(one.status),
                tone=tone,
                rehearsal=one.kind == "rehearsal",
            )
        )
    return Home(tuple(on), tuple(coming), tuple(past))
