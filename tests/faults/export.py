"""The end of every experiment: rounds are closed, what is public is exported, the checker looks at it."""

from __future__ import annotations

import asyncio
import csv
import gzip
import json
import shutil
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg

from tests.faults.checker import Verdict, check
from tests.faults.clients import Http
from tests.faults.experiment import Report
from tests.faults.hall import CHOICES, RULES, SECRET_RULES, Hall
from tests.faults.history import History

VOTES = "SELECT id, round_id, viewer, key, choice FROM votes ORDER BY id"
BALLOTS = (
    "SELECT b.round_id, s.number, b.key, b.receipt, b.replacements"
    " FROM ballots b JOIN seats s ON s.id = b.seat_id ORDER BY b.round_id, s.number"
)
SEALED = (
    "SELECT t.round_id, s.number, '', t.receipt, t.replacements"
    " FROM turnout t JOIN seats s ON s.id = t.seat_id ORDER BY t.round_id, s.number"
)
"""A secret round keeps no key beside a seat."""
ENTRIES = ("run_id", "seq", "at", "event", "actor", "role", "body", "rooms", "prev", "hash")
JOURNAL = f"SELECT {', '.join(ENTRIES)} FROM journal ORDER BY run_id, seq"


async def open_rounds(http: Http, hall: Hall, *wanted: tuple[str, str]) -> list[str]:
    """New rounds, open: `wanted` is (audience, which ballot holds) of each, `secret` for a panel whose
    ballots are sealed; gives their ids."""
    ids = []
    for audience, replacing in wanted:
        body: dict[str, Any] = {"title": "测评", "audience": audience, "replacing": replacing}
        if audience == "secret":
            body |= {"audience": "panel", "secrecy": "secret"}
            body |= {"subjects": ["water"], "rules": SECRET_RULES}
        elif audience == "panel":
            body |= {"subjects": ["water"], "rules": RULES}
        else:
            body["choices"] = [{"key": key, "label": key} for key in CHOICES]
        made = await http.json("POST", f"/hearings/{hall.slug}/rounds", hall.host, body)
        ids.append(made["id"])
        await http.json("POST", f"/rounds/{made['id']}/opening", hall.host, {})
    await see_head(http, hall)
    return ids


async def see_head(http: Http, hall: Hall) -> None:
    """Keeps where the journal stands now, outside of what is broken."""
    last = hall.checkpoints[-1] if hall.checkpoints else {"seq": 0}
    while True:
        address = f"/hearings/{hall.slug}/journal?after={last['seq']}"
        entries = (await http.json("GET", address, hall.scrutineer))["entries"]
        if not entries:
            break
        last = {"seq": entries[-1]["seq"], "hash": entries[-1]["hash"]}
    if last not in hall.checkpoints and "hash" in last:
        hall.checkpoints.append(last)


async def close_rounds(
    http: Http,
    hall: Hall,
    rounds: Sequence[str],
    seconds: float = 60,
    history: History | None = None,
) -> None:
    """Closes these rounds, and waits until each is tallied. A history is told when."""
    await see_head(http, hall)
    for id_ in rounds:
        if history is not None:
            history.closing("host", id_)
        await http.json("POST", f"/rounds/{id_}/closing", hall.host, {})
        if history is not None:
            history.closed("host", id_)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        told = [await http.json("GET", f"/rounds/{id_}", hall.host) for id_ in rounds]
        if all(one["status"] in {"tallied", "certified", "published"} for one in told):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"rounds were not tallied in {seconds} s")


async def export(
    folder: Path, http: Http, hall: Hall, rounds: Sequence[str], database: str
) -> None:
    """Writes `export/`. `database` is a SQLite file's path or a PostgreSQL's address."""
    into = folder / "export"
    into.mkdir(exist_ok=True)
    about = []
    for id_ in rounds:
        about.append(await http.json("GET", f"/rounds/{id_}", hall.host))
        wanted = [
            ("ballots.csv", hall.scrutineer),
            ("result", hall.host),
            ("turnout", hall.host),
        ]
        if about[-1]["audience"] == "panel":
            wanted += [("result.xlsx", hall.host), ("result.pdf", hall.host)]
        for name, token in wanted:
            status, body = await http.ask("GET", f"/api/v1/rounds/{id_}/{name}", token)
            assert status == 200, (name, status, body)
            suffix = "" if "." in name else ".json"
            (into / f"{id_}.{name}{suffix}").write_bytes(body)
    (into / "rounds.json").write_text(json.dumps(about, ensure_ascii=False))
    state = await http.json("GET", f"/hearings/{hall.slug}", hall.host)
    (into / "state.json").write_text(json.dumps(state, ensure_ascii=False))
    with (into / "checkpoints.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(one) + "\n" for one in hall.checkpoints)
    votes, ballots, sealed, journal = await _tables(database)
    _write(into / "stored.csv", ("n", "round", "who", "key", "choice"), votes)
    seats = [(round_, f"seat-{number:03d}", *more) for round_, number, *more in [*ballots, *sealed]]
    _write(into / "seats.csv", ("round", "who", "key", "receipt", "replacements"), seats)
    with (into / "journal.jsonl").open("w", encoding="utf-8") as file:
        for row in journal:
            entry = dict(zip(("run", *ENTRIES[1:]), row, strict=True))
            entry["body"], entry["rooms"] = json.loads(entry["body"]), json.loads(entry["rooms"])
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")


async def _tables(database: str) -> list[list[Sequence[Any]]]:
    if database.startswith("postgresql"):
        connection = await asyncpg.connect(database)
        try:
            return [[tuple(row) for row in await connection.fetch(q)] for q in _QUERIES]
        finally:
            await connection.close()
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as found:
        tables = [found.execute(query).fetchall() for query in _QUERIES]
    found.close()
    return tables


_QUERIES = (VOTES, BALLOTS, SEALED, JOURNAL)


def _write(path: Path, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([names, *rows])


def checked(folder: Path, report: Report) -> Verdict:
    """What the checker finds in the folder, in the report."""
    verdict = check(folder)
    report.faults += [f"{folder.name}: {told}" for told in verdict.told]
    report.unchecked += [one for one in verdict.unchecked if one not in report.unchecked]
    report.counted.update(verdict.counted)
    return verdict


def pack(folder: Path) -> None:
    """Histories, exports, what was seen and logged as `.gz`, which the checker reads as well; what was
    served is gone, and so are the copies of it."""
    kept = ("histories/*.jsonl", "export/*", "seen/*.jsonl", "logs/*")
    for path in [path for one in kept for path in folder.glob(one)]:
        if path.suffix != ".gz":
            with path.open("rb") as plain, gzip.open(f"{path}.gz", "wb", 5) as packed:
                shutil.copyfileobj(plain, packed)
            path.unlink()
    for gone in ("data", "copies"):
        shutil.rmtree(folder / gone, ignore_errors=True)
