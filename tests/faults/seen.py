"""What people and screens saw, and copies of what lay on the disk: the checker looks through them (I10).

`seen/*.jsonl` has a line for each frame, page and answer, with the audience to which it was told:
`public`, `hall` or `internal`, for whom a result is published; `signers`, who see what they answer
for once a round has closed; `supervisors`, who may then read the ballots; a seat. `copies/T-NAME/` holds files
as they lay at the moment T of the monotonic clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import shutil
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import asyncpg

from server.backup_command import backup
from server.settings import Settings
from tests.faults import export
from tests.faults.clients import Ended, Http, Socket
from tests.faults.hall import Hall
from tests.faults.history import History

SOCKETS = (
    ("", "", "json", "public"),
    ("", "", "html", "public"),
    ("stage", "host", "html", "hall"),
    ("overlay", "host", "html", "hall"),
    ("panel", "seat", "html", "hall"),
    ("card", "host", "json", "hall"),
    ("desk", "moderator", "html", "internal"),
    ("host", "host", "html", "signers"),
    ("host", "host", "json", "signers"),
)
"""(page, who looks, format, audience). Who signs may see more, but what stands on a page for all of a
hall, or on a desk, is told to these."""
PAGES = (
    ("/h/{slug}", "", "public"),
    ("/h/{slug}/stage?seat=x", "host", "hall"),
    ("/h/{slug}/overlay?seat=x", "host", "hall"),
    ("/h/{slug}/podium?seat=x", "host", "hall"),
    ("/h/{slug}/card?seat=x", "host", "hall"),
    ("/h/{slug}/panel?seat=x", "seat", "hall"),
    ("/h/{slug}/desk?seat=x", "moderator", "internal"),
    ("/h/{slug}/host?seat=x", "host", "signers"),
    ("/api/v1/hearings/{slug}", "", "public"),
    ("/api/v1/hearings/{slug}", "host", "signers"),
    ("/metrics", "", "public"),
)
"""(address, who asks, audience): each must be answered 200."""
OF_A_ROUND = (
    ("", "", "public"),
    ("/result", "", "public"),
    ("/result", "seat", "hall"),
    ("/result", "moderator", "internal"),
    ("/result", "teller", "internal"),
    ("/result", "host", "signers"),
    ("/result.xlsx", "teller", "internal"),
    ("/turnout", "seat", "hall"),
    ("/turnout", "host", "signers"),
    ("/ballot", "seat", "hall"),
    ("/bundle", "", "public"),
    ("/ballots.csv", "", "public"),
    ("/ballots.csv", "seat", "hall"),
    ("/ballots.csv", "moderator", "internal"),
    ("/ballots.csv", "host", "signers"),
    ("/ballots.csv", "scrutineer", "supervisors"),
    ("/bundle?edition=sealed", "scrutineer", "supervisors"),
    ("/comments", "scrutineer", "supervisors"),
)
"""The same below a round's address; many are refused, and a refusal tells nothing either."""


class Seen:
    """One file of what was seen."""

    def __init__(self, folder: Path) -> None:
        (folder / "seen").mkdir(parents=True, exist_ok=True)
        self._file: TextIO = (folder / "seen" / "all.jsonl").open("a", encoding="utf-8")

    def line(self, audience: str, what: str, text: str) -> None:
        """This was told to them now."""
        line = {"t": time.monotonic_ns(), "audience": audience, "what": what, "text": text}
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Everything is on disk."""
        self._file.close()


class SeenHttp(Http):
    """A seat's tablet: every answer to it is something that was seen."""

    def __init__(self, port: int, patience: float, seen: Seen, seat: str) -> None:
        super().__init__(port, patience)
        self._seen, self._seat = seen, seat

    async def ask(
        self, method: str, path: str, token: str = "", body: Any = None, key: str = ""
    ) -> tuple[int, bytes]:
        """As it is answered."""
        status, answer = await super().ask(method, path, token, body, key)
        self._seen.line(self._seat, f"{method} {path} {status}", in_words(answer))
        return status, answer


