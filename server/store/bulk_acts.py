"""Acts on many questions at once, kept so that they can be taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from server.store.rows import RUN, Repository, inserted_id, locked, table
from server.store.tables import BulkActRow

_b = table(BulkActRow)
_ONE = locked(
    select(_b.c.actor, _b.c.act, _b.c["items"], _b.c.undone_at).where(
        _b.c.run_id == RUN, _b.c.id == bindparam("id")
    )
)


class BulkActs(Repository):
    """The bulk acts of one run."""

    async def add(self, actor: str, act: str, at: int, items: Sequence[Mapping[str, Any]]) -> int:
        """A new one; its id."""
        return inserted_id(
            await self._c.execute(
                insert(_b).values(
                    office_id=self._ref.office,
                    run_id=self._ref.run,
                    actor=actor,
                    act=act,
                    at=at,
                    items=[dict(one) for one in items],
                )
            )
        )

    async def hold(self, id_: int) -> tuple[str, str, list[dict[str, Any]], bool] | None:
        """(who did it, what, its items, whether it was taken back), held until this act ends."""
        row = await self._row(_ONE, id=id_)
        return (row[0], row[1], row[2], row[3] is not None) if row else None

    async def undone(self, id_: int, at: int) -> None:
        """It was taken back."""
        await self._c.execute(
            update(_b).where(_b.c.id == id_, _b.c.run_id == self._ref.run).values(undone_at=at)
        )
