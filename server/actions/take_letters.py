"""Letters of a mailbox come in: questions, what was kept apart, and where the mailbox stood, in one.

What a crash leaves undone is fetched again, and a letter that is there already changes nothing. Whom an
acknowledgement is due waits in the source's state, sealed; it is taken out before it is sent, so that
nobody gets two.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from server.actions.import_questions import check_running, take_items
from server.actions.manage_sources import held
from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.domain.incoming import Incoming
from server.domain.roles import MACHINE

WAITING_MOST = 2_000
"""Acknowledgements that wait at once; letters beyond them come in without."""
GIVEN_UP_MS = 48 * 3_600_000
"""An acknowledgement that could not be sent for so long would only surprise."""
TRIES_MOST = 10
SENDER_MOST = 10
"""Acknowledgements to one address in a day: whoever writes under another's address has him told no
more than these."""
DAY_MS = 24 * 3_600_000


@dataclass(frozen=True)
class HeldBack:
    """A message that is kept apart: its name, the code of why, and the box around it."""

    name: str
    reason: str
    box: bytes = field(repr=False)


@dataclass(frozen=True)
class Due:
    """An acknowledgement that is due: of which question's code, and the box around whom to. `who` is the
    same for the same address and tells nothing of it."""

    box: bytes = field(repr=False)
    code: str = ""
    at: int = 0
    tries: int = 0
    who: str = ""


async def take_letters(
    house: House,
    hearing: int,
    key: str,
    items: Sequence[Incoming],
    apart: Sequence[HeldBack],
    stood: Mapping[str, Any],
    answers: Mapping[str, Due],
) -> Answer:
    """`stood` is where the mailbox stands after these; `answers` are the acknowledgements that are due,
    by the letters' numbers, their codes not known yet. Answers `{new, updated, unchanged, quarantined}`. Raises
    `not_found`, `source_paused`."""
    flags = await house.flagger()

    async def work(unit: Unit) -> Answer:
        await unit.runs.hold_line()
        source = await held(unit, key)
        check_running(source)
        numbers = [one.external_id for one in items]
        known = await unit.questions.by_numbers(source.key, numbers)
        fresh = {one.external_id: one for one in items if one.external_id not in known}
        counted = await take_items(house, unit, MACHINE, source, list(fresh.values()), flags)
        counted.unchanged += len(items) - len(fresh)
        now, put_apart = house.now(), 0
        for one in apart:
            put_apart += await unit.sources.hold_back(source.id, one.name, one.reason, one.box, now)
        waiting = list(source.state.get("waiting", ()))
        codes = await unit.questions.codes(source.key, list(fresh))
        day, told = now // DAY_MS, dict(source.state.get("told", {}))
        if source.state.get("day") != day:
            told = {}
        for number in fresh:
            due = answers.get(number)
            if due is None or len(waiting) >= WAITING_MOST or told.get(due.who, 0) >= SENDER_MOST:
                continue
            told[due.who] = told.get(due.who, 0) + 1
            waiting.append(_kept(replace(due, code=codes[number], at=now)))
        state = {**source.state, **stood, "waiting": waiting, "day": day, "told": told}
        counts = {**vars(counted), "quarantined": put_apart}
        await unit.sources.save(source.id, state=state)
        await unit.sources.took(source, now, counts)
        if counted.new:
            unit.record("questions_imported", source=source.key, **vars(counted))
        return Answer(counts)

    return await perform(
        house, Asked(MACHINE, "import", verb="letters"), work, hearing=hearing, line=True
    )


async def next_due(
    house: House, hearing: int, key: str, sent: Due | None = None, out: bool = True
) -> Due | None:
    """The next acknowledgement that is due, taken out of the line: whoever asks sends it. `sent` is the
    one before; it comes into the line again when it is not `out` of our hands."""
    found: list[Due] = []

    async def work(unit: Unit) -> Answer:
        source = await held(unit, key)
        now = house.now()
        waiting = [_due(one) for one in source.state.get("waiting", ())]
        if sent is not None and not out and sent.tries + 1 < TRIES_MOST:
            waiting.append(replace(sent, tries=sent.tries + 1))
        waiting = [one for one in waiting if now - one.at < GIVEN_UP_MS]
        # One that was just given back waits for another round.
        first = waiting[0] if waiting and (out or waiting[0].tries == 0) else None
        found[:] = [first] if first else []
        left = [_kept(one) for one in waiting if one is not first]
        if left != source.state.get("waiting", []):
            await unit.sources.save(source.id, state={**source.state, "waiting": left})
        return Answer({})

    await perform(house, Asked(MACHINE, "import", verb="answers"), work, hearing=hearing, line=True)
    return found[0] if found else None


def _kept(due: Due) -> dict[str, Any]:
    box = base64.b64encode(due.box).decode()
    return {"code": due.code, "box": box, "at": due.at, "tries": due.tries}


def _due(kept: Mapping[str, Any]) -> Due:
    return Due(base64.b64decode(kept["box"]), kept["code"], kept["at"], kept["tries"])
