"""Whether the database has this release's schema, asked without what brings it there: alembic takes
10 MB, and an edge never migrates."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from server.domain.refusals import Refusal
from server.store.transaction import Database

LOOK_S = 0.5
log = structlog.get_logger()


def revisions() -> tuple[str, ...]:
    """What this release knows, in order; each migration's file begins with its revision."""
    folder = Path(__file__).parent / "migrations" / "versions"
    return tuple(sorted(re.findall(r"^\d+", path.name)[0] for path in folder.glob("[0-9]*.py")))


async def is_current(database: Database) -> bool:
    """Whether the database has the newest schema. Raises `schema_newer` for one that this release
    does not know."""
    known = revisions()
    try:
        async with database.read() as connection:
            found = (
                await connection.execute(text("SELECT version_num FROM alembic_version"))
            ).scalar()
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", "") == "42P01" or "no such table" in str(error.orig):
            return False
        raise
    if found is not None and found not in known:
        raise Refusal("schema_newer")
    return bool(found == known[-1])


async def schema_is_here(database: Database) -> None:
    """Waits until another process has brought the database to this release's schema. Raises what
    is wrong with the database, and `schema_newer`."""
    told = False
    while not await is_current(database):
        if not told:
            log.warning("waiting_for_schema", who="pingyi web, or pingyi migrate, brings it")
            told = True
        await asyncio.sleep(LOOK_S)
