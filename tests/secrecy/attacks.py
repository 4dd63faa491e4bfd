"""Twelve scripted attackers. Each guesses the fifth mark of every seat from what the adversary holds.

An attacker that finds nothing about a seat guesses one of the marks that its group gave. What each would
find if the product leaked it is planted in `plants.py`; an attacker that does not find its plant is worth
nothing.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

from server.domain.journal import canonical
from tests.secrecy.game import AGREED, SUBJECT, TARGET, VALUES, Evidence, Seat

Guesses = Mapping[int, str]
Attack = Callable[[Evidence], Guesses]
_KNOWN = frozenset(VALUES)
_MARK = re.compile(rf"{TARGET}\W{{1,6}}([0-9.]+)".encode())
"""The fifth dimension's key with a number close behind, in whatever was written."""


def row_order(evidence: Evidence) -> Guesses:
    """The marks lie in the order of the seats."""
    return _in_order(evidence, lambda seat: seat.number, lambda row: 0)


def ids(evidence: Evidence) -> Guesses:
    """The marks' ids rise in the order in which the seats cast."""
    return _in_order(evidence, lambda seat: seat.at, lambda row: row["id"])


def _in_order(
    evidence: Evidence,
    of_seats: Callable[[Seat], Any],
    of_rows: Callable[[dict[str, str]], Any],
) -> Guesses:
    """The n-th mark of a group is the n-th seat's; what is equal stays as it lies."""
    found = {}
    for group, seats in evidence.groups.items():
        rows = sorted(evidence.cell(group), key=of_rows)
        for seat, row in zip(sorted(seats, key=of_seats), rows, strict=False):
            found[seat.id] = row["value"]
    return _filled(evidence, found)


def names(evidence: Evidence) -> Guesses:
    """A rater's name is made of what is known of the seat."""
    found = {}
    for seat in evidence.seats:
        known = (
            seat.receipt,
            seat.key,
            str(seat.id),
            f"seat:{seat.id}",
            str(seat.number),
            str(seat.at),
        )
        made = set()
        for word in known:
            for text in (word, f"{evidence.round}:{word}", f"{word}:{evidence.round}"):
                for kind in ("sha256", "sha1", "md5", "blake2b"):
                    made.add(hashlib.new(kind, text.encode()).hexdigest()[:12])
        for row in evidence.cell(seat.group):
            if {row["rater"].removeprefix("r-")[:12], row["id"][:12]} & made:
                found[seat.id] = row["value"]
    return _filled(evidence, found)


def sizes(evidence: Evidence) -> Guesses:
    """A box is as long as what is in it, of which four marks are known."""
    boxes = {row[1]: len(row[-1]) for row in evidence.copy["sealed_ballots"]}
    rest = {s.id: boxes[s.id] - sum(map(len, s.agreed.values())) for s in evidence.seats}
    # The shortest box holds one of the shortest marks.
    marks_of_all = [row["value"] for group in evidence.groups for row in evidence.cell(group)]
    beside = min(rest.values()) - min(map(len, marks_of_all))
    found = {}
    for group, seats in evidence.groups.items():
        marks = [row["value"] for row in evidence.cell(group)]
        for seat in seats:
            fits = [m for m in marks if len(m) == rest[seat.id] - beside]
            if fits:
                found[seat.id] = fits[0]
    return _filled(evidence, found)


def times(evidence: Evidence) -> Guesses:
    """An id or a name holds the time at which its seat cast, as ids that sort by time do."""
    found = {}
    for group, seats in evidence.groups.items():
        rows = evidence.cell(group)
        for seat in seats:
            told = {
                row["value"]: min(
                    abs(int(text.removeprefix("r-")[:12], 16) - seat.at)
                    for text in (row["id"], row["rater"])
                )
                for row in rows
            }
            value, distance = min(told.items(), key=lambda one: one[1])
            if distance < 60_000:
                found[seat.id] = value
    return _filled(evidence, found)


def kept_hashes(evidence: Evidence) -> Guesses:
    """What is kept under a key is a hash of what was sent: each possible sheet is tried."""
    found = {}
    for seat in evidence.seats:
        kept = evidence.kept.get((f"seat:{seat.id}", seat.key), "")
        for value in VALUES:
            body = {"marks": {SUBJECT: {**seat.agreed, TARGET: value}}, "recused": []}
            text = canonical(["cast_ballot", {"round": evidence.round}, body])
            digest = hashlib.sha256(text).hexdigest()
            if digest in kept or hashlib.sha256(digest.encode()).hexdigest() in kept:
                found[seat.id] = value
    return _filled(evidence, found)


