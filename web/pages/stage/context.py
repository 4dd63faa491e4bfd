"""What the hall screen shows: one scene at a time, chosen by the order in `screen`."""

from __future__ import annotations

from dataclasses import dataclass

from server.domain.rounds import TAKES_BALLOTS
from server.domain.view import HearingView
from web.layout.texts import Texts
from web.pages import results, shared

ROUND_STEPS = frozenset({"evaluation", "result"})
"""Steps in which a round in progress fills the screen; in others it runs along the foot."""


@dataclass(frozen=True)
class Screen:
    """`scene` is holding, opening, over, reveal, question, round, rest or speaker.

    Only what the scene needs is filled in; `foot` is a round that runs beside the scene.
    """

    scene: str
    key: str
    slug: str
    title: str
    office: str
    rehearsal: bool
    paused: bool
    status: str
    now: shared.Now | None = None
    question: shared.OnStage | None = None
    round: results.RoundView | None = None
    reveal: results.Reveal | None = None
    foot: results.RoundView | None = None


def screen(view: HearingView, lang: str) -> Screen:
    """垫片 first, then a reveal, then the question, a round, and else who is speaking."""
    now, status = shared.now(view, lang), view.hearing.status

    def scene(
        name: str,
        key: str = "",
        question: shared.OnStage | None = None,
        round_: results.RoundView | None = None,
        reveal: results.Reveal | None = None,
        foot: results.RoundView | None = None,
    ) -> Screen:
        return Screen(
            scene=name,
            key=f"{name}-{key}",
            slug=view.hearing.slug,
            title=view.hearing.title,
            office=view.office_name,
            rehearsal=view.rehearsal,
            paused=status == "paused",
            status=Texts(lang).word(status),
            now=now,
            question=question,
            round=round_,
            reveal=reveal,
            foot=foot,
        )

    if view.screens.cleared:
        return scene("holding")
    reveal = results.reveal(view, lang)
    if reveal is not None:
        return scene("reveal", reveal.round.id, reveal=reveal)
    if status in shared.OVER:
        return scene("over")
    if status in shared.BEFORE or now is None:
        return scene("opening")
    running = results.present_round(view)
    beside = results.round_view(view, running, lang, "hall") if running else None
    question = shared.on_stage(view, lang)
    if question is not None:
        room = question.size in {"xxl", "xl", "l"}  # A long question takes the whole screen.
        return scene("question", question.code, question=question, foot=beside if room else None)
    if beside is not None and (now.step_key in ROUND_STEPS or not beside.public):
        return scene("round", beside.id, round_=beside)
    waiting = next(
        (
            r
            for r in reversed(view.rounds)
            if now.step_key in ROUND_STEPS
            and view.position
            and r.item == view.position.item
            and r.status not in TAKES_BALLOTS | {"ready", "voided"}
        ),
        None,
    )
    if waiting is not None:
        return scene("round", waiting.id, round_=results.round_view(view, waiting, lang, "hall"))
    if now.step_key in {"break", "film"}:
        return scene("rest", now.step_key, foot=beside)
    key = view.position.item if view.position else ""
    return scene("speaker", key, foot=beside)
