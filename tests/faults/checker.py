"""Whether what is exported is what the clients were told: the invariants I1 to I10.

    python -m tests.faults.checker FOLDER

It imports nothing of the product and nothing of the rest of the harness: only the standard library, and
openpyxl and pypdf to read documents.
It reads, in FOLDER,

- `histories/*.jsonl`: what clients asked and were told (`history.py` says how);
- `export/rounds.json`, and for each round `ROUND.ballots.csv`, `ROUND.result.json`,
  `ROUND.turnout.json`: as the API gives them;
- `export/stored.csv` (`n,round,who,key,choice`): every public vote as it is stored, in its order, and
  `export/seats.csv` (`round,who,key,receipt,replacements`): every panel ballot. The API exports the
  votes that count, not the keys; these two are read from the database, read-only. A secret round keeps
  no key, and its marks name no seat: whose a mark is, is known by the mark, of which no two are the same;
- `ROUND.result.xlsx` and `ROUND.result.pdf` of a panel round: the documents that people get;
- `export/journal.jsonl`: the entries of each `run`, and `export/checkpoints.jsonl` (`seq`, `hash`): heads
  that somebody outside saw in the course of the experiment;
- `views/*.jsonl`: what viewers saw, and `export/state.json`: what the server says at the end;
- for the marks of secret rounds: `seen/*.jsonl` (`t,audience,what,text`), every frame, page and answer;
  `logs/*`, what the processes said on standard output and error; `copies/T-NAME/`, what lay on the disk at
  the moment T: the database with its log, a backup, or all rows in words. When a round closed and to
  whom it was published stands in the histories (`closing`, `released`).

Each may be packed as `.gz`.

An act that was refused for good must not be there; `too_many` and `key_reused` are no such refusal,
since the key may have been counted before.
"""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import io
import json
import struct
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Any

import openpyxl
import pypdf

NOT_FINAL = frozenset({"too_many", "key_reused"})
GENESIS = "0" * 64
VOLATILE = ("viewers", "likes")
"""Members of a state that count who is there: they change without a version."""
NOBODY = ""
"""Whose a mark is that nobody sent."""
WIDER = ("internal", "hall", "public")
"""Audiences of a publication: each includes those before it."""
EXAMPLES = 20
"""Findings of one invariant that are told; the others are only counted."""


@dataclass
class Ballot:
    """One key: what was sent with it and what was answered, in nanoseconds."""

    round: str
    who: str
    key: str
    value: Any
    first: int
    acked: int | None = None
    refused: int | None = None
    answers: list[Any] = field(default_factory=list)
    refusals: set[str] = field(default_factory=set)
    sends: int = 0

    @property
    def settled(self) -> bool:
        """Whether somebody was told at last."""
        return self.acked is not None or bool(self.refusals)


@dataclass
class Verdict:
    """What was found; `counted` says in what."""

    findings: list[tuple[str, str]] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    each: Counter[str] = field(default_factory=Counter)

    def find(self, invariant: str, says: str) -> None:
        """Something that must not be."""
        self.each[invariant] += 1
        if self.each[invariant] <= EXAMPLES:
            self.findings.append((invariant, says))

    @property
    def told(self) -> list[str]:
        """Findings as sentences."""
        more = [f"{name}: and {n - EXAMPLES} more" for name, n in self.each.items() if n > EXAMPLES]
        return [f"{invariant}: {says}" for invariant, says in self.findings] + more


def check(folder: Path) -> Verdict:
    """All invariants on one folder."""
    verdict = Verdict()
    ballots, closings = _histories(folder / "histories", verdict)
    export = folder / "export"
    by_round: dict[str, list[Ballot]] = defaultdict(list)
    for ballot in ballots.values():
        by_round[ballot.round].append(ballot)
        _answers(ballot, verdict)
    rounds = {r["id"]: r for r in _json(export / "rounds.json", [])}
    stored: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in sorted(_csv(export / "stored.csv"), key=lambda row: int(row["n"])):
        stored[row["round"]].append(row)
    seats: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in _csv(export / "seats.csv"):
        seats[row["round"]].append(row)
    journal = _journal(export / "journal.jsonl", verdict)
    shown = {
        r["id"]: r for r in _json(export / "state.json", {}).get("state", {}).get("rounds", ())
    }
    for id_ in sorted({*rounds, *by_round, *stored, *seats}):
        _Round(verdict, id_, rounds.get(id_), by_round[id_], closings.get(id_, {}), export).check(
            stored[id_], seats[id_], journal, shown.get(id_)
        )
    _views(folder, verdict)
    secret = [id_ for id_, about in rounds.items() if about.get("secrecy") == "secret"]
    if not secret:
        verdict.unchecked.append("I10: there is no secret round")
    for id_ in secret:
        _Sealed(verdict, id_, folder, by_round[id_], closings.get(id_, {})).check()
    return verdict


