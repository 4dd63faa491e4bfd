"""The public's votes: an append-only table (round, viewer, key, choice), and what is known of it.

To count a vote one must know what this viewer sent before in the hearing: the first answer to its
key, and the choice that it replaces. PostgreSQL looks that up in its unique index. SQLite has one
process, and an index of random keys is what makes a table slow as it fills (an insert dirties a page
of its own), so there it is kept in memory: a book for each hearing, read when the process starts or
the hearing's first vote comes, and written only after the commit. The table itself only grows at its
end, at the same speed whether it holds a thousand votes or a million (docs/decisions/0011-votes.md).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import ARRAY, Text, bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.hearing import Ref
from server.domain.public_acts import Sent, Vote, last_in
from server.store.rows import HEARING, Repository, among, listed, select_among, table
from server.store.tables import HearingRow, Run, VoteRow

_votes, _hearings, _runs = table(VoteRow), table(HearingRow), table(Run)

_ALL = (
    select(_votes.c.viewer, _votes.c.round_id, _votes.c.key, _votes.c.choice)
    .where(_votes.c.hearing_id == HEARING)
    .order_by(_votes.c.id)
)
_OF_VIEWERS = select_among(_ALL, _votes.c.viewer)
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(1986356325, :hearing)")
"""Batches of one hearing's votes wait for each other, in whatever process: each takes back what the
others counted. There is no row to lock before a viewer's first vote."""
_APPEND = text(
    "INSERT INTO votes (hearing_id, round_id, at, viewer, key, choice)"
    " SELECT :hearing, :round, :at, one.viewer, one.key, one.choice"
    " FROM unnest(:viewers, :keys, :choices) WITH ORDINALITY AS one (viewer, key, choice, n)"
    " ORDER BY one.n"
).bindparams(*(bindparam(name, type_=ARRAY(Text)) for name in ("viewers", "keys", "choices")))


class Books:
    """What the viewers of this process's hearings have sent; for SQLite alone."""

    def __init__(self) -> None:
        self._books: dict[int, dict[str, tuple[Sent, ...]]] = {}

    def get(self, hearing: int) -> dict[str, tuple[Sent, ...]] | None:
        """The hearing's book, if it has been read."""
        return self._books.get(hearing)

    async def read(self, connection: AsyncConnection, hearing: int) -> None:
        """Reads the hearing's book, on the writer's connection: nobody votes meanwhile."""
        pool = await connection.get_raw_connection()
        driver: Any = pool.driver_connection
        self._books[hearing] = await driver.in_thread(partial(_book, driver.raw, hearing))

    async def read_all(self, connection: AsyncConnection) -> None:
        """The books of every hearing that is not archived."""
        rows = await connection.execute(
            select(_hearings.c.id)
            .join(_runs, _runs.c.id == _hearings.c.run_id)
            .where(_runs.c.status != "archived")
        )
        for hearing in rows.scalars().all():
            await self.read(connection, hearing)

    def write(self, hearing: int, votes: Iterable[Vote]) -> None:
        """Votes that are committed."""
        book = self._books[hearing]
        for vote in votes:
            one = (vote.round, vote.key, vote.choice)
            book[vote.viewer] = (*book.get(vote.viewer, ()), one)

    def forget(self, hearing: int) -> None:
        """The hearing's book is not kept: a commit's outcome is unknown, or nobody votes any more."""
        self._books.pop(hearing, None)


def _book(raw: sqlite3.Connection, hearing: int) -> dict[str, tuple[Sent, ...]]:
    """A hearing's book. There may be a million rows, and whoever starts again after a crash waits for them:
    SQLAlchemy's rows cost three times as much as the driver's own."""
    book: dict[str, tuple[Sent, ...]] = {}
    shared: dict[str, str] = {}
    rows = raw.execute(
        "SELECT viewer, round_id, key, choice FROM votes WHERE hearing_id = ? ORDER BY id",
        (hearing,),
    )
    for viewer, round_, key, choice in rows:
        one = (shared.setdefault(round_, round_), key, shared.setdefault(choice, choice))
        before = book.get(viewer)
        book[viewer] = (one,) if before is None else (*before, one)
    return book


