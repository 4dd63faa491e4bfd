"""Which event redraws what in the captions. Its room is `overlay`."""

from web.layout.page import Page
from web.pages.overlay import context

_ALL = ("lower", "strip", "bars")
_STRIP = ("strip",)
_BARS = ("bars",)

PAGE = Page(
    name="overlay",
    fragments={"lower": context.lower, "strip": context.strip, "bars": context.bars},
    redraws={
        "hearing_changed": _ALL,
        "position_changed": ("lower",),
        "agenda_changed": ("lower",),
        "question_changed": _STRIP,
        "question_taken": _STRIP,
        "question_phase": _STRIP,
        "question_pulled": _STRIP,
        "question_answered": _STRIP,
        "round_created": (),
        "round_opened": _BARS,
        "round_closing": _BARS,
        "round_closed": _BARS,
        "round_tallied": _BARS,
        "round_certified": _BARS,
        "round_voided": _BARS,
        "result_published": ("strip", "bars"),
        "result_released": ("strip", "bars"),
        "reveal_stepped": ("strip", "bars"),
        "screen_cleared": _ALL,
        "screen_restored": _ALL,
    },
)
