"""The floor: the queue of questions, the one on stage, and panelists' requests to speak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import insert, select, update

from server.domain.view import FloorRequest, Staged
from server.store.rows import OFFICE, RUN, Repository, inserted_id, locked, one_of, table, upsert
from server.store.tables import FloorRow, QueueRow, SeatRow, StageRow

_queues, _stages, _requests, _seats = (
    table(QueueRow),
    table(StageRow),
    table(FloorRow),
    table(SeatRow),
)

SHOWN = frozenset({"open", "granted", "declined"})
"""Requests that a page still shows; the others are `replaced` or `past`."""

_QUEUE = select(_queues).where(_queues.c.run_id == RUN, _queues.c.office_id == OFFICE)
_QUEUE_LOCKED = locked(_QUEUE)
_STAGE = select(_stages).where(
    _stages.c.run_id == RUN, _stages.c.office_id == OFFICE, _stages.c.question_id.is_not(None)
)
_STAGE_LOCKED = locked(_STAGE)
_REQUESTS = (
    select(_requests, _seats.c.number, _seats.c.name)
    .join(_seats, _seats.c.id == _requests.c.seat_id)
    .where(
        _requests.c.run_id == RUN,
        _requests.c.office_id == OFFICE,
        one_of(_requests.c.status, SHOWN),
    )
    .order_by(_requests.c.id)
)


class Floor(Repository):
    """Who may speak, about what, in one run."""

    async def queue(self, *, lock: bool = False) -> tuple[int, tuple[int, ...], dict[int, int]]:
        """(version, question ids in order, question id → seat number it was given to)."""
        row = await self._row(_QUEUE_LOCKED if lock else _QUEUE)
        if row is None:
            return 0, (), {}
        return row.version, tuple(row.ids), {int(k): v for k, v in row.given.items()}

    async def save_queue(self, version: int, ids: Sequence[int], given: Mapping[int, int]) -> None:
        """The queue's one row; only questions still in it stay given."""
        await upsert(
            self._c,
            QueueRow,
            {"run_id": self._ref.run},
            office_id=self._ref.office,
            version=version,
            ids=list(ids),
            given={str(k): v for k, v in given.items() if k in set(ids)},
        )

    async def stage(self, *, lock: bool = False) -> Staged | None:
        """What is on stage, while a question is on it."""
        row = await self._row(_STAGE_LOCKED if lock else _STAGE)
        if row is None:
            return None
        return Staged(row.question_id, row.asker, row.seat, row.phase, row.taken_at)

    async def save_stage(
        self,
        question: int | None,
        asker: str = "",
        seat: int | None = None,
        phase: str = "asking",
        taken_at: int = 0,
    ) -> None:
        """What is on stage; `None` clears it."""
        await upsert(
            self._c,
            StageRow,
            {"run_id": self._ref.run},
            office_id=self._ref.office,
            question_id=question,
            asker=asker,
            seat=seat,
            phase=phase,
            taken_at=taken_at,
        )

    async def request(self, seat_id: int, kind: str, text: str, at: int) -> int:
        """A panelist asks for the floor; the seat's earlier request of the kind is replaced."""
        await self._c.execute(
            update(_requests)
            .where(
                _requests.c.run_id == self._ref.run,
                _requests.c.seat_id == seat_id,
                _requests.c.kind == kind,
                _requests.c.status.in_(SHOWN),
            )
            .values(status="replaced")
        )
        result = await self._c.execute(
            insert(_requests).values(
                office_id=self._ref.office,
                run_id=self._ref.run,
                seat_id=seat_id,
                kind=kind,
                text=text,
                status="open",
                at=at,
            )
        )
        return inserted_id(result)

    async def close_request(self, id_: int, status: str) -> bool:
        """The request was granted or declined; False when it is not open."""
        result = await self._c.execute(
            update(_requests)
            .where(
                _requests.c.id == id_,
                _requests.c.run_id == self._ref.run,
                _requests.c.status == "open",
            )
            .values(status=status)
        )
        return result.rowcount == 1

    async def put_away(self) -> None:
        """Another item: what was granted or declined is no longer shown (the journal keeps it)."""
        await self._c.execute(
            update(_requests)
            .where(_requests.c.run_id == self._ref.run, _requests.c.status.in_(SHOWN - {"open"}))
            .values(status="past")
        )

    async def requests(self) -> tuple[FloorRequest, ...]:
        """Open requests and what became of others in this item, oldest first."""
        rows = await self._rows(_REQUESTS)
        return tuple(
            FloorRequest(row.id, row.number, row.name, row.kind, row.text, row.at, row.status)
            for row in rows
        )
