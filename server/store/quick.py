"""SQLite's short way for statements that are made once.

SQLAlchemy takes some 150 µs to carry a made statement to the driver and its rows back, SQLite itself 20,
and a reading of a hearing is two dozen statements, an act half a dozen more. So a statement that is a
constant of its module is compiled once; afterwards its text and its values go straight to the driver, on
the connection and in the transaction that SQLAlchemy has begun. Whatever is not so simple, and whatever
fails, goes SQLAlchemy's way, which also makes its own errors of it
(docs/decisions/0007-sqlite-on-the-loop.md).
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Executable, Insert, Select, UpdateBase
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.refusals import RolledBack

_made: WeakKeyDictionary[Executable, dict[tuple[str, ...], Quick | None]] = WeakKeyDictionary()
"""Statement → columns that it inserts (none for other statements) → how it is carried out."""


class Quick:
    """A compiled statement: its text, what makes the driver's values of its own in their order, and
    what makes rows. Raises `ValueError` for a statement that is not simple enough."""

    def __init__(
        self, statement: Select[Any] | UpdateBase, dialect: Dialect, keys: Sequence[str]
    ) -> None:
        inserts = isinstance(statement, Insert)
        compiled: Any = statement.compile(dialect=dialect, column_keys=keys if inserts else None)
        if any(one.expanding for one in compiled.binds.values()):
            raise ValueError
        self.reads = isinstance(statement, Select)
        # Values that SQLAlchemy makes itself for every row.
        if not self.reads and (compiled.insert_prefetch or compiled.update_prefetch):
            raise ValueError
        self.sql = str(compiled)
        self.given = dict(compiled.params)
        self.asked = [
            (name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup or ()
        ]
        self._row: Any = None
        columns: Any = statement.exported_columns
        self._read = [
            (n, reading)
            for n, one in enumerate(columns)
            if (reading := one.type.dialect_impl(dialect).result_processor(dialect, None))
        ]

    def values(self, values: Mapping[str, Any]) -> list[Any]:
        """What the driver takes, in its order."""
        found = []
        for name, write in self.asked:
            value = values[name] if name in values else self.given[name]
            found.append(value if write is None else write(value))
        return found

    def rows(self, found: Sequence[Sequence[Any]], names: Sequence[str]) -> list[Any]:
        """What the driver gave under these names, as the statement's columns mean it."""
        if self._row is None:
            self._row = namedtuple("Row", names, rename=True)  # type: ignore[misc]
        make = self._row._make
        if not self._read:
            return [make(one) for one in found]
        rows = []
        for one in found:
            values = list(one)
            for n, reading in self._read:
                values[n] = reading(values[n])
            rows.append(make(values))
        return rows


async def quick_rows(
    connection: AsyncConnection, statement: Executable, values: Mapping[str, Any]
) -> list[Any] | None:
    """The rows, with the columns' names, over a connection to SQLite; None where the statement has to
    go SQLAlchemy's way. Raises `RolledBack` where SQLite has ended the transaction by itself. An `INSERT` names its columns by the values that it is given."""
    keys = tuple(values) if isinstance(statement, Insert) else ()
    try:
        quick = _made[statement][keys]
    except KeyError:
        quick = _quick(statement, connection.dialect, keys)
        _made.setdefault(statement, {})[keys] = quick
    sync = connection.sync_connection
    if quick is None or sync is None:
        return None
    driver: Any = sync.connection.driver_connection
    if not driver.raw.in_transaction:
        return None
    asked = quick.values(values)
    cursor = driver.raw.cursor()
    found: list[Any] = []

    def run() -> None:
        found[:] = cursor.execute(quick.sql, asked).fetchall()

    try:
        await driver.at_once(run, again=quick.reads)
    except sqlite3.Error as error:
        if not driver.raw.in_transaction:
            # SQLite rolled back by itself: what came now would be committed alone.
            raise RolledBack from error
        return None
    finally:
        names = [one[0] for one in cursor.description or ()]
        cursor.close()
    return quick.rows(found, names) if found else []


def _quick(statement: Executable, dialect: Dialect, keys: Sequence[str]) -> Quick | None:
    if not isinstance(statement, (Select, UpdateBase)):
        return None
    try:
        return Quick(statement, dialect, keys)
    except ValueError:
        return None
