"""The hearing goes to another status: ready, live, paused, ended, certified, archived."""

from __future__ import annotations

from server.actions.perform import Answer, Asked, check_version, perform
from server.actions.ports import House, Unit
from server.domain import hearing as rules
from server.domain.refusals import Refusal
from server.domain.roles import Actor
from server.domain.rounds import TAKES_BALLOTS


async def change_status(
    house: House, by: Actor, slug: str, status: str, version: int | None, key: str | None = None
) -> Answer:
    """`PUT /hearings/SLUG/status`. Pausing stops the countdown; going live lets it run."""

    async def work(unit: Unit) -> Answer:
        hearing = await unit.hearings.get(lock=True)
        check_version(
            hearing.version,
            version,
            {"status": hearing.status, "version": hearing.version},
            needed=True,
        )
        changed = rules.change_status(hearing, status)
        if status == "archived" and any(
            one.status in TAKES_BALLOTS | {"closed"} for one in await unit.rounds.all()
        ):
            raise Refusal("rounds_open")
        now = house.now()
        at = await unit.hearings.position(lock=True)
        moved = rules.resume(at, now) if status == "live" else rules.pause(at, now)
        await unit.hearings.save(changed)
        if moved is not None and moved != at:
            await unit.hearings.save_position(moved)
        unit.record("hearing_changed", status=status)
        return Answer({"status": changed.status, "version": changed.version})

    asked = Asked(
        by, "run_show", key, {"status": status, "version": version}, "show", "change_status"
    )
    return await perform(house, asked, work, slug=slug)
