"""Brings the database to the newest schema, under a lock so that one process does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from server.store.transaction import Database

HERE = Path(__file__).parent / "migrations"
LOCK = 0x70696E67
"""Key of the PostgreSQL advisory lock under which one process migrates."""


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
