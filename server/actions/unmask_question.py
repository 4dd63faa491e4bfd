"""The intake desk reads what masking took away: with a right and a reason, and in the journal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from server.actions.moderate_question import seen
from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.domain import originals
from server.domain.refusals import Refusal
from server.domain.roles import Actor

REASON_SHORTEST, REASON_LONGEST = 5, 200
NOT_TOLD = frozenset({"letter", "bytes", "beginning"})
"""Members of a box that are a packed message, not a field."""


async def unmask_question(house: House, by: Actor, slug: str, id_: int, reason: str) -> Answer:
    """The question as it was last sent, and every wording of which something was masked. Raises
    `text_too_short`, `text_too_long` for the reason.

    What is told is in this answer and nowhere else, so it is kept under no idempotency key: whoever
    reads again gives a reason again. The reason stands in the journal, masked as every text is.
    """
    why = house.clean(reason)
    if len(why) < REASON_SHORTEST:
        raise Refusal("text_too_short", least=REASON_SHORTEST, place="reason")
    if len(why) > REASON_LONGEST:
        raise Refusal("text_too_long", most=REASON_LONGEST, place="reason")

    async def work(unit: Unit) -> Answer:
        question = await seen(unit, by, id_)
        boxes = [(version, house.unseal(box)) for version, box in await unit.questions.boxes(id_)]
        unit.record(
            "question_unmasked",
            ids={"id": question.id, "code": question.code},
            reason=house.mask(why).text,
        )
        wordings = [
            {"version": version, "text": text}
            for version, box in boxes
            if (text := originals.wording_of(box))
        ]
        sent = originals.as_sent(boxes)
        newest = sent[-1][1] if sent else {}
        _, unmasked = await unit.questions.sent(id_)
        return Answer(
            {
                "id": question.id,
                "code": question.code,
                "text": originals.wording_of(newest)
                or unmasked
                or (wordings[0]["text"] if wordings else question.text),
                "fields": _fields(newest),
                "wordings": wordings,
            }
        )

    return await perform(house, Asked(by, "unmask", verb="unmask"), work, slug=slug)


def _fields(box: Mapping[str, Any]) -> dict[str, str]:
    """What was sealed beside the text: who wrote, from where, and each column masked."""
    return {
        name: told
        for name, told in box.items()
        if isinstance(told, str) and name not in NOT_TOLD and name not in ("text", "content")
    }
