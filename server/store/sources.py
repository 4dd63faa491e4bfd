"""Sources of a hearing's questions, what was pushed, and what could not be taken in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.sources import IntakeSource
from server.store.rows import HEARING, OFFICE, Repository, inserted_id, locked, table
from server.store.tables import HearingRow, IntakeMessageRow, QuarantineRow, Run, SourceRow

_s, _m, _held = table(SourceRow), table(IntakeMessageRow), table(QuarantineRow)
_hearings, _runs = table(HearingRow), table(Run)

_NAMES = [one.name for one in fields(IntakeSource)]
_COLUMNS: list[Any] = [_s.c.get(name) for name in _NAMES]
_HERE = select(*_COLUMNS).where(_s.c.hearing_id == HEARING, _s.c.office_id == OFFICE)
_ALL = _HERE.order_by(_s.c.id)
_ONE = _HERE.where(_s.c.key == bindparam("key"))
_ONE_LOCKED = locked(_ONE)
_CALLED = _HERE.where(_s.c.address == bindparam("address"))
_CALLED_LOCKED = locked(_CALLED)


class Sources(Repository):
    """The sources of one hearing, whichever of its runs is shown."""

    async def all(self) -> tuple[IntakeSource, ...]:
        """Every source in the order of its making."""
        return tuple(IntakeSource(*row) for row in await self._rows(_ALL))

    async def get(self, key: str, *, lock: bool = False) -> IntakeSource | None:
        """One source by its key."""
        row = await self._row(_ONE_LOCKED if lock else _ONE, key=key)
        return IntakeSource(*row) if row else None

    async def called(self, address: str, *, lock: bool = False) -> IntakeSource | None:
        """One source by what outside systems call it."""
        row = await self._row(_CALLED_LOCKED if lock else _CALLED, address=address)
        return IntakeSource(*row) if row else None

    async def add(self, source: IntakeSource, box: bytes | None) -> int:
        """A new source; its id."""
        values = {name: getattr(source, name) for name in _NAMES if name != "id"}
        return inserted_id(
            await self._c.execute(
                insert(_s).values(
                    office_id=self._ref.office, hearing_id=self._ref.hearing, box=box, **values
                )
            )
        )

    async def save(self, id_: int, **values: Any) -> None:
        """These columns of a source."""
        await self._c.execute(
            update(_s).where(_s.c.id == id_, _s.c.hearing_id == self._ref.hearing).values(**values)
        )

    async def box(self, id_: int) -> bytes | None:
        """The secret box around its keys and passwords."""
        found = await self._c.execute(
            select(_s.c.box).where(_s.c.id == id_, _s.c.hearing_id == self._ref.hearing)
        )
        box: bytes | None = found.scalar_one()
        return box

    async def took(
        self, source: IntakeSource, at: int, counts: Mapping[str, int], error: str = ""
    ) -> None:
        """What a run of the source brought, or the code of why it brought nothing."""
        totals = {
            name: source.totals.get(name, 0) + counts.get(name, 0)
            for name in sorted({*source.totals, *counts})
        }
        values: dict[str, Any] = {"last_at": at, "counts": dict(counts), "totals": totals}
        if error or source.error:
            values |= {"error": error, "error_at": at if error else 0}
        await self.save(source.id, **values)

    # ── what was pushed ──

    async def message(self, source: int, message: str) -> tuple[str, int, dict[str, Any]] | None:
        """(digest, status, answer) of a message that came before."""
        row = (
            await self._c.execute(
                select(_m.c.digest, _m.c.status, _m.c.answer).where(
                    _m.c.source_id == source, _m.c.message_id == message
                )
            )
        ).one_or_none()
        return None if row is None else (row.digest, row.status, dict(row.answer))

    async def keep_message(
        self,
        source: int,
        message: str,
        digest: str,
        status: int,
        answer: Mapping[str, Any],
        at: int,
    ) -> None:
        """What a message was answered."""
        await self._c.execute(
            insert(_m).values(
                source_id=source,
                message_id=message,
                office_id=self._ref.office,
                digest=digest,
                status=status,
                answer=dict(answer),
                at=at,
            )
        )

    async def forget_messages(self, before: int) -> None:
        """Messages older than this, which no sender repeats any more."""
        await self._c.execute(
            delete(_m).where(_m.c.office_id == self._ref.office, _m.c.at < before)
        )

    # ── what could not be taken in ──

    async def hold_back(self, source: int, name: str, reason: str, box: bytes, at: int) -> bool:
        """Keeps a message that could not be taken in, sealed whole; once. Whether it is new."""
        kept = await self._c.execute(
            select(_held.c.id).where(_held.c.source_id == source, _held.c.name == name)
        )
        if kept.one_or_none() is not None:
            return False
        await self._c.execute(
            insert(_held).values(
                source_id=source,
                name=name,
                office_id=self._ref.office,
                reason=reason,
                box=box,
                at=at,
            )
        )
        return True

    async def held_back(
        self, source: int, most: int = 20
    ) -> tuple[int, tuple[tuple[str, str, int], ...]]:
        """How many such messages there are, and (name, reason, when) of the newest of them."""
        here = _held.c.source_id == source, _held.c.office_id == self._ref.office
        count = await self._c.execute(select(func.count()).select_from(_held).where(*here))
        rows = await self._c.execute(
            select(_held.c.name, _held.c.reason, _held.c.at)
            .where(*here)
            .order_by(_held.c.id.desc())
            .limit(most)
        )
        return int(count.scalar_one()), tuple((row.name, row.reason, row.at) for row in rows)

    async def held_box(self, source: int, name: str) -> bytes | None:
        """The box around such a message."""
        here = _held.c.source_id == source, _held.c.office_id == self._ref.office
        found = await self._c.execute(select(_held.c.box).where(*here, _held.c.name == name))
        box: bytes | None = found.scalar_one_or_none()
        return box

    async def let_go(self, source: int, name: str) -> bool:
        """Such a message is kept no longer. Whether it was."""
        here = _held.c.source_id == source, _held.c.office_id == self._ref.office
        gone = await self._c.execute(delete(_held).where(*here, _held.c.name == name))
        return gone.rowcount > 0


@dataclass(frozen=True, slots=True)
class ToPoll:
    """A source that is asked again and again, next at `next_at`."""

    hearing: int
    key: str
    connector: str
    version: int
    next_at: int


async def polled_sources(
    connection: AsyncConnection, connectors: frozenset[str]
) -> tuple[ToPoll, ...]:
    """Every source with one of these connectors that is not paused, of hearings that are not put
    away; the longest due first."""
    rows = await connection.execute(
        select(_s.c.hearing_id, _s.c.key, _s.c.connector, _s.c.version, _s.c.next_at)
        .join(_hearings, _hearings.c.id == _s.c.hearing_id)
        .join(_runs, _runs.c.id == _hearings.c.run_id)
        .where(_s.c.connector.in_(connectors), _s.c.paused.is_(False), _runs.c.status != "archived")
        .order_by(_s.c.next_at)
    )
    return tuple(ToPoll(*row) for row in rows)
