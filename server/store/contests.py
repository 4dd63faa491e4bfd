"""Contests of published results, and the files handed in with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, bindparam, func, insert, select, update

from server.domain.contests import Contest, ContestFile
from server.store.rows import OFFICE, RUN, Repository, inserted_id, table
from server.store.tables import ContestFileRow, ContestRow

_c, _f = table(ContestRow), table(ContestFileRow)

_ALL = select(_c).where(_c.c.run_id == RUN, _c.c.office_id == OFFICE).order_by(_c.c.id)
_FILES = (
    select(_f.c.contest_id, _f.c.number, _f.c.name, func.length(_f.c.content).label("size"))
    .join(_c, _c.c.id == _f.c.contest_id)
    .where(_c.c.run_id == RUN, _f.c.office_id == OFFICE)
    .order_by(_f.c.contest_id, _f.c.number)
)
_CONTENT = select(_f.c.content, _f.c.name).where(
    _f.c.contest_id == bindparam("contest"),
    _f.c.number == bindparam("number"),
    _f.c.office_id == OFFICE,
)


class Contests(Repository):
    """The contests of one run's rounds."""

    async def all(self) -> tuple[Contest, ...]:
        """Every contest of the run, oldest first."""
        files: dict[int, list[ContestFile]] = {}
        for row in await self._rows(_FILES):
            files.setdefault(row.contest_id, []).append(ContestFile(row.number, row.name, row.size))
        return tuple(_contest(row, files.get(row.id, ())) for row in await self._rows(_ALL))

    async def of(self, round_id: str) -> tuple[Contest, ...]:
        """Those of one round, oldest first."""
        return tuple(one for one in await self.all() if one.round == round_id)

    async def add(self, round_id: str, at: int, by: str, name: str, role: str, grounds: str) -> int:
        """A new contest, `open`; its id."""
        return inserted_id(
            await self._c.execute(
                insert(_c).values(
                    office_id=self._ref.office,
                    hearing_id=self._ref.hearing,
                    run_id=self._ref.run,
                    round_id=round_id,
                    at=at,
                    by=by,
                    name=name,
                    role=role,
                    grounds=grounds,
                )
            )
        )

    async def decide(
        self,
        id_: int,
        status: str,
        at: int,
        by: str,
        role: str,
        reason: str,
        correction: str | None,
    ) -> None:
        """The decision; it is taken once."""
        await self._c.execute(
            update(_c)
            .where(_c.c.id == id_, _c.c.run_id == self._ref.run)
            .values(
                status=status,
                decided_at=at,
                decided_by=by,
                decided_as=role,
                reason=reason,
                correction=correction,
            )
        )

    async def add_file(self, contest: int, number: int, name: str, content: bytes) -> None:
        """One more file."""
        await self._c.execute(
            insert(_f).values(
                contest_id=contest,
                number=number,
                office_id=self._ref.office,
                name=name,
                content=content,
            )
        )

    async def file(self, contest: int, number: int) -> tuple[str, bytes] | None:
        """(name, bytes) of a file."""
        row = await self._row(_CONTENT, contest=contest, number=number)
        return None if row is None else (row.name, bytes(row.content))


def _contest(row: Row[Any], files: Sequence[ContestFile]) -> Contest:
    return Contest(
        id=row.id,
        round=row.round_id,
        at=row.at,
        by=row.by,
        name=row.name,
        role=row.role,
        grounds=row.grounds,
        files=tuple(files),
        status=row.status,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        decided_as=row.decided_as,
        reason=row.reason,
        correction=row.correction,
    )
