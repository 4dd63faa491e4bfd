"""Texts of a closed round about its subjects, each under a random id, in whose order they lie."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, insert, select, update

from server.domain.comments import Comment
from server.store.rows import OFFICE, Repository, table
from server.store.tables import CommentRow

_c = table(CommentRow)
_ALL = (
    select(_c)
    .where(_c.c.round_id == bindparam("id"), _c.c.office_id == OFFICE)
    .order_by(_c.c.subject, _c.c.id)
)


class Comments(Repository):
    """The texts of one office's rounds."""

    async def put(self, round_id: str, comments: Sequence[Comment]) -> None:
        """All of a round, when it closes."""
        if comments:
            rows = [
                {
                    "round_id": round_id,
                    "id": one.id,
                    "office_id": self._ref.office,
                    "subject": one.subject,
                    "text": one.text,
                    "seat": one.seat,
                    "status": one.status,
                    "decided_by": "",
                }
                for one in comments
            ]
            await self._c.execute(insert(_c), rows)

    async def all(self, round_id: str) -> tuple[Comment, ...]:
        """By subject and random id."""
        rows = await self._rows(_ALL, id=round_id)
        return tuple(Comment(r.id, r.subject, r.text, r.seat, r.status) for r in rows)

    async def decide(self, round_id: str, id_: str, status: str, by: str, at: int) -> bool:
        """Released or withheld, also the other way round later; False when there is no such text."""
        result = await self._c.execute(
            update(_c)
            .where(_c.c.round_id == round_id, _c.c.id == id_, _c.c.office_id == self._ref.office)
            .values(status=status, decided_by=by, decided_at=at)
        )
        return result.rowcount == 1
