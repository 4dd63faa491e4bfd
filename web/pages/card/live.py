"""Which event redraws what on the host's card. Its room is `card`."""

from web.layout.page import Page
from web.pages import shared
from web.pages.card import context

_SHOW = ("head", "script", "ahead")
_QUESTION = ("question", "ahead")
_ROUNDS = ("rounds",)

PAGE = Page(
    name="card",
    fragments={
        "head": shared.head,
        "message": context.message,
        "script": context.script,
        "question": shared.asked,
        "ahead": shared.ahead,
        "rounds": context.rounds,
    },
    redraws={
        "hearing_changed": _SHOW,
        "position_changed": _SHOW,
        "agenda_changed": _SHOW,
        "question_changed": _QUESTION,
        "queue_changed": ("ahead",),
        "question_given": ("ahead",),
        "question_taken": _QUESTION,
        "question_phase": ("question",),
        "question_pulled": _QUESTION,
        "question_answered": _QUESTION,
        "round_created": (),
        "round_opened": _ROUNDS,
        "round_closing": _ROUNDS,
        "round_closed": _ROUNDS,
        "round_tallied": _ROUNDS,
        "round_certified": _ROUNDS,
        "round_voided": _ROUNDS,
        "result_published": _ROUNDS,
        "bundle_made": _ROUNDS,
        "result_contested": _ROUNDS,
        "result_upheld": _ROUNDS,
        "result_corrected": _ROUNDS,
        "contest_noted": _ROUNDS,
        "result_released": _ROUNDS,
        "reveal_stepped": _ROUNDS,
        "screen_cleared": ("head",),
        "screen_restored": ("head",),
        "notice": ("message",),
        "notice_seen": ("message",),
    },
)
