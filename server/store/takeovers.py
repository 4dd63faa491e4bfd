"""Spare tablets that ask for a seat, and what became of each request.

`open` → `granted` → `used` when the tablet has its session, or `declined`; a newer grant or card of
the seat makes it `past`.
"""

from __future__ import annotations

from sqlalchemy import func, insert, select, update

from server.domain.view import Takeover
from server.store.identity import Identity
from server.store.rows import OFFICE, RUN, Repository, inserted_id, table
from server.store.tables import SeatRow, TakeoverRow

_t, _seats = table(TakeoverRow), table(SeatRow)

_OPEN = (
    select(_t.c.id, _t.c.check, _t.c.at, _seats.c.number.label("seat"), _seats.c.name)
    .join(_seats, _seats.c.id == _t.c.seat_id)
    .where(_t.c.run_id == RUN, _t.c.office_id == OFFICE, _t.c.status == "open")
    .order_by(_t.c.id)
)


class Takeovers(Repository):
    """Requests of one run."""

    async def ask(self, seat_id: int, check: str, secret: str, at: int) -> int:
        """A new request; `secret` is the hash of what its tablet keeps."""
        result = await self._c.execute(
            insert(_t).values(
                office_id=self._ref.office,
                hearing_id=self._ref.hearing,
                run_id=self._ref.run,
                seat_id=seat_id,
                check=check,
                secret=secret,
                status="open",
                at=at,
            )
        )
        return inserted_id(result)

    async def open(self) -> tuple[Takeover, ...]:
        """Requests that wait for an answer, oldest first."""
        rows = await self._rows(_OPEN)
        return tuple(Takeover(row.id, row.seat, row.name, row.check, row.at) for row in rows)

    async def waiting(self, seat_id: int) -> int:
        """How many of a seat wait."""
        here = _t.c.run_id == self._ref.run, _t.c.seat_id == seat_id, _t.c.status == "open"
        return int((await self._c.execute(select(func.count()).where(*here))).scalar_one())

    async def expire(self, before: int, at: int) -> None:
        """Requests of the run that were made before a moment and still wait are past."""
        old = _t.c.run_id == self._ref.run, _t.c.status == "open", _t.c.at < before
        await self._c.execute(update(_t).where(*old).values(status="past", decided_at=at))

    async def decline(self, id_: int, at: int) -> int | None:
        """The request is declined; gives its seat's number, None when it no longer waits."""
        return await self._decide(id_, "declined", at)

    async def grant(self, id_: int, at: int) -> int | None:
        """The request is granted: whoever else asked for the seat is declined, and every session and
        unused card of the seat ends. Gives the seat's number, None when it no longer waits."""
        number = await self._decide(id_, "granted", at)
        if number is None:
            return None
        seat = (await self._c.execute(select(_t.c.seat_id).where(_t.c.id == id_))).scalar_one()
        others = _t.c.seat_id == seat, _t.c.id != id_
        for before, after in (("open", "declined"), ("granted", "past"), ("used", "past")):
            await self._c.execute(
                update(_t).where(*others, _t.c.status == before).values(status=after, decided_at=at)
            )
        identity = Identity(self._c)
        await identity.lock_seat(seat)
        await identity.revoke_sessions_of(at, seat=seat)
        await identity.revoke_cards(at, seat=seat)
        return number

    async def _decide(self, id_: int, status: str, at: int) -> int | None:
        result = await self._c.execute(
            update(_t)
            .where(_t.c.id == id_, _t.c.run_id == self._ref.run, _t.c.status == "open")
            .values(status=status, decided_at=at)
        )
        if result.rowcount != 1:
            return None
        of = select(_seats.c.number).join(_t, _t.c.seat_id == _seats.c.id).where(_t.c.id == id_)
        return int((await self._c.execute(of)).scalar_one())