# ── reading ──


def _bytes(path: Path) -> bytes | None:
    """What is in the file, which may be packed as `.gz`; None when it is not there."""
    if path.exists():
        data = path.read_bytes()
        return gzip.decompress(data) if path.suffix == ".gz" else data
    packed = path.with_name(f"{path.name}.gz")
    return gzip.decompress(packed.read_bytes()) if packed.exists() else None


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    return map(json.loads, (_bytes(path) or b"").splitlines())


def _json(path: Path, without: Any) -> Any:
    data = _bytes(path)
    return without if data is None else json.loads(data)


def _csv(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((_bytes(path) or b"").decode(), newline="")))


def _histories(
    folder: Path, verdict: Verdict
) -> tuple[dict[tuple[str, str], Ballot], dict[str, dict[str, int]]]:
    """Ballots by (who, key), and when each round's closing was asked for and acknowledged, and its
    publication to each audience."""
    ballots: dict[tuple[str, str], Ballot] = {}
    closings: dict[str, dict[str, int]] = {}
    lines = (line for path in sorted(folder.glob("*.jsonl*")) for line in _lines(path))
    for line in sorted(lines, key=lambda line: line["t"]):
        kind, t = line["kind"], line["t"]
        if kind in {"closing", "closed"}:
            closings.setdefault(line["round"], {}).setdefault(kind, t)
            continue
        if kind == "released":
            for audience in WIDER[: WIDER.index(line["audience"]) + 1]:
                closings.setdefault(line["round"], {}).setdefault(audience, t)
            continue
        name = (line["who"], line["key"])
        if kind == "invoke":
            value = line["marks"] if "marks" in line else line["choice"]
            ballot = ballots.get(name)
            if ballot is None:
                ballot = ballots[name] = Ballot(line["round"], *name, value, t)
            elif (ballot.round, ballot.value) != (line["round"], value):
                raise ValueError(f"the history sends two ballots under {name}")
            ballot.sends += 1
            verdict.counted["sends"] += 1
            continue
        ballot = ballots[name]
        if kind == "ok":
            ballot.acked = ballot.acked or t
            if line["answer"] not in ballot.answers:
                ballot.answers.append(line["answer"])
        elif kind == "fail" and line["code"] not in NOT_FINAL:
            ballot.refused = ballot.refused or t
            ballot.refusals.add(line["code"])
        elif kind == "info":
            verdict.counted["unknown"] += 1
    for ballot in ballots.values():
        verdict.counted["ballots"] += 1
        verdict.counted["acknowledged"] += ballot.acked is not None
        verdict.counted["refused"] += ballot.acked is None and bool(ballot.refusals)
    return ballots, closings


def _answers(ballot: Ballot, verdict: Verdict) -> None:
    """I5: one lasting answer."""
    if len(ballot.answers) > 1:
        verdict.find("I5", f"{ballot.key} was answered {ballot.answers}")
    if ballot.acked is not None and ballot.refusals:
        verdict.find("I5", f"{ballot.key} was acknowledged and refused: {ballot.refusals}")
    if not ballot.settled:
        verdict.find("I5", f"{ballot.key} got no lasting answer in {ballot.sends} sends")


# ── one round ──


def pseudonym(round_: str, viewer: str) -> str:
    """How the export names a viewer: the first 20 hex digits of SHA-256 of `ROUND:VIEWER`."""
    return hashlib.sha256(f"{round_}:{viewer}".encode()).hexdigest()[:20]


