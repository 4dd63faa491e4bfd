"""A rehearsal or the real run begins: check-in opens, with a journal and an epoch of its own.

A rehearsal copies the show (agenda, rounds, questions) and nothing comes back from it. The real
run takes over what was prepared: the very questions, with their codes, support and history.
"""

from __future__ import annotations

from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.domain.hearing import check_run
from server.domain.refusals import Refusal
from server.domain.roles import Actor


async def start_run(
    house: House, by: Actor, slug: str, kind: str, key: str | None = None
) -> Answer:
    """`POST /hearings/SLUG/runs {kind}` → 201; the new run is what `/h/SLUG` shows."""

    async def work(unit: Unit) -> Answer:
        current = await unit.hearings.get(lock=True)
        show = (await unit.hearings.settings())["show"]
        check_run(current, kind, rehearsals=show.get("rehearsal_allowed", True))
        prepared = await unit.runs.preparation()
        if prepared is None:
            raise Refusal("run_illegal", now=current.status)
        epoch = house.code()
        run = await unit.runs.add(kind, epoch, "check_in", house.now())
        if kind == "real":
            await unit.runs.take_over(prepared, run)
        else:
            await unit.runs.copy_show(prepared, run, house.code)
        # The run that is left keeps this last entry; the new journal begins empty, at version 0.
        unit.record("hearing_changed", status=current.status, next_run=kind)
        return Answer({"kind": kind, "epoch": epoch, "version": 0, "status": "check_in"}, 201)

    asked = Asked(by, "run_show", key, {"kind": kind}, "show", "start_run")
    return await perform(house, asked, work, slug=slug)
