"""The captions over the programme (字幕条): lower third, question strip, bars. All empty on 垫片.

The programme is what the public watches: a result that was published for the hall alone is not in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from server.domain.view import HearingView
from web.pages import results, shared

AUDIENCE = "public"
MOST_BARS = 6
"""More choices than this are no caption."""
ROWS = 12
"""Rows of a result that fit the box; of a longer one those around the latest are shown."""


@dataclass(frozen=True)
class Lower:
    """The lower third: who, post, unit, step."""

    now: shared.Now | None
    rehearsal: bool


def lower(view: HearingView, lang: str) -> Lower:
    """Who is speaking; nothing before the show, after it, and while the screens are cleared."""
    return Lower(shared.now(view, lang) if _on(view) else None, view.rehearsal)


@dataclass(frozen=True)
class Strip:
    """The question strip."""

    question: shared.OnStage | None


def strip(view: HearingView, lang: str) -> Strip:
    """The question on stage, unless a result is being revealed over it."""
    hidden = not _on(view) or results.revealed(view, AUDIENCE) is not None
    return Strip(None if hidden else shared.on_stage(view, lang))


@dataclass(frozen=True)
class Bars:
    """Bars of a public round, or of a result as far as it is revealed."""

    round: results.RoundView | None
    reveal: results.Reveal | None
    first: int = 0
    last: int = ROWS


def bars(view: HearingView, lang: str) -> Bars:
    """A reveal first; else the public round that is going on, where its counts are shown live."""
    if view.screens.cleared:
        return Bars(None, None)
    reveal = results.reveal(view, lang, AUDIENCE)
    if reveal is not None:
        first = max(0, min(reveal.latest - ROWS + 3, reveal.of - ROWS))
        return Bars(None, reveal, first, first + ROWS)
    running = results.present_round(view) if _on(view) else None
    if running is None or running.audience != "public" or not running.show_live:
        return Bars(None, None)
    asked = shared.on_stage(view, lang)
    if len(running.choices) > MOST_BARS or (asked and asked.size in {"m", "s", "xs"}):
        return Bars(None, None)  # They would cover the picture, or the question.
    return Bars(results.round_view(view, running, lang, AUDIENCE), None)


def _on(view: HearingView) -> bool:
    return not view.screens.cleared and view.hearing.status in {"live", "paused"}
