"""Whether what is exported is what the clients were told: the invariants I1 to I9.

    python -m tests.faults.checker FOLDER

It imports nothing of the product and nothing of the rest of the harness: only the standard library, and
openpyxl and pypdf to read documents.
It reads, in FOLDER,

- `histories/*.jsonl`: what clients asked and were told (`history.py` says how);
- `export/rounds.json`, and for each round `ROUND.ballots.csv`, `ROUND.result.json`,
  `ROUND.turnout.json`: as the API gives them;
- `export/stored.csv` (`n,round,who,key,choice`): every public vote as it is stored, in its order, and
  `export/seats.csv` (`round,who,key,receipt,replacements`): every panel ballot. The API exports the
  votes that count, not the keys; these two are read from the database, read-only;
- `ROUND.result.xlsx` and `ROUND.result.pdf` of a panel round: the documents that people get;
- `export/journal.jsonl`: the entries of each `run`, and `export/checkpoints.jsonl` (`seq`, `hash`): heads
  that somebody outside saw in the course of the experiment;
- `views/*.jsonl`: what viewers saw, and `export/state.json`: what the server says at the end.

Each may be packed as `.gz`.

An act that was refused for good must not be there; `too_many` and `key_reused` are no such refusal,
since the key may have been counted before.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import takewhile
from pathlib import Path
from typing import Any

import openpyxl
import pypdf

NOT_FINAL = frozenset({"too_many", "key_reused"})
GENESIS = "0" * 64
VOLATILE = ("viewers", "likes")
"""Members of a state that count who is there: they change without a version."""
UNCHECKED = ("I10: that sealed values are nowhere before the release (tests/secrecy attacks that)",)
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
    unchecked: list[str] = field(default_factory=lambda: list(UNCHECKED))
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
    """Ballots by (who, key), and when each round's closing was asked for and acknowledged."""
    ballots: dict[tuple[str, str], Ballot] = {}
    closings: dict[str, dict[str, int]] = {}
    lines = (line for path in sorted(folder.glob("*.jsonl*")) for line in _lines(path))
    for line in sorted(lines, key=lambda line: line["t"]):
        kind, t = line["kind"], line["t"]
        if kind in {"closing", "closed"}:
            closings.setdefault(line["round"], {}).setdefault(kind, t)
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
        self._once_each(rows)
        if self.about["audience"] == "public":
            self._public(stored, rows)
        else:
            self._panel(seats, rows)
        self._closed(journal, rows)
        self._result(journal, rows, data, shown)

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
        raters = len({row["rater"] for row in rows})
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
        raters = len({row["rater"] for row in rows})
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
