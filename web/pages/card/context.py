"""The on-air host's card: read only, large, nothing to touch."""

from __future__ import annotations

from dataclasses import dataclass

from server.domain.rounds import TAKES_BALLOTS
from server.domain.view import HearingView
from web.pages import results


@dataclass(frozen=True)
class Script:
    """The line to speak in the present step."""

    line: str


def script(view: HearingView, lang: str) -> Script:
    """The script of the present step, empty where there is none."""
    del lang
    return Script(view.script)


@dataclass(frozen=True)
class Rounds:
    """Rounds under way and results that may be read out in the hall."""

    rounds: tuple[results.RoundView, ...]


def rounds(view: HearingView, lang: str) -> Rounds:
    """What is being marked now, and what was published for the hall."""
    shown = [
        r
        for r in view.rounds
        if r.status in TAKES_BALLOTS | {"closed", "tallied", "certified", "published"}
    ]
    return Rounds(tuple(results.round_view(view, r, lang, "hall") for r in shown))


@dataclass(frozen=True)
class Message:
    """The host console's message to the podium, as the card sees it."""

    text: str
    seen: bool


def message(view: HearingView, lang: str) -> Message:
    """The latest message and whether the podium acknowledged it."""
    del lang
    notice = view.notice
    return Message(notice.text if notice else "", bool(notice and notice.seen_at))
