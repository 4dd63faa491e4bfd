"""Seats that vote on paper, and forms as they were keyed in."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select, update

from server.domain.paper import Entry
from server.store.rows import OFFICE, Repository, table, upsert
from server.store.tables import PaperEntryRow, PaperSeatRow

_s, _e = table(PaperSeatRow), table(PaperEntryRow)
_SEATS = (
    select(_s.c.seat_id)
    .where(_s.c.round_id == bindparam("id"), _s.c.office_id == OFFICE)
    .order_by(_s.c.seat_id)
)
_ENTRIES = (
    select(_e)
    .where(_e.c.round_id == bindparam("id"), _e.c.office_id == OFFICE)
    .order_by(_e.c.form, _e.c.at, _e.c.by)
)


class Paper(Repository):
    """The paper of one office's rounds."""

    async def seats(self, round_id: str) -> tuple[int, ...]:
        """The ids of the seats that vote on paper."""
        return tuple(row.seat_id for row in await self._rows(_SEATS, id=round_id))

    async def set_seat(self, round_id: str, seat_id: int, paper: bool, at: int) -> None:
        """The seat votes on paper, or on its tablet again."""
        where = {"round_id": round_id, "seat_id": seat_id}
        if paper:
            await upsert(self._c, PaperSeatRow, where, office_id=self._ref.office, at=at)
        else:
            here = (_s.c.round_id == round_id, _s.c.seat_id == seat_id)
            await self._c.execute(delete(_s).where(*here))

    async def entries(self, round_id: str) -> tuple[Entry, ...]:
        """Everything that was keyed in, form by form, the earlier first."""
        return tuple(
            Entry(row.form, row.by, row.name, row.at, row.cells, row.counted)
            for row in await self._rows(_ENTRIES, id=round_id)
        )

    async def put(self, round_id: str, entry: Entry) -> None:
        """One person's entry takes the place of his earlier one."""
        await upsert(
            self._c,
            PaperEntryRow,
            {"round_id": round_id, "form": entry.form, "by": entry.by},
            office_id=self._ref.office,
            name=entry.name,
            at=entry.at,
            cells=dict(entry.cells),
            counted=entry.counted,
        )

    async def count(self, round_id: str, form: int) -> None:
        """The form is a ballot now."""
        here = (_e.c.round_id == round_id, _e.c.form == form)
        await self._c.execute(update(_e).where(*here).values(counted=True))

    async def drop(self, round_id: str) -> None:
        """At a secret round's end nothing of what was keyed in stays but that it was keyed in."""
        here = (_e.c.round_id == round_id,)
        await self._c.execute(update(_e).where(*here).values(cells={}))
