"""What can be wrong with a database when a process starts, as a sentence that says what to do."""

from __future__ import annotations

import errno
import socket
import sqlite3
from collections.abc import Iterator

import asyncpg

from server.domain.refusals import Refusal

_FULL = {errno.ENOSPC, errno.EDQUOT}
_DENIED = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InsufficientPrivilegeError)

_AWAY = (
    ConnectionError,
    TimeoutError,
    socket.gaierror,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
)
"""How asyncpg tells of a server that is not there, still starts, or is none of its kind."""
_NO_WAY = {None, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}
"""No road to it. Without a number: the loop tried several addresses of a host and tells of all."""


def start_fault(error: BaseException) -> Refusal | None:
    """The row of the catalogue for why a start failed, or None for what nobody foresaw."""
    for cause in _causes(error):
        if isinstance(cause, Refusal):
            return cause
        if isinstance(cause, OSError) and cause.filename and cause.errno not in _FULL:
            # Only what opens a file names one; a server's socket that is not there does not.
            return Refusal("file_unusable", file=str(cause.filename), why=cause.strerror)
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
    if isinstance(error, OSError) and error.errno in _FULL:
        return "disk_full"
    return "database_unreachable" if _is_away(error) else None


def _is_away(error: BaseException) -> bool:
    """A server that is not there. Its socket may be a file, which is absent or not for this user."""
    if isinstance(error, _AWAY):
        return True
    if isinstance(error, FileNotFoundError | PermissionError):
        return True
    return isinstance(error, OSError) and error.errno in _NO_WAY


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
