"""The bundles of certified rounds: both editions, as they were made."""

from __future__ import annotations

from sqlalchemy import bindparam, insert, select

from server.domain.bundles import MadeBundle
from server.store.rows import OFFICE, Repository, table
from server.store.tables import BundleRow

_b = table(BundleRow)
_HERE = (_b.c.round_id == bindparam("id"), _b.c.office_id == OFFICE)
_EDITIONS = {
    "public": select(_b.c.public).where(*_HERE),
    "sealed": select(_b.c.sealed).where(*_HERE),
}


class Bundles(Repository):
    """The bundles of one office's rounds."""

    async def edition(self, round_id: str, edition: str) -> bytes | None:
        """One edition as a zip."""
        row = await self._row(_EDITIONS[edition], id=round_id)
        return None if row is None else bytes(row[0])

    async def keep(self, round_id: str, made: MadeBundle, at: int) -> None:
        """Keeps it; it is never made a second time."""
        await self._c.execute(
            insert(_b).values(
                round_id=round_id,
                office_id=self._ref.office,
                public=made.public,
                sealed=made.sealed,
                at=at,
            )
        )