def running_counts(evidence: Evidence) -> Guesses:
    """Between two states of the database something that is counted by mark grew by one."""
    found = {}
    for seat, before, after in zip(
        evidence.seats, evidence.states, evidence.states[1:], strict=False
    ):
        for name, rows in after.items():
            for row in set(rows) - set(before[name]):
                marks = [cell for cell in row if isinstance(cell, str) and cell in _KNOWN]
                older = [old for old in before[name] if set(marks) & set(map(str, old))]
                if marks and (not older or _grew(older[0], row)):
                    found[seat.id] = marks[0]
    return _filled(evidence, found)


def _grew(old: Sequence[Any], new: Sequence[Any]) -> bool:
    return sum(b - a for a, b in zip(old, new, strict=True) if isinstance(a, int)) == 1


def log_pages(evidence: Evidence) -> Guesses:
    """The database's log tells in plain words what a ballot wrote: beside a mark that was agreed stands
    the one that was not. (Alone it may be a result's, on the same page.)"""
    found = {}
    last = AGREED[-1]
    for seat, pages in zip(evidence.seats, evidence.log_pages, strict=True):
        sheet = rf"{last}\W{{1,6}}{re.escape(seat.agreed[last])}\W{{1,6}}{TARGET}\W{{1,6}}([0-9.]+)"
        told = re.findall(sheet.encode(), pages)
        if told:
            found[seat.id] = told[0].decode()
    return _filled(evidence, found)


def log_lines(evidence: Evidence) -> Guesses:
    """The n-th line that the server logged of a mark is the n-th ballot's."""
    told = [mark.decode() for line in evidence.said for mark in _MARK.findall(line.encode())]
    return _filled(evidence, dict(zip((s.id for s in evidence.seats), told, strict=False)))


def journal(evidence: Evidence) -> Guesses:
    """An entry of the round lists marks, in the order of the seats or of the ballots."""
    in_order = sorted(evidence.seats, key=lambda seat: seat.id)
    for entry in evidence.journal:
        for listed in _lists(entry["body"]):
            marks = [str(one) for one in listed if str(one) in _KNOWN]
            if len(marks) == len(in_order):
                return _filled(evidence, dict(zip((s.id for s in in_order), marks, strict=True)))
    return _filled(evidence, {})


def _lists(value: Any) -> Iterator[list[Any]]:
    if isinstance(value, list):
        yield value
    for one in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        yield from _lists(one)


def copies(evidence: Evidence) -> Guesses:
    """Some key that lies about opens the boxes of a copy that was made while the round was open."""
    found = {}
    boxes = {row[1]: row[-1] for row in evidence.copy["sealed_ballots"]}
    for key in _keys(evidence):
        box = SealedBox(PrivateKey(key))
        try:
            for seat, closed in boxes.items():
                found[seat] = json.loads(box.decrypt(closed)[:-64])["marks"][SUBJECT][TARGET]
        except CryptoError:
            continue
    return _filled(evidence, found)


def _keys(evidence: Evidence) -> Iterable[bytes]:
    """Everything that may be a key of 32 bytes: in copies, states, journal, logs and files."""
    texts = [repr(evidence.states[-1]), repr(evidence.copy), repr(evidence.journal), *evidence.said]
    hexes = {h for text in texts for h in re.findall(r"[0-9a-f]{64}", text)}
    hexes |= {h.decode() for h in re.findall(rb"[0-9a-f]{64}", evidence.copy_bytes)}
    raw = {content[at : at + 32] for content in evidence.files.values() for at in (0, 32)}
    return {bytes.fromhex(h) for h in hexes} | {one for one in raw if len(one) == 32}


def fingerprint(evidence: Evidence) -> Guesses:
    """A ballot is known by the four marks that were agreed, and the fifth stands beside them."""
    ballots: dict[str, dict[str, str]] = {}
    for row in evidence.marks:
        ballots.setdefault(row["rater"], {})[row["dimension"]] = row["value"]
    found = {}
    for seat in evidence.seats:
        for marks in ballots.values():
            agreed = {k: v for k, v in marks.items() if k != TARGET}
            if TARGET in marks and agreed and agreed.items() <= seat.agreed.items():
                found[seat.id] = marks[TARGET]
    return _filled(evidence, found)


def _filled(evidence: Evidence, found: Mapping[int, str]) -> Guesses:
    """Who is not found is given one of the group's marks."""
    chance = random.Random(evidence.round)
    guesses = {}
    for group, seats in evidence.groups.items():
        marks = [row["value"] for row in evidence.cell(group)]
        for seat in seats:
            guesses[seat.id] = found.get(seat.id) or chance.choice(marks)
    return guesses


ATTACKS: Mapping[str, Attack] = {
    attack.__name__: attack
    for attack in (
        row_order, ids, names, sizes, times, kept_hashes, running_counts, log_pages, log_lines,
        journal, copies, fingerprint,
    )
}  # fmt: skip
