"""The page on which what panelists wrote is reviewed, text by text. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from server.domain.comments import Comment
from server.domain.rounds import Round
from server.domain.view import HearingView
from web.layout.language import say

_TONES = {"released": "ok", "withheld": "bad"}


@dataclass(frozen=True)
class Line:
    """One text and what became of it; `seat` is None in a secret round."""

    id: str
    text: str
    seat: int | None
    status: str
    word: str
    tone: str


@dataclass(frozen=True)
class SubjectTexts:
    """All texts about one subject."""

    name: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class CommentsPage:
    """`sealed`: the round has not closed, and nobody reads anything."""

    slug: str
    hearing: str
    office: str
    rehearsal: bool
    round: str
    title: str
    secret: bool
    sealed: bool
    waiting: int
    subjects: tuple[SubjectTexts, ...]


def is_sealed(round_: Round) -> bool:
    """Whether nobody may read the round's texts yet."""
    return not round_.after_closing


def comments_page(
    view: HearingView, round_: Round, lang: str, comments: Sequence[Comment]
) -> CommentsPage:
    """The page of a round; `comments` are empty before it has closed."""
    words = {
        "waiting": say(lang, "待审阅"),
        "released": say(lang, "已公开"),
        "withheld": say(lang, "未公开"),
    }

    def lines(subject: str) -> tuple[Line, ...]:
        return tuple(
            Line(c.id, c.text, c.seat, c.status, words[c.status], _TONES.get(c.status, "warn"))
            for c in comments
            if c.subject == subject
        )

    names = {one.key: one.name for one in view.subjects}
    return CommentsPage(
        slug=view.hearing.slug,
        hearing=view.hearing.title,
        office=view.office_name,
        rehearsal=view.rehearsal,
        round=round_.id,
        title=round_.title,
        secret=round_.sealed,
        sealed=is_sealed(round_),
        waiting=sum(c.status == "waiting" for c in comments),
        subjects=tuple(
            SubjectTexts(names.get(key, key), lines(key)) for key in round_.subjects if lines(key)
        ),
    )
