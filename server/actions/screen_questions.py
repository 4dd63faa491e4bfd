"""The screener: questions that came in are made ready for a moderator (`received → screened`), with
what the operator's word lists flag. No flag keeps a question back (law 11)."""

from __future__ import annotations

from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.domain.roles import MACHINE

AT_ONCE = 500
"""Questions screened in one act; an import of thousands is several entries in the journal."""


async def screen_questions(house: House, slug: str) -> int:
    """Screens up to `AT_ONCE` questions of the shown run; gives how many."""

    flags = await house.flagger()

    async def work(unit: Unit) -> Answer:
        n = await unit.questions.screen_received(AT_ONCE, flags)
        if n:
            unit.record("questions_screened", count=n)
        return Answer({"screened": n})

    answer = await perform(house, Asked(MACHINE, "moderate", verb="screen"), work, slug=slug)
    return int(answer.body["screened"])
