"""SQLite's short way for statements that are made once.

SQLAlchemy takes some 150 µs to carry a made statement to the driver and its rows back, SQLite itself 20,
and a reading of a hearing is two dozen statements. So a `SELECT` that is a constant of its module is
compiled once; afterwards its text and its values go straight to the driver, on the connection and in
the transaction that SQLAlchemy has begun. Whatever is not so simple, and whatever fails, goes
SQLAlchemy's way, which also makes its own errors of it (docs/decisions/0007-sqlite-on-the-loop.md).
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Executable, Select
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection

_made: WeakKeyDictionary[Executable, Quick | None] = WeakKeyDictionary()


class Quick:
    """A compiled statement: its text, the names of its values in order, and what makes rows."""

    def __init__(self, statement: Select[Any], dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        self.names: list[str] = compiled.positiontup or []
        self.given = dict(compiled.params)
        columns = list(statement.selected_columns)
        self._row: Any = None
        self.read = [
            (n, reading)
            for n, one in enumerate(columns)
            if (reading := _reading(one.type, dialect)) is not None
        ]

    def rows(self, found: Sequence[Sequence[Any]], names: Sequence[str]) -> list[Any]:
        """What the driver gave under these names, as the statement's columns mean it."""
        if self._row is None:
            self._row = namedtuple("Row", names, rename=True)  # type: ignore[misc]
        make = self._row._make
        if not self.read:
            return [make(one) for one in found]
        rows = []
        for one in found:
            values = list(one)
            for n, reading in self.read:
                values[n] = reading(values[n])
            rows.append(make(values))
        return rows


async def quick_rows(
    connection: AsyncConnection, statement: Executable, values: Mapping[str, Any]
) -> list[Any] | None:
    """The rows, with the columns' names, over a connection to SQLite; None where the statement has to
    go SQLAlchemy's way."""
    try:
        quick = _made[statement]
    except KeyError:
        quick = _made[statement] = _quick(statement, connection.dialect)
    sync = connection.sync_connection
    if quick is None or sync is None:
        return None
    driver: Any = sync.connection.driver_connection
    if not driver.raw.in_transaction:
        return None
    given = quick.given
    asked = [values[name] if name in values else given[name] for name in quick.names]
    cursor = driver.raw.cursor()
    found: list[Any] = []

    def run() -> None:
        found[:] = cursor.execute(quick.sql, asked).fetchall()

    try:
        await driver.at_once(run, again=True)
    except sqlite3.Error:
        return None
    finally:
        names = [one[0] for one in cursor.description or ()]
        cursor.close()
    return quick.rows(found, names)


def _quick(statement: Executable, dialect: Dialect) -> Quick | None:
    if not isinstance(statement, Select):
        return None
    compiled: Any = statement.compile(dialect=dialect)
    simple = all(
        not one.expanding and one.type.dialect_impl(dialect).bind_processor(dialect) is None
        for one in compiled.binds.values()
    )
    return Quick(statement, dialect) if simple else None


def _reading(type_: Any, dialect: Dialect) -> Callable[[Any], Any] | None:
    """What makes a value of this column's type of what the driver gives."""
    reading: Callable[[Any], Any] | None = type_.dialect_impl(dialect).result_processor(
        dialect, None
    )
    return reading
