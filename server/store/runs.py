"""Runs of a hearing: the preparation, rehearsals that copy it, the real run that takes it over."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.hearing import Ref
from server.domain.questions import HIDDEN
from server.domain.refusals import RolledBack
from server.store.journal import Journal
from server.store.rows import inserted_id, locked, table
from server.store.tables import (
    BriefRow,
    BulkActRow,
    HearingRow,
    ItemRow,
    QuestionRow,
    QueueRow,
    RoundRow,
    Run,
)

_hearings, _runs, _items = table(HearingRow), table(Run), table(ItemRow)
_questions, _queues, _rounds = table(QuestionRow), table(QueueRow), table(RoundRow)
_TAKEN_OVER = (_items, _questions, _queues, _rounds, table(BriefRow), table(BulkActRow))
"""What was prepared: whatever is read or taken back by the ids of its questions goes along with them."""


class Runs:
    """The runs of the hearing that `ref` is in."""

    def __init__(self, connection: AsyncConnection, ref: Ref) -> None:
        self._c, self._ref = connection, ref

    async def add(self, kind: str, epoch: str, status: str, at: int) -> Ref:
        """A new run with an empty journal; the hearing shows it from now on."""
        result = await self._c.execute(
            insert(_runs).values(
                office_id=self._ref.office,
                hearing_id=self._ref.hearing,
                kind=kind,
                epoch=epoch,
                status=status,
                version=0,
                created_at=at,
            )
        )
        run = Ref(self._ref.office, self._ref.hearing, inserted_id(result))
        await Journal(self._c, run).begin()
        await self._c.execute(
            update(_hearings)
            .where(_hearings.c.id == self._ref.hearing, _hearings.c.office_id == self._ref.office)
            .values(run_id=run.run)
        )
        return run

    async def hold_line(self) -> None:
        """No other import and no new run until this act ends. Raises `RolledBack` when the real run
        began meanwhile: the act is done again, there."""
        here = _hearings.c.id == self._ref.hearing, _hearings.c.office_id == self._ref.office
        await self._c.execute(locked(select(_hearings.c.id).where(*here)))
        newest = await self._c.execute(
            select(func.max(_runs.c.id)).where(
                _runs.c.hearing_id == self._ref.hearing, _runs.c.kind != "rehearsal"
            )
        )
        if newest.scalar_one() != self._ref.run:
            raise RolledBack

    async def preparation(self) -> Ref | None:
        """The preparation run, while nothing has taken it over."""
        row = (
            await self._c.execute(
                select(_runs.c.id).where(
                    _runs.c.hearing_id == self._ref.hearing, _runs.c.kind == "preparation"
                )
            )
        ).one_or_none()
        return Ref(self._ref.office, self._ref.hearing, row.id) if row else None

    async def take_over(self, prepared: Ref, run: Ref) -> None:
        """The real run gets the prepared agenda, questions, queue and rounds themselves, with what was sent
        to officials' offices and the bulk acts that can still be taken back."""
        for one in _TAKEN_OVER:
            await self._c.execute(
                update(one).where(one.c.run_id == prepared.run).values(run_id=run.run)
            )

    async def copy_show(self, prepared: Ref, run: Ref, new_id: Callable[[], str]) -> None:
        """A rehearsal gets copies. A copied question keeps its code, a copied round does not."""
        await self._copy(_items, prepared, run)
        # What only the duty person may see is in no rehearsal.
        ids = await self._copy(_questions, prepared, run, _questions.c.status.not_in(HIDDEN))
        for row in (
            await self._c.execute(select(_rounds).where(_rounds.c.run_id == prepared.run))
        ).mappings():
            await self._c.execute(
                insert(_rounds).values({**row, "run_id": run.run, "id": new_id()})
            )
        queue = (
            await self._c.execute(select(_queues).where(_queues.c.run_id == prepared.run))
        ).one_or_none()
        if queue is not None:
            await self._c.execute(
                insert(_queues).values(
                    run_id=run.run,
                    office_id=run.office,
                    version=queue.version,
                    ids=[ids[i] for i in queue.ids if i in ids],
                    given={str(ids[int(k)]): v for k, v in queue.given.items() if int(k) in ids},
                )
            )

    async def _copy(
        self, source: object, prepared: Ref, run: Ref, *which: ColumnElement[bool]
    ) -> dict[int, int]:
        """Copies the prepared run's rows; gives old id → new id."""
        ids: dict[int, int] = {}
        rows = await self._c.execute(
            select(source).where(source.c.run_id == prepared.run, *which).order_by(source.c.id)  # type: ignore[call-overload, attr-defined]
        )
        for row in rows.mappings():
            values = {name: value for name, value in row.items() if name not in {"id", "indexed"}}
            result = await self._c.execute(
                insert(source).values({**values, "run_id": run.run})  # type: ignore[arg-type]
            )
            ids[row["id"]] = inserted_id(result)
        return ids
