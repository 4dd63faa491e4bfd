"""What can be wrong with a database when a process starts, as a sentence that says what to do."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator

import asyncpg

from server.domain.refusals import Refusal

_DENIED = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InsufficientPrivilegeError)

_AWAY = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError)
"""How asyncpg tells of a server that is not there, still starts, or is none of its kind."""


def start_fault(error: BaseException) -> Refusal | None:
    """The row of the catalogue for why a start failed, or None for what nobody foresaw."""
    for cause in _causes(error):
        if isinstance(cause, Refusal):
            return cause
        code = _code(cause)
        if code is not None:
            return Refusal(code)
    return None


def _code(error: BaseException) -> str | None:
    if isinstance(error, asyncpg.InvalidCatalogNameError):
        return "database_missing"
    if isinstance(error, _DENIED):
        return "database_denied"
    # By its name: alembic's class would have to be loaded, and an edge does without it.
    if type(error).__name__ == "CommandError" and "locate revision" in str(error):
        return "schema_newer"
    if isinstance(error, sqlite3.DatabaseError):
        return _sqlite(error)
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "disk_full"
    if isinstance(error, _AWAY):
        return "database_unreachable"
    return None


def _sqlite(error: sqlite3.DatabaseError) -> str | None:
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_FULL":
        return "disk_full"
    if name in {"SQLITE_NOTADB", "SQLITE_CORRUPT"}:
        return "database_broken"
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR")):
        return "database_unwritable"
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it came from: drivers wrap each other."""
    one: BaseException | None = error
    while one is not None:
        yield one
        one = getattr(one, "orig", None) or one.__cause__
