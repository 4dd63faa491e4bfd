"""Random mutations of a bundle: what somebody may do to its members.

Six kinds: a byte is edited; lines or bytes are dropped, inserted, swapped or cut off; and what
somebody with the database does: the rows, the result, the turnout or the journal are changed and
everything after them (the journal's chain, the receipts' root, all hashes, the manifest) is made new.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from server.domain.journal import GENESIS, canonical, entry_hash
from server.domain.merkle import root_of
from server.reports.bundle import document
from tests.reports.making import rooted, sha256

Members = dict[str, bytes]


def edit(r: Random, members: Members) -> Members:
    """One byte becomes another."""
    name = _some(r, members)
    data = bytearray(members[name])
    place = r.randrange(len(data))
    data[place] = (data[place] + r.randint(1, 255)) % 256
    return {**members, name: bytes(data)}


def drop(r: Random, members: Members) -> Members:
    """A line, a byte or a whole member is dropped."""
    name = _some(r, members)
    if r.random() < 0.1:
        return {key: data for key, data in members.items() if key != name}
    parts = _parts(r, members[name])
    del parts[r.randrange(len(parts))]
    return {**members, name: b"".join(parts)}


def insert(r: Random, members: Members) -> Members:
    """A line or byte is doubled, or a member added."""
    if r.random() < 0.1:
        return {**members, r.choice(("ballots.csv.bak", "extra.txt", "x")): r.randbytes(9)}
    name = _some(r, members)
    parts = _parts(r, members[name])
    parts.insert(r.randrange(len(parts) + 1), r.choice(parts) or b"x")
    return {**members, name: b"".join(parts)}


def swap(r: Random, members: Members) -> Members:
    """Two lines or bytes change places, or two members their bytes."""
    if r.random() < 0.1:
        one, two = r.sample(sorted(members), 2)
        return {**members, one: members[two], two: members[one]}
    name = _some(r, members)
    parts = _parts(r, members[name])
    here, there = r.randrange(len(parts)), r.randrange(len(parts))
    parts[here], parts[there] = parts[there], parts[here]
    return {**members, name: b"".join(parts)}


def truncate(r: Random, members: Members) -> Members:
    """A member ends too early."""
    name = _some(r, members)
    return {**members, name: members[name][: r.randrange(len(members[name]))]}


def rechain(r: Random, members: Members) -> Members:
    """Somebody with the database changes what was and makes everything after it new."""
    made = dict(members)
    r.choice((_other_value, _other_total, _other_receipt, _other_turnout, _other_entry))(r, made)
    return rechained(made)


KINDS: Mapping[str, Callable[[Random, Members], Members]] = {
    "edit": edit,
    "drop": drop,
    "insert": insert,
    "swap": swap,
    "truncate": truncate,
    "rechain": rechain,
}


def mutated(r: Random, members: Members, kind: str) -> Members:
    """The members after a mutation that did change something."""
    while True:
        made = KINDS[kind](r, members)
        if made != members:
            return made


def rechained(members: Members) -> Members:
    """The journal, the result's hashes and the manifest made to fit the other members."""
    result = json.loads(members["result.json"])
    sealed = members["edition.txt"] == b"sealed\n"
    if sealed:
        result["ballots_hash"] = sha256(members["ballots.csv"])
    if result["rules_hash"] is not None:
        result["rules_hash"] = sha256(members["rules.json"])
    codes = members["receipts.csv"].decode().splitlines()[1:]
    turnout = json.loads(members["turnout.json"])
    root = root_of([code.encode() for code in codes]).hex()
    said: dict[str, dict[str, Any]] = {
        "round_opened": {"rules_hash": result["rules_hash"]},
        "round_closed": {"cast": turnout["cast"], "receipts_root": root},
        "round_tallied": {"ballots_hash": result["ballots_hash"]},
    }
    entries = [json.loads(line) for line in members["journal.jsonl"].splitlines()]
    for entry in entries:
        if "body" in entry and entry["body"].get("round") == turnout["round"]:
            entry["body"] |= said.get(entry["event"], {})
    members = {
        **members,
        "result.json": document(result),
        "journal.jsonl": b"".join(document(entry) for entry in chained(entries)),
    }
    manifest = json.loads(members["manifest.json"])
    members["manifest.json"] = document({**manifest, "receipts_root": root})
    return rooted(members)


def chained(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries numbered and hashed anew; links keep their hashes."""
    prev, made = GENESIS, []
    for seq, entry in enumerate(entries, 1):
        entry = {**entry, "seq": seq, "prev": prev}
        if "body" in entry:
            keys = ("at", "event", "actor", "role", "body", "rooms")
            entry["hash"] = entry_hash(prev, seq, *(entry[key] for key in keys))
        prev = entry["hash"]
        made.append(entry)
    return made


def _some(r: Random, members: Members) -> str:
    return r.choice([name for name in sorted(members) if members[name]])


def _parts(r: Random, data: bytes) -> list[bytes]:
    """The lines of a member, or a few pieces of it."""
    lines = data.splitlines(keepends=True)
    if len(lines) > 1 and r.random() < 0.7:
        return lines
    place = r.randrange(len(data))
    return [data[:place], data[place : place + 1], data[place + 1 :]]


def _other_value(r: Random, made: Members) -> None:
    lines = made["ballots.csv"].decode().splitlines(keepends=True)
    place = r.randrange(1, len(lines))
    other = r.choice(lines[1:]).rpartition(",")[2]
    if r.random() < 0.5:
        lines[place] = lines[place].rpartition(",")[0] + "," + other
    else:
        del lines[place]
    made["ballots.csv"] = "".join(lines).encode()


def _other_total(r: Random, made: Members) -> None:
    result = json.loads(made["result.json"])
    if "subjects" in result:
        one = r.choice(result["subjects"])
        one[r.choice(("total", "grade"))] = "99.99"
    else:
        r.choice(result["choices"])["count"] += 1
    made["result.json"] = document(result)


def _other_receipt(r: Random, made: Members) -> None:
    codes = made["receipts.csv"].decode().splitlines()[1:]
    codes[r.randrange(len(codes))] = f"ZZZZ-{r.randrange(10**6):06d}"
    made["receipts.csv"] = "".join(f"{code}\n" for code in ("receipt", *sorted(codes))).encode()


def _other_turnout(r: Random, made: Members) -> None:
    turnout = json.loads(made["turnout.json"])
    turnout[r.choice(("title", "opened_at", "closed_at"))] = r.randrange(10**9)
    made["turnout.json"] = canonical(turnout) + b"\n"


def _other_entry(r: Random, made: Members) -> None:
    entries = [json.loads(line) for line in made["journal.jsonl"].splitlines()]
    whole = [entry for entry in entries if "body" in entry]
    one = r.choice(whole)
    if r.random() < 0.5:
        one["actor"] = f"p-{r.randrange(1000)}"
    else:
        one["body"]["note"] = r.randrange(1000)
    made["journal.jsonl"] = b"".join(document(entry) for entry in entries)
