"""Messages of a mailbox that were kept apart, as yesterday's program left them."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from typing import Any

import asyncpg

from moderation.take_in import packed
from server.identity.secrets import Keys, installation_secret
from tests.running import Running
from tests.several import Several, in_a_thread

INSERT = (
    "insert into quarantine (source_id, name, office_id, reason, box, at)"
    " select id, {0}, office_id, {1}, {2}, {3} from sources where key = {4}"
)


def keep_apart(demo: Running, key: str, letters: dict[str, tuple[bytes, str]]) -> None:
    """`letters`: name → the message and the code of why it was kept apart."""
    keys = Keys(installation_secret(demo.data, demo_secret(demo) or None))
    now = time.time_ns() // 1_000_000
    rows = [
        (name, reason, keys.seal({"bytes": len(raw), "letter": packed(raw)}), now, key)
        for name, (raw, reason) in letters.items()
    ]
    if isinstance(demo, Several):
        in_a_thread(_put(demo.environment["PINGYI_DATABASE_URL"], rows))
        return
    with contextlib.closing(sqlite3.connect(demo.data / "pingyi.db", timeout=30)) as base, base:
        base.executemany(INSERT.format(*"?????"), rows)


def demo_secret(demo: Running) -> str:
    """What several processes share in place of a file."""
    return demo.environment.get("PINGYI_SECRET", "") if isinstance(demo, Several) else ""


async def _put(database: str, rows: list[Any]) -> None:
    connection = await asyncpg.connect(database.replace("+asyncpg", ""))
    try:
        await connection.executemany(INSERT.format("$1", "$2", "$3", "$4", "$5"), rows)
    finally:
        await connection.close()
