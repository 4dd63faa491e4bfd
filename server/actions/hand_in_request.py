"""A city's system hands in one service request (Open311): it becomes a question, once."""

from __future__ import annotations

from collections.abc import Mapping
from hmac import compare_digest
from typing import Any

from server.actions.import_questions import check_running, take_items
from server.actions.perform import Answer, Asked, check_key, perform
from server.actions.ports import House, Unit
from server.actions.take_pushed import first_answer, keep_answer
from server.domain.incoming import Incoming
from server.domain.journal import canonical
from server.domain.refusals import Refusal
from server.domain.roles import MACHINE
from server.domain.sources import IntakeSource, keys_of


async def source_of_key(house: House, unit: Unit, api_key: str) -> IntakeSource | None:
    """The source of this hearing that offers Open311 and whose key this is. Every key is compared, and
    each for as long as any other."""
    found, now = None, house.now()
    for source in await unit.sources.all():
        box = await unit.sources.box(source.id) if source.connector == "open311_offer" else None
        for key in keys_of(house.unseal(box)) if box else ():
            if compare_digest(key.secret.encode(), api_key.encode()) and key.good(now):
                found = source
    return found


async def hand_in_request(
    house: House,
    slug: str,
    source_key: str,
    item: Incoming,
    subject: str | None,
    said: Mapping[str, Any],
    key: str | None,
) -> Answer:
    """The item of a source whose key was shown. `{code}` is the question's. With an idempotency `key`
    the same request again gets the first answer for a week; the key with another body is refused
    (`key_reused`). `said` is the body, without the key of the source."""
    check_key(key)
    digest = house.mark(canonical(dict(said)).decode())
    flags = await house.flagger()

    async def work(unit: Unit) -> Answer:
        await unit.runs.hold_line()
        source = await unit.sources.get(source_key, lock=True)
        if source is None:
            raise Refusal("not_found")
        first = await first_answer(unit, source, key, digest) if key is not None else None
        if first is not None:
            return first
        check_running(source)
        counted = await take_items(house, unit, MACHINE, source, [item], flags)
        known = await unit.questions.by_numbers(source.key, [item.external_id])
        if subject is not None:
            await unit.questions.update_fields(known[item.external_id][0], {"subject": subject})
        codes = await unit.questions.codes(source.key, [item.external_id])
        answer, now = Answer({"code": codes[item.external_id]}, 201), house.now()
        await unit.sources.took(source, now, vars(counted))
        if key is not None:
            await keep_answer(unit, source, key, digest, answer, now)
        unit.record("questions_imported", source=source.key, **vars(counted))
        return answer

    return await perform(
        house, Asked(MACHINE, "import", verb="open311"), work, slug=slug, line=True
    )