@dataclass
class _Round:
    verdict: Verdict
    id: str
    about: Mapping[str, Any] | None
    ballots: list[Ballot]
    closing: Mapping[str, int]
    export: Path

    def find(self, invariant: str, says: str) -> None:
        """Something that must not be, in this round."""
        self.verdict.find(invariant, f"round {self.id}: {says}")

    def check(
        self,
        stored: list[dict[str, str]],
        seats: list[dict[str, str]],
        journal: list[dict[str, Any]],
        shown: Mapping[str, Any] | None,
    ) -> None:
        """I1 to I7."""
        path = self.export / f"{self.id}.ballots.csv"
        data = _bytes(path)
        if self.about is None or data is None:
            if any(b.acked for b in self.ballots):
                self.find("I1", "ballots were acknowledged and there is no export of them")
            return
        self.verdict.counted["rounds"] += 1
        rows = _csv(path)
        if self.about.get("secrecy") == "secret":
            rows = self._named(seats, rows)
        self._once_each(rows)
        if self.about["audience"] == "public":
            self._public(stored, rows)
        else:
            self._panel(seats, rows)
        self._closed(journal, rows)
        self._result(journal, rows, data, shown)

    def _named(
        self, seats: list[dict[str, str]], rows: list[dict[str, str]]
    ) -> list[dict[str, str]]:
        """The rows of a secret round with the seat that gave each mark; I2 for one that nobody gave. The
        turnout says under which receipt a seat's ballot counts, and that is whose key it is."""
        whose: dict[tuple[str, str, str], list[Ballot]] = defaultdict(list)
        keys: dict[str, str] = {}
        for ballot in self.ballots:
            for subject, cells in ballot.value.items():
                for dimension, value in cells.items():
                    whose[subject, dimension, value].append(ballot)
            keys.update({answer["receipt"]: ballot.key for answer in ballot.answers})
        for seat in seats:
            seat["key"] = keys.get(seat["receipt"], "")
        named = []
        for row in rows:
            found = whose.get((row["subject"], row["dimension"], row["value"]), [])
            if len({ballot.who for ballot in found}) != 1:
                self.find("I2", f"{row['value']} was sent by {len(found)} ballots")
                named.append({**row, "rater": NOBODY})
            else:
                named.append({**row, "rater": found[0].who})
        return named

    def _once_each(self, rows: list[dict[str, str]]) -> None:
        cells = Counter((row["subject"], row["rater"], row["dimension"]) for row in rows)
        for (_, rater, _), n in cells.items():
            if n > 1:
                self.find("I3", f"{rater} counts {n} times")

    def _public(self, stored: list[dict[str, str]], rows: list[dict[str, str]]) -> None:
        there: dict[tuple[str, str], list[str]] = defaultdict(list)
        of_viewer: dict[str, list[Ballot]] = defaultdict(list)
        known = {(b.who, b.key): b for b in self.ballots}
        for row in stored:
            name = (row["who"], row["key"])
            there[name].append(row["choice"])
            ballot = known.get(name)
            if ballot is None or ballot.value != row["choice"]:
                self.find("I2", f"{row['key']} {row['choice']} was never sent")
            else:
                of_viewer[ballot.who].append(ballot)
        for name, ballot in known.items():
            found = there.get(name, [])
            if ballot.acked is not None and not found:
                self.find("I1", f"{ballot.key} was acknowledged and is lost")
            if len(found) > 1:
                self.find("I1", f"{ballot.key} is stored {len(found)} times")
            if ballot.acked is None and ballot.refusals and found:
                self.find("I4", f"{ballot.key} was refused ({ballot.refusals}) and is there")
        counting = {}
        for who, sent in of_viewer.items():
            if self._first_holds and len({b.key for b in sent}) > 1:
                self.find("I3", f"{who} has {len(sent)} votes where the first one holds")
            self._in_order(who, sent)
            counting[pseudonym(self.id, who)] = sent[0 if self._first_holds else -1].value
        exported = {row["rater"]: row["value"] for row in rows}
        for rater, value in exported.items():
            if rater not in counting:
                self.find("I2", f"{rater} is exported and never voted")
            elif counting[rater] != value:
                self.find("I1", f"{rater} is exported with {value} instead of {counting[rater]}")
        for rater in counting.keys() - exported.keys():
            self.find("I1", f"{rater} voted and is not exported")

    @property
    def _first_holds(self) -> bool:
        return self.about is not None and self.about["replacing"] == "first"

    def _in_order(self, who: str, sent: list[Ballot]) -> None:
        """Whoever sent after another's acknowledgement comes after it."""
        latest = 0
        for ballot in sent:
            if ballot.acked is not None and ballot.acked < latest:
                self.find("I1", f"{who}: {ballot.key} stands after one that was sent later")
            latest = max(latest, ballot.first)

    def _panel(self, seats: list[dict[str, str]], rows: list[dict[str, str]]) -> None:
        marks: dict[str, dict[str, dict[str, str]]] = defaultdict(dict)
        for row in rows:
            # `seat-007`, and what makes the name impossible to guess.
            sheets = marks["-".join(row["rater"].split("-")[:2])]
            sheets.setdefault(row["subject"], {})[row["dimension"]] = row["value"]
        kept = {row["who"]: row for row in seats}
        if len(kept) < len(seats):
            self.find("I3", "a seat has two ballots")
        of_seat: dict[str, list[Ballot]] = defaultdict(list)
        for ballot in self.ballots:
            of_seat[ballot.who].append(ballot)
        for who in sorted({*marks, *kept, *of_seat}):
            self._seat(who, kept.get(who), marks.get(who), of_seat[who])
        receipts = Counter(
            answer["receipt"] for b in self.ballots for answer in b.answers if "receipt" in answer
        )
        for receipt, n in receipts.items():
            if n > 1:
                self.find("I5", f"{n} ballots have the receipt {receipt}")

    def _seat(
        self,
        who: str,
        row: Mapping[str, str] | None,
        marks: Mapping[str, Mapping[str, str]] | None,
        sent: list[Ballot],
    ) -> None:
        acked = [b for b in sent if b.acked is not None]
        if row is None or marks is None:
            if acked:
                self.find("I1", f"{who}: {acked[-1].key} was acknowledged and is lost")
            elif row is not None or marks is not None:
                self.find("I2", f"{who} is half there")
            return
        counts = next((b for b in sent if b.key == row["key"]), None)
        if counts is None or counts.value != marks:
            self.find("I2", f"{who}: {row['key']} with {marks} was never sent")
            return
        if counts.refusals and counts.acked is None:
            self.find("I4", f"{who}: {counts.key} was refused ({counts.refusals}) and is there")
            return
        for answer in counts.answers[:1]:
            if answer["receipt"] != row["receipt"]:
                self.find("I5", f"{who}: {counts.key} is kept with another receipt")
        for other in acked:
            if counts.acked is not None and other.first > counts.acked:
                self.find("I1", f"{who}: {other.key} was acknowledged later and does not count")
        open_ = [b for b in sent if not b.settled]
        n = int(row["replacements"]) + 1
        if not len(acked) <= n <= len(acked) + len(open_):
            self.find("I1", f"{who}: {n} ballots were counted, {len(acked)} acknowledged")
        firsts = [b for b in acked if b.answers[0].get("replaced") is False]
        if len(firsts) > 1 or not (firsts or open_):
            self.find("I5", f"{who}: {len(firsts)} ballots were told that they replaced none")
        if self._first_holds and len(acked) > 1:
            self.find("I3", f"{who}: {len(acked)} acknowledged where the first one holds")

    def _closed(self, journal: list[dict[str, Any]], rows: list[dict[str, str]]) -> None:
        """I6: every ballot is before the close or was refused."""
        records = self._entries(journal, "round_closed")
        raters = len({row["rater"] for row in rows} - {NOBODY})
        if len(records) != 1:
            self.find("I6", f"it was closed {len(records)} times")
        for record in records:
            if record["body"].get("cast") != raters:
                self.find("I6", f"closed with {record['body'].get('cast')} ballots, {raters} count")
        asked, closed = self.closing.get("closing"), self.closing.get("closed")
        for ballot in self.ballots:
            if closed is not None and ballot.acked is not None and ballot.first > closed:
                self.find("I6", f"{ballot.key} was acknowledged and sent after the close")
            early = ballot.refused is not None and asked is not None and ballot.refused < asked
            if early and "round_closed" in ballot.refusals:
                self.find("I6", f"{ballot.key} was refused before anybody closed")

    def _entries(self, journal: list[dict[str, Any]], event: str) -> list[dict[str, Any]]:
        return [e for e in journal if e["event"] == event and e["body"].get("round") == self.id]

    def _result(
        self,
        journal: list[dict[str, Any]],
        rows: list[dict[str, str]],
        csv_bytes: bytes,
        shown: Mapping[str, Any] | None,
    ) -> None:
        """I7: the result is what anybody recomputes from the exported ballots."""
        result = _json(self.export / f"{self.id}.result.json", None)
        if result is None:
            self.verdict.unchecked.append(f"I7: round {self.id} has no result")
            return
        digest = hashlib.sha256(csv_bytes).hexdigest()
        tallied = [e["body"].get("ballots_hash") for e in self._entries(journal, "round_tallied")]
        if result["ballots_hash"] != digest or tallied != [digest]:
            self.find("I7", "the ballots' hash is another in the result or the journal")
        raters = len({row["rater"] for row in rows} - {NOBODY})
        turnout = _json(self.export / f"{self.id}.turnout.json", {"cast": raters})
        if turnout["cast"] != raters:
            self.find("I7", f"the turnout is {turnout['cast']}, {raters} ballots count")
        if shown is not None and shown["cast"] != raters:
            self.find("I7", f"screens show {shown['cast']}, {raters} ballots count")
        assert self.about is not None
        if self.about["audience"] == "public":
            counts = Counter(row["value"] for row in rows)
            told = {one["key"]: one["count"] for one in result["choices"]}
            if told != {key: counts[key] for key in told} or result["cast"] != raters:
                self.find("I7", f"the result says {told}, the ballots {dict(counts)}")
        elif not plain(self.about["rules"]):
            self.verdict.unchecked.append(f"I7: the rules of {self.id} are beyond this checker")
        else:
            told = {s["subject"]: (s["total"], s["dimensions"]) for s in result["subjects"]}
            again = tally(self.about["rules"], rows)
            if told != again:
                self.find("I7", f"the result says {told}, the ballots {again}")
        if self.about["audience"] == "panel":
            names = {one["key"]: one["name"] for one in self.about["subjects"]}
            totals = {names[s["subject"]]: s["total"] for s in result["subjects"]}
            self._documents({name: total for name, total in totals.items() if total}, digest)

    def _documents(self, totals: Mapping[str, str], digest: str) -> None:
        """I7: the workbook and the paper say the totals and the hash of the ballots."""
        data = _bytes(self.export / f"{self.id}.result.xlsx")
        if data is None:
            self.verdict.unchecked.append(f"I7: round {self.id} has no documents")
            return
        told = totals_of_workbook(data)
        if {name: told.get(name) for name in totals} != totals:
            self.find("I7", f"the workbook says {told}, the result {totals}")
        paper = text_of_pdf(_bytes(self.export / f"{self.id}.result.pdf") or b"")
        for name, total in totals.items():
            if name not in paper or total not in paper:
                self.find("I7", f"the paper does not say {name} {total}")
        if digest not in paper:
            self.find("I7", "the paper has another hash of the ballots")
        self.verdict.counted["documents"] += 2


