"""What the event loop may expect of SQLite: short statements at once, long ones elsewhere."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from server.domain.refusals import OutcomeUnknown
from server.store.transaction import Database

pytestmark = pytest.mark.anyio
LONG = "SELECT count(*) FROM n a, n b, n c"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A database whose table makes a query of a second or so: 300 × 300 × 300 rows."""
    found = Database(f"sqlite+aiosqlite:///{tmp_path / 'a b#.db'}")
    async with found.write() as connection:
        await connection.execute(text("CREATE TABLE n (i INTEGER)"))
        for i in range(300):
            await connection.execute(text("INSERT INTO n VALUES (:i)"), {"i": i})
    yield found
    await found.close()


@asynccontextmanager
async def turns() -> AsyncIterator[list[int]]:
    """Counts how often the loop comes round while the block runs."""
    count = [0]

    async def tick() -> None:
        while True:
            await asyncio.sleep(0)
            count[0] += 1

    ticking = asyncio.create_task(tick())
    try:
        yield count
    finally:
        ticking.cancel()


async def test_a_long_query_runs_elsewhere_and_gives_all_its_rows(database: Database) -> None:
    async with database.read() as connection, turns() as count:
        assert (await connection.execute(text(LONG))).scalar_one() == 27_000_000
    assert count[0] > 100


async def test_many_short_statements_let_the_loop_breathe(database: Database) -> None:
    async with database.write() as connection, turns() as count:
        for _ in range(1500):  # Writes: these never go to the thread.
            await connection.execute(text("INSERT INTO n VALUES (1)"))
    assert count[0] > 3


async def test_a_wrong_statement_says_what_is_wrong(database: Database) -> None:
    async with database.read() as connection:
        with pytest.raises(OperationalError, match="no such table"):
            await connection.execute(text("SELECT * FROM nowhere"))
        assert (await connection.execute(text("SELECT count(*) FROM n"))).scalar_one() == 300


async def test_an_act_that_sqlite_rolled_back_is_not_committed_in_part(database: Database) -> None:
    """As on a full disk: what is written after it would be committed by itself."""
    with pytest.raises(OutcomeUnknown):
        async with database.write() as connection:
            await connection.execute(text("INSERT INTO n VALUES (-7)"))
            await connection.execute(text("PRAGMA max_page_count = 1"))
            raw = await connection.get_raw_connection()
            with pytest.raises(DBAPIError, match="full"):
                for _ in range(100):
                    row = {"s": "x" * 4000}
                    await connection.execute(text("INSERT INTO n VALUES (:s)"), row)
            assert not raw.driver_connection.raw.in_transaction
            with pytest.raises(DBAPIError, match="gone"):
                await connection.execute(text("INSERT INTO n VALUES (-8)"))
    async with database.read() as connection:
        found = await connection.execute(text("SELECT count(*) FROM n WHERE i < 0"))
        assert found.scalar_one() == 0


async def test_readers_cannot_write(database: Database) -> None:
    async with database.read() as connection:
        with pytest.raises(DBAPIError, match="readonly"):
            await connection.execute(text("DELETE FROM n"))


async def test_whoever_gives_up_waiting_for_the_writer_leaves_it_usable(
    database: Database, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "a b#.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def write() -> None:
        async with database.write() as connection:
            await connection.execute(text("INSERT INTO n VALUES (-1)"))

    waiting = asyncio.create_task(write())
    await asyncio.sleep(0.2)
    waiting.cancel()
    began = monotonic()
    await asyncio.sleep(0.1)
    assert monotonic() - began < 5  # The loop goes on while the thread still holds the connection.
    assert not waiting.done()
    other.execute("COMMIT")
    other.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await write()
    async with database.read() as connection:
        count = await connection.execute(text("SELECT count(*) FROM n WHERE i = -1"))
        assert count.scalar_one() == 1


async def test_no_commit_waits_behind_long_queries(database: Database) -> None:
    async def long() -> None:
        async with database.read() as connection:
            await connection.execute(text(LONG))

    queries = [asyncio.create_task(long()) for _ in range(8)]
    await asyncio.sleep(0.1)  # All the readers' threads are taken.
    async with database.write() as connection:
        await connection.execute(text("INSERT INTO n VALUES (-2)"))
    assert not any(query.done() for query in queries)
    await asyncio.gather(*queries)
