"""What a moderator decides about one question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from server.actions.perform import Answer, Asked, check_version, perform
from server.actions.ports import House, Unit
from server.actions.way import way_of
from server.domain import questions as rules
from server.domain.claims import check_claim
from server.domain.questions import HIDDEN, PUBLIC, Question
from server.domain.refusals import Refusal
from server.domain.roles import Actor, has_right
from server.domain.view import desk_question

Rule = Callable[[Question], Question]
"""What an act makes of a question, or a refusal."""


def approval(house: House, by: Actor) -> Rule:
    """`screened → approved`: the question stands on the public list."""

    def rule(question: Question) -> Question:
        after = rules.step(screened(question), "approve")
        return replace(after, approved_at=house.now(), approved_by=by.id)

    return rule


def unapproval(question: Question) -> Question:
    """`approved → screened`: off the public list, to be looked at anew."""
    after = rules.step(question, "unapprove")
    return replace(after, approved_at=None, approved_by="", seconded_by="")


def rejection(reason: str) -> Rule:
    """`screened → rejected` with a reason code; the author reads the reason by code."""

    def rule(question: Question) -> Question:
        check_reason(reason)
        return replace(rules.step(screened(question), "reject"), reason=reason)

    return rule


def check_reason(reason: str) -> None:
    """`reason_unknown` unless it is a code of the catalogue."""
    if reason not in rules.REJECTION_REASONS:
        raise Refusal("reason_unknown", reason=reason)


def unrejection(question: Question) -> Question:
    """`rejected → screened`: an undo, or an appeal that was right."""
    return replace(rules.step(question, "unreject"), reason=None)


def upholding(house: House, note: str) -> Rule:
    """`rejected` stays so after an appeal; the author reads the note, which is masked as a reply is."""
    said = house.mask(house.clean(note)).text
    return lambda one: rules.uphold(one, said or None)


def shortlisting(subject: str | None) -> Rule:
    """`approved → shortlisted`, assigned to a subject when one is named."""
    return lambda one: replace(rules.step(one, "shortlist"), subject=subject or one.subject)


def unshortlisting(question: Question) -> Question:
    """`shortlisted → approved`."""
    return rules.step(question, "unshortlist")


async def approve_question(
    house: House,
    by: Actor,
    slug: str,
    id_: int,
    key: str | None = None,
    *,
    version: int | None = None,
) -> Answer:
    """`POST …/approval {version?}`."""
    return await _act(house, by, slug, id_, "approve", approval(house, by), key, version)


async def unapprove_question(
    house: House,
    by: Actor,
    slug: str,
    id_: int,
    key: str | None = None,
    *,
    version: int | None = None,
) -> Answer:
    """`DELETE …/approval {version?}`."""
    return await _act(house, by, slug, id_, "unapprove", unapproval, key, version)


async def reject_question(
    house: House,
    by: Actor,
    slug: str,
    id_: int,
    reason: str,
    key: str | None = None,
    *,
    version: int | None = None,
) -> Answer:
    """`POST …/rejection {reason, version?}`."""
    return await _act(
        house, by, slug, id_, "reject", rejection(reason), key, version, reason=reason
    )


async def unreject_question(
    house: House,
    by: Actor,
    slug: str,
    id_: int,
    key: str | None = None,
    *,
    version: int | None = None,
) -> Answer:
    """`DELETE …/rejection {version?}`."""
    return await _act(house, by, slug, id_, "unreject", unrejection, key, version)


async def uphold_rejection(
    house: House,
    by: Actor,
    slug: str,
    id_: int,
    note: str = "",
    key: str | None = None,
    *,
    version: int | None = None,
) -> Answer:
    """`POST …/upholding {note?, version?}`: the author's appeal is answered, the rejection stands. Taking
    the rejection back is the other answer."""
    rule = upholding(house, note)
    return await _act(house, by, slug, id_, "uphold", rule, key, version, note=note)


async def shortlist_question(
    house: House,
    by: Actor,
    slug: str,
    id_: int,
    subject: str | None,
    key: str | None = None,
    *,
    version: int | None = None,
) -> Answer:
    """`POST …/shortlisting {subject?, version?}`."""
    return await _act(
        house, by, slug, id_, "shortlist", shortlisting(subject), key, version, subject=subject
    )


async def unshortlist_question(
    house: House,
    by: Actor,
    slug: str,
    id_: int,
    key: str | None = None,
    *,
    version: int | None = None,
) -> Answer:
    """`DELETE …/shortlisting {version?}`."""
    return await _act(house, by, slug, id_, "unshortlist", unshortlisting, key, version)


async def reply_in_writing(
    house: House, by: Actor, slug: str, id_: int, reply: str, key: str | None = None
) -> Answer:
    """Answered off stage: `→ replied_in_writing`; whoever has the code reads the reply, so that it is masked
    as what a citizen writes is (law 17)."""
    said = house.mask(house.clean(reply)).text

    def rule(question: Question) -> Question:
        if not said:
            raise Refusal("text_too_short", least=1)
        return replace(rules.step(question, "reply"), reply=said, answered_at=house.now())

    return await _act(house, by, slug, id_, "reply", rule, key, reply=reply)


async def close_question(
    house: House, by: Actor, slug: str, id_: int, reason: str, key: str | None = None
) -> Answer:
    """`→ closed` with a reason in words, which is told by code and masked as a reply is."""
    said = house.mask(house.clean(reason)).text

    def rule(question: Question) -> Question:
        if not said:
            raise Refusal("malformed", place="reason")
        return replace(rules.step(question, "close"), reason=said)

    return await _act(house, by, slug, id_, "close", rule, key, reason=reason)


def screened(question: Question) -> Question:
    """A person decides sooner than the screener looked: both steps are taken, in order."""
    return rules.step(question, "screen") if question.status == "received" else question


async def seen(unit: Unit, by: Actor, id_: int, *, lock: bool = False) -> Question:
    """The question, for who may see it. `not_found`: what was escalated is there for the duty person
    alone."""
    question = await unit.questions.get(id_, lock=lock)
    if question is None or not await in_sight(unit, by, question):
        raise Refusal("not_found")
    return question


async def in_sight(unit: Unit, by: Actor, question: Question) -> bool:
    """Whether this person may see the question, and what it was merged into, which says the same."""
    merged = question.status == "merged"
    return sees(unit, by, (await way_of(unit, question.id))[-1] if merged else question)


def sees(unit: Unit, by: Actor, question: Question) -> bool:
    """Whether the question is in this person's sight."""
    return question.status not in HIDDEN or sees_escalated(unit, by)


