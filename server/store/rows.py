"""Turning rows into the domain's frozen dataclasses, and the few statements everyone shares."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CursorResult,
    Executable,
    Select,
    String,
    Table,
    Text,
    bindparam,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.exc import MultipleResultsFound
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from server.domain.hearing import Ref
from server.store.quick import quick_rows

OFFICE: BindParameter[int] = bindparam("office")
HEARING: BindParameter[int] = bindparam("hearing")
RUN: BindParameter[int] = bindparam("run")
"""Where a repository stands: every statement that is made once names them, every call fills them."""


def table(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table behind a SQLModel class."""
    return model.__table__  # type: ignore[attr-defined, no-any-return]


Statement = TypeVar("Statement", bound=Select[Any])


def locked(statement: Statement) -> Statement:
    """The rows, held until the transaction ends. Everyone locks in one order: hearing → round →
    stage → questions by id → queue → head. Whoever writes what belongs to such a row (an entry of
    the run, an answer in the hearing) does not wait for it: PostgreSQL looks at the row only to
    see that its key stays, and a plain `FOR UPDATE` in that way would turn the order round
    (docs/decisions/0001-engines.md)."""
    return statement.with_for_update(key_share=True)


def one_of(column: ColumnElement[Any], words: Iterable[str]) -> ColumnElement[bool]:
    """The column is one of these words, which are the same whenever the statement is carried out."""
    return column.in_([literal(word, column.type) for word in sorted(words)])


Among = tuple[Select[Any], Select[Any]]


def select_among(statement: Select[Any], column: ColumnElement[Any]) -> Among:
    """The statement for rows whose column is one of a list, which may be thousands long: the list is
    one value (`listed`), so that the statement is made once. One for each engine."""
    element = func.json_each(bindparam("among", type_=String)).table_valued("value")
    return (
        statement.where(column.in_(select(element.c.value))),
        statement.where(column == func.any(bindparam("among", type_=ARRAY(Text)))),
    )


def among(connection: AsyncConnection, both: Among) -> Select[Any]:
    """The one for this connection's engine."""
    return both[connection.dialect.name != "sqlite"]


def listed(connection: AsyncConnection, values: Iterable[str]) -> str | list[str]:
    """The list as `among` takes it."""
    distinct = list(dict.fromkeys(values))
    return json.dumps(distinct) if connection.dialect.name == "sqlite" else distinct


def inserted_id(result: CursorResult[Any]) -> int:
    """The id that the database gave to the row just inserted."""
    key = result.inserted_primary_key
    assert key is not None
    return int(key[0])


class Repository:
    """One noun's statements over one connection, at one place (law 16).

    What every reading of a hearing runs is made once, when its module is loaded: to build a
    statement costs more than to run it.
    """

    def __init__(self, connection: AsyncConnection, ref: Ref) -> None:
        self._c, self._ref = connection, ref
        self._sqlite = connection.dialect.name == "sqlite"
        self._here = {"office": ref.office, "hearing": ref.hearing, "run": ref.run}

    async def _rows(self, statement: Executable, **values: Any) -> Sequence[Any]:
        """All rows of a statement that was made once."""
        return await all_rows(self._c, statement, {**self._here, **values})

    async def _do(self, statement: Executable, **values: Any) -> None:
        """Carries out a statement that was made once and gives nothing back. It is given just the
        values that it names."""
        await do(self._c, statement, values)

    async def _each(self, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
        """Carries it out for each of these values: many go to the driver together."""
        if len(rows) == 1:
            await do(self._c, statement, rows[0])
        else:
            await self._c.execute(statement, rows)

    async def _row(self, statement: Executable, **values: Any) -> Any:
        """Its only row, or None."""
        return await only_row(self._c, statement, **{**self._here, **values})


async def all_rows(
    connection: AsyncConnection, statement: Executable, values: Mapping[str, Any]
) -> Sequence[Any]:
    """All rows of a statement that was made once, over any connection."""
    quickly = connection.dialect.name == "sqlite"
    rows = await quick_rows(connection, statement, values) if quickly else None
    return (await connection.execute(statement, values)).all() if rows is None else rows


async def only_row(connection: AsyncConnection, statement: Executable, **values: Any) -> Any:
    """The only row of such a statement, or None."""
    rows = await all_rows(connection, statement, values)
    if len(rows) > 1:
        raise MultipleResultsFound
    return rows[0] if rows else None


async def do(connection: AsyncConnection, statement: Executable, values: Mapping[str, Any]) -> None:
    """Carries out a statement that was made once, over any connection."""
    quickly = connection.dialect.name == "sqlite"
    if not quickly or await quick_rows(connection, statement, values) is None:
        await connection.execute(statement, values)


async def upsert(
    connection: AsyncConnection, model: type[SQLModel], where: Mapping[str, Any], /, **values: Any
) -> None:
    """Insert the row, or set `values` on the one with this primary key."""
    made = _upsert(connection.dialect.name == "sqlite", model, tuple(where), tuple(values))
    await do(connection, made, {**where, **values})


@cache
def _upsert(
    sqlite: bool, model: type[SQLModel], key: tuple[str, ...], values: tuple[str, ...]
) -> Executable:
    """The statement of `upsert`, made once for each set of columns."""
    new = (insert_sqlite if sqlite else insert_postgresql)(table(model))
    if not values:
        return new.on_conflict_do_nothing(index_elements=key)
    return new.on_conflict_do_update(
        index_elements=key, set_={name: new.excluded[name] for name in values}
    )


async def upsert_many(
    connection: AsyncConnection,
    model: type[SQLModel],
    key: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
) -> None:
    """Insert the rows, or set what else they say on those with their primary `key`."""
    insert = insert_sqlite if connection.dialect.name == "sqlite" else insert_postgresql
    new = insert(table(model))
    values = {name: new.excluded[name] for name in rows[0] if name not in key}
    await connection.execute(
        new.on_conflict_do_update(index_elements=list(key), set_=values),
        [dict(row) for row in rows],
    )
