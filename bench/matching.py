"""Likely twins on real texts: how many are found, how often a proposal is right, how long it takes.

`python -m bench.matching [sqlite] [postgresql]` prints a table and exits 1 where a reach is missed. It
needs the real data beside the repository and prints no word of it.
"""

from __future__ import annotations

import asyncio
import csv
import json
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import sqlalchemy

from moderation.matching.meaning import ask_the_same
from server.actions.find_twins import find, group_questions
from server.domain.questions import NewQuestion
from server.domain.twins import ALIVE
from tests.house import Home, home
from tests.real_data import SHARED
from tests.services import create_database, postgresql

MANY = 100_000
AT_ONCE = 500
ASKED = 500
"""New questions whose twins are looked for among the many."""
REACHES = {
    "exact_groups": (100, ">="),
    "first_ten": (0.90, ">="),
    "lcqmc_right": (0.95, ">="),
    "sqlite_p99_ms": (5.0, "<="),
    "postgresql_p99_ms": (10.0, "<="),
}

Letter = tuple[str, str, str]
"""(number, title, text)."""


def letters() -> list[Letter]:
    """The citizens' messages."""
    book = openpyxl.load_workbook(SHARED / "messages-zh" / "a3_messages_votes.xlsx", read_only=True)
    rows = book.worksheets[0].iter_rows(min_row=2, values_only=True)
    return [(str(row[0]), str(row[2] or "").strip(), str(row[4] or "").strip()) for row in rows]


def rows_of(name: str) -> list[dict[str, str]]:
    """A table of the messages' folder."""
    path = SHARED / "messages-zh" / name
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def pairs(name: str) -> list[tuple[str, str, bool]]:
    """Sentence pairs with whether they mean the same."""
    lines = (SHARED / "duplicate-pairs" / name).read_text(encoding="utf-8").splitlines()
    found = (line.split("\t") for line in lines)
    return [(one, other, same == "1") for one, other, same in found]


# ── what is found ──


async def put(hall: Home, new: Iterable[Letter]) -> dict[str, int]:
    """Stores the letters as screened questions and indexes them; number → id."""
    ids: dict[str, int] = {}
    matcher, waiting = hall.house.matcher, list(new)
    for start in range(0, len(waiting), AT_ONCE):
        piece = waiting[start : start + AT_ONCE]
        async with hall.building.store.act(slug=hall.slug) as unit:
            values = [
                NewQuestion(
                    code=f"M{number}", status="screened", title=title, text=text, source="hotline",
                    source_key="bench", external_id=number, created_at=1,
                )
                for number, title, text in piece
            ]  # fmt: skip
            made = await unit.questions.add_many(values)
            ids |= {one[0]: id_ for one, id_ in zip(piece, made, strict=True)}
            await unit.matching.index(
                [
                    (id_, matcher.keys(title, text))
                    for (_, title, text), id_ in zip(piece, made, strict=True)
                ]
            )
    return ids


async def found(hall: Home, letter: Letter, own: int) -> list[Any]:
    """The twins of a letter, itself left out."""
    async with hall.building.store.look(slug=hall.slug) as unit:
        twins = await find(hall.house, unit, letter[1], letter[2], ALIVE, without=own)
    return list(twins)


async def quality(hall: Home) -> dict[str, Any]:
    """Exact duplicates and partners among the real messages."""
    all_ = letters()
    ids, by_number = await put(hall, all_), {one[0]: one for one in all_}
    groups: dict[str, list[str]] = defaultdict(list)
    for row in rows_of("a3_exact_duplicate_groups.csv"):
        groups[row["group"]].append(row["留言编号"])
    whole = 0
    for members in groups.values():
        seen = [
            {one.question.external_id for one in await found(hall, by_number[number], ids[number])
             if one.reason == "same_text"}
            for number in members
        ]  # fmt: skip
        whole += all(
            set(members) - {number} <= same for number, same in zip(members, seen, strict=True)
        )
    partners: dict[str, set[str]] = defaultdict(set)
    for row in rows_of("hot_issue_consensus_pairs.csv"):
        partners[row["留言编号_a"]].add(row["留言编号_b"])
        partners[row["留言编号_b"]].add(row["留言编号_a"])
    got = 0
    for number, theirs in partners.items():
        first = await found(hall, by_number[number], ids[number])
        got += len({one.question.external_id for one in first[:10]} & theirs)
    due = sum(min(10, len(theirs)) for theirs in partners.values())
    told = {"exact_groups": whole, "of_groups": len(groups), "first_ten": round(got / due, 4)}
    return told | await grouped(hall, ids)


