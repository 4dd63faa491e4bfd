"""Databases that have their schema already: it is made once, and copied for each test.

To carry out every migration anew was half of what a small hearing of a test cost. What begins on
nothing is tested where that is the point: `tests/store/test_migrations.py`, `tests/test_cli.py`,
`tests/test_parts.py`, the starts of `tests/actions/test_starts.py`.
"""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

from server.settings import Settings
from server.store.migrate import migrate
from server.store.transaction import Database
from tests.beside import in_a_thread
from tests.services import create_database

_FOLDER = tempfile.TemporaryDirectory(prefix="pingyi-schema-")


async def _migrated(settings: Settings) -> None:
    database = Database(settings.database)
    await migrate(database)
    await database.close()


@cache
def _sqlite() -> Path:
    """A file with the schema and nothing else."""
    settings = Settings(data=Path(_FOLDER.name), database_url="")
    in_a_thread(_migrated(settings))
    file = settings.data / "pingyi.db"
    file.chmod(0o600)  # as the product makes it
    return file


@cache
def _postgresql(server: str) -> str:
    """Name of the server's database with the schema and nothing else."""
    in_a_thread(_migrated(Settings(database_url=create_database(server, "schema"))))
    return "schema"


def folder_with_schema(data: Path) -> Path:
    """The data folder, with such a database unless it has one."""
    file = data / "pingyi.db"
    if not file.exists():
        data.mkdir(0o700, parents=True, exist_ok=True)
        shutil.copy(_sqlite(), file)
    return data


def database_with_schema(server: str, name: str) -> str:
    """A new database on the PostgreSQL server; gives its URL."""
    return create_database(server, name, like=_postgresql(server))
