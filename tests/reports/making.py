"""Bundles made for tests: a round of drawn rules and ballots, with a journal and a result."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from server.domain.ballot_file import write_ballots
from server.domain.ballots import BallotRow
from server.domain.journal import GENESIS, Entry, entry_hash
from server.domain.rule_file import parse_rule_set
from server.domain.tally import result_bytes, tally
from server.reports.bundle import (
    Bundle,
    Material,
    document,
    hashes_of,
    make_bundle,
    receipts_root,
)
from server.reports.verify import channels_of, read_together

ROUND = "r-4821"
TOOLS = {"verify.py": b"# the verifier\n", "verify.html": b"<!doctype html>\n"}
Step = tuple[str, Mapping[str, Any]]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def chained(steps: Sequence[Step]) -> list[Entry]:
    """A journal of these acts."""
    entries, prev = [], GENESIS
    for seq, (event, body) in enumerate(steps, 1):
        at, rooms = 1_700_000_000_000 + seq, {"host": seq}
        hash_ = entry_hash(prev, seq, at, event, "p-7", "host", body, rooms)
        entries.append(Entry(seq, at, event, "p-7", "host", body, rooms, None, prev, hash_))
        prev = hash_
    return entries


def steps_of(material: Material) -> list[Step]:
    """What the run's journal tells of the round, with other acts between."""
    about = {"round": material.round}
    result = json.loads(material.result)
    return [
        ("hearing_changed", {"status": "live"}),
        ("round_created", {**about, "title": material.title}),
        ("round_opened", {**about, "rules_hash": result["rules_hash"], "entitled": 21}),
        ("question_approved", {"id": "q1", "reason": "“引号”与\u2028行"}),
        ("round_opened", {"round": "another", "rules_hash": None}),
        ("round_closing", {**about, "seconds": 10}),
        (
            "round_closed",
            {
                **about,
                "cast": material.cast,
                "receipts_root": receipts_root(material.receipts),
            },
        ),
        ("round_tallied", {**about, "ballots_hash": result["ballots_hash"]}),
        ("round_signed", {**about, "signed_as": "host"}),
    ]


def codes(r: Random, n: int) -> list[str]:
    """Receipts."""
    letters = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
    made: set[str] = set()
    while len(made) < n:
        made.add("".join(r.choice(letters) for _ in range(4)) + f"-{len(made):04d}")
    return list(made)


def cut_apart(
    r: Random, rules: Mapping[str, Any], rows: Sequence[tuple[str, ...]]
) -> list[tuple[str, ...]]:
    """The rows as a secret round stores them: shuffled, and no more under one name than rules need."""
    names: dict[tuple[object, ...], str] = {}
    cut = []
    for number, (subject, rater, *rest) in enumerate(rows):
        channel = rest[3] if len(rest) > 3 else ""
        needed = read_together(*channels_of(rules)[channel])
        part = {"ballot": None, "sheet": subject, "nothing": number}[needed]
        name = names.setdefault((channel, rater, part), r.randbytes(10).hex())
        cut.append((subject, name, *rest))
    r.shuffle(cut)
    return cut


def panel_material(
    r: Random,
    rules: Mapping[str, Any],
    rows: Sequence[tuple[str, ...]],
    secrecy: str = "named",
    tools: Mapping[str, bytes] = TOOLS,
) -> Material:
    """A panel round: the result is the product's own."""
    parsed = parse_rule_set(dict(rules))
    composite = "composite" in rules
    raters = {(row[5] if composite else "", row[1], row[2]) for row in rows}
    cast = len(raters)
    groups = {row[2] for row in rows} if not composite and secrecy == "named" else set()
    in_group = {g: len({one for one in raters if one[2] == g}) for g in groups}
    if secrecy == "secret":
        rows = cut_apart(r, rules, rows)
    ballots = write_ballots([BallotRow(*row) for row in rows], channels=composite).encode()
    result = result_bytes(tally(parsed, [BallotRow(*row) for row in rows], ballots))
    made = Material(
        round=ROUND,
        title="现场测评，“第一轮”",
        audience="panel",
        secrecy=secrecy,
        due=cast + len(groups) + 2,
        present=cast + len(groups),
        cast=cast,
        opened_at=1_700_000_000_001,
        closed_at=1_700_000_060_001,
        groups={g: (n + 1, n) for g, n in sorted(in_group.items())},
        rules=document(rules),
        ballots=ballots,
        receipts=codes(r, cast),
        journal=(),
        result=result,
        tools=tools,
    )
    return replace(made, journal=chained(steps_of(made)))


def public_material(
    r: Random, choices: Sequence[str], tools: Mapping[str, bytes] = TOOLS
) -> Material:
    """A public round with these votes."""
    offered = [("good", "满意"), ("fair", "基本满意"), ("poor", "不满意")]
    rows = [BallotRow("s1", r.randbytes(10).hex(), "", "choice", choice) for choice in choices]
    ballots = write_ballots(rows).encode()
    result = {
        "ballots_hash": sha256(ballots),
        "cast": len(rows),
        "choices": [
            {"key": key, "label": label, "count": choices.count(key)} for key, label in offered
        ],
        "rules_hash": None,
        "valid": True,
    }
    made = Material(
        round=ROUND,
        title="网络评价",
        audience="public",
        secrecy="named",
        due=None,
        present=None,
        cast=len(rows),
        opened_at=1_700_000_000_001,
        closed_at=1_700_000_060_001,
        groups={},
        rules=document({"kind": "choices", "choices": [list(pair) for pair in offered]}),
        ballots=ballots,
        receipts=codes(r, len(rows)),
        journal=(),
        result=document(result),
        tools=tools,
    )
    return replace(made, journal=chained(steps_of(made)))


def bundle(material: Material, seed: int = 1) -> Bundle:
    """The bundle, from a source that gives the same each time."""
    return make_bundle(material, Random(seed))


def rows_in(data: bytes) -> list[dict[str, str]]:
    """`ballots.csv`, by another reader."""
    return list(csv.DictReader(io.StringIO(data.decode())))


def rooted(members: Mapping[str, bytes]) -> dict[str, bytes]:
    """The members with a manifest made new over them, as somebody with the database would."""
    manifest = json.loads(members["manifest.json"])
    edition = members["edition.txt"].decode().strip()
    of_edition = hashes_of({n: d for n, d in members.items() if n != "manifest.json"})
    other = {n: h for n, h in of_edition.items() if n in SAME}
    for name, editions in manifest["editions"].items():
        editions.update(of_edition if name == edition else other)
    return {**members, "manifest.json": document(manifest)}


SAME = ("rules.json", "receipts.csv", "turnout.json", "verify.py", "verify.html", "README.txt")
