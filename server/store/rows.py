"""Turning rows into the domain's frozen dataclasses, and the few statements everyone shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import CursorResult, Table
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel


def table(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table behind a SQLModel class."""
    return model.__table__  # type: ignore[attr-defined, no-any-return]


def inserted_id(result: CursorResult[Any]) -> int:
    """The id that the database gave to the row just inserted."""
    key = result.inserted_primary_key
    assert key is not None
    return int(key[0])


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