def sees_escalated(unit: Unit, by: Actor) -> bool:
    """Whether this person is the duty person."""
    return has_right(unit.place.roles(by), "escalations")


async def worked_on(
    house: House, unit: Unit, by: Actor, id_: int, version: int | None = None
) -> Question:
    """The question, held for an act of the desk. `not_found`, `question_claimed` while somebody else
    works on it, `version_stale` where it is no longer as it was read: nobody decides about a text that he
    has not seen."""
    question = await seen(unit, by, id_, lock=True)
    check_claim(await unit.claims.of(id_), by.id, house.now())
    check_version(question.version, version, desk_question(question))
    return question


async def decide(
    house: House,
    unit: Unit,
    by: Actor,
    id_: int,
    verb: str,
    rule: Rule,
    version: int | None = None,
    **told: Any,
) -> tuple[Question, Question]:
    """One decision about one question, within this transaction: the question before and after. `told`
    goes into the journal with it."""
    question = await worked_on(house, unit, by, id_, version)
    after = rule(question)
    await unit.questions.save(after)
    await unit.claims.drop(id_)
    if after.status != "queued":
        await leave_queue(unit, after.id)
    unit.record(
        _event(question, after),
        touched=[after],
        ids={"id": after.id, "code": after.code},
        act=verb,
        reason=after.reason if verb == "reject" else None,
        **told,
    )
    return question, after


async def _act(
    house: House,
    by: Actor,
    slug: str,
    id_: int,
    verb: str,
    rule: Rule,
    key: str | None,
    version: int | None = None,
    **body: str | None,
) -> Answer:
    async def work(unit: Unit) -> Answer:
        if body.get("subject"):
            await check_subject(unit, body["subject"])
        _, after = await decide(house, unit, by, id_, verb, rule, version)
        return Answer(desk_question(after))

    asked = Asked(by, "moderate", key, {"id": id_, "version": version, **body}, None, verb)
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
