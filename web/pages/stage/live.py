"""The hall screen is one fragment: every event that it can show redraws it. Its room is `stage`."""

from web.layout.page import Page
from web.pages.stage import context

_ALL = ("screen",)

PAGE = Page(
    name="stage",
    fragments={"screen": context.screen},
    redraws={
        "hearing_changed": _ALL,
        "position_changed": _ALL,
        "agenda_changed": _ALL,
        "question_changed": _ALL,
        "question_taken": _ALL,
        "question_phase": _ALL,
        "question_pulled": _ALL,
        "question_answered": _ALL,
        "round_created": (),
        "round_opened": _ALL,
        "round_closing": _ALL,
        "round_closed": _ALL,
        "round_tallied": _ALL,
        "round_certified": _ALL,
        "round_voided": _ALL,
        "result_published": _ALL,
        "bundle_made": _ALL,
        "result_contested": _ALL,
        "result_upheld": _ALL,
        "result_corrected": _ALL,
        "contest_noted": _ALL,
        "result_released": _ALL,
        "reveal_stepped": _ALL,
        "screen_cleared": _ALL,
        "screen_restored": _ALL,
    },
)
