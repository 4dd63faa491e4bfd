"""The run's journal and head row, and the first answers to idempotency keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Integer, Row, Update, bindparam, insert, select, update

from server.domain.events import EVENTS, ROOMS
from server.domain.journal import Entry, entry_hash
from server.store.rows import HEARING, RUN, Repository, table
from server.store.tables import AnswerRow, Head, JournalRow

_heads, _journal, _answers = table(Head), table(JournalRow), table(AnswerRow)


@dataclass(frozen=True)
class HeadState:
    """The last number of the journal and of each room."""

    seq: int
    hash: str
    versions: Mapping[str, int]


_HEAD = select(_heads).where(_heads.c.run_id == RUN)
_SINCE = (
    select(_journal)
    .where(_journal.c.run_id == RUN, _journal.c.seq > bindparam("seq"))
    .order_by(_journal.c.seq)
    .limit(bindparam("most", type_=Integer))
)
_FIRST_ANSWER = select(_answers).where(
    _answers.c.owner == bindparam("owner"),
    _answers.c.hearing_id == HEARING,
    _answers.c.key == bindparam("key"),
)


@cache
def _next(event: str) -> Update:
    """The statement that takes the next numbers for an event and locks the head row."""
    values: dict[str, Any] = {"seq": _heads.c.seq + 1}
    values.update({f"v_{room}": _heads.c[f"v_{room}"] + 1 for room in EVENTS[event].rooms})
    return (
        update(_heads)
        .where(_heads.c.run_id == bindparam("here"))
        .values(**values)
        .returning(*_heads.c)
    )


class Journal(Repository):
    """The journal of one run."""

    async def head(self) -> HeadState:
        """Where the journal stands."""
        row = await self._row(_HEAD)
        assert row is not None
        return _head(row)

    async def begin(self) -> None:
        """A new run's head row."""
        await self._c.execute(insert(_heads).values(run_id=self._ref.run))

    async def next(self, event: str) -> tuple[HeadState, str]:
        """Takes the next numbers for `event` by locking the head row; gives (numbers, previous
        hash). The row stays locked until the transaction ends, so numbers rise without gaps in
        the order of commits."""
        row = (await self._c.execute(_next(event), {"here": self._ref.run})).one()
        return _head(row), row.hash

    async def append(
        self,
        numbers: HeadState,
        prev: str,
        event: str,
        *,
        at: int,
        actor: str,
        role: str,
        body: Mapping[str, Any],
        public: Mapping[str, Any] | None,
    ) -> None:
        """The entry with the numbers that `next` took, chained to `prev`."""
        rooms = {room: numbers.versions[room] for room in EVENTS[event].rooms}
        hash_ = entry_hash(prev, numbers.seq, at, event, actor, role, body, rooms)
        await self._c.execute(
            insert(_journal).values(
                run_id=self._ref.run,
                seq=numbers.seq,
                at=at,
                event=event,
                actor=actor,
                role=role,
                body=dict(body),
                rooms=rooms,
                public=dict(public) if public is not None else None,
                prev=prev,
                hash=hash_,
            )
        )
        await self._c.execute(
            update(_heads).where(_heads.c.run_id == self._ref.run).values(hash=hash_)
        )

    async def since(self, seq: int, limit: int = 256) -> tuple[Entry, ...]:
        """Entries after `seq`, oldest first."""
        rows = await self._rows(_SINCE, seq=seq, most=limit)
        return tuple(
            Entry(
                row.seq,
                row.at,
                row.event,
                row.actor,
                row.role,
                row.body,
                row.rooms,
                row.public,
                row.prev,
                row.hash,
            )
            for row in rows
        )

    # ── answers ──

    async def first_answer(self, owner: str, key: str) -> tuple[str, int, dict[str, Any]] | None:
        """(hash of the body, status, answer) first given to this key, or None."""
        row = await self._row(_FIRST_ANSWER, owner=owner, key=key)
        return (row.body_hash, row.status, dict(row.answer)) if row else None

    async def keep_answer(
        self, owner: str, key: str, body_hash: str, status: int, answer: Mapping[str, Any], at: int
    ) -> None:
        """The first answer to the key; a second insert fails on the primary key."""
        await self._c.execute(
            insert(_answers).values(
                owner=owner,
                hearing_id=self._ref.hearing,
                key=key,
                body_hash=body_hash,
                status=status,
                answer=dict(answer),
                at=at,
            )
        )


def _head(row: Row[Any]) -> HeadState:
    return HeadState(row.seq, row.hash, {room: getattr(row, f"v_{room}") for room in ROOMS})
