"""The confidence monitor (返送屏) before whoever speaks: time left, the question, the host's word."""

from __future__ import annotations

from dataclasses import dataclass

from server.domain.view import HearingView
from web.pages import shared


@dataclass(frozen=True)
class Message:
    """The host's message, until somebody at the podium acknowledges it. `id` 0 = none."""

    slug: str
    id: int
    text: str
    size: str


def message(view: HearingView, lang: str) -> Message:
    """The message that fills the screen."""
    del lang
    notice = view.notice
    if notice is None or notice.seen_at is not None:
        return Message(view.hearing.slug, 0, "", "")
    return Message(view.hearing.slug, notice.id, notice.text, shared.text_size(notice.text))
