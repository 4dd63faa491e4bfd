"""The secrecy game: secret rounds of the demonstration's panel, and all that an adversary may hold.

Each round is held by the real actions on a real SQLite database: 21 seats in four groups give five marks
each, with decimals; four of the five are agreed with the adversary beforehand, the fifth is what is to
be found out. The adversary holds the database and its log after every ballot, copies, the journal, what
the server logs, and the data folder after the closing; not the seal while the round is open.
"""

from __future__ import annotations

import json
import random
import sqlite3
import struct
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import structlog

from server.actions.cast_ballot import cast_ballot
from server.actions.close_round import close_round
from server.actions.create_round import NewRound, create_round
from server.actions.open_round import open_round
from server.backup_command import backup
from tests.house import Home, home

SHOW = Path(__file__).parent.parent.parent / "server" / "demo" / "show.yaml"
SUBJECT = "housing"
AGREED = ("personally", "decisions", "enforcement", "findings")
TARGET = "rectification"
VALUES = [f"{n / 4:g}" for n in range(81)]
"""What may stand in a cell: 0 to 20 by quarters."""
RULES: dict[str, Any] = {
    "version": 1,
    "scale": {"kind": "number", "min": "0", "max": "20", "step": "0.25"},
    "dimensions": [{"key": key} for key in (*AGREED, TARGET)],
    "trim": {"high": 1, "low": 1, "from": 5, "on": "dimension"},
    "within": "mean",
    "across": "sum",
    "rounding": {"mode": "half_up", "dimension": 2, "weighted": 2, "total": 2},
}
"""The demonstration's own, with decimals."""


@dataclass(frozen=True)
class Seat:
    """One seat as the adversary knows it: everything but the fifth mark."""

    id: int
    number: int
    group: str
    agreed: Mapping[str, str]
    key: str
    receipt: str
    at: int


@dataclass
class Evidence:
    """What the adversary holds of one round. `seats` are in the order in which they cast."""

    round: str
    seats: list[Seat] = field(default_factory=list)
    states: list[Mapping[str, list[tuple[Any, ...]]]] = field(default_factory=list)
    """The round's rows in every table: before the first ballot, and after each."""
    log_pages: list[bytes] = field(default_factory=list)
    """What SQLite's log grew by with each ballot."""
    kept: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(owner, key) → what is kept of the body, while the round was open."""
    copy: Mapping[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    """The rows of an ordinary copy made just before the closing."""
    copy_bytes: bytes = b""
    marks: list[dict[str, str]] = field(default_factory=list)
    """The stored marks, in the order in which they lie in the table."""
    journal: list[dict[str, Any]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    """What the server logged."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """The data folder's small files after the closing."""

    def cell(self, group: str) -> list[dict[str, str]]:
        """The group's rows of the fifth mark, as they lie."""
        return [r for r in self.marks if r["dimension"] == TARGET and r["group"] == group]

    @property
    def groups(self) -> dict[str, list[Seat]]:
        """The seats that cast by group, in the order in which they cast."""
        found: dict[str, list[Seat]] = {}
        for seat in self.seats:
            found.setdefault(seat.group, []).append(seat)
        return found


@dataclass(frozen=True)
class Played:
    """A round's evidence and what was to be found: {seat's id: the fifth mark}."""

    evidence: Evidence
    truth: Mapping[int, str]

    def for_the_verdict(self) -> Played:
        """The same without what only attackers need: a thousand rounds' copies are gigabytes."""
        return Played(Evidence(self.evidence.round, self.evidence.seats), self.truth)


