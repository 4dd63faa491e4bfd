"""Which event redraws which part of the desk.

The list and the chosen question are loaded, not pushed: what a moderator reads does not move. The
page's script looks again after a cue, marks what has changed in place, and counts what is new.
"""

from __future__ import annotations

from web.layout.page import Page
from web.pages.desk import context

_COUNTED = ("counts", "claims")
_MOVED = (*_COUNTED, "queue")

PAGE = Page(
    name="desk",
    fragments={
        "where": context.where,
        "counts": context.counts,
        "claims": context.claims,
        "queue": context.queue,
    },
    redraws={
        "hearing_changed": ("where",),
        "position_changed": ("where",),
        "agenda_changed": ("where",),
        "question_received": ("counts",),
        "questions_screened": ("counts",),
        "questions_imported": ("counts",),
        "question_approved": _COUNTED,
        "question_changed": _MOVED,
        "question_removed": _MOVED,
        "question_moderated": _COUNTED,
        "question_claimed": ("claims",),
        "question_let_go": ("claims",),
        "question_escalated": _MOVED,
        "question_escalation_seen": (),
        "question_rated": (),
        "reply_proposed": (),
        "review_asked": (),
        "aliases_changed": (),
        "queue_changed": _MOVED,
        "question_given": ("queue",),
        "question_taken": _MOVED,
        "question_phase": ("queue",),
        "question_pulled": _MOVED,
        "question_answered": _MOVED,
        "round_opened": (),
        "round_closing": (),
        "round_closed": (),
        "round_voided": (),
        "result_published": (),
        "result_contested": (),
        "result_upheld": (),
        "result_corrected": (),
    },
)
