"""Which event redraws what on the confidence monitor. Its room is `podium`."""

from web.layout.page import Page
from web.pages import shared
from web.pages.podium import context

_SHOW = ("now", "ahead")
_QUESTION = ("question", "ahead")

PAGE = Page(
    name="podium",
    fragments={
        "now": shared.head,
        "question": shared.asked,
        "ahead": shared.ahead,
        "message": context.message,
    },
    redraws={
        "hearing_changed": _SHOW,
        "position_changed": _SHOW,
        "agenda_changed": _SHOW,
        "question_changed": _QUESTION,
        "queue_changed": ("ahead",),
        "question_taken": _QUESTION,
        "question_phase": ("question",),
        "question_pulled": _QUESTION,
        "question_answered": _QUESTION,
        "round_opened": (),
        "round_closing": (),
        "round_closed": (),
        "round_voided": (),
        "result_published": (),
        "result_contested": (),
        "result_upheld": (),
        "result_corrected": (),
        "contest_noted": (),
        "result_released": (),
        "notice": ("message",),
        "notice_seen": ("message",),
    },
)