# ── sealed values ──


@dataclass
class _Sealed:
    """I10: the marks of one secret round, and what is worked out from them, wherever they must not be."""

    verdict: Verdict
    id: str
    folder: Path
    ballots: list[Ballot]
    closing: Mapping[str, int]

    def check(self) -> None:
        """Before its closing no mark is anywhere but in clients' hands; in logs and the journal never. People
        see marks and totals when the result is published to them, who signs or supervises from the closing
        on. A seat may be told what is wrong with a sheet of its own that was refused."""
        sent = [
            value for b in self.ballots for cells in b.value.values() for value in cells.values()
        ]
        if len(set(sent)) < len(sent) or any(len(value) < UNMISTAKABLE for value in sent):
            self.verdict.unchecked.append(f"I10: marks of {self.id} could be anything's")
            return
        marks = _Needles(sent)
        self.verdict.counted["sealed_marks"] += len(sent)
        result = _json(self.folder / "export" / f"{self.id}.result.json", {"subjects": ()})
        told = {
            text
            for one in result["subjects"]
            for text in (one["total"], *one["dimensions"].values(), *one.get("groups", {}).values())
            if text is not None and len(text) >= UNMISTAKABLE
        }
        self._never("logs", sorted(self.folder.glob("logs/*")), marks)
        self._never("the journal", sorted(self.folder.glob("export/journal.jsonl*")), marks)
        self._copies(marks)
        self._seen(_Needles({*sent, *told}))

    def _find(self, where: str, found: Iterable[tuple[int, str, str]]) -> None:
        """Of what one place shows, how much and one example."""
        hits = list(found)
        if hits:
            _, spelling, value = hits[0]
            more = f" and {len(hits) - 1} more" if len(hits) > 1 else ""
            self.verdict.find("I10", f"round {self.id}: {value} as {spelling}{more} in {where}")

    def _never(self, name: str, paths: list[Path], marks: _Needles) -> None:
        if not paths:
            self.verdict.unchecked.append(f"I10: nobody kept {name}")
        for path in paths:
            self._find(f"{name}, {path.name}", marks.hits(self._data(path)))

    def _data(self, path: Path) -> bytes:
        data = _bytes(path) or b""
        self.verdict.counted["searched_bytes"] += len(data)
        return data

    def _seen(self, values: _Needles) -> None:
        paths = sorted(self.folder.glob("seen/*.jsonl*"))
        if not paths:
            self.verdict.unchecked.append("I10: nobody looked at frames and pages")
            return
        granted = 0
        wrong: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
        for path in paths:
            data = self._data(path)
            self.verdict.counted["seen"] += data.count(b"\n")
            lines: dict[tuple[int, int], list[tuple[int, str, str]]] = defaultdict(list)
            for hit in values.hits(data):
                end = data.find(b"\n", hit[0])
                lines[data.rfind(b"\n", 0, hit[0]) + 1, len(data) if end < 0 else end].append(hit)
            for (begin, end), hits in lines.items():
                line = json.loads(data[begin:end])
                audience = line["audience"]
                if self._may_see(audience, line["t"]):
                    granted += 1
                    continue
                wrong[f"{line['what']}, told to {audience}"] += [
                    hit for hit in hits if (audience, hit[2]) not in self._told_back
                ]
        for where, found in wrong.items():
            self._find(where, found)
        self.verdict.counted["seen_rightly"] += granted
        if not granted:
            self.verdict.unchecked.append(f"I10: nobody saw a value of {self.id} even afterwards")

    @cached_property
    def _told_back(self) -> set[tuple[str, str]]:
        """(seat, mark) of sheets that were refused for good."""
        return {
            (b.who, value)
            for b in self.ballots
            if b.acked is None and b.refusals
            for cells in b.value.values()
            for value in cells.values()
        }

    def _may_see(self, audience: str, t: int) -> bool:
        """A seat is one of those in the hall."""
        answers_for_it = audience in {"signers", "supervisors"}
        since = self.closing.get(
            "closing" if answers_for_it else audience if audience in WIDER else "hall"
        )
        return since is not None and t >= since

    def _copies(self, marks: _Needles) -> None:
        """Files as they lay on the disk while the round was open."""
        until = self.closing.get("closing")
        copies = [
            path
            for path in sorted(self.folder.glob("copies/*"))
            if until is None or int(path.name.partition("-")[0]) < until
        ]
        if not copies:
            self.verdict.unchecked.append("I10: no copy of what lies on the disk was kept")
        self.verdict.counted["copies"] += len(copies)
        for copy in copies:
            for path in sorted(path for path in copy.rglob("*") if path.is_file()):
                self._find(str(path.relative_to(self.folder)), marks.hits(self._data(path)))