@dataclass
class Lookers:
    """Sockets of every page, which come back when they are cut off, and people who ask for pages."""

    hall: Hall
    port: int
    seen: Seen
    rounds: Sequence[str]
    """The secret ones."""
    asking: bool = True
    """Whether they ask for pages too; else they only watch."""

    def __post_init__(self) -> None:
        self._come()

    def _come(self) -> None:
        self._heard: set[tuple[str, str]] = set()
        self._tasks = [asyncio.create_task(self._watch(*one)) for one in SOCKETS]

    async def _go(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def come_again(self) -> None:
        """All sockets go and come back, and each is told what stands now. Raises `TimeoutError`."""
        await self._go()
        self._come()
        async with asyncio.timeout(30):
            while len(self._heard) < len(SOCKETS):
                await asyncio.sleep(0.02)

    async def to_the_end(self, http: Http, history: History, rounds: Sequence[str]) -> None:
        """All rounds are closed; the secret ones are certified and published to more and more people, and
        at each step everybody looks. Then nobody does any more."""
        host = self.hall.host
        await self.come_again()
        await self.look()
        await export.close_rounds(http, self.hall, rounds, history=history)
        await self.look()
        for id_ in self.rounds:
            await http.json("POST", f"/rounds/{id_}/certification", host, {})
        for audience in ("internal", "hall", "public"):
            for id_ in self.rounds:
                history.released("host", id_, audience)
                told = {"audience": audience}
                await http.json("POST", f"/rounds/{id_}/publication", host, told)
            await self.look()
        await self._go()

    def _token(self, who: str) -> str:
        seats = self.hall.seats
        return {"": "", "host": self.hall.host, "seat": next(iter(seats.values()))}.get(
            who, self.hall.staff.get(who, "")
        )

    async def _watch(self, page: str, who: str, form: str, audience: str) -> None:
        def heard(frame: dict[str, Any]) -> None:
            self.seen.line(audience, f"socket of {page or 'public'} {form}", json.dumps(frame))
            if frame["type"] == "pulse":
                self._heard.add((page, form))

        while True:
            socket = None
            try:
                socket = await Socket.connect(
                    self.port, self.hall.slug, heard, page=page, token=self._token(who), form=form
                )
                await socket.ended
            except (OSError, Ended):
                pass
            finally:
                if socket is not None:
                    socket.close()
            await asyncio.sleep(0.1)

    async def look(self) -> None:
        """Everybody asks for everything once. Raises `AssertionError` where a page is not served."""
        if not self.asking:
            return
        http = Http(self.port)
        for path, who, audience in PAGES:
            address = path.format(slug=self.hall.slug)
            status, body = await http.ask("GET", address, self._token(who))
            assert status == 200, (address, status)
            self.seen.line(audience, f"GET {address}", in_words(body))
        for id_ in self.rounds:
            for path, who, audience in OF_A_ROUND:
                address = f"/api/v1/rounds/{id_}{path}"
                status, body = await http.ask("GET", address, self._token(who))
                self.seen.line(audience, f"GET {address} {status}", in_words(body))
        http.close()


def in_words(body: bytes) -> str:
    """What an answer says; of a packed one, of all that is in it."""
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as found:
            body = b"\n".join(found.read(name) for name in found.namelist())
    return body.decode(errors="replace")


# ── what lies on the disk ──


def copy_files(folder: Path, name: str, data: Path) -> None:
    """All files below `data`, as they lie there now."""
    shutil.copytree(
        data,
        folder / "copies" / f"{time.monotonic_ns()}-{name}",
        ignore=lambda at, names: [one for one in names if not _ordinary(Path(at, one))],
    )


def _ordinary(path: Path) -> bool:
    return path.is_dir() or path.is_file()


def copy_backup(folder: Path, data: Path) -> None:
    """The copy that an operator makes while a hearing runs."""
    into = folder / "copies" / f"{time.monotonic_ns()}-backup"
    into.mkdir(parents=True)
    backup(Settings(data=data, database_url=""), into / "copy.db")


async def copy_rows(folder: Path, name: str, database: str) -> None:
    """Every row of every table of a PostgreSQL, in words: bytes are in hex there."""
    into = folder / "copies" / f"{time.monotonic_ns()}-{name}"
    into.mkdir(parents=True)
    connection = await asyncpg.connect(database)
    try:
        with (into / "rows.txt").open("w", encoding="utf-8") as file:
            for (table,) in await connection.fetch(TABLES):
                for (row,) in await connection.fetch(f'SELECT t::text FROM "{table}" t'):
                    file.write(f"{table} {row}\n")
    finally:
        await connection.close()


TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"


def keep_logs(folder: Path) -> None:
    """What the processes said, beside what is kept."""
    (folder / "logs").mkdir(exist_ok=True)
    for log in (folder / "data").glob("*.log"):
        with contextlib.suppress(FileNotFoundError):
            shutil.copy(log, folder / "logs" / log.name)
