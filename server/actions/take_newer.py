"""A newer record of what is in already: it wins, and what was there before it is kept (law 12)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from server.actions.ports import House, Unit
from server.domain import originals
from server.domain.incoming import Incoming
from server.domain.questions import Question

Flags = Callable[[str], Sequence[str]]
"""What the operator's word lists flag in a text."""


async def take_newer(
    house: House,
    unit: Unit,
    by: str,
    id_: int,
    item: Incoming,
    facts: Mapping[str, object],
    flags: Flags,
) -> None:
    """Its text is taken where no moderator has worked on the one that stands, elsewhere only its `facts`;
    what masking took of it is sealed beside what was sealed before. Where nothing but facts changed the
    question is the same to all who work on it: version, group and place in the index stay."""
    question = await unit.questions.get(id_, lock=True)
    assert question is not None
    carried = await unit.questions.likes_carried_into(question.code)
    values: dict[str, object] = {**facts, "likes": item.likes + carried}
    before = await unit.questions.sent(id_)
    free = question.status in {"received", "screened"} and not question.rewritten
    taken = free and (item.title, item.text) != before
    if taken:
        values |= await _text(house, unit, by, question, item, flags)
    if await _seal(house, unit, question, item, before, free) or taken:
        values["version"] = question.version + 1
    await unit.questions.update_fields(id_, values)


async def _text(
    house: House, unit: Unit, by: str, question: Question, item: Incoming, flags: Flags
) -> dict[str, object]:
    """The new text's values. It is flagged like any text that comes in; one that nobody has screened
    will be."""
    values: dict[str, object] = {}
    if question.text != item.text:
        await unit.questions.keep_wording(question, by, house.now())
        values["verification"] = None  # What was looked into is no longer this text.
    if question.status == "screened":
        values["flags"] = list(flags(f"{item.title}\n{item.text}"))
    return values | {
        "text": item.text,
        "first_text": item.text,
        "title": item.title,
        "indexed": False,
        "cluster": None,
    }


async def _seal(
    house: House,
    unit: Unit,
    question: Question,
    item: Incoming,
    before: tuple[str, str],
    free: bool,
) -> bool:
    """Seals what masking took of the record; gives whether its wording is another, which is then sealed
    under the question's next version."""
    kept = [
        (version, house.unseal(box)) for version, box in await unit.questions.boxes(question.id)
    ]
    sent = originals.as_sent(kept)
    version, box = sent[-1] if sent else (1, {})
    was = originals.told(*before, box)
    taken = {} if item.sealed is None else house.unseal(item.sealed)
    now = originals.told(item.title, item.text, taken)
    reworded = originals.reworded(was, now)
    if reworded:
        # A text that is not taken stands nowhere else; one that is taken may follow one that was masked.
        if taken or kept or not free:
            await unit.questions.seal(question.id, house.seal(now), question.version + 1)
    elif any(box.get(name) != value for name, value in taken.items()):
        sealed = house.seal(originals.with_history(was, now))
        await unit.questions.seal(question.id, sealed, version)
    return reworded