UNMISTAKABLE = 12
"""Characters of a value that nothing else has by chance."""


class _Needles:
    """Values in every spelling in which they could lie somewhere. Those of one spelling that begin alike, or
    end alike where the bytes are turned round, are looked for by all that they have in common there."""

    def __init__(self, values: Iterable[str]) -> None:
        groups: dict[tuple[str, int, bytes], dict[bytes, str]] = defaultdict(dict)
        for value in values:
            for spelling, needle in spellings(value):
                alike = needle[-3:] if "turned" in spelling else needle[:2]
                groups[spelling, len(needle), alike][needle] = value
        self._groups = [
            (spelling, length, *_anchor(needles), needles)
            for (spelling, length, _), needles in groups.items()
        ]

    def hits(self, data: bytes) -> Iterator[tuple[int, str, str]]:
        """(where, as what, value) of each that is in the data."""
        for spelling, length, anchor, at, needles in self._groups:
            found = data.find(anchor)
            while found >= 0:
                value = needles.get(data[max(0, found - at) : found - at + length])
                if value is not None:
                    yield found - at, spelling, value
                found = data.find(anchor, found + 1)


def _anchor(needles: Iterable[bytes]) -> tuple[bytes, int]:
    """What all have at their beginning or at their end, whichever is longer, and where it stands."""
    all_ = list(needles)
    head, tail = _common(all_), _common([needle[::-1] for needle in all_])[::-1]
    return (head, 0) if len(head) >= len(tail) else (tail, len(all_[0]) - len(tail))


