"""What a running demonstration keeps, read beside it from its database."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

from server.store.tables import LikesRow, SessionRow, ViewersRow

WHENEVER = {
    "sources": frozenset({"state", "next_at", "last_at", "counts", "totals", "error", "error_at"}),
    "questions": frozenset({"cluster"}),
}
"""What the machine notes whenever it likes: where it has been, and which questions ask alike."""


class Kept:
    """Tells whether anything that is kept has changed, but for what floods and when somebody was
    last seen."""

    def __init__(self, data: Path) -> None:
        self.base = sqlite3.connect(f"file:{data / 'pingyi.db'}?mode=ro", uri=True)
        noise = {t.__tablename__ for t in (LikesRow, ViewersRow, SessionRow)}
        names = self.base.execute("select name from sqlite_master where type = 'table'")
        self._tables = [n for (n,) in names if n not in noise and not n.startswith("sqlite_")]
        self._columns = {one: self._named(one) for one in self._tables}
        self.settle()

    def close(self) -> None:
        """Lets go of the database."""
        self.base.close()

    def settle(self) -> None:
        """Waits until the machine has done what follows from an act by itself; then remembers."""
        waiting = (
            "select (select count(*) from questions where status = 'received') +"
            " (select count(*) from rounds where status = 'closed') +"
            " (select count(*) from rounds where audience = 'panel' and status = 'certified'"
            "  and id not in (select round_id from bundles)) +"
            " (select count(*) from questions q join hearings h on h.run_id = q.run_id"
            "  where not q.indexed)"
        )
        deadline = time.monotonic() + 10
        while self.one(waiting):
            assert time.monotonic() < deadline, "the machine did not finish"
            time.sleep(0.02)
        self._held = self._read()
        self._version = self._data_version()

    def changed(self) -> list[str]:
        """The tables that hold something else than at the last `settle`."""
        if self._data_version() == self._version:
            return []
        self._version, now = self._data_version(), self._read()
        return [name for name in self._tables if now[name] != self._held[name]]

    def one(self, sql: str) -> Any:
        """The one value that a query finds."""
        return self.base.execute(sql).fetchone()[0]

    def _read(self) -> dict[str, list[Any]]:
        return {
            table: self.base.execute(f"select {columns} from {table}").fetchall()
            for table, columns in self._columns.items()
        }

    def _named(self, table: str) -> str:
        names = (row[1] for row in self.base.execute(f"pragma table_info({table})"))
        return ", ".join(f'"{n}"' for n in names if n not in WHENEVER.get(table, ()))

    def _data_version(self) -> int:
        # SQLite counts here what other connections have committed.
        return int(self.one("pragma data_version"))