class Table:
    """Where rounds are played, one after the other."""

    def __init__(self, one: Home, data: Path, chance: random.Random) -> None:
        self._home, self._data, self._chance = one, data, chance
        self._follow: list[Coroutine[Any, Any, Any]] = []
        self._house = replace(one.house, later=self._follow.append)
        self._host = one.person("host")
        self._n = 0
        self._wal = _Wal(data / "pingyi.db-wal")
        with closing(self._database()) as database:
            self._columns = _columns_of(database)

    async def play(self) -> Played:
        """One round."""
        self._n += 1
        rules = {**RULES, "groups": [{"key": k, "weight": w} for k, w in await self._weights()]}
        new = NewRound(f"第{self._n}轮", "panel", "secret", "last", (SUBJECT,), rules)
        made = await create_round(self._house, self._host, self._home.slug, new)
        evidence, truth = Evidence(str(made.body["id"])), dict[int, str]()
        with structlog.testing.capture_logs() as logged:
            await open_round(self._house, self._host, evidence.round)
            self._look(evidence)
            for index in self._chance.sample(range(len(self._home.seats)), len(self._home.seats)):
                await self._cast(index, evidence, truth)
            self._before_closing(evidence)
            await close_round(self._house, self._host, evidence.round)
            for work in self._follow:
                await work
            self._follow.clear()
        evidence.said = [json.dumps(line, ensure_ascii=False, default=str) for line in logged]
        self._after_closing(evidence)
        return Played(evidence, truth)

    async def _weights(self) -> list[tuple[str, str]]:
        async with self._home.building.store.look(slug=self._home.slug) as unit:
            return [(key, weight) for key, _, weight in await unit.people.groups()]

    async def _cast(self, index: int, evidence: Evidence, truth: dict[int, str]) -> None:
        seat = self._home.seats[index]
        marks = {key: self._chance.choice(VALUES) for key in (*AGREED, TARGET)}
        key = f"{self._chance.getrandbits(96):024x}"
        answer = await cast_ballot(
            self._house, self._home.panelist(index), evidence.round, {SUBJECT: marks}, (), key
        )
        truth[seat.id] = marks.pop(TARGET)
        at = answer.body["at"]
        seen = Seat(seat.id, seat.number, seat.group, marks, key, answer.body["receipt"], at)
        evidence.seats.append(seen)
        evidence.log_pages.append(self._wal.grown())
        self._look(evidence)

    # ── what the adversary takes ──

    def _database(self, file: Path | None = None) -> sqlite3.Connection:
        path = file or self._data / "pingyi.db"
        return sqlite3.connect(f"file:{path}?mode=ro", uri=True)

    def _look(self, evidence: Evidence) -> None:
        with closing(self._database()) as database:
            evidence.states.append(_rows_of(database, evidence.round, self._columns))

    def _before_closing(self, evidence: Evidence) -> None:
        file = self._data.parent / "copy.db"
        backup(self._home.building.settings, file)
        evidence.copy_bytes = file.read_bytes()
        with closing(self._database(file)) as database:
            evidence.copy = _rows_of(database, evidence.round, self._columns)
            keys = [seat.key for seat in evidence.seats]
            marked = ",".join("?" * len(keys))
            kept = database.execute(
                f"SELECT owner, key, body_hash FROM answers WHERE key IN ({marked})", keys
            )
            evidence.kept = {(owner, key): kept for owner, key, kept in kept}

    def _after_closing(self, evidence: Evidence) -> None:
        with closing(self._database()) as database:
            database.row_factory = sqlite3.Row
            rows = database.execute(
                "SELECT * FROM secret_marks WHERE round_id = ?", (evidence.round,)
            )
            evidence.marks = [dict(row) for row in rows]
            entries = database.execute(
                "SELECT * FROM journal WHERE body LIKE ?", (f"%{evidence.round}%",)
            )
            evidence.journal = [{**dict(e), "body": json.loads(e["body"])} for e in entries]
        evidence.files = {
            str(path.relative_to(self._data)): path.read_bytes()
            for path in self._data.rglob("*")
            if path.is_file() and path.stat().st_size < 10_000
        }


def _rows_of(
    database: sqlite3.Connection, round_id: str, columns: Mapping[str, str]
) -> dict[str, list[tuple[Any, ...]]]:
    """Every row that names the round, of every table that has such a column."""
    return {
        name: database.execute(f"SELECT * FROM {name} WHERE {column} = ?", (round_id,)).fetchall()
        for name, column in columns.items()
    }


def _columns_of(database: sqlite3.Connection) -> dict[str, str]:
    """Which column of which table names a round."""
    tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    found = {"rounds": "id"}
    for (name,) in tables.fetchall():
        for column in database.execute(f"PRAGMA table_info({name})"):
            if column[1] == "round_id":
                found[name] = column[1]
    return found


class _Wal:
    """SQLite's log, of which the new frames are read after each ballot."""

    HEADER, FRAME = 32, 24

    def __init__(self, file: Path) -> None:
        self._file, self._salt, self._at = file, b"", self.HEADER

    def grown(self) -> bytes:
        """The pages written since the last call."""
        data = self._file.read_bytes()
        size = struct.unpack(">I", data[8:12])[0]
        if data[16:24] != self._salt:
            self._salt, self._at = data[16:24], self.HEADER
        pages = []
        while self._at + self.FRAME + size <= len(data):
            frame = data[self._at : self._at + self.FRAME]
            if frame[8:16] != self._salt:
                break
            pages.append(data[self._at + self.FRAME : self._at + self.FRAME + size])
            self._at += self.FRAME + size
        return b"".join(pages)


@asynccontextmanager
async def table(folder: Path, seed: int) -> AsyncIterator[Table]:
    """The demonstration's hearing, live, everybody of the panel present."""
    data = folder / "data"
    async with home(data, show=SHOW.read_text(encoding="utf-8")) as one:
        await one.go_live()
        for task in one.building.tasks:
            task.cancel()  # The timekeeper would do at some time what is done here at once.
        yield Table(one, data, random.Random(seed))
