"""A question goes to the duty person and out of everybody else's sight."""

from __future__ import annotations

from dataclasses import replace

from server.actions.merge_questions import unmerge
from server.actions.moderate_question import leave_queue, screened, seen
from server.actions.perform import Answer, Asked, allowed, perform
from server.actions.ports import House, Unit
from server.domain import escalations as kinds
from server.domain import questions as rules
from server.domain.escalations import Escalation
from server.domain.hearing import Where
from server.domain.questions import PUBLIC, Question
from server.domain.refusals import Refusal
from server.domain.roles import Actor


async def escalate_question(
    house: House, by: Actor, slug: str, id_: int, kind: str, note: str, key: str | None = None
) -> Answer:
    """`POST …/escalation {kind, note?}`. Whoever else works on it does not hold it up."""

    async def work(unit: Unit) -> Answer:
        question = await seen(unit, by, id_, lock=True)
        if kind not in kinds.KINDS:
            raise Refusal("malformed", place="kind")
        if question.status == "merged":  # It is its own again: what it went into may be harmless.
            question = await unmerge(house, unit, by, id_)
        said = house.clean(note)
        if len(said) > kinds.NOTE_LONGEST:
            raise Refusal("text_too_long", most=kinds.NOTE_LONGEST)
        # Given back, it begins again: whoever approved or seconded it has not looked at it since.
        after = replace(
            rules.step(screened(question), "escalate"),
            approved_at=None,
            answered_at=None,  # Told beside "waiting", it would betray the escalation.
            approved_by="",
            seconded_by="",
            reason=None,
        )
        await unit.questions.save(after)
        await unit.claims.drop(id_)
        await leave_queue(unit, id_)
        ids = {"id": id_, "code": question.code}
        if question.status in PUBLIC:
            unit.record("question_removed", touched=[after], ids=ids, act="escalate")
        made = await unit.escalations.add(id_, kind, house.mask(said).text, by.id, house.now())
        # Why stands with the escalation alone: the journal is read by more people than the duty person.
        unit.record("question_escalated", ids=ids)
        return Answer({"id": made, "question": id_, "code": question.code}, 201)

    body = {"id": id_, "kind": kind, "note": note}
    return await perform(house, Asked(by, "moderate", key, body, None, "escalate"), work, slug=slug)


async def acknowledge_escalation(
    house: House, by: Actor, slug: str, id_: int, key: str | None = None
) -> Answer:
    """`POST /hearings/SLUG/escalations/ID/acknowledgement`: the duty person has seen it."""

    async def work(unit: Unit) -> Answer:
        one = await _held(unit, id_)
        question = await seen(unit, by, one.question)
        if one.seen_at is None:
            await unit.escalations.save(id_, seen_by=by.id, seen_at=house.now())
            ids = {"id": question.id, "code": question.code}
            unit.record("question_escalation_seen", ids=ids)
        return Answer({"id": id_, "seen_at": one.seen_at or house.now()})

    asked = Asked(by, "escalations", key, {"id": id_}, None, "acknowledge")
    return await perform(house, asked, work, **await _where(house, slug, id_))


async def settle_escalation(
    house: House, by: Actor, slug: str, id_: int, outcome: str, key: str | None = None
) -> Answer:
    """`POST /hearings/SLUG/escalations/ID/outcome {outcome}`: back to the desk, or handed over to
    whom it concerns, for good."""

    async def work(unit: Unit) -> Answer:
        one = await _held(unit, id_)
        if outcome not in kinds.OUTCOMES:
            raise Refusal("malformed", place="outcome")
        question = await seen(unit, by, one.question, lock=True)
        act = "release" if outcome == "released" else "hand_over"
        after = rules.step(question, act)
        await unit.questions.save(after)
        seen_ = {} if one.seen_at else {"seen_by": by.id, "seen_at": house.now()}
        await unit.escalations.save(id_, outcome=outcome, ended_at=house.now(), **seen_)
        unit.record(
            "question_moderated",
            touched=[after],
            ids={"id": after.id, "code": after.code},
            act=act,
        )
        return Answer({"id": id_, "question": after.id, "status": after.status})

    asked = Asked(by, "escalations", key, {"id": id_, "outcome": outcome}, None, "settle")
    return await perform(house, asked, work, **await _where(house, slug, id_))


async def waiting(house: House, by: Actor, slug: str) -> tuple[tuple[Escalation, Question], ...]:
    """What nobody on duty has decided yet, the newest first, each with its question: a rehearsal hides
    nothing of what was escalated in earnest."""
    async with house.store.look(slug=slug) as unit:
        allowed(unit.place, by, "escalations")
        found = await _waiting(unit)
        rehearsal = unit.place.kind == "rehearsal"
    if rehearsal:
        async with house.store.look(slug=slug, line=True) as unit:
            found += await _waiting(unit)
    return tuple(sorted(found, key=lambda one: -one[0].id))


async def _where(house: House, slug: str, id_: int) -> Where:
    """Of which run the escalated question is: of the one that is shown, or of the real one behind a
    rehearsal."""
    async with house.store.look(slug=slug) as unit:
        run = await unit.escalations.run_of(id_)
        behind = unit.place.kind == "rehearsal" and run != unit.place.ref.run
    return {"slug": slug, "line": True} if behind else {"slug": slug}


async def _waiting(unit: Unit) -> tuple[tuple[Escalation, Question], ...]:
    found = await unit.escalations.open()
    questions = await unit.questions.by_ids(one.question for one in found)
    return tuple((one, questions[one.question]) for one in found if one.question in questions)


async def _held(unit: Unit, id_: int) -> Escalation:
    one = await unit.escalations.hold(id_)
    if one is None:
        raise Refusal("not_found")
    if one.outcome:
        raise Refusal("escalation_settled")
    return one
