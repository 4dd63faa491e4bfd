"""Which event redraws what on the public page. Its room is `public`."""

from web.layout.page import Page
from web.pages.public import context

_ROUNDS = ("rounds",)
_STAGE = ("stage",)
_MOVED = ("now", "agenda")

PAGE = Page(
    name="public",
    fragments={
        "status": context.status,
        "now": context.now,
        "stage": context.stage,
        "rounds": context.rounds,
        "agenda": context.agenda,
        "asking": context.asking,
        "questions": context.questions,
    },
    redraws={
        "hearing_changed": ("status", "now", "stage", "rounds", "agenda", "asking"),
        "position_changed": _MOVED,
        "agenda_changed": _MOVED,
        "question_approved": (),
        "question_changed": _STAGE,
        "question_removed": (),
        "question_taken": _STAGE,
        "question_phase": _STAGE,
        "question_pulled": _STAGE,
        "question_answered": _STAGE,
        "round_created": _ROUNDS,
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
        "screen_cleared": ("now", "stage"),
        "screen_restored": ("now", "stage"),
    },
    items=context.items,
    list_id="questions",
    edge=context.edge,
    item_events=frozenset(
        {
            "question_approved",
            "question_changed",
            "question_removed",
            "question_taken",
            "question_pulled",
            "question_answered",
        }
    ),
)
