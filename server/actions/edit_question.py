"""A moderator rewrites a question, assigns it, tags it or says its topic; the earlier wording is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from server.actions.moderate_question import check_subject, worked_on
from server.actions.perform import Answer, Asked, check_version, perform
from server.actions.ports import House, Unit
from server.actions.suggest_topics import scheme_of
from server.domain.explained import shown
from server.domain.questions import EDITABLE, PUBLIC, STAGE_LONGEST, TEXT_LONGEST, Question
from server.domain.refusals import Refusal
from server.domain.roles import MACHINE, Actor, has_right
from server.domain.view import desk_question


async def edit_question(
    house: House,
    by: Actor,
    slug: str,
    id_: int,
    version: int | None,
    *,
    text: str | None = None,
    subject: str | None = None,
    tags: Sequence[str] | None = None,
    topic: str | None = None,
    key: str | None = None,
) -> Answer:
    """`PATCH …/desk/questions/ID`: needs the version that was read. A stale one is answered 409
    with the question as it stands, so that the page can show both texts."""
    body: Mapping[str, Any] = {
        "id": id_,
        "version": version,
        "text": text,
        "subject": subject,
        "tags": list(tags) if tags is not None else None,
        "topic": topic,
    }

    async def work(unit: Unit) -> Answer:
        question = await worked_on(house, unit, by, id_)
        mine = unit.place.roles(by)
        if not question.off_cuff and not has_right(mine, "moderate"):
            raise Refusal("not_allowed")
        check_version(question.version, version, desk_question(question), needed=True)
        after, sealed = question, None
        if text is not None:
            # What a moderator writes goes out as what a citizen writes does: masked (law 17).
            masked = house.mask(_checked(house, question, text))
            after = replace(after, text=masked.text, rewritten=True)
            if after.text != question.text:  # What was looked at twice is no longer this text.
                after = replace(after, seconded_by="", verification=None)
            sealed = house.seal(masked.sealed) if masked.sealed else None
        if subject is not None:
            await check_subject(unit, subject or None)
            after = replace(after, subject=subject or None)
        if tags is not None:
            cleaned = (house.clean(tag) for tag in tags)
            after = replace(after, tags=tuple(dict.fromkeys(tag for tag in cleaned if tag)))
        if topic is not None:
            after = replace(after, topic=await _chosen(house, unit, by, question, topic))
        if after == question:
            return Answer(desk_question(question))
        after = replace(after, version=question.version + 1)
        if after.text != question.text:
            await unit.questions.keep_wording(question, by.id, house.now())
        await unit.questions.save(after)
        changed: dict[str, Any] = {}
        if after.topic != question.topic:
            await unit.topics.label(after.id, house.now() if after.topic else None)
            changed = {"topic": after.topic, "topic_before": question.topic}
        if sealed is not None:
            await unit.questions.seal(after.id, sealed, after.version)
        shown = after.status in PUBLIC and (after.text, after.subject) != (
            question.text,
            question.subject,
        )
        unit.record(
            "question_changed" if shown else "question_moderated",
            touched=[after],
            ids={"id": after.id, "code": after.code},
            act="edit",
            rewritten=after.text != question.text,
            **changed,
        )
        return Answer(desk_question(after))

    return await perform(
        house, Asked(by, "edit_question", key, body, None, "edit"), work, slug=slug
    )


async def _chosen(
    house: House, unit: Unit, by: Actor, question: Question, topic: str
) -> str | None:
    """The topic as the office's scheme has it, by its path or code; None takes it back. One that left the
    scheme may stay on a question that bears it. Raises `topic_unknown`."""
    if by is MACHINE:  # It suggests; what a question is about is for a person to say (law 11).
        raise Refusal("not_allowed")
    if not topic or topic == question.topic:
        return topic or None
    found = (await scheme_of(house, unit)).find(house.clean(topic))
    if found is None:
        raise Refusal("topic_unknown", topic=shown(topic))
    return found.path


def _checked(house: House, question: Question, text: str) -> str:
    """The cleaned text, if this question may be rewritten now."""
    typed_later = question.off_cuff and question.status in {"on_stage", "answered"}
    if question.status not in EDITABLE and not typed_later:
        raise Refusal("question_step_illegal", now=question.status, act="edit")
    cleaned = house.clean(text)
    if len(cleaned) < 2:
        raise Refusal("text_too_short", least=2)
    if len(cleaned) > TEXT_LONGEST:
        raise Refusal("text_too_long", most=TEXT_LONGEST)
    if typed_later and len(cleaned) > STAGE_LONGEST:
        raise Refusal("text_too_long_for_stage", most=STAGE_LONGEST)
    return cleaned