DIGITS = "FM0000000000000000000"
"""How PostgreSQL writes an id so that ids stand in order as text: 19 digits."""


class Votes(Repository):
    """The votes of one hearing."""

    def __init__(self, connection: AsyncConnection, ref: Ref, books: Books) -> None:
        super().__init__(connection, ref)
        self._books = books
        self._sqlite = connection.dialect.name == "sqlite"

    async def sent_by(self, viewers: Iterable[str]) -> Mapping[str, Sequence[Sent]]:
        """What each of these viewers has sent in the hearing; who sent nothing may be missing."""
        book = self._books.get(self._ref.hearing) if self._sqlite else None
        if book is not None:
            return book
        rows = await self._rows(among(self._c, _OF_VIEWERS), among=listed(self._c, viewers))
        found: dict[str, list[Sent]] = {}
        for row in rows:
            found.setdefault(row.viewer, []).append((row.round_id, row.key, row.choice))
        return found

    async def hold(self) -> None:
        """No other batch of this hearing's votes is decided until this transaction ends."""
        if not self._sqlite:
            await self._c.execute(_ONE_AT_A_TIME, {"hearing": self._ref.hearing})
        elif self._books.get(self._ref.hearing) is None:
            await self._books.read(self._c, self._ref.hearing)

    def forget(self) -> None:
        """The hearing is over: its book need not be kept in memory."""
        self._books.forget(self._ref.hearing)

    async def last_choice(self, round_id: str, viewer: str) -> str | None:
        """The choice that counts for this viewer."""
        return last_in((await self.sent_by([viewer])).get(viewer, ()), round_id)

    async def append(self, round_id: str, votes: Sequence[Vote]) -> None:
        """Votes of one round, in the order in which they count."""
        if not votes:
            return
        if self._sqlite:
            hearing = self._ref.hearing
            await self._c.exec_driver_sql(
                "INSERT INTO votes (hearing_id, round_id, viewer, key, choice, at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                [(hearing, round_id, v.viewer, v.key, v.choice, v.at) for v in votes],
            )
            return
        await self._c.execute(
            _APPEND,
            {
                "hearing": self._ref.hearing,
                "round": round_id,
                "at": votes[0].at,
                "viewers": [vote.viewer for vote in votes],
                "keys": [vote.key for vote in votes],
                "choices": [vote.choice for vote in votes],
            },
        )

    async def recount(self, round_id: str) -> tuple[dict[str, int], int]:
        """(votes that count by choice, voters), from the stored rows alone."""
        last = await self._last_of_each(round_id)
        rows = await self._c.execute(select(last.c.choice, func.count()).group_by(last.c.choice))
        counts = {row[0]: row[1] for row in rows}
        return counts, sum(counts.values())

    async def counted(self, round_id: str) -> Iterator[Sequence[str]]:
        """(viewer, choice) of every vote that counts, by viewer."""
        last = await self._last_of_each(round_id)
        rows = await self._c.execute(select(last.c.viewer, last.c.choice).order_by(last.c.viewer))
        return iter(rows)

    async def _last_of_each(self, round_id: str) -> Any:
        """(viewer, choice) of each viewer's last row, in one pass over the round's rows: joining the
        rows with the last ids took PostgreSQL half as long again."""
        last = func.max(_votes.c.id).label("id")
        here = _votes.c.round_id == round_id
        if self._sqlite:  # Where a column stands beside max(), SQLite takes it from that very row.
            found = select(_votes.c.viewer, _votes.c.choice, last).where(here)
            return found.group_by(_votes.c.viewer).subquery()
        await self._c.execute(text("SET LOCAL work_mem = '256MB'"))  # a million voters, unspilt
        numbered = func.to_char(_votes.c.id, DIGITS, type_=Text) + _votes.c.choice
        newest = func.max(numbered.collate("C"))
        found = select(_votes.c.viewer, func.substr(newest, len(DIGITS) - 1).label("choice"))
        return found.where(here).group_by(_votes.c.viewer).subquery()