async def grouped(hall: Home, ids: Mapping[str, int]) -> dict[str, Any]:
    """What the groups are, once every message is in one: the share of the pairs under one issue that are
    in one group; how many issues (what the pairs tie together) share a group with another; how many
    messages of no issue stand among those of one; the largest group."""
    while await group_questions(hall.house, hall.slug):
        pass
    async with hall.building.store.look(slug=hall.slug) as unit:
        labels = {
            one.id: one.cluster
            for one in (await unit.questions.by_ids(list(ids.values()))).values()
        }
    group = {number: labels[id_] for number, id_ in ids.items()}
    tied = [
        (row["留言编号_a"], row["留言编号_b"]) for row in rows_of("hot_issue_consensus_pairs.csv")
    ]
    issue = _tied_together(tied)
    held: dict[Any, set[str]] = defaultdict(set)
    for number, name in issue.items():
        held[group[number]].add(name)
    of_group = Counter(group.values())
    return {
        "pairs": len(tied),
        "pairs_in_one_group": round(sum(group[a] == group[b] for a, b in tied) / len(tied), 4),
        "issues": len(set(issue.values())),
        "issues_run_together": sum(len(names) for names in held.values() if len(names) > 1),
        "strangers": sum(of_group[label] for label in held) - len(issue),
        "largest_group": max(of_group.values()),
    }


def _tied_together(tied: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Number → the name of all that pairs tie it to, directly or through others."""
    name: dict[str, str] = {}
    for a, b in tied:
        one, other = name.setdefault(a, a), name.setdefault(b, b)
        if one != other:
            name |= {number: one for number, own in name.items() if own == other}
    return name


def proposals(name: str) -> tuple[int, float, float]:
    """(proposals, share that is right, share of all that mean the same)."""
    known = pairs(name)
    proposed = [same for one, other, same in known if ask_the_same(one, other)]
    right = sum(proposed)
    return (
        len(proposed),
        round(right / max(1, len(proposed)), 4),
        round(right / sum(same for *_, same in known), 4),
    )


# ── how long it takes ──


def many() -> list[Letter]:
    """A hundred thousand texts: messages, orders and sentences, each with a place of its own."""
    known = letters()
    with (SHARED / "hotline-orders" / "work_orders.csv").open(encoding="utf-8-sig") as file:
        known += [("", row["title"], row["content"]) for row in csv.DictReader(file)]
    for name in ("LCQMC_dev.txt", "AFQMC_dev.txt"):
        known += [("", "", text) for one, other, _ in pairs(name) for text in (one, other)]
    found_: list[Letter] = []
    for n in range(MANY):
        _, title, text = known[n % len(known)]
        place = f"{n // len(known)}区{n % 97}号"
        found_.append((str(n), title and f"{title}{place}", f"{text}{place}"))
    return found_


async def speed(hall: Home) -> dict[str, float]:
    """Milliseconds from a new question to its twins, among the many."""
    asked = many()
    began = time.perf_counter()
    await put(hall, asked)
    filled = time.perf_counter() - began
    # Each in a group of its own: the duty that groups a hundred thousand is not what is measured.
    async with hall.building.database.write() as connection:
        await connection.execute(sqlalchemy.text("UPDATE questions SET cluster = id"))
    took: list[float] = []
    for n in range(ASKED + 50):
        _, title, text = asked[(n * 197) % MANY]
        began = time.perf_counter()
        async with hall.building.store.look(slug=hall.slug) as unit:
            await find(hall.house, unit, title, f"{text}再次反映", ALIVE)
        took.append(1000 * (time.perf_counter() - began))
    took = sorted(took[50:])  # The first ones read the file's pages.
    return {
        "fill_s": round(filled, 1),
        "p50_ms": round(took[len(took) // 2], 2),
        "p99_ms": round(took[int(len(took) * 0.99)], 2),
    }


async def on(engine: str, folder: Path, database: str) -> dict[str, Any]:
    """Both, on one engine."""
    told: dict[str, Any] = {}
    async with home(folder / "quality", database) as hall:
        told |= await quality(hall)
    if database:
        database = create_database(database.rpartition("/")[0], "speed")
    async with home(folder / "speed", database) as hall:
        told |= {f"{engine}_{name}": value for name, value in (await speed(hall)).items()}
    return told


def missed(told: dict[str, Any]) -> list[str]:
    """Reaches that the figures do not reach."""
    wrong = []
    for name, (limit, compare) in REACHES.items():
        value = told.get(name)
        fits = value is None or (value >= limit if compare == ">=" else value <= limit)
        if not fits:
            wrong.append(f"{name}: {value}, wanted {compare} {limit}")
    return wrong


def main(engines: Sequence[str]) -> int:
    """Prints the figures; 1 where a reach is missed."""
    told: dict[str, Any] = {}
    for name, key in (("LCQMC_dev.txt", "lcqmc"), ("AFQMC_dev.txt", "afqmc")):
        told[f"{key}_proposed"], told[f"{key}_right"], told[f"{key}_recall"] = proposals(name)
    with tempfile.TemporaryDirectory() as folder:
        for engine in engines:
            here = Path(folder) / engine
            here.mkdir()
            if engine == "postgresql":
                with postgresql(durable=True) as server:
                    told |= asyncio.run(on(engine, here, create_database(server, "quality")))
            else:
                told |= asyncio.run(on(engine, here, ""))
    print(json.dumps(told, indent=1))
    wrong = missed(told)
    for one in wrong:
        print(one, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ("sqlite", "postgresql")))
