"""The queue: its order, and which panelist a question is given to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from server.actions.moderate_question import sees
from server.actions.perform import Answer, Asked, check_version, perform
from server.actions.ports import House, Unit
from server.domain import questions as rules
from server.domain.refusals import Refusal
from server.domain.roles import Actor


async def order_queue(
    house: House,
    by: Actor,
    slug: str,
    ids: Sequence[int],
    version: int | None,
    key: str | None = None,
) -> Answer:
    """`PUT /hearings/SLUG/queue {version, ids}`: the whole queue in its new order. Approved
    questions are shortlisted on the way; those left out go back to shortlisted."""

    async def work(unit: Unit) -> Answer:
        # Questions are locked before their queue, as every act on one of them does, and in order of
        # id: two acts on the same questions wait for each other, never both.
        _, before, _ = await unit.floor.queue()
        for id_ in sorted({*ids, *before}):
            await unit.questions.get(id_, lock=True)
        now_version, before, given = await unit.floor.queue(lock=True)
        check_version(now_version, version, await _queue(unit), needed=True)
        if len(set(ids)) != len(ids):
            raise Refusal("queue_unknown_id")
        for id_ in sorted({*ids, *before}):
            question = await unit.questions.get(id_, lock=True)
            if question is None or not sees(unit, by, question):
                if id_ in ids:
                    raise Refusal("queue_unknown_id", id=id_)
                continue
            if id_ in ids and question.status == "approved":
                question = rules.step(question, "shortlist")
            if id_ in ids and question.status != "queued":
                await unit.questions.save(rules.step(question, "queue"))
            if id_ not in ids and question.status == "queued":
                await unit.questions.save(rules.step(question, "unqueue"))
        await unit.floor.save_queue(now_version + 1, ids, given)
        unit.record("queue_changed", order=list(ids))
        return Answer(await _queue(unit))

    body = {"ids": list(ids), "version": version}
    return await perform(
        house, Asked(by, "order_queue", key, body, None, "order_queue"), work, slug=slug
    )


async def give_question(
    house: House, by: Actor, slug: str, id_: int, seat: int | None, key: str | None = None
) -> Answer:
    """Gives a queued question to the panelist at `seat` (a number), who sees 您是下一位 with its
    wording; `None` takes it back."""

    async def work(unit: Unit) -> Answer:
        version, ids, given = await unit.floor.queue(lock=True)
        if id_ not in ids:
            raise Refusal("queue_unknown_id", id=id_)
        if seat is not None and all(s.number != seat for s in await unit.people.seats()):
            raise Refusal("seat_unknown", seat=seat)
        changed = {k: v for k, v in given.items() if k != id_}
        if seat is not None:
            changed[id_] = seat
        await unit.floor.save_queue(version + 1, ids, changed)
        unit.record("question_given", ids={"id": id_}, seat=seat)
        return Answer(await _queue(unit))

    body = {"id": id_, "seat": seat}
    return await perform(house, Asked(by, "stage", key, body, None, "give"), work, slug=slug)


async def read_queue(unit: Unit) -> dict[str, Any]:
    """The answer of `GET …/queue`."""
    return await _queue(unit)


async def _queue(unit: Unit) -> dict[str, Any]:
    version, ids, given = await unit.floor.queue()
    stage = await unit.floor.stage()
    return {
        "version": version,
        "ids": list(ids),
        "now": stage.question_id if stage else None,
        "next": ids[0] if ids else None,
        "given": {str(k): v for k, v in given.items()},
    }
