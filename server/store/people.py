"""Subjects, groups, seats and presence of one hearing."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, insert, select, update

from server.domain.view import SeatView, SubjectView
from server.store.rows import HEARING, OFFICE, RUN, Repository, inserted_id, table, upsert
from server.store.tables import GroupRow, PresenceRow, SeatRow, SubjectRow

_subjects, _groups, _seats, _presence = (
    table(SubjectRow),
    table(GroupRow),
    table(SeatRow),
    table(PresenceRow),
)


_SUBJECTS = (
    select(_subjects)
    .where(_subjects.c.hearing_id == HEARING, _subjects.c.office_id == OFFICE)
    .order_by(_subjects.c.ordinal)
)
_GROUPS = (
    select(_groups)
    .where(_groups.c.hearing_id == HEARING, _groups.c.office_id == OFFICE)
    .order_by(_groups.c.ordinal)
)
_SEATS = (
    select(_seats, _presence.c.at.label("present_at"))
    .outerjoin(_presence, (_presence.c.seat_id == _seats.c.id) & (_presence.c.run_id == RUN))
    .where(_seats.c.hearing_id == HEARING, _seats.c.office_id == OFFICE)
    .order_by(_seats.c.number)
)


class People(Repository):
    """Who takes part in the hearing, by office order and seat number."""

    async def subjects(self) -> tuple[SubjectView, ...]:
        """Subjects in the office's order."""
        rows = await self._rows(_SUBJECTS)
        return tuple(
            SubjectView(row.key, row.name, row.post, row.unit, tuple(row.aliases)) for row in rows
        )

    async def subject_key(self, id_: int) -> str | None:
        """The key of the hearing's subject with this id."""
        found = await self._c.execute(
            select(_subjects.c.key).where(
                _subjects.c.id == id_, _subjects.c.hearing_id == self._ref.hearing
            )
        )
        key: str | None = found.scalar_one_or_none()
        return key

    async def groups(self) -> tuple[tuple[str, str, str], ...]:
        """(key, name, weight) of the panel's groups, in the show's order."""
        rows = await self._rows(_GROUPS)
        return tuple((row.key, row.name, row.weight) for row in rows)

    async def seats(self) -> tuple[SeatView, ...]:
        """Every seat, with its presence in this run."""
        names = {key: name for key, name, _ in await self.groups()}
        rows = await self._rows(_SEATS)
        return tuple(
            SeatView(
                row.id,
                row.number,
                row.name,
                row.group_key,
                names.get(row.group_key, row.group_key),
                row.unit,
                row.present_at is not None,
            )
            for row in rows
        )

    async def leave(self, seat_id: int) -> bool:
        """The seat is present no more; False when it was not."""
        gone = await self._c.execute(
            delete(_presence).where(
                _presence.c.run_id == self._ref.run, _presence.c.seat_id == seat_id
            )
        )
        return bool(gone.rowcount)

    async def check_in(self, seat_id: int, at: int) -> bool:
        """The seat is present in this run; False when it already was."""
        there = await self._c.execute(
            select(_presence.c.at).where(
                _presence.c.run_id == self._ref.run, _presence.c.seat_id == seat_id
            )
        )
        if there.one_or_none() is not None:
            return False
        await upsert(
            self._c,
            PresenceRow,
            {"run_id": self._ref.run, "seat_id": seat_id},
            office_id=self._ref.office,
            at=at,
        )
        return True

    async def add_subject(self, ordinal: int, subject: SubjectView) -> None:
        """A subject at its place in the office's order."""
        await self._c.execute(
            insert(_subjects).values(
                office_id=self._ref.office,
                hearing_id=self._ref.hearing,
                key=subject.key,
                name=subject.name,
                post=subject.post,
                unit=subject.unit,
                ordinal=ordinal,
                aliases=list(subject.aliases),
            )
        )

    async def set_aliases(self, key: str, aliases: Sequence[str]) -> None:
        """Other names under which work orders know a subject's unit."""
        await self._c.execute(
            update(_subjects)
            .where(_subjects.c.hearing_id == self._ref.hearing, _subjects.c.key == key)
            .values(aliases=list(aliases))
        )

    async def add_group(self, ordinal: int, key: str, name: str, weight: str) -> None:
        """A weighted group of the panel; `weight` is a decimal string."""
        await self._c.execute(
            insert(_groups).values(
                office_id=self._ref.office,
                hearing_id=self._ref.hearing,
                key=key,
                name=name,
                weight=weight,
                ordinal=ordinal,
            )
        )

    async def add_seat(self, number: int, name: str, group: str, unit: str) -> int:
        """A seat; gives its id."""
        result = await self._c.execute(
            insert(_seats).values(
                office_id=self._ref.office,
                hearing_id=self._ref.hearing,
                number=number,
                name=name,
                group_key=group,
                unit=unit,
            )
        )
        return inserted_id(result)
