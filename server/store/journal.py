"""The run's journal and head row, and the first answers to idempotency keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, Row, bindparam, insert, select, update

from server.domain.events import EVENTS, ROOMS
from server.domain.journal import Entry, entry_hash
from server.store.rows import HEARING, RUN, Repository, among, listed, select_among, table
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


OF_QUESTIONS = frozenset(name for name in EVENTS if name.startswith("question_"))
"""Events whose `id` is a question's: an entry is found by it (`store/desk.py`)."""

_NEXT = (
    update(_heads)
    .where(_heads.c.run_id == RUN)
    .values(
        seq=_heads.c.seq + bindparam("n", type_=Integer),
        **{f"v_{r}": _heads.c[f"v_{r}"] + bindparam(f"n_{r}", type_=Integer) for r in ROOMS},
    )
    .returning(*_heads.c)
)
"""Takes numbers and locks the head row."""
_CHAINED = update(_heads).where(_heads.c.run_id == RUN).values(hash=bindparam("last"))
_ENTRY, _ANSWER = insert(_journal), insert(_answers)


@dataclass(frozen=True)
class Act:
    """One act to be written down; `public` is what the public's cue carries."""

    event: str
    body: Mapping[str, Any]
    public: Mapping[str, Any] | None


_ANSWERS = select_among(
    select(_answers.c.owner, _answers.c.key, _answers.c.body_hash, _answers.c.answer).where(
        _answers.c.hearing_id == HEARING
    ),
    _answers.c.owner,
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

    async def lock(self, events: Sequence[str]) -> HeadState:
        """Takes the numbers for these events, in this order, by locking the head row; gives the
        last of them, with the hash of the entry before. The row stays locked until the transaction
        ends, so numbers rise without gaps in the order of commits."""
        rooms = Counter(room for event in events for room in EVENTS[event].rooms)
        steps = {f"n_{room}": rooms[room] for room in ROOMS}
        return _head(await self._row(_NEXT, n=len(events), **steps))

    async def append(
        self, head: HeadState, acts: Sequence[Act], *, at: int, actor: str, role: str
    ) -> None:
        """The entries with the numbers that `lock` took, chained one to the other."""
        seq = head.seq - len(acts)
        left = Counter(room for act in acts for room in EVENTS[act.event].rooms)
        versions = {room: n - left[room] for room, n in head.versions.items()}
        rows, prev = [], head.hash
        for act in acts:
            seq += 1
            rooms = {}
            for room in EVENTS[act.event].rooms:
                versions[room] += 1
                rooms[room] = versions[room]
            hash_ = entry_hash(prev, seq, at, act.event, actor, role, act.body, rooms)
            rows.append(
                {
                    "run_id": self._ref.run,
                    "seq": seq,
                    "at": at,
                    "event": act.event,
                    "actor": actor,
                    "role": role,
                    "body": dict(act.body),
                    "rooms": rooms,
                    "public": dict(act.public) if act.public is not None else None,
                    "prev": prev,
                    "hash": hash_,
                    "question_id": act.body.get("id") if act.event in OF_QUESTIONS else None,
                }
            )
            prev = hash_
        await self._each(_ENTRY, rows)
        await self._do(_CHAINED, run=self._ref.run, last=prev)

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

    async def first_answers(
        self, owners: Iterable[str]
    ) -> dict[tuple[str, str], tuple[str, dict[str, Any]]]:
        """(owner, key) → (hash of the body, answer) of everything that these owners were answered."""
        rows = await self._rows(among(self._c, _ANSWERS), among=listed(self._c, owners))
        return {(row.owner, row.key): (row.body_hash, dict(row.answer)) for row in rows}

    async def keep_answers(
        self, answers: Sequence[tuple[str, str, str, int, Mapping[str, Any], int]]
    ) -> None:
        """First answers as (owner, key, hash of the body, status, answer, at)."""
        if answers:
            names = ("owner", "key", "body_hash", "status", "answer", "at")
            here = {"hearing_id": self._ref.hearing}
            rows = [{**here, **dict(zip(names, one, strict=True))} for one in answers]
            await self._each(_ANSWER, rows)

    async def keep_answer(
        self, owner: str, key: str, body_hash: str, status: int, answer: Mapping[str, Any], at: int
    ) -> None:
        """The first answer to the key; a second insert fails on the primary key."""
        await self.keep_answers([(owner, key, body_hash, status, answer, at)])


def _head(row: Row[Any]) -> HeadState:
    return HeadState(row.seq, row.hash, {room: getattr(row, f"v_{room}") for room in ROOMS})