def _common(all_: list[bytes]) -> bytes:
    """With what all of them begin: the first and the last in their order differ soonest."""
    low, high = min(all_), max(all_)
    same = takewhile(lambda pair: pair[0] == pair[1], zip(low, high, strict=False))
    return low[: sum(1 for _ in same)]


def spellings(value: str) -> Iterator[tuple[str, bytes]]:
    """(its name, the bytes) of each way to write a decimal."""
    text, digits = value.encode(), value.replace(".", "")
    number, whole = float(value), int(digits)
    yield "text", text
    yield "digits", digits.encode()
    yield "UTF-16", value.encode("utf-16-le")
    for shift in range(3):
        # What of its base64 does not depend on the bytes around it.
        packed = base64.b64encode(b"\0" * shift + text)
        end = (shift + len(text)) * 8 // 6
        yield "base64", packed[-(-shift * 8 // 6) : end]
    binary = {
        "float64": struct.pack(">d", number),
        "float64 turned": struct.pack("<d", number),
        "integer": whole.to_bytes(max(6, (whole.bit_length() + 7) // 8), "big"),
        "integer turned": struct.pack("<q", whole),
    }
    yield from binary.items()
    for name, written in {"text": text, **binary}.items():
        yield f"hex of {name}", written.hex().encode()
        yield f"HEX of {name}", written.hex().upper().encode()


# ── documents ──

HEADS = ("述法人", "总分")


def totals_of_workbook(data: bytes) -> dict[str, str]:
    """{name: total} as the workbook shows them, from the table that has both columns."""
    for page in openpyxl.load_workbook(io.BytesIO(data)):
        rows = [list(row) for row in page.iter_rows()]
        for n, row in enumerate(rows):
            heads = [cell.value for cell in row]
            if all(head in heads for head in HEADS):
                who, total = (heads.index(head) for head in HEADS)
                lines = [(line[who].value, line[total]) for line in rows[n + 1 :]]
                filled = takewhile(lambda line: line[0] is not None, lines)
                return {str(name): _displayed(cell) for name, cell in filled}
    return {}


def _displayed(cell: Any) -> str:
    if isinstance(cell.value, str):
        return cell.value
    places = len(cell.number_format.partition(".")[2])
    return f"{Decimal(repr(float(cell.value))):.{places}f}"


def text_of_pdf(data: bytes) -> str:
    """All of its text, without what breaks lines."""
    pages = pypdf.PdfReader(io.BytesIO(data)).pages if data else []
    return "".join("".join(page.extract_text().split()) for page in pages)


# ── the tally, worked out once more ──


def plain(rules: Mapping[str, Any]) -> bool:
    """Whether `tally` knows everything that these rules ask for."""
    known = {"version", "scale", "dimensions", "groups", "within", "across", "rounding"}
    rounding = rules.get("rounding", {})
    return (
        not rules.keys() - known
        and rules["scale"]["kind"] == "number"
        and rules.get("within", "mean") == "mean"
        and rules.get("across", "sum") == "sum"
        and not rounding.keys() - {"mode", "dimension", "total"}
        and rounding.get("mode", "half_up") == "half_up"
        and all(not one.keys() - {"key", "label"} for one in rules["dimensions"])
        and None not in (rounding.get("dimension"), rounding.get("total"))
    )


def tally(
    rules: Mapping[str, Any], rows: Iterable[Mapping[str, str]]
) -> dict[str, tuple[str | None, dict[str, str | None]]]:
    """{subject: (total, {dimension: mark})}: means within each group, rounded, summed, weighted."""
    groups = {g["key"]: Fraction(g["weight"]) for g in rules.get("groups", ())} or {"": Fraction(1)}
    cells: dict[str, dict[tuple[str, str], list[Fraction]]] = {}
    for row in rows:
        cell = cells.setdefault(row["subject"], {})
        if row["value"] and row["value"] not in {"abstain", "dont_know", "void"}:
            cell.setdefault((row["group"], row["dimension"]), []).append(Fraction(row["value"]))
    places, last = rules["rounding"]["dimension"], rules["rounding"]["total"]
    dimensions = [one["key"] for one in rules["dimensions"]]
    found = {}
    for subject, marks in cells.items():
        mean = {name: sum(values, Fraction(0)) / len(values) for name, values in marks.items()}
        sums = {}
        for group in groups:
            mine = [half_up(mean[group, d], places) for d in dimensions if (group, d) in mean]
            if mine:
                sums[group] = sum(mine, Fraction(0))
        over = {
            d: _weighted({g: mean[g, d] for g in groups if (g, d) in mean}, groups)
            for d in dimensions
        }
        total = _weighted(sums, groups)
        found[subject] = (_text(total, last), {d: _text(over[d], places) for d in dimensions})
    return found


def _weighted(parts: Mapping[str, Fraction], weights: Mapping[str, Fraction]) -> Fraction | None:
    if not parts:
        return None
    whole = sum((weights[g] for g in parts), Fraction(0))
    return sum((weights[g] * mark for g, mark in parts.items()), Fraction(0)) / whole


def half_up(value: Fraction, places: int) -> Fraction:
    """Rounded to so many places, halves away from zero (marks are never negative)."""
    return Fraction((value * 10**places + Fraction(1, 2)).__floor__(), 10**places)


def _text(value: Fraction | None, places: int) -> str | None:
    if value is None:
        return None
    whole = half_up(value, places) * 10**places
    digits = str(int(whole)).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits


# ── the journal and the views ──


def _journal(path: Path, verdict: Verdict) -> list[dict[str, Any]]:
    """I8: each entry carries the hash of the one before it, and every head that was seen outside is one
    of them still."""
    entries = list(_lines(path))
    if not entries:
        verdict.unchecked.append("I8: there is no journal")
    heads: dict[Any, tuple[int, str]] = {}
    for entry in entries:
        seq, prev = heads.get(entry["run"], (0, GENESIS))
        names = ("seq", "at", "event", "actor", "role", "body", "rooms")
        content = [prev, *(entry[name] for name in names)]
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        right = hashlib.sha256(text.encode()).hexdigest()
        if (entry["seq"], entry["prev"], entry["hash"]) != (seq + 1, prev, right):
            verdict.find("I8", f"run {entry['run']}: the chain breaks at {entry['seq']}")
        heads[entry["run"]] = entry["seq"], entry["hash"]
    verdict.counted["entries"] = len(entries)
    there = {(entry["seq"], entry["hash"]) for entry in entries}
    seen = list(_lines(path.with_name("checkpoints.jsonl")))
    if not seen:
        verdict.unchecked.append("I8: nobody kept a checkpoint")
    for head in seen:
        if (head["seq"], head["hash"]) not in there:
            verdict.find("I8", f"the head that was seen at {head['seq']} is not in the journal")
    verdict.counted["checkpoints"] = len(seen)
    return entries


def _views(folder: Path, verdict: Verdict) -> None:
    """I9: each viewer's versions rise by one, or a snapshot comes between; all end alike."""
    end = _json(folder / "export" / "state.json", None)
    paths = sorted((folder / "views").glob("*.jsonl*"))
    if not paths:
        verdict.unchecked.append("I9: nobody's view was kept")
    at: dict[str, tuple[str | None, int]] = {}
    for line in (line for path in paths for line in _lines(path)):
        viewer, kind = line["viewer"], line["kind"]
        epoch, version = at.get(viewer, (None, -1))
        if kind == "snapshot":
            at[viewer] = line["epoch"], line["version"]
        elif kind == "cue":
            if line["version"] != version + 1:
                verdict.find("I9", f"{viewer}: version {line['version']} follows {version}")
            at[viewer] = epoch, line["version"]
        elif kind == "final" and end is not None:
            mine = (epoch, version, _lasting(line["state"]))
            if mine != (end["epoch"], end["version"], _lasting(end["state"])):
                verdict.find("I9", f"{viewer} ends at {epoch} {version} with another state")
        verdict.counted["frames"] += 1
    verdict.counted["views"] = len(at)


def _lasting(state: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in state.items() if name not in VOLATILE}


def main() -> int:
    """Prints what was counted, found and not looked at; 1 when something was found."""
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        print("python -m tests.faults.checker FOLDER", file=sys.stderr)
        return 2
    verdict = check(Path(sys.argv[1]))
    print(json.dumps(dict(verdict.counted)))
    for told in verdict.told:
        print(told)
    for one in verdict.unchecked:
        print(f"not checked: {one}")
    return 1 if verdict.findings else 0


if __name__ == "__main__":
    sys.exit(main())
