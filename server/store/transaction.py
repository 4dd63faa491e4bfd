"""Transactions: what an acknowledged act stands on (laws 1 and 2; docs/decisions/0001-engines.md).

SQLite has one writer connection (WAL, `synchronous=FULL`, explicit `BEGIN IMMEDIATE`) behind a
lock, and a pool of read-only ones; how they use the event loop is `sqlite_driver.py`. PostgreSQL has an ordinary pool, `synchronous_commit=on` for
writers and repeatable-read, read-only transactions for readers, so that a snapshot and its
version are of one moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from server.domain.refusals import OutcomeUnknown, Refusal, RolledBack
from server.store.sqlite_driver import opener

_RETRYABLE = {"40001", "40P01", "23505"}
"""PostgreSQL's serialization failure, deadlock, and a second row under one key (the same act sent
twice at once): nothing happened, and tried again the act finds what the other one did."""


_PRAGMAS = ("PRAGMA foreign_keys=ON", "PRAGMA busy_timeout=15000")
_DURABLE = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL")


class Database:
    """The two engines of one database. Make it with `Database(url)`, end it with `close()`. Raises
    `database_url_wrong` for a URL of no database that is known here.

    Errors hide the parameters of their statement: a citizen's words are in no traceback (law 17).
    """

    def __init__(self, url: str, readers: int = 8) -> None:
        _check_url(url)
        self.url = url
        self.sqlite = url.startswith("sqlite")
        self._lock = asyncio.Lock()
        if self.sqlite:
            path = url.split("///", 1)[1]
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            # The writer has a thread of its own: no commit waits behind long queries.
            self._threads = ThreadPoolExecutor(readers, "sqlite-read")
            self._commits = ThreadPoolExecutor(1, "sqlite-write")
            self._writer = create_async_engine(
                url,
                pool_size=1,
                max_overflow=0,
                hide_parameters=True,
                async_creator=opener(f"file:{quote(path)}", self._commits, [*_PRAGMAS, *_DURABLE]),
            )
            self._reader = create_async_engine(
                url,
                pool_size=readers,
                hide_parameters=True,
                async_creator=opener(f"file:{quote(path)}?mode=ro", self._threads, _PRAGMAS),
            )
            _begin_with(self._writer, "BEGIN IMMEDIATE")
            _begin_with(self._reader, "BEGIN")
        else:
            self._writer = create_async_engine(
                url,
                pool_size=readers,
                max_overflow=8,
                hide_parameters=True,
                connect_args={"server_settings": {"synchronous_commit": "on"}},
            )
            _noticed(self._writer)
            self._reader = self._writer

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that commits when the block ends and rolls back when it raises.

        Raises `OutcomeUnknown` when the commit itself fails and `RolledBack` when the database
        rolled back before it. On SQLite the block holds the only writer: it awaits nothing but SQL.
        """
        if self.sqlite:
            async with self._lock, self._writer.connect() as connection:
                async with _committed(connection):
                    yield connection
        else:
            async with self._connected() as connection, _committed(connection):
                yield connection

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        """A connection of the pool; `RolledBack` when there is none: nothing has begun."""
        connection = self._writer.connect()
        try:
            await connection.start()
        except (DBAPIError, OSError, PoolTimeout) as error:
            raise RolledBack from error
        try:
            yield connection
        finally:
            await asyncio.shield(connection.close())

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A read-only transaction of one moment."""
        async with self._reader.connect() as connection:
            if not self.sqlite:
                await connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            else:
                await connection.begin()  # The short way (`quick.py`) goes into what has begun.
            yield connection

    async def alive(self) -> None:
        """Raises unless a statement can be carried out."""
        async with self.read() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Ends all connections."""
        await self._writer.dispose()
        if self.sqlite:
            await self._reader.dispose()
            self._threads.shutdown()
            self._commits.shutdown()


def _check_url(url: str) -> None:
    try:
        known = make_url(url).drivername in {"sqlite+aiosqlite", "postgresql+asyncpg"}
    except (ArgumentError, ValueError):
        known = False
    if not known:
        raise Refusal("database_url_wrong")


@asynccontextmanager
async def _committed(connection: AsyncConnection) -> AsyncIterator[None]:
    try:
        await connection.begin()
    except DBAPIError as error:
        # Another process holds the writer for longer than the busy timeout: nothing has begun.
        raise RolledBack from error
    try:
        yield
    except BaseException as error:
        lost = isinstance(error, DBAPIError) and error.connection_invalidated
        with contextlib.suppress(*[DBAPIError] if lost else []):  # It has no end to be told.
            await asyncio.shield(connection.rollback())
        if isinstance(error, DBAPIError) and (lost or _state(error) in _RETRYABLE):
            raise RolledBack from error
        raise
    try:
        await _whole(connection.commit())
    except Exception as error:
        if isinstance(error, DBAPIError) and _state(error) in _RETRYABLE:
            raise RolledBack from error
        raise OutcomeUnknown from error


async def _whole(commit: Coroutine[Any, Any, None]) -> None:
    """A client that goes away must not stop a commit half-way: the act would be unknown to us, and
    the connection in use by two."""
    work = asyncio.ensure_future(commit)
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        while not work.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([work])
        raise


def _state(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)


SILENT_MS = 20_000
"""After which a database that acknowledges nothing is taken for gone: a host that vanished says no
goodbye, and the kernel would wait a quarter of an hour. Whoever waits for a commit hears `unknown` within 30 s."""


def _noticed(engine: AsyncEngine) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def watch(connection: Any, _: Any) -> None:
        # asyncpg has no setting for it; its transport tells the socket.
        transport = getattr(connection.driver_connection, "_transport", None)
        sock = transport and transport.get_extra_info("socket")
        if sock is None or sys.platform != "linux" or sock.family == socket.AF_UNIX:
            return
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, seconds in ((socket.TCP_KEEPIDLE, 5), (socket.TCP_KEEPINTVL, 5)):
            sock.setsockopt(socket.IPPROTO_TCP, option, seconds)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENT_MS)


def _begin_with(engine: AsyncEngine, begin: str) -> None:
    @event.listens_for(engine.sync_engine, "begin")
    def begin_transaction(connection: Any) -> None:
        connection.exec_driver_sql(begin)
