"""What each screen shows in each status, step and round state: worked out by the pages' own
context builders from sample hearings, for docs/screens.md (`make_docs.py`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from server.domain.hearing import STATUS_NEXT, STEPS, Item, Position, Step
from server.domain.questions import PHASES
from server.domain.rounds import AUDIENCES, STATES, TAKES_BALLOTS, Round
from server.domain.view import HearingView, Notice, Screens
from tests.web.views import AT, full, panel_round, public_round, speaking
from web.pages import results, shared
from web.pages.overlay import context as overlay
from web.pages.panel import context as panel
from web.pages.podium import context as podium
from web.pages.public import context as public
from web.pages.stage import context as stage

SCENES = {
    "holding": "holding card",
    "opening": "title, about to begin",
    "over": "title, thanks",
    "rest": "title, the step with its time",
    "speaker": "who speaks, step, time",
    "question": "the question with its asker",
}


def _stage(view: HearingView) -> str:
    one = stage.screen(view, "zh")
    words = SCENES.get(one.scene, "")
    if one.round:  # A panel round's marks are shown by its reveal alone.
        words = _round(one.round) if one.round.public else "panel round (turnout)"
    if one.reveal:
        words = _reveal(one.reveal)
    foot = f"; foot: {_round(one.foot)}" if one.foot else ""
    return words + foot + ("; paused" if one.paused and one.scene != "holding" else "")


def _round(one: results.RoundView) -> str:
    counts = any(choice.count is not None for choice in one.choices)
    shown = "counts" if counts else "marks" if one.subjects else "turnout"
    qr = ", QR" if one.public and one.running else ""
    return f"{'public' if one.public else 'panel'} round ({shown}{qr})"


def _reveal(one: results.Reveal) -> str:
    return f"reveal, {one.shown} of {one.of}"


def _overlay(view: HearingView) -> str:
    bars = overlay.bars(view, "zh")
    parts = [
        "lower third" if overlay.lower(view, "zh").now else "",
        "question strip" if overlay.strip(view, "zh").question else "",
        f"bars: {_round(bars.round)}" if bars.round else "",
        _reveal(bars.reveal) if bars.reveal else "",
    ]
    return _joined(parts)


def _podium(view: HearingView) -> str:
    now = shared.head(view, "zh")
    parts = [
        "the host's message, filling the screen" if podium.message(view, "zh").id else "",
        ("step and time" + (", standing still" if now.paused else "")) if now.now else "status",
        "the question" if shared.asked(view, "zh").question else "",
    ]
    return _joined(parts)


def _public(view: HearingView) -> str:
    now, rounds = public.now(view, "zh"), public.rounds(view, "zh")
    parts = [
        {
            "before": "about to begin",
            "on": "who speaks, step, time" + (", paused" if now.paused else ""),
            "over": "ended",
            "cleared": "nothing of the stage",
        }[now.phase],
        "the question" if public.stage(view, "zh").question else "",
        "asking" if public.asking(view, "zh").open else "",
        *(
            f"{_round(one)}: {'answer' if one.public and one.running else one.status_key}"
            for one in (*rounds.running, *rounds.finished)
        ),
    ]
    return _joined(parts)


def _panel(view: HearingView) -> str:
    now = panel.now(view, "zh")
    sheets = [r for r in view.rounds if panel.takes_ballots(r)]
    parts = [
        "step and time" if now.now else "status",
        "the question" if panel.stage(view, "zh").question else "",
        "the sheet" if sheets else "",
    ]
    return _joined(parts)


def _joined(parts: list[str]) -> str:
    return ", ".join(part for part in parts if part) or "nothing"


SCREENS: dict[str, Callable[[HearingView], str]] = {
    "stage": _stage,
    "overlay": _overlay,
    "podium": _podium,
    "public": _public,
    "panel": _panel,
}


def _in_status(status: str) -> HearingView:
    view = replace(speaking(), rounds=())
    begun = status not in shared.BEFORE
    return replace(
        view,
        hearing=replace(view.hearing, status=status),
        position=view.position if begun else None,
    )


def _in_step(step: str) -> HearingView:
    view = replace(speaking(), rounds=())
    item = Item("here", "…", "housing", (Step(step, 60),), "current")
    at = Position("here", step, 1, AT, AT + 60_000, None)
    return replace(view, items=(item,), position=at)


def _with_round(round_: Round, step: str) -> HearingView:
    view = _in_step(step)
    screens = Screens(False, round_.id if round_.reveal else None)
    return replace(view, rounds=(replace(round_, item="here"),), screens=screens)


def _round_states(make: Callable[..., Round]) -> Iterator[tuple[str, Round]]:
    for status in STATES:
        if status != "published":
            cast = {} if status in TAKES_BALLOTS or status != "ready" else {"cast": 0}
            yield status, make(status, **cast)
            continue
        for n, audience in enumerate(AUDIENCES):
            told = AUDIENCES[: n + 1]
            yield f"published ({audience})", make("published", published_to=told)
            if audience == "hall":
                yield "published (hall), revealing", make("published", published_to=told, reveal=2)


def tables() -> Iterator[tuple[str, str, list[tuple[str, HearingView]]]]:
    """(heading, name of the first column, [(state, a hearing in that state)])."""
    yield "By status of the hearing", "status", [(s, _in_status(s)) for s in STATUS_NEXT]
    yield (
        "By step, while live and with nothing else going on",
        "step",
        [(step, _in_step(step)) for step in STEPS],
    )
    asked = replace(full(), rounds=())
    assert asked.stage is not None
    yield (
        "With a question on stage",
        "phase",
        [
            *((p, replace(asked, stage=replace(asked.stage, phase=p))) for p in PHASES),
            ("any, 垫片 on", replace(asked, screens=Screens(True))),
            ("any, a message to the podium", replace(asked, notice=Notice(1, "…", AT, None))),
        ],
    )
    for kind, make in (("panel", panel_round), ("public", public_round)):
        states = list(_round_states(make))
        for step in ("evaluation", "statement"):
            yield (
                f"With a {kind} round, in the step `{step}`",
                "round",
                [(state, _with_round(round_, step)) for state, round_ in states],
            )


def lines() -> list[str]:
    """The tables as Markdown."""
    found = []
    for heading, first, states in tables():
        found += [f"## {heading}\n", f"| {first} | {' | '.join(SCREENS)} |"]
        found.append("|---" * (len(SCREENS) + 1) + "|")
        for state, view in states:
            cells = " | ".join(show(view) for show in SCREENS.values())
            found.append(f"| {state} | {cells} |")
        found.append("")
    return found
