"""Turning rows into the domain's frozen dataclasses, and the few statements everyone shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import BindParameter, CursorResult, Executable, Select, Table, bindparam
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from server.domain.hearing import Ref

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
        self._here = {"office": ref.office, "hearing": ref.hearing, "run": ref.run}

    async def _rows(self, statement: Executable, **values: Any) -> Sequence[Any]:
        """All rows of a statement that was made once."""
        return (await self._c.execute(statement, {**self._here, **values})).all()

    async def _row(self, statement: Executable, **values: Any) -> Any:
        """Its only row, or None."""
        return (await self._c.execute(statement, {**self._here, **values})).one_or_none()


async def upsert(
    connection: AsyncConnection, model: type[SQLModel], where: Mapping[str, Any], /, **values: Any
) -> None:
    """Insert the row, or set `values` on the one with this primary key."""
    insert = insert_sqlite if connection.dialect.name == "sqlite" else insert_postgresql
    statement = insert(table(model)).values(**where, **values)
    if values:
        statement = statement.on_conflict_do_update(index_elements=list(where), set_=values)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=list(where))
    await connection.execute(statement)
