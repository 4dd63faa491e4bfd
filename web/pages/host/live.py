"""Which event redraws which part of the host's console. Forms and dialogs are in [data-own]."""

from __future__ import annotations

from web.layout.page import Page
from web.pages.host import context

_ROUND = ("rounds", "now", "run")

PAGE = Page(
    name="host",
    fragments={
        "status": context.status,
        "screens": context.screens,
        "leases": context.leases,
        "show": context.show,
        "now": context.now,
        "stage": context.stage,
        "floor": context.floor,
        "queue": context.queue,
        "rounds": context.rounds,
        "notice": context.notice,
        "run": context.run,
    },
    redraws={
        "hearing_changed": ("status", "run", "show", "now", "stage", "queue", "rounds"),
        "position_changed": ("show", "now", "rounds"),
        "agenda_changed": ("show", "now", "rounds"),
        "question_approved": (),
        "question_changed": ("stage", "queue"),
        "question_removed": ("queue", "stage"),
        "question_moderated": (),
        "question_rated": (),
        "queue_changed": ("queue", "stage"),
        "question_given": ("queue", "stage"),
        "question_taken": ("stage", "queue", "now"),
        "question_phase": ("stage",),
        "question_pulled": ("stage", "queue", "now"),
        "question_answered": ("stage", "queue", "now"),
        "floor_requested": ("floor",),
        "floor_granted": ("floor",),
        "floor_declined": ("floor",),
        "round_created": _ROUND,
        "round_opened": _ROUND,
        "round_closing": _ROUND,
        "round_closed": _ROUND,
        "round_tallied": _ROUND,
        "seal_destroyed": (),
        "tally_refused": _ROUND,
        "round_certified": _ROUND,
        "round_voided": _ROUND,
        "round_signed": ("rounds",),
        "result_published": ("rounds",),
        "bundle_made": ("rounds",),
        "result_contested": ("rounds",),
        "result_upheld": ("rounds",),
        "result_corrected": ("rounds",),
        "contest_noted": ("rounds",),
        "result_released": ("rounds",),
        "result_internal": ("rounds",),
        "reveal_stepped": ("rounds",),
        "screen_cleared": ("screens",),
        "screen_restored": ("screens",),
        "notice": ("notice",),
        "notice_seen": ("notice",),
        "lease_taken": ("leases",),
        "presence_changed": ("status", "rounds"),
    },
)
