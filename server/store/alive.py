"""Which processes serve this database (docs/decisions/0009-who-is-alive.md).

On SQLite one process may: it holds a lock on a file beside the database. On PostgreSQL every
`serve` and `web` holds a shared advisory lock for as long as it lives, by a connection of its own. Both end with the
process, however it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from server.domain.refusals import Refusal
from server.store.transaction import Database

STARTS, LIVES, DUTY = 0x70696E68, 0x70696E69, 0x70696E6A
"""Keys of PostgreSQL's advisory locks: one process starts at a time; who lives shares the second;
one of them has the duties."""
LOOK_S = 2.0
"""How often the lock's connection is looked at, and made anew when it was lost."""
DEAD_AFTER = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}
"""A machine that is gone without a word lets its lock go after 11 s."""
log = structlog.get_logger()


def _session(database: Database) -> AsyncEngine:
    """Connections that hold a session's locks."""
    return create_async_engine(
        database.url,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        connect_args={"server_settings": DEAD_AFTER},
    )


class Duty:
    """What one process does for all: closing by time, screening. On PostgreSQL it is whoever has the
    lock, and another within two seconds when that one is gone; SQLite has one process."""

    def __init__(self, database: Database, waits_s: float = 0) -> None:
        self._waits_s = waits_s
        self._connection: AsyncConnection | None = None
        self._engine = None if database.sqlite else _session(database)
        self.mine = self._engine is None
        """Whether it is this process now. It may hold for a moment after the lock was lost: what is
        done twice finds itself done."""

    async def keep(self) -> None:
        """Asks for the lock, and again and again."""
        await asyncio.sleep(self._waits_s)
        while self._engine is not None:
            try:
                if self._connection is None:
                    self._connection = await self._engine.connect()
                if self.mine:
                    await self._connection.execute(text("SELECT 1"))
                else:
                    self.mine = await _lock(self._connection, "pg_try_advisory_lock", DUTY)
            except Exception as error:  # however PostgreSQL is gone, it is tried again
                log.warning("duty_lost", error=type(error).__name__)
                await self.end()
            await asyncio.sleep(LOOK_S / 2)

    async def end(self) -> None:
        """Another process may have it."""
        if self._engine is not None:
            self.mine = False
            connection, self._connection = self._connection, None
            await _closed(connection)


class Alive:
    """This process among those that serve the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._file: IO[str] | None = None
        self._connection: AsyncConnection | None = None
        if not database.sqlite:
            self._engine = _session(database)

    @asynccontextmanager
    async def starting(self) -> AsyncIterator[bool]:
        """No other process starts while the block runs. Gives whether this one is alone; it counts
        as alive from then on. Refused with `data_in_use` when SQLite has its one process."""
        if self._database.sqlite:
            self._hold_file()
            yield True
            return
        self._connection = await self._engine.connect()
        await self._lock("pg_advisory_lock", STARTS)
        alone = await self._lock("pg_try_advisory_lock", LIVES)
        try:
            yield alone
            await self._lock("pg_advisory_lock_shared", LIVES)
        finally:
            if alone:
                await self._lock("pg_advisory_unlock", LIVES)
            await self._lock("pg_advisory_unlock", STARTS)

    async def keep(self) -> None:
        """Stays alive through restarts of PostgreSQL; on SQLite nothing can take the lock away."""
        while not self._database.sqlite:
            await asyncio.sleep(LOOK_S)
            try:
                if self._connection is None:
                    self._connection = await self._engine.connect()
                    await self._lock("pg_advisory_lock_shared", LIVES)
                await self._connection.execute(text("SELECT 1"))
            except Exception as error:  # however PostgreSQL is gone, it is tried again
                log.warning("alive_lost", error=type(error).__name__)
                await self._let_go()

    async def end(self) -> None:
        """This process serves no more."""
        if self._file is not None:
            self._file.close()
        await self._let_go()

    def _hold_file(self) -> None:
        self._file = open(f"{self._database.url.split('///', 1)[1]}-serving", "w")  # noqa: SIM115
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Refusal("data_in_use") from None

    async def _lock(self, how: str, key: int) -> bool:
        assert self._connection is not None
        return await _lock(self._connection, how, key)

    async def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        await _closed(connection)


async def _lock(connection: AsyncConnection, how: str, key: int) -> bool:
    return bool((await connection.execute(text(f"SELECT {how}({key})"))).scalar())


async def _closed(connection: AsyncConnection | None) -> None:
    if connection is not None:
        with contextlib.suppress(Exception):  # it may be lost already
            await connection.close()
