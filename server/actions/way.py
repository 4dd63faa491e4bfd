"""Where a merged question went, and what that went into."""

from __future__ import annotations

from server.actions.ports import Unit
from server.domain.questions import Question
from server.domain.refusals import Refusal


async def way_of(unit: Unit, id_: int) -> list[Question]:
    """The question, what it went into, and what that went into, up to one that stands for itself. A
    merged question is no merge's target, so the way has an end."""
    found, next_ = [], await unit.questions.get(id_)
    while True:
        if next_ is None:
            raise Refusal("not_found")
        found.append(next_)
        if next_.merged_into is None:
            return found
        next_ = await unit.questions.by_code(next_.merged_into)
