"""The moderators' acts on one question: each is a row of the state table.

approve · reject and its undo · shortlist and its undo · reply in writing · close. Merging and
rewriting have files of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.domain import questions as rules
from server.domain.questions import PUBLIC, Question
from server.domain.refusals import Refusal
from server.domain.roles import Actor
from server.domain.view import desk_question


async def approve_question(
    house: House, by: Actor, slug: str, id_: int, key: str | None = None
) -> Answer:
    """`screened → approved`: the question stands on the public list."""

    def decide(question: Question) -> Question:
        return replace(rules.step(screened(question), "approve"), approved_at=house.now())

    return await _act(house, by, slug, id_, "approve", decide, key)


async def reject_question(
    house: House, by: Actor, slug: str, id_: int, reason: str, key: str | None = None
) -> Answer:
    """`screened → rejected` with a reason code; the author reads the reason by code."""

    def decide(question: Question) -> Question:
        if reason not in rules.REJECTION_REASONS:
            raise Refusal("reason_unknown", reason=reason)
        return replace(rules.step(screened(question), "reject"), reason=reason)

    return await _act(house, by, slug, id_, "reject", decide, key, reason=reason)


async def unreject_question(
    house: House, by: Actor, slug: str, id_: int, key: str | None = None
) -> Answer:
    """`rejected → screened`: an undo, or an appeal that was right."""

    def decide(question: Question) -> Question:
        return replace(rules.step(question, "unreject"), reason=None)

    return await _act(house, by, slug, id_, "unreject", decide, key)


async def shortlist_question(
    house: House, by: Actor, slug: str, id_: int, subject: str | None, key: str | None = None
) -> Answer:
    """`approved → shortlisted`, assigned to a subject when one is named."""

    def decide(question: Question) -> Question:
        return replace(rules.step(question, "shortlist"), subject=subject or question.subject)

    return await _act(house, by, slug, id_, "shortlist", decide, key, subject=subject)


async def unshortlist_question(
    house: House, by: Actor, slug: str, id_: int, key: str | None = None
) -> Answer:
    """`shortlisted → approved`."""
    return await _act(
        house, by, slug, id_, "unshortlist", lambda q: rules.step(q, "unshortlist"), key
    )


async def reply_in_writing(
    house: House, by: Actor, slug: str, id_: int, reply: str, key: str | None = None
) -> Answer:
    """Answered off stage: `→ replied_in_writing`; the author reads the reply by code."""

    def decide(question: Question) -> Question:
        if not reply:
            raise Refusal("text_too_short", least=1)
        return replace(rules.step(question, "reply"), reply=reply, answered_at=house.now())

    return await _act(house, by, slug, id_, "reply", decide, key, reply=reply)


async def close_question(
    house: House, by: Actor, slug: str, id_: int, reason: str, key: str | None = None
) -> Answer:
    """`→ closed` with a reason in words."""

    def decide(question: Question) -> Question:
        if not reason.strip():
            raise Refusal("malformed", place="reason")
        return replace(rules.step(question, "close"), reason=reason.strip())

    return await _act(house, by, slug, id_, "close", decide, key, reason=reason)


def screened(question: Question) -> Question:
    """A person decides sooner than the screener looked: both steps are taken, in order."""
    return rules.step(question, "screen") if question.status == "received" else question


async def _act(
    house: House,
    by: Actor,
    slug: str,
    id_: int,
    verb: str,
    decide: Callable[[Question], Question],
    key: str | None,
    **body: str | None,
) -> Answer:
    async def work(unit: Unit) -> Answer:
        question = await unit.questions.get(id_, lock=True)
        if question is None:
            raise Refusal("not_found")
        if body.get("subject"):
            await check_subject(unit, body["subject"])
        after = decide(question)
        await unit.questions.save(after)
        if after.status != "queued":
            await leave_queue(unit, after.id)
        unit.record(
            _event(question, after),
            touched=[after],
            ids={"id": after.id, "code": after.code},
            act=verb,
            reason=after.reason if verb == "reject" else None,
        )
        return Answer(desk_question(after))

    asked = Asked(by, "moderate", key, {"id": id_, **body}, None, verb)
    return await perform(house, asked, work, slug=slug)


def _event(before: Question, after: Question) -> str:
    """What the public sees of the change: a new question, one gone, or nothing."""
    was, is_ = before.status in PUBLIC, after.status in PUBLIC
    if after.status == "replied_in_writing":
        return "question_changed"
    if is_ and not was:
        return "question_approved"
    if was and not is_:
        return "question_removed"
    return "question_moderated"


async def check_subject(unit: Unit, subject: str | None) -> None:
    """`subject_unknown` unless the hearing has this subject."""
    if subject is not None and all(s.key != subject for s in await unit.people.subjects()):
        raise Refusal("subject_unknown", subject=subject)


async def leave_queue(unit: Unit, id_: int) -> None:
    """Takes a question that is no longer queued out of the queue's order."""
    version, ids, given = await unit.floor.queue(lock=True)
    if id_ in ids:
        await unit.floor.save_queue(version + 1, [i for i in ids if i != id_], given)
        unit.record("queue_changed", order=[i for i in ids if i != id_])
