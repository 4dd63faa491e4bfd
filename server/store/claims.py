"""Who works on which question."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select

from server.domain.claims import Claim
from server.store.rows import HEARING, OFFICE, Repository, table, upsert
from server.store.tables import ClaimRow

_c = table(ClaimRow)
_HERE = select(_c.c.question_id, _c.c.actor, _c.c.name, _c.c.at, _c.c.firm).where(
    _c.c.hearing_id == HEARING, _c.c.office_id == OFFICE
)
_ALL = _HERE.order_by(_c.c.at)
_ONE = _HERE.where(_c.c.question_id == bindparam("question"))


class Claims(Repository):
    """The claims of one hearing."""

    async def all(self) -> tuple[Claim, ...]:
        """Every claim, the oldest first, lapsed ones too."""
        return tuple(Claim(*row) for row in await self._rows(_ALL))

    async def of(self, question: int) -> Claim | None:
        """The claim of one question."""
        row = await self._row(_ONE, question=question)
        return Claim(*row) if row else None

    async def put(self, claim: Claim) -> None:
        """The claim, in the place of another of this question."""
        await upsert(
            self._c,
            ClaimRow,
            {"question_id": claim.question},
            office_id=self._ref.office,
            hearing_id=self._ref.hearing,
            actor=claim.actor,
            name=claim.name,
            at=claim.at,
            firm=claim.firm,
        )

    async def drop(self, question: int) -> bool:
        """Takes the claim of a question away; whether there was one."""
        gone = await self._c.execute(
            delete(_c).where(_c.c.question_id == question, _c.c.hearing_id == self._ref.hearing)
        )
        return gone.rowcount > 0
