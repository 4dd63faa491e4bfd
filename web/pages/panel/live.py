"""Which event redraws which part of the panel's tablets.

No event touches the sheet, the request form or a draft: they lie in [data-own] (law 7).
"""

from __future__ import annotations

from web.layout.page import Page
from web.pages.panel import context

PAGE = Page(
    name="panel",
    fragments={
        "now": context.now,
        "given": context.given,
        "stage": context.stage,
        "rounds": context.rounds,
        "floor": context.floor,
    },
    redraws={
        "hearing_changed": ("now",),
        "position_changed": ("now", "floor"),
        "agenda_changed": ("now",),
        "question_changed": ("stage", "given"),
        "queue_changed": ("given",),
        "question_given": ("given",),
        "question_taken": ("stage", "given"),
        "question_phase": ("stage",),
        "question_pulled": ("stage", "given"),
        "question_answered": ("stage", "given"),
        "floor_requested": ("floor",),
        "floor_granted": ("floor",),
        "floor_declined": ("floor",),
        "round_created": ("rounds",),
        "round_opened": ("rounds",),
        "round_closing": ("rounds",),
        "round_closed": ("rounds",),
        "round_tallied": ("rounds",),
        "round_certified": ("rounds",),
        "round_voided": ("rounds",),
        "result_published": ("rounds",),
        "bundle_made": ("rounds",),
        "paper_set": ("rounds",),
        "result_contested": ("rounds",),
        "result_upheld": ("rounds",),
        "result_corrected": ("rounds",),
        "contest_noted": ("rounds",),
        "result_released": ("rounds",),
    },
)
