"""Which event redraws what in the captions. Its room is `overlay`."""

from web.layout.page import Page
from web.pages.overlay import context

_ALL = ("lower", "strip", "bars")
_ASKED = ("strip", "bars")
_BARS = ("bars",)

PAGE = Page(
    name="overlay",
    fragments={"lower": context.lower, "strip": context.strip, "bars": context.bars},
    redraws={
        "hearing_changed": _ALL,
        "position_changed": ("lower",),
        "agenda_changed": ("lower",),
        "question_changed": _ASKED,
        "question_taken": _ASKED,
        "question_phase": ("strip",),
        "question_pulled": _ASKED,
        "question_answered": _ASKED,
        "round_created": (),
        "round_opened": _BARS,
        "round_closing": _BARS,
        "round_closed": _BARS,
        "round_tallied": _BARS,
        "round_certified": _BARS,
        "round_voided": _BARS,
        "result_published": _ASKED,
        "bundle_made": _ASKED,
        "result_contested": _ASKED,
        "result_upheld": _ASKED,
        "result_corrected": _ASKED,
        "contest_noted": _ASKED,
        "result_released": _ASKED,
        "reveal_stepped": _ASKED,
        "screen_cleared": _ALL,
        "screen_restored": _ALL,
    },
)
