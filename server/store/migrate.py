"""Brings the database to the newest schema, under a lock so that one process does it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import structlog
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from server.domain.refusals import Refusal
from server.store.transaction import Database

HERE = Path(__file__).parent / "migrations"
LOCK = 0x70696E67
"""Key of the PostgreSQL advisory lock under which one process migrates."""
LOOK_S = 0.5
log = structlog.get_logger()


def configuration(**attributes: Any) -> Config:
    """Alembic's configuration without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes.update(attributes)
    return config


async def migrate(database: Database) -> None:
    """Every migration that is missing, in one transaction."""

    def upgrade(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        command.upgrade(configuration(connection=connection), "head")

    async with database.write() as connection:
        await connection.run_sync(upgrade)


async def schema_is_here(database: Database) -> None:
    """Waits until another process has brought the database to this release's schema. Raises what
    is wrong with the database, and `schema_newer`."""
    told = False
    while not await is_current(database):
        if not told:
            log.warning("waiting_for_schema", who="pingyi web, or pingyi migrate, brings it")
            told = True
        await asyncio.sleep(LOOK_S)


async def is_current(database: Database) -> bool:
    """Whether the database has the newest schema. Raises `schema_newer` for one that this release
    does not know."""

    def compare(connection: Connection) -> bool:
        known = ScriptDirectory.from_config(configuration())
        current = MigrationContext.configure(connection).get_current_revision()
        if current is not None and current not in {one.revision for one in known.walk_revisions()}:
            raise Refusal("schema_newer")
        return current == known.get_current_head()

    async with database.write() as connection:
        return bool(await connection.run_sync(compare))
