"""What another system pushed comes in: each message once, however often it is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from server.actions.import_questions import check_running, take_items
from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.domain.incoming import Incoming
from server.domain.refusals import Refusal
from server.domain.roles import MACHINE
from server.domain.sources import IntakeSource

DAY_MS = 24 * 3_600_000
KEPT_MS = 7 * DAY_MS
"""How long a message's answer is kept. Senders give up within days, and a signature is good for
minutes: what is older cannot come again."""


async def take_pushed(
    house: House,
    address: str,
    message: str,
    body: bytes,
    items: Sequence[Incoming],
    refused: Sequence[dict[str, Any]],
    repeats: int,
) -> Answer:
    """The items of a message whose signature was found good. `{rows, new, updated, unchanged, refused,
    codes}`: `codes` are the questions' numbers by the sender's. The same message again gets the first
    answer and changes nothing; the same id with another body is refused (`key_reused`)."""
    digest = house.mark(hashlib.sha256(body).hexdigest())
    flags = await house.flagger()

    async def work(unit: Unit) -> Answer:
        await unit.runs.hold_line()
        source = await unit.sources.called(address, lock=True)
        if source is None or source.connector != "push":
            raise Refusal("not_found")
        first = await first_answer(unit, source, message, digest)
        if first is not None:
            return first
        check_running(source)
        counted = await take_items(house, unit, MACHINE, source, items, flags)
        told: dict[str, Any] = {
            "rows": len(items) + len(refused) + repeats,
            **vars(counted),
            "refused": list(refused),
            "codes": await unit.questions.codes(source.key, [one.external_id for one in items]),
        }
        told["unchanged"] += repeats
        answer, now = Answer(told), house.now()
        await unit.sources.took(source, now, {**vars(counted), "refused": len(refused)})
        await keep_answer(unit, source, message, digest, answer, now)
        if counted.new or counted.updated:
            unit.record("questions_imported", source=source.key, **vars(counted))
        return answer

    return await perform(
        house, Asked(MACHINE, "import", verb="push"), work, source=address, line=True
    )


async def first_answer(
    unit: Unit, source: IntakeSource, message: str, digest: str
) -> Answer | None:
    """What this message was answered when it first came. Raises `key_reused` when it said something
    else."""
    first = await unit.sources.message(source.id, message)
    if first is None:
        return None
    kept, status, body = first
    if kept != digest:
        raise Refusal("key_reused")
    return Answer(body, status)


async def keep_answer(
    unit: Unit, source: IntakeSource, message: str, digest: str, answer: Answer, now: int
) -> None:
    """Keeps what a message is answered. The first of a day forgets those that cannot come again."""
    await unit.sources.keep_message(source.id, message, digest, answer.status, answer.body, now)
    if now // DAY_MS != source.last_at // DAY_MS:
        await unit.sources.forget_messages(now - KEPT_MS)
