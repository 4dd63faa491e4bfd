"""A question goes on stage, moves through its phases, and leaves the stage."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from server.actions.moderate_question import leave_queue, seen
from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.actions.review_question import asked_for
from server.domain import questions as rules
from server.domain.hearing import check_under_way
from server.domain.questions import STAGE_LONGEST, Question
from server.domain.refusals import Refusal
from server.domain.reviews import missing
from server.domain.roles import Actor
from server.domain.view import source_name, stage_state

OUTCOMES = {"answered": "answer", "deferred": "defer", "withdrawn": "withdraw"}


async def take_question(
    house: House,
    by: Actor,
    slug: str,
    id_: int,
    asker: Any = None,
    override: str = "",
    key: str | None = None,
) -> Answer:
    """`PUT …/stage {question, asker?, override?}`: an approved question, queued or not, by id. `asker` is
    a seat number or a name; without one, the panelist it was given to, else its source. `override` is the
    reason for putting it on stage without the 复核 or 核实 that the hearing asks for."""

    async def work(unit: Unit) -> Answer:
        await _check_free(unit)
        question = await seen(unit, by, id_, lock=True)
        after = rules.step(question, "take")
        reason = house.mask(house.clean(override)).text
        lacking = missing(question, await asked_for(unit))
        if lacking and not reason:
            raise Refusal(lacking[0])
        if len(after.text) > STAGE_LONGEST:
            raise Refusal("text_too_long_for_stage", most=STAGE_LONGEST)
        _, _, given = await unit.floor.queue(lock=True)
        chosen = asker if asker not in (None, "") else given.get(id_)
        name, seat = await _asker(house, unit, chosen, source_name(question))
        await unit.questions.save(after)
        await leave_queue(unit, id_)
        await unit.floor.save_stage(id_, name, seat, "asking", house.now())
        told = {"override": reason, "lacking": list(lacking)} if lacking else {}
        return await _taken(unit, after, **told)

    body = {"question": id_, "asker": asker, "override": override}
    return await perform(house, Asked(by, "stage", key, body, "show", "take"), work, slug=slug)


async def ask_off_the_cuff(
    house: House, by: Actor, slug: str, asker: Any, text: str | None, key: str | None = None
) -> Answer:
    """`PUT …/stage {text?, asker}`: on stage and on record at once; its text may be typed later."""

    async def work(unit: Unit) -> Answer:
        await _check_free(unit)
        cleaned = house.clean(text or "")
        if len(cleaned) > STAGE_LONGEST:
            raise Refusal("text_too_long_for_stage", most=STAGE_LONGEST)
        masked = house.mask(cleaned)
        name, seat = await _asker(house, unit, asker, "")
        if not name:
            raise Refusal("asker_unknown", asker=asker)
        now = house.now()
        item = next((i for i in await unit.hearings.items() if i.status == "current"), None)
        question = await unit.questions.add(
            code=house.code(),
            status="on_stage",
            text=masked.text,
            source="panel",
            subject=item.subject if item else None,
            off_cuff=True,
            fields={"writer": by.id} if masked.text else {},
            created_at=now,
            approved_at=now,
        )
        if masked.sealed:
            await unit.questions.seal(question.id, house.seal(masked.sealed))
        await unit.floor.save_stage(question.id, name, seat, "asking", now)
        return await _taken(unit, question)

    body = {"text": text, "asker": asker}
    return await perform(house, Asked(by, "stage", key, body, "show", "off_cuff"), work, slug=slug)


async def change_phase(
    house: House, by: Actor, slug: str, phase: str, key: str | None = None
) -> Answer:
    """`PATCH …/stage {phase}`: asking → answering → follow_up → done."""

    async def work(unit: Unit) -> Answer:
        stage = await unit.floor.stage(lock=True)
        if stage is None:
            raise Refusal("stage_empty")
        rules.check_phase(stage.phase, phase)
        await unit.floor.save_stage(
            stage.question_id, stage.asker, stage.seat, phase, stage.taken_at
        )
        question = await unit.questions.get(stage.question_id)
        assert question is not None
        unit.record("question_phase", ids={"id": question.id, "code": question.code}, phase=phase)
        return Answer(stage_state(await unit.stage()) or {})

    return await perform(
        house, Asked(by, "stage", key, {"phase": phase}, "show", "phase"), work, slug=slug
    )


async def pull_question(
    house: House, by: Actor, slug: str, outcome: str, key: str | None = None
) -> Answer:
    """`DELETE …/stage {outcome}`: answered, withdrawn, or deferred back to the queue's head."""

    async def work(unit: Unit) -> Answer:
        if outcome not in OUTCOMES:
            raise Refusal("malformed", place="outcome")
        stage = await unit.floor.stage(lock=True)
        if stage is None:
            raise Refusal("stage_empty")
        question = await unit.questions.get(stage.question_id, lock=True)
        assert question is not None
        after = rules.step(question, OUTCOMES[outcome])
        if outcome == "answered":
            after = replace(after, answered_at=house.now())
        await unit.questions.save(after)
        await unit.floor.save_stage(None)
        if outcome == "deferred":
            version, ids, given = await unit.floor.queue(lock=True)
            await unit.floor.save_queue(version + 1, (after.id, *ids), given)
        unit.record(
            "question_answered" if outcome == "answered" else "question_pulled",
            touched=[after],
            ids={"id": after.id, "code": after.code},
            outcome=outcome,
        )
        return Answer({"id": after.id, "code": after.code, "status": after.status})

    return await perform(
        house, Asked(by, "stage", key, {"outcome": outcome}, "show", "pull"), work, slug=slug
    )


async def _check_free(unit: Unit) -> None:
    check_under_way(await unit.hearings.get(lock=True))
    if await unit.floor.stage(lock=True) is not None:
        raise Refusal("stage_occupied")


async def _asker(house: House, unit: Unit, asker: Any, otherwise: str) -> tuple[str, int | None]:
    """(what the screen says, seat number): a seat by number, a name as it is, or the source."""
    if asker is None or asker == "":
        return otherwise, None
    if isinstance(asker, int) or (isinstance(asker, str) and asker.isdecimal()):
        for seat in await unit.people.seats():
            if seat.number == int(asker):
                return f"{seat.group_name} {seat.name}", seat.number
        raise Refusal("asker_unknown", asker=asker)
    return house.clean(str(asker))[:60], None


async def _taken(unit: Unit, question: Question, **told: Any) -> Answer:
    ids = {"id": question.id, "code": question.code}
    unit.record("question_taken", touched=[question], ids=ids, **told)
    state = stage_state(await unit.stage()) or {}
    return Answer({"id": question.id, **state})
