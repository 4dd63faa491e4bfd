"""The index by which likely twins are found: which question has which key, and how many have a key.

The lists belong to a hearing and not to a run: the real run takes over the very questions of its
preparation. Nothing is ever taken out of them; whoever reads compares the questions as they are.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Integer,
    Select,
    String,
    bindparam,
    cast,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from server.store.rows import HEARING, RUN, Repository, table
from server.store.tables import HearingRow, MatchCountRow, MatchKeyRow, QuestionRow

_k, _n, _q = table(MatchKeyRow), table(MatchCountRow), table(QuestionRow)
_hearings = table(HearingRow)

ALL = 0
"""The key under which the number of all indexed questions stands: no bigram is 0."""
CANDIDATES = 40
"""Questions that are given at most."""
ENOUGH = 20
"""Twice as many as anybody is shown: where these stand, no more entries are looked at."""
NEAREST = (100, 500, 2_000)
"""Entries of the lists that are looked at for them: more than are wanted, since some belong to other runs or
are decided, and more again while fewer than `ENOUGH` of them stand; in the end as many as a question's
lists usually hold (`ENTRIES_MOST` in moderation/matching), so that copies of rehearsals crowd nothing
out. Few at first: what is read of each costs."""
REMOVES = 8
"""Merges that are followed, one after another, to what a question ended in."""


def _wanted(sqlite: bool) -> Any:
    """The keys that are asked for, with their weights, as rows."""
    if sqlite:
        rows = func.json_each(bindparam("wanted", type_=String)).table_valued("key", "value")
        return rows, cast(rows.c.key, Integer), rows.c.value
    pairs = (
        func.unnest(
            bindparam("keys", type_=ARRAY(BigInteger)), bindparam("weights", type_=ARRAY(Integer))
        )
        .table_valued("key", "value")
        .render_derived()
    )
    return pairs, pairs.c.key, pairs.c.value


def _nearest(sqlite: bool) -> Select[Any]:
    rows, key, weight = _wanted(sqlite)
    total = func.sum(weight).label("total")
    return (
        select(_k.c.question_id, total)
        .select_from(rows)
        .join(_k, (_k.c.hearing_id == HEARING) & (_k.c.key == key))
        .group_by(_k.c.question_id)
        .order_by(total.desc(), _k.c.question_id.desc())
        .limit(bindparam("most", type_=Integer))
    )


def _standing(sqlite: bool) -> Select[Any]:
    """For each of the ids that is of this run and of the wanted states, itself; for one that is not and was
    merged, what it ended in. Nothing wide is read."""
    if sqlite:
        ids = func.json_each(bindparam("ids", type_=String)).table_valued("value")
        states = func.json_each(bindparam("states", type_=String)).table_valued("value")
        among: Any = _q.c.id.in_(select(ids.c.value))
        wanted: Any = select(states.c.value)
    else:
        among = _q.c.id == func.any(bindparam("ids", type_=ARRAY(Integer)))
        wanted = select(func.unnest(bindparam("states", type_=ARRAY(String))))
    # `+ 0`: rows are found by id and code alone, as in server/store/questions.py.
    first = (
        select(
            _q.c.id.label("first"),
            _q.c.id.label("id"),
            _q.c.status,
            _q.c.merged_into,
            literal(0, Integer).label("removes"),
        )
        .where(among, _q.c.run_id + 0 == RUN)
        .cte("ends", recursive=True)
    )
    into = _q.alias("into")
    ends = first.union_all(
        select(first.c.first, into.c.id, into.c.status, into.c.merged_into, first.c.removes + 1)
        .join(into, (into.c.run_id + 0 == RUN) & (into.c.code == first.c.merged_into))
        .where(
            first.c.status == "merged",
            first.c.status.not_in(wanted),
            first.c.removes < REMOVES,
        )
    )
    return select(ends.c.first, ends.c.id).where(ends.c.status.in_(wanted))


def _counts(sqlite: bool) -> Select[Any]:
    if sqlite:
        rows = func.json_each(bindparam("wanted", type_=String)).table_valued("value")
        among: Any = _n.c.key.in_(select(rows.c.value))
    else:
        among = _n.c.key == func.any(bindparam("keys", type_=ARRAY(BigInteger)))
    return select(_n.c.key, _n.c.n).where(_n.c.hearing_id == HEARING, among)


_NEAREST = {sqlite: _nearest(sqlite) for sqlite in (True, False)}
_STANDING = {sqlite: _standing(sqlite) for sqlite in (True, False)}
_COUNTS = {sqlite: _counts(sqlite) for sqlite in (True, False)}
_UNINDEXED = (
    select(_q.c.id, _q.c.title, _q.c.text)
    .where(_q.c.hearing_id == HEARING, _q.c.run_id == RUN, _q.c.indexed.is_(False))
    .order_by(_q.c.id)
    .limit(bindparam("most", type_=Integer))
)

_UNGROUPED = (
    select(_q.c.id, _q.c.title, _q.c.text)
    .where(
        _q.c.hearing_id == HEARING,
        _q.c.run_id == RUN,
        _q.c.indexed.is_(True),
        _q.c.cluster.is_(None),
    )
    .order_by(_q.c.id)
    .limit(bindparam("most", type_=Integer))
)
_SHOWN = select(_hearings.c.slug).join(_q, _q.c.run_id == _hearings.c.run_id).distinct()


class Matching(Repository):
    """The index of one hearing."""

    async def counts(self, keys: Collection[int]) -> tuple[dict[int, int], int]:
        """(how many questions have each of the keys, how many are indexed)."""
        asked = [*keys, ALL]
        values = {"wanted": json.dumps(asked)} if self._sqlite else {"keys": asked}
        found = {row[0]: row[1] for row in await self._rows(_COUNTS[self._sqlite], **values)}
        return found, found.pop(ALL, 0)

    async def candidates(self, weights: Mapping[int, int], states: Collection[str]) -> list[int]:
        """Ids of the run's questions of these states that have most of the keys' weight, the most first,
        the newest first among equals. One that was merged, which is none of these states, stands for
        what it ended in: however many ask the same, their question takes one place."""
        if not weights:
            return []
        values: dict[str, Any]
        if self._sqlite:
            values = {"wanted": json.dumps(weights)}
        else:
            values = {"keys": list(weights), "weights": list(weights.values())}
        found: list[int] = []
        for most in NEAREST:
            rows = await self._rows(_NEAREST[self._sqlite], most=most, **values)
            near = [row[0] for row in rows]
            ends = await self._standing(near, states)
            found = list(dict.fromkeys(ends[id_] for id_ in near if id_ in ends))[:CANDIDATES]
            if len(found) >= ENOUGH or len(near) < most:
                break
        return found

    async def _standing(self, ids: list[int], states: Collection[str]) -> dict[int, int]:
        """Id → the id of what stands for it; those for which nothing does are left out."""
        if not ids:
            return {}
        wanted = sorted(states)
        values: dict[str, Any] = {"ids": ids, "states": wanted}
        if self._sqlite:
            values = {name: json.dumps(value) for name, value in values.items()}
        rows = await self._rows(_STANDING[self._sqlite], **values)
        return {row[0]: row[1] for row in rows}

    async def unindexed(self, most: int) -> list[tuple[int, str, str]]:
        """(id, title, text) of questions of the run that are not in the index yet."""
        rows = await self._rows(_UNINDEXED, most=most)
        return [(row[0], row[1], row[2]) for row in rows]

    async def ungrouped(self, most: int) -> list[tuple[int, str, str]]:
        """(id, title, text) of questions in the index that belong to no group yet."""
        rows = await self._rows(_UNGROUPED, most=most)
        return [(row[0], row[1], row[2]) for row in rows]

    async def unite(self, become: Mapping[int, int]) -> None:
        """Every group that turned out to be one with another gets its label, one after the other."""
        for label, other in become.items():
            await self._c.execute(
                update(_q)
                .where(_q.c.run_id == self._ref.run, _q.c.cluster == label)
                .values(cluster=other)
            )

    async def index(self, questions: Sequence[tuple[int, Iterable[int]]]) -> None:
        """Puts questions with their keys into the index."""
        hearing, counted = self._ref.hearing, {ALL: len(questions)}
        entries: list[dict[str, int]] = []
        for question, keys in questions:
            for key in keys:
                counted[key] = counted.get(key, 0) + 1
                entries.append({"hearing_id": hearing, "key": key, "question_id": question})
        insert = insert_sqlite if self._sqlite else insert_postgresql
        if entries:
            await self._c.execute(insert(_k).on_conflict_do_nothing(), entries)
        new = insert(_n)
        # In order of key: two that index at once wait for each other, never in a circle.
        await self._c.execute(
            new.on_conflict_do_update(
                index_elements=["hearing_id", "key"], set_={"n": _n.c.n + new.excluded.n}
            ),
            [{"hearing_id": hearing, "key": key, "n": n} for key, n in sorted(counted.items())],
        )
        ids = [question for question, _ in questions]
        await self._c.execute(update(_q).where(_q.c.id.in_(ids)).values(indexed=True))


async def hearings_to_index(connection: AsyncConnection) -> tuple[str, ...]:
    """Slugs of hearings whose shown run has questions that are not in the index."""
    rows = await connection.execute(_SHOWN.where(_q.c.indexed.is_(False)))
    return tuple(rows.scalars())


async def hearings_to_group(connection: AsyncConnection) -> tuple[str, ...]:
    """Slugs of hearings whose shown run has questions in the index that belong to no group."""
    rows = await connection.execute(_SHOWN.where(_q.c.indexed.is_(True), _q.c.cluster.is_(None)))
    return tuple(rows.scalars())
