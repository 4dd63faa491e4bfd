"""SQLite for an event loop: short statements run at once, long ones and commits in a thread.

A statement of an ordinary act takes SQLite some 20 µs, and handing it to another thread and back
takes ten times as long, four times a statement (docs/decisions/0007-sqlite-on-the-loop.md). So
statements run on the loop's own thread, with three exceptions: what waits for the disk or for
another process (`BEGIN IMMEDIATE`, `COMMIT`), what carries many rows (`executemany`), and a query
that has run for `BUDGET_S`, which is broken off and begun again in a thread. A row of short
statements lets the loop breathe as often.

`opener` gives SQLAlchemy's `sqlite+aiosqlite` dialect its connections (`async_creator`); they have
the form of aiosqlite's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import inf
from time import monotonic
from typing import Any, TypeVar

BUDGET_S = 0.004
"""How long SQLite may keep the loop: a cue to the next viewer waits no longer than that."""
STEPS = 4000
"""SQLite's virtual machine looks at the clock after so many steps: some 0.1 ms."""

T = TypeVar("T")


class Cursor:
    """One statement and its rows."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cursor = connection.raw.cursor()
        self._rows: list[Any] = []
        self.arraysize = 1

    async def __aenter__(self) -> Cursor:
        return self

    @property
    def description(self) -> Any:
        return self._cursor.description

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._cursor.lastrowid

    async def execute(self, operation: str, parameters: Sequence[Any] = ()) -> None:
        """Runs the statement and fetches all of its rows."""

        def run() -> None:
            self._cursor.execute(operation, parameters)
            self._rows = self._cursor.fetchall() if self._cursor.description else []

        self._connection.check()
        start = operation[:15].upper()
        if start == "BEGIN IMMEDIATE":
            await self._connection.in_thread(run)
            self._connection.begun = True
        else:
            await self._connection.at_once(run, again=start.startswith("SELECT"))

    async def executemany(self, operation: str, parameters: Sequence[Sequence[Any]]) -> None:
        """Runs the statement for many rows, in the thread."""
        self._connection.check()
        await self._connection.in_thread(lambda: self._cursor.executemany(operation, parameters))

    async def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        self._cursor.close()


class Connection:
    """One connection; used by one coroutine at a time, as SQLAlchemy's pool hands it out."""

    def __init__(self, raw: sqlite3.Connection, threads: ThreadPoolExecutor) -> None:
        self.raw, self._threads = raw, threads
        self._until = inf
        self._breath = 0.0
        self.begun = False
        """Whether a writer's transaction was begun and not ended by us."""
        raw.set_progress_handler(self._spent, STEPS)

    @property
    def _connection(self) -> sqlite3.Connection:
        return self.raw  # SQLAlchemy asks this of an aiosqlite connection before it commits

    def _spent(self) -> bool:
        return monotonic() > self._until

    def cursor(self) -> Cursor:
        """A cursor for one statement."""
        return Cursor(self)

    async def at_once(self, run: Callable[[], None], *, again: bool) -> None:
        """Runs on the loop's thread; what may be run `again` goes to a thread when it takes long."""
        now = monotonic()
        if now - self._breath > BUDGET_S:
            await asyncio.sleep(0)
            now = self._breath = monotonic()
        if not again:
            run()
            return
        self._until = now + BUDGET_S
        try:
            run()
        except sqlite3.OperationalError:
            if monotonic() < self._until:
                raise
            self._until = inf
            await self.in_thread(run)
        finally:
            self._until = inf

    async def in_thread(self, run: Callable[[], T]) -> T:
        """Runs in a thread. A cancelled caller waits for its end: the connection is not free before."""
        work = asyncio.get_running_loop().run_in_executor(self._threads, run)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            while not work.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([work])
            raise

    async def create_function(self, name: str, arguments: int, run: Any, **options: Any) -> None:
        self.raw.create_function(name, arguments, run, **options)

    def check(self) -> None:
        """Raises where SQLite has rolled back by itself (a full disk, a failed write): whatever came after
        that would be committed alone, and the act be told as done."""
        if self.begun and not self.raw.in_transaction:
            raise sqlite3.OperationalError("the transaction is gone")

    async def commit(self) -> None:
        self.check()
        self.begun = False
        if self.raw.in_transaction:
            await self.in_thread(self.raw.commit)

    async def rollback(self) -> None:
        self.begun = False
        self.raw.rollback()

    async def close(self) -> None:
        self.raw.close()

    def stop(self) -> None:
        """Ends without a loop, as at garbage collection."""
        self.raw.close()


def opener(
    database: str, threads: ThreadPoolExecutor, prepare: Sequence[str]
) -> Callable[[], Coroutine[Any, Any, Connection]]:
    """What `create_async_engine(async_creator=…)` takes: opens connections to `database` (a path or
    a `file:` address) that use `threads`, with the pragmas of `prepare`."""

    async def open_connection() -> Connection:
        # SQLAlchemy's own event says BEGIN, so the driver says none by itself.
        raw = sqlite3.connect(database, uri=True, check_same_thread=False, isolation_level=None)
        for statement in prepare:
            raw.execute(statement).close()
        return Connection(raw, threads)

    return open_connection
