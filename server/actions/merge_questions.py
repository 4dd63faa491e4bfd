"""Merging near-duplicates, and taking a merge back: askers, likes and support move along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from server.actions.moderate_question import leave_queue, screened, sees
from server.actions.perform import Answer, Asked, check_version, perform
from server.actions.ports import House, Unit
from server.actions.way import way_of
from server.domain import questions as rules
from server.domain.claims import check_claim
from server.domain.questions import PUBLIC, Question
from server.domain.refusals import Refusal, RolledBack
from server.domain.roles import Actor
from server.domain.view import desk_question


async def merge_question(
    house: House, by: Actor, slug: str, id_: int, into: int, key: str | None = None
) -> Answer:
    """`POST …/merging {into}`: the question's askers and likes count for the other one."""

    async def work(unit: Unit) -> Answer:
        after = await merge_into(house, unit, by, id_, into)
        return Answer(desk_question(after))

    asked = Asked(by, "moderate", key, {"id": id_, "into": into}, None, "merge")
    return await perform(house, asked, work, slug=slug)


async def merge_into(
    house: House, unit: Unit, by: Actor, id_: int, into: int, *, alone: bool = True, **told: Any
) -> Question:
    """One merge within this transaction; gives the merged question. People are counted, not messages:
    who stands behind the other question already is not carried over a second time. Where it is not
    `alone`, the caller tells once, with `tell_target`, that the other question has changed."""
    # Always in order of id, so that two moderators merging crosswise cannot deadlock.
    pair = {i: await unit.questions.get(i, lock=True) for i in sorted({id_, into})}
    question, target = pair[id_], pair[into]
    if (
        question is None
        or target is None
        or not all(sees(unit, by, one) for one in (question, target))
    ):
        raise Refusal("not_found")
    check_claim(await unit.claims.of(id_), by.id, house.now())
    rules.check_merge(question, target)
    behind = await unit.questions.askers_of(target)
    twice = len(behind & await unit.questions.askers_of(question))
    after = replace(
        rules.step(screened(question), "merge"),
        merged_into=target.code,
        carried_askers=question.people - twice,
        carried_likes=question.likes,
    )
    carried = replace(
        target,
        askers=target.askers + after.carried_askers,
        likes=target.likes + after.carried_likes,
        version=target.version + 1,
    )
    await unit.questions.save(after)
    await unit.questions.save(carried)
    await unit.claims.drop(id_)
    await leave_queue(unit, after.id)
    _tell(unit, question, after, carried, "merge", told)
    if alone:
        tell_target(unit, carried, "merge")
    return after


async def unmerge_question(
    house: House,
    by: Actor,
    slug: str,
    id_: int,
    key: str | None = None,
    *,
    version: int | None = None,
) -> Answer:
    """`DELETE …/merging {version?}`: back to the state before, with its askers and likes. Where the target was
    itself merged meanwhile, whatever it went into gives them back too."""

    async def work(unit: Unit) -> Answer:
        return Answer(desk_question(await unmerge(house, unit, by, id_, version)))

    asked = Asked(by, "moderate", key, {"id": id_, "version": version}, None, "unmerge")
    return await perform(house, asked, work, slug=slug)


async def unmerge(
    house: House, unit: Unit, by: Actor, id_: int, version: int | None = None, **told: Any
) -> Question:
    """One merge taken back within this transaction; gives the question as it is then. `version_stale` where
    it is no longer at this `version`."""
    way = await way_of(unit, id_)
    # In order of id, as every act that locks more than one question.
    held = {i: await unit.questions.get(i, lock=True) for i in sorted(q.id for q in way)}
    question, *targets = await way_of(unit, id_)
    if any(one.id not in held for one in targets):
        raise RolledBack  # A target was merged on meanwhile: done again, along the new way.
    if not all(sees(unit, by, one) for one in (question, *targets)):
        raise Refusal("not_found")
    check_claim(await unit.claims.of(id_), by.id, house.now())
    check_version(question.version, version, desk_question(question))
    after = rules.step(question, "unmerge")
    after = replace(after, carried_askers=0, carried_likes=0)
    await unit.questions.save(after)
    stay = await _counted_on(unit, question, targets[0]) if targets else 0
    gone = replace(question, carried_askers=question.carried_askers - stay)
    carried = [_without(target, gone) for target in targets]
    for one in carried:
        await unit.questions.save(one)
    await unit.claims.drop(id_)
    _tell(unit, question, after, carried[0], "unmerge", told)
    for one in carried:
        tell_target(unit, one, "unmerge")
    return after


async def _counted_on(unit: Unit, question: Question, target: Question) -> int:
    """How many who were counted with the question stand behind its target without it too: each is
    counted from now on with another of his questions that was merged into the target."""
    own = await unit.questions.askers_of(question)
    both = own & await unit.questions.askers_of(target)
    most = len(both) - (question.people - question.carried_askers)
    counted = 0
    for other in await unit.questions.merged_into(target.code):
        left_out = other.people - other.carried_askers
        his = len(both & await unit.questions.askers_of(other))
        more = min(most - counted, left_out, his)
        if more > 0:
            await unit.questions.save(replace(other, carried_askers=other.carried_askers + more))
            counted += more
    return counted


def _without(target: Question, question: Question) -> Question:
    """The target without what the question's merge added to it: its askers (itself, who stood
    behind it, its supporters) and its likes as they were then, whatever its source has told of it
    since. A target that was merged on carried them on."""
    askers, likes = question.carried_askers, question.carried_likes
    on = target.merged_into is not None
    return replace(
        target,
        askers=target.askers - askers,
        likes=target.likes - likes,
        carried_askers=target.carried_askers - (askers if on else 0),
        carried_likes=target.carried_likes - (likes if on else 0),
        version=target.version + 1,
    )


def _tell(
    unit: Unit,
    before: Question,
    after: Question,
    into: Question,
    verb: str,
    told: Mapping[str, Any],
) -> None:
    was, is_ = before.status in PUBLIC, after.status in PUBLIC
    event = (
        "question_moderated" if was == is_ else ("question_approved" if is_ else "question_removed")
    )
    unit.record(
        event,
        touched=[after],
        ids={"id": after.id, "code": after.code},
        act=verb,
        into=into.code,
        **told,
    )


def tell_target(unit: Unit, target: Question, verb: str) -> None:
    """How many stand behind a question has changed. The public is told where that is shown, on the stage:
    a cue for everybody who watches is dear."""
    unit.record(
        "question_changed" if target.status in _COUNTED else "question_moderated",
        touched=[target],
        ids={"id": target.id, "code": target.code},
        act=verb,
    )


_COUNTED = frozenset({"queued", "on_stage"})
"""States in which screens say how many ask: the stage, and the host's queue."""
