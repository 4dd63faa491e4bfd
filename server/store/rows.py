"""Turning rows into the domain's frozen dataclasses, and the few statements everyone shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel


def table(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table behind a SQLModel class."""
    return model.__table__  # type: ignore[attr-defined, no-any-return]


async def upsert(
    connection: AsyncConnection, model: type[SQLModel], key: Mapping[str, Any], **values: Any
) -> None:
    """Insert the row, or set `values` on the one with this primary key."""
    insert = insert_sqlite if connection.dialect.name == "sqlite" else insert_postgresql
    statement = insert(table(model)).values(**key, **values)
    if values:
        statement = statement.on_conflict_do_update(index_elements=list(key), set_=values)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=list(key))
    await connection.execute(statement)
