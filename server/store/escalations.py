"""What was handed to the duty person."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from server.domain.escalations import Escalation
from server.store.rows import HEARING, OFFICE, Repository, inserted_id, locked, table
from server.store.tables import EscalationRow, QuestionRow

_e, _q = table(EscalationRow), table(QuestionRow)
_NAMES = ["question_id" if one.name == "question" else one.name for one in fields(Escalation)]
_HERE = select(*(_e.c[name] for name in _NAMES)).where(
    _e.c.hearing_id == HEARING, _e.c.office_id == OFFICE
)
_OPEN = _HERE.where(_e.c.outcome == "").order_by(_e.c.id.desc())
_RUN_OF = (
    select(_q.c.run_id)
    .join(_e, _e.c.question_id == _q.c.id)
    .where(_e.c.id == bindparam("id"), _e.c.hearing_id == HEARING)
)
_ONE = locked(_HERE.where(_e.c.id == bindparam("id")))


class Escalations(Repository):
    """The escalations of one hearing."""

    async def open(self) -> tuple[Escalation, ...]:
        """Those that nobody has decided, the newest first."""
        return tuple(Escalation(*row) for row in await self._rows(_OPEN))

    async def run_of(self, id_: int) -> int | None:
        """The run of its question."""
        row = await self._row(_RUN_OF, id=id_)
        return int(row[0]) if row else None

    async def hold(self, id_: int) -> Escalation | None:
        """One of them, held until this act ends."""
        row = await self._row(_ONE, id=id_)
        return Escalation(*row) if row else None

    async def add(self, question: int, kind: str, note: str, by: str, at: int) -> int:
        """A new one; its id."""
        return inserted_id(
            await self._c.execute(
                insert(_e).values(
                    office_id=self._ref.office,
                    hearing_id=self._ref.hearing,
                    question_id=question,
                    kind=kind,
                    note=note,
                    by=by,
                    at=at,
                )
            )
        )

    async def save(self, id_: int, **values: Any) -> None:
        """These columns of one of them."""
        await self._c.execute(
            update(_e).where(_e.c.id == id_, _e.c.hearing_id == self._ref.hearing).values(**values)
        )
