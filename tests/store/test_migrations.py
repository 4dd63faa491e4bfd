"""The migrations make what `tables.py` says, and carry old rows along."""

from __future__ import annotations

from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlmodel import SQLModel

from server.settings import Settings
from server.store.migrate import configuration, migrate
from server.store.transaction import Database
from tests.conftest import STORES
from tests.services import create_database

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("store", STORES)
async def test_the_migrated_schema_is_that_of_the_tables(
    tmp_path: Path, store: str, request: pytest.FixtureRequest
) -> None:
    url = ""
    if store == "postgresql":
        server = request.getfixturevalue("postgresql_server")
        url = create_database(server, f"t{token_hex(6)}")
    database = Database(Settings(data=tmp_path, database_url=url).database)
    await migrate(database)

    def differences(connection: Connection) -> list[Any]:
        def meant(item: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
            """What a table has on the other engine alone is not meant here."""
            only = getattr(item, "_ddl_if", None) if kind == "index" and not reflected else None
            return only is None or only.dialect == connection.dialect.name

        context = MigrationContext.configure(connection, opts={"include_object": meant})
        return compare_metadata(context, SQLModel.metadata)

    async with database.write() as connection:
        assert await connection.run_sync(differences) == []
    await database.close()


async def test_a_question_merged_before_remembers_what_it_brought(tmp_path: Path) -> None:
    database = Database(Settings(data=tmp_path).database)
    async with database.write() as connection:
        await connection.run_sync(
            lambda sync: command.upgrade(configuration(connection=sync), "0001")
        )
        await connection.execute(text("PRAGMA defer_foreign_keys=ON"))
        for code, status in (("A", "merged"), ("B", "approved")):
            columns = {
                "office_id": 1, "hearing_id": 1, "run_id": 1, "code": code, "status": status,
                "text": "x", "first_text": "x", "source": "hotline", "created_at": 0, "version": 1,
                "secret_hash": "", "title": "", "source_key": "", "external_id": "", "tags": "[]",
                "flags": "[]", "fields": "{}", "support": 3, "likes": 8, "askers": 2, "asker": "",
                "off_cuff": False,
            }  # fmt: skip
            names = ", ".join(columns)
            values = ", ".join(f":{name}" for name in columns)
            await connection.execute(
                text(f"INSERT INTO questions ({names}) VALUES ({values})"), columns
            )
        for statement in (
            "INSERT INTO offices (id, path, name, level, created_at) VALUES (1, '/1/', 'x', 'x', 0)",
            "INSERT INTO hearings (id, office_id, slug, title, note, signers, publishers,"
            " publication, show, created_at) VALUES (1, 1, 'x', 'x', '', '[]', '[]', 'x', '{}', 0)",
            "INSERT INTO runs (id, office_id, hearing_id, kind, epoch, status, version, created_at)"
            " VALUES (1, 1, 1, 'real', 'x', 'live', 0, 0)",
        ):
            await connection.execute(text(statement))
    await migrate(database)
    async with database.read() as connection:
        rows = await connection.execute(
            text("SELECT carried_askers, carried_likes FROM questions ORDER BY code")
        )
        assert [tuple(row) for row in rows] == [(5, 8), (0, 0)]
    await database.close()
