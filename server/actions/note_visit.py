"""What a visit to a source came to, when it brought nothing: all is well, or the code of why not."""

from __future__ import annotations

from collections.abc import Mapping

from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.domain.roles import MACHINE


async def note_visit(
    house: House,
    hearing: int,
    key: str,
    next_at: int,
    error: str = "",
    *,
    answered: bool = True,
    about: Mapping[str, object] | None = None,
) -> None:
    """The source is visited again at `next_at`. `answered`: it was reached, whatever else went wrong.
    `about`: where in its answer, for the page that tells it. A source that is gone or paused is left as it is."""

    async def work(unit: Unit) -> Answer:
        source = await unit.sources.get(key, lock=True)
        if source is None or source.paused:
            return Answer({})
        now = house.now()
        values: dict[str, object] = {"next_at": next_at}
        if answered:
            values["last_at"] = now
        if error or source.error:
            values |= {"error": error, "error_at": now if error else 0}
        if dict(about or {}) != source.state.get("about", {}):
            values["state"] = {**source.state, "about": dict(about or {})}
        await unit.sources.save(source.id, **values)
        return Answer({})

    await perform(house, Asked(MACHINE, "import", verb="visit"), work, hearing=hearing, line=True)
