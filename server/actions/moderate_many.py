"""One decision about many questions, and the whole of it taken back
(docs/decisions/0027-a-bulk-act-writes-an-entry-a-question.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from server.actions import moderate_question as one_by_one
from server.actions.merge_questions import merge_into, tell_target, unmerge
from server.actions.moderate_question import check_subject, decide, worked_on
from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.domain.questions import EDITABLE, TAGS_MOST, Question
from server.domain.refusals import Refusal
from server.domain.roles import Actor

MOST = 500
"""Questions in one bulk act."""
ACTS = ("approve", "reject", "shortlist", "assign", "tag", "merge")


@dataclass(frozen=True)
class Bulk:
    """What is to be done to many: `reason` of a rejection, `subject` of an assignment or a shortlisting,
    `tags` to be added, `into` which question they are merged."""

    act: str
    ids: tuple[int, ...]
    reason: str = ""
    subject: str = ""
    tags: tuple[str, ...] = ()
    into: int | None = None


async def moderate_many(
    house: House, by: Actor, slug: str, bulk: Bulk, key: str | None = None
) -> Answer:
    """`POST /hearings/SLUG/desk/bulk`: every question to which the rules allow it; the others are told
    with the code of why, and nothing of them is changed."""

    async def work(unit: Unit) -> Answer:
        await _check(unit, bulk)
        done: list[dict[str, Any]] = []
        refused: list[dict[str, Any]] = []
        for id_ in sorted(set(bulk.ids) - {bulk.into}):
            try:
                before, after = await _one(house, unit, by, bulk, id_)
            except Refusal as refusal:
                refused.append({"id": id_, "code": refusal.code, "detail": refusal.detail})
                continue
            kept = {"subject": before.subject, "tags": list(before.tags)}
            done.append({"id": id_, "version": after.version, "before": kept})
        if bulk.act == "merge" and done:
            target = await unit.questions.get(bulk.into or 0)
            assert target is not None
            tell_target(unit, target, "merge")
        made = await unit.bulk_acts.add(by.id, bulk.act, house.now(), done) if done else None
        told = [{"id": one["id"], "version": one["version"]} for one in done]
        return Answer({"undo": made, "done": told, "refused": refused})

    return await perform(
        house, Asked(by, "moderate", key, vars(bulk), None, "bulk"), work, slug=slug
    )


async def undo_many(house: House, by: Actor, slug: str, id_: int, key: str | None = None) -> Answer:
    """`DELETE /hearings/SLUG/desk/bulk/ID`: each question is what it was before, unless somebody has
    worked on it since: that is left alone and told. Only whoever did it takes it back, once."""

    async def work(unit: Unit) -> Answer:
        kept = await unit.bulk_acts.hold(id_)
        if kept is None or kept[0] != by.id:
            raise Refusal("not_found")
        _, act, items, undone = kept
        if undone:
            raise Refusal("bulk_undone")
        done: list[dict[str, Any]] = []
        refused: list[dict[str, Any]] = []
        for item in items:
            try:
                after = await _back(house, unit, by, act, item)
            except Refusal as refusal:
                refused.append({"id": item["id"], "code": refusal.code, "detail": refusal.detail})
                continue
            done.append({"id": after.id, "version": after.version})
        if done:  # Where nothing could be taken back, it may be tried again.
            await unit.bulk_acts.undone(id_, house.now())
        return Answer({"undo": None, "done": done, "refused": refused})

    return await perform(
        house, Asked(by, "moderate", key, {"id": id_}, None, "undo_bulk"), work, slug=slug
    )


async def _check(unit: Unit, bulk: Bulk) -> None:
    if bulk.act not in ACTS:
        raise Refusal("malformed", place="act")
    if not bulk.ids or len(bulk.ids) > MOST:
        raise Refusal("malformed", place="ids")
    if bulk.act == "merge" and bulk.into is None:
        raise Refusal("malformed", place="into")
    if bulk.act == "reject":
        one_by_one.check_reason(bulk.reason)
    if bulk.subject:
        await check_subject(unit, bulk.subject)


async def _one(
    house: House, unit: Unit, by: Actor, bulk: Bulk, id_: int
) -> tuple[Question, Question]:
    """The act on one of them: before and after."""
    if bulk.act == "merge":
        before = await worked_on(house, unit, by, id_)
        assert bulk.into is not None
        return before, await merge_into(house, unit, by, id_, bulk.into, alone=False, bulk=True)
    if bulk.act in {"assign", "tag"}:
        before = await worked_on(house, unit, by, id_)
        if bulk.act == "assign":
            return before, await _set(unit, before, "assign", subject=bulk.subject or None)
        added = (tag for tag in map(house.clean, bulk.tags) if tag)
        tags = tuple(dict.fromkeys((*before.tags, *added)))
        if len(tags) > max(TAGS_MOST, len(before.tags)):
            raise Refusal("tags_too_many", most=TAGS_MOST)
        return before, await _set(unit, before, "tag", tags=tags)
    rule = {
        "approve": one_by_one.approval(house, by),
        "reject": one_by_one.rejection(bulk.reason),
        "shortlist": one_by_one.shortlisting(bulk.subject or None),
    }[bulk.act]
    return await decide(house, unit, by, id_, bulk.act, rule, bulk=True)


async def _back(house: House, unit: Unit, by: Actor, act: str, item: Mapping[str, Any]) -> Question:
    """One of them as it was before."""
    question = await worked_on(house, unit, by, item["id"])
    if question.version != item["version"]:
        raise Refusal("version_stale", current=None)
    before = item["before"]
    if act == "merge":
        return await unmerge(house, unit, by, question.id, bulk=True)
    if act == "assign":
        return await _set(unit, question, "assign", subject=before["subject"])
    if act == "tag":
        return await _set(unit, question, "tag", tags=tuple(before["tags"]))
    rule = {
        "approve": one_by_one.unapproval,
        "reject": one_by_one.unrejection,
        "shortlist": lambda one: replace(one_by_one.unshortlisting(one), subject=before["subject"]),
    }[act]
    _, after = await decide(house, unit, by, question.id, f"un{act}", rule, bulk=True)
    return after


async def _set(unit: Unit, question: Question, act: str, **values: Any) -> Question:
    """What is no step of a question's life: whose it is, and its tags."""
    if question.status not in EDITABLE:
        raise Refusal("question_step_illegal", now=question.status, act="edit")
    after = replace(question, **values, version=question.version + 1)
    await unit.questions.save(after)
    ids = {"id": after.id, "code": after.code}
    shown = after.subject != question.subject and after.status not in {"received", "screened"}
    unit.record(
        "question_changed" if shown else "question_moderated",
        touched=[after],
        ids=ids,
        act=act,
        bulk=True,
    )
    return after
