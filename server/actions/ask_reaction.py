"""One press asks the public or the panel what they think of the answer just heard."""

from __future__ import annotations

from dataclasses import replace

from server.actions.create_round import NewRound, checked_round
from server.actions.open_round import entitled_now, frozen_with_the_hall
from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.domain import rounds as rules
from server.domain.hearing import check_under_way
from server.domain.reactions import ONLY_DIMENSION, REACTIONS, SECONDS, rules_of
from server.domain.refusals import Refusal
from server.domain.roles import Actor
from server.domain.view import StageView, round_state


async def ask_reaction(
    house: House, by: Actor, slug: str, kind: str, audience: str, key: str | None = None
) -> Answer:
    """`POST /hearings/SLUG/stage/reaction {kind, audience}` → 201 with a round that is open, about the
    question on stage, and closes by itself."""
    if kind not in REACTIONS:
        raise Refusal("malformed", place="kind")

    async def work(unit: Unit) -> Answer:
        check_under_way(await unit.hearings.get())
        stage = await unit.stage()
        if stage is None:
            raise Refusal("stage_empty")
        running = [r for r in await unit.rounds.all() if r.about == stage.question.code]
        if any(r.status in rules.TAKES_BALLOTS and r.audience == audience for r in running):
            raise Refusal("reaction_running")
        side = 1 if (await unit.hearings.settings())["show"].get("language") == "en" else 0
        new = _new(kind, audience, side, stage.question.code, await _subject(unit, stage))
        ready = await checked_round(unit, new, house.code(), ("host",), ("host",))
        ready = replace(ready, about=stage.question.code)
        await unit.rounds.add(ready)
        entitled = await entitled_now(unit, ready)
        opened = rules.open_round(frozen_with_the_hall(ready, entitled), entitled, house.now())
        closing = rules.begin_closing(opened, house.now(), SECONDS)
        await unit.rounds.save(closing)
        ids = {"round": ready.id}
        unit.record("round_created", ids=ids, title=ready.title, about=ready.about)
        unit.record(
            "round_opened",
            ids=ids,
            rules_hash=closing.rules_hash,
            entitled=sum(one.present for one in entitled),
        )
        unit.record("round_closing", ids=ids, seconds=SECONDS)
        return Answer(round_state(closing), 201)

    asked = Asked(by, "rounds", key, {"kind": kind, "audience": audience}, "rounds", "reaction")
    return await perform(house, asked, work, slug=slug)


async def _subject(unit: Unit, stage: StageView) -> str | None:
    """Whose answer it is: the question's, else who stands on stage."""
    if stage.question.subject:
        return stage.question.subject
    at = await unit.hearings.position()
    items = {item.id: item for item in await unit.hearings.items()}
    return items[at.item].subject if at is not None and at.item in items else None


def _new(kind: str, audience: str, side: int, code: str, subject: str | None) -> NewRound:
    reaction = REACTIONS[kind]
    title = f"{reaction.title[side]} {code}"
    subjects = (subject,) if subject else ()
    if audience == "public":
        choices = tuple((key, words[side]) for key, words in reaction.choices)
        return NewRound(title, "public", subjects=subjects, choices=choices, show_live=True)
    if not subject:
        raise Refusal("reaction_of_nobody")
    return NewRound(
        title,
        "panel",
        subjects=subjects,
        rules=rules_of(kind, side),
        labels={ONLY_DIMENSION: reaction.title[side]},
    )
