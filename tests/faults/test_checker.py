"""The checker finds nothing in a correct history, and exactly the invariant that is broken in another."""

from __future__ import annotations

import ast
import base64
import csv
import functools
import hashlib
import io
import json
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import typst

from tests.faults import checker
from tests.faults.checker import GENESIS, check, half_up, pseudonym, tally
from tests.faults.experiment import ROOT

RULES: dict[str, Any] = {
    "version": 1,
    "scale": {"kind": "number", "min": "0", "max": "10", "step": "1"},
    "dimensions": [{"key": "duty"}, {"key": "law"}],
    "groups": [{"key": "a", "weight": "0.6"}, {"key": "b", "weight": "0.4"}],
    "within": "mean",
    "across": "sum",
    "rounding": {"mode": "half_up", "dimension": 2, "total": 2},
}
WEB: dict[str, Any] = {
    "id": "WEB",
    "audience": "public",
    "replacing": "last",
    "choices": [{"key": "good"}, {"key": "poor"}],
}
ONCE: dict[str, Any] = {**WEB, "id": "ONCE", "replacing": "first"}
PANEL: dict[str, Any] = {
    "id": "PANEL",
    "audience": "panel",
    "replacing": "last",
    "rules": RULES,
    "subjects": [{"key": "water", "name": "敖知水"}],
}
SEALED: dict[str, Any] = {
    **PANEL,
    "id": "SEALED",
    "secrecy": "secret",
    "rules": {**RULES, "rounding": {"mode": "half_up", "dimension": 12, "total": 12}},
}
FIRST, SECOND = "61.803398874989", "61.801123581321"
"""Marks that nothing else has."""
HIGH = "61.806000000001"
TOTAL = "123.602261228159"
GROUPS = {"seat-001": "a", "seat-002": "a", "seat-003": "b"}


def marks(duty: str, law: str) -> dict[str, dict[str, str]]:
    """A sheet for the one subject."""
    return {"water": {"duty": duty, "law": law}}


@dataclass
class World:
    """What clients were told, and what is kept; the export is made of what is kept."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    stored: list[list[str]] = field(default_factory=list)
    seats: dict[tuple[str, str], tuple[str, str, int, Any]] = field(default_factory=dict)
    seen: list[dict[str, Any]] = field(default_factory=list)
    log: str = "started\n"
    disk: bytes = b"SQLite"
    views: list[dict[str, Any]] = field(default_factory=list)
    noted: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Entries of the journal beside those of the rounds."""
    late: list[list[str]] = field(default_factory=list)
    """Votes that are stored after the close was written down."""
    change: Callable[[Path], None] = lambda folder: None
    t: int = 0

    def told(self, kind: str, round_: str, who: str, key: str, **more: Any) -> None:
        """One line of the history."""
        self.t += 1000
        line = {"t": self.t, "client": "c", "kind": kind, "round": round_, "who": who, "key": key}
        self.lines.append({**line, **more})

    def vote(self, round_: str, who: str, key: str, choice: str, replaced: bool = False) -> None:
        """Sent, stored, acknowledged."""
        self.told("invoke", round_, who, key, choice=choice)
        self.stored.append([round_, who, key, choice])
        self.vote_ok(round_, who, key, choice, replaced)

    def vote_ok(self, round_: str, who: str, key: str, choice: str, replaced: bool = False) -> None:
        """Acknowledged."""
        answer = {"round": round_, "choice": choice, "replaced": replaced}
        self.told("ok", round_, who, key, answer=answer)

    def sheet(self, who: str, key: str, sheet: Any, receipt: str, round_: str = "PANEL") -> None:
        """A seat's ballot: sent, stored, acknowledged."""
        before = self.seats.get((round_, who))
        self.told("invoke", round_, who, key, marks=sheet)
        self.seats[round_, who] = key, receipt, before[2] + 1 if before else 0, sheet
        answer = {"receipt": receipt, "round": round_, "replaced": before is not None}
        self.told("ok", round_, who, key, answer=answer)

    def look(self, audience: str, text: str) -> None:
        """Somebody of this audience sees it now."""
        self.t += 1000
        self.seen.append({"t": self.t, "audience": audience, "what": "a page", "text": text})

    def write(self, folder: Path) -> Path:
        """The folder as an experiment leaves it."""
        for name in ("histories", "views", "export", "seen", "logs", "copies/4000-killed"):
            (folder / name).mkdir(parents=True)
        self._lines(folder / "seen" / "all.jsonl", self.seen)
        (folder / "logs" / "0.log").write_text(self.log)
        (folder / "copies" / "4000-killed" / "pingyi.db-wal").write_bytes(self.disk)
        self._lines(folder / "histories" / "c.jsonl", self.lines)
        self._lines(folder / "views" / "v.jsonl", self.views)
        export = folder / "export"
        (export / "rounds.json").write_text(json.dumps([WEB, ONCE, PANEL, SEALED]))
        all_ = [*self.stored, *self.late]
        self._table(
            export / "stored.csv",
            ["n", "round", "who", "key", "choice"],
            [[str(n), *row] for n, row in enumerate(all_)],
        )
        self._table(
            export / "seats.csv",
            ["round", "who", "key", "receipt", "replacements"],
            [
                [round_, who, key if round_ == "PANEL" else "", receipt, n]
                for (round_, who), (key, receipt, n, _) in self.seats.items()
            ],
        )
        entries: list[tuple[str, dict[str, Any]]] = []
        casts = {}
        for round_ in (WEB, ONCE, PANEL, SEALED):
            id_ = round_["id"]
            rows = self._rows(round_, all_)
            self._table(
                export / f"{id_}.ballots.csv",
                ["subject", "rater", "group", "dimension", "value"],
                rows,
            )
            digest = hashlib.sha256((export / f"{id_}.ballots.csv").read_bytes()).hexdigest()
            casts[id_] = self._cast(id_, rows)
            (export / f"{id_}.turnout.json").write_text(json.dumps({"cast": casts[id_]}))
            result = self._result(round_, rows, digest)
            (export / f"{id_}.result.json").write_text(json.dumps(result))
            if "subjects" in result:
                self._documents(export / id_, result["subjects"][0]["total"], digest)
            closed_with = self._cast(id_, self._rows(round_, self.stored))
            entries.append(("round_closed", {"round": id_, "cast": closed_with}))
            entries.append(("round_tallied", {"round": id_, "ballots_hash": digest}))
        journal = chained([*entries, *self.noted])
        self._lines(export / "journal.jsonl", journal)
        self._lines(export / "checkpoints.jsonl", [{k: journal[2][k] for k in ("seq", "hash")}])
        rounds = [{"id": id_, "cast": cast} for id_, cast in casts.items()]
        state = {"epoch": "e", "version": 6, "state": {"viewers": 3, "rounds": rounds}}
        (export / "state.json").write_text(json.dumps(state))
        final = {"viewer": "v", "kind": "final", "state": {"viewers": 9, "rounds": rounds}}
        with (folder / "views" / "v.jsonl").open("a") as file:
            file.write(json.dumps(final) + "\n")
        self.change(folder)
        return folder

    @staticmethod
    def _documents(path: Path, total: str, digest: str) -> None:
        for kind, data in documents(total, digest).items():
            Path(f"{path}.result.{kind}").write_bytes(data)

    def _cast(self, id_: str, rows: list[list[str]]) -> int:
        if id_ == "SEALED":
            return sum(where == id_ for where, _ in self.seats)
        return len({row[1] for row in rows})

    def _rows(self, round_: dict[str, Any], stored: list[list[str]]) -> list[list[str]]:
        id_ = round_["id"]
        if round_["audience"] == "panel":
            found = [
                [subject, who, GROUPS[who], dimension, value]
                for (where, who), (_, _, _, sheet) in sorted(self.seats.items())
                if where == id_
                for subject, cells in sheet.items()
                for dimension, value in cells.items()
            ]
            if id_ == "SEALED":
                found.sort(key=lambda row: row[4][::-1])
                found = [[s, f"r-{n}", *more] for n, (s, _, *more) in enumerate(found)]
            return found
        counting: dict[str, str] = {}
        for where, who, _, choice in stored:
            if where == id_ and not (round_["replacing"] == "first" and who in counting):
                counting[who] = choice
        return [
            ["hearing", pseudonym(id_, who), "", "choice", choice]
            for who, choice in counting.items()
        ]

    def _result(self, round_: dict[str, Any], rows: list[list[str]], digest: str) -> dict[str, Any]:
        if round_["audience"] == "panel":
            names = ("subject", "rater", "group", "dimension", "value")
            found = tally(round_["rules"], [dict(zip(names, row, strict=True)) for row in rows])
            return {
                "ballots_hash": digest,
                "subjects": [
                    {"subject": s, "total": total, "dimensions": dimensions}
                    for s, (total, dimensions) in found.items()
                ],
            }
        values = [row[4] for row in rows]
        counts = [{"key": k, "count": values.count(k)} for k in ("good", "poor")]
        return {"ballots_hash": digest, "choices": counts, "cast": len(rows)}

    @staticmethod
    def _lines(path: Path, lines: list[dict[str, Any]]) -> None:
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))

    @staticmethod
    def _table(path: Path, names: list[str], rows: list[list[Any]]) -> None:
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([names, *rows])


@functools.cache
def documents(total: str, digest: str) -> dict[str, bytes]:
    """The workbook and the paper with this total; most worlds have the same."""
    book, data = openpyxl.Workbook(), io.BytesIO()
    page: Any = book.active
    page.append(["结果"])
    page.append(["序号", "述法人", "总分"])
    page.append([1, "敖知水", float(total)])
    page["C3"].number_format = f"0.{'0' * len(total.partition('.')[2])}"
    book.save(data)
    paper = typst.compile(f"1 敖知水 {total}\n\n{digest}".encode())
    return {"xlsx": data.getvalue(), "pdf": paper}


def chained(entries: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """A journal as it should be."""
    lines, prev = [], GENESIS
    for seq, (event, body) in enumerate(entries, 1):
        content = [prev, seq, 5, event, "machine", "machine", body, {"public": seq}]
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        hash_ = hashlib.sha256(text.encode()).hexdigest()
        names = ("prev", "seq", "at", "event", "actor", "role", "body", "rooms")
        lines.append({**dict(zip(names, content, strict=True)), "hash": hash_, "run": 1})
        prev = hash_
    return lines


def good() -> World:
    """A hearing in which everything is right, with retries, replacements and refusals."""
    world = World()
    world.vote("WEB", "ann", "ann-1", "good")
    world.vote("WEB", "ann", "ann-2", "poor", replaced=True)
    world.told("invoke", "WEB", "ann", "ann-1", choice="good")  # a late repeat undoes nothing
    world.vote_ok("WEB", "ann", "ann-1", "good")
    world.told("invoke", "WEB", "bob", "bob-1", choice="good")
    world.told("info", "WEB", "bob", "bob-1", why="cut")
    world.vote("WEB", "bob", "bob-1", "good")
    world.told("fail", "WEB", "bob", "bob-1", code="too_many")
    world.vote("ONCE", "ann", "ann-3", "good")
    world.told("invoke", "ONCE", "ann", "ann-4", choice="poor")
    world.told("fail", "ONCE", "ann", "ann-4", code="already_cast")
    world.sheet("seat-001", "s1-1", marks("7", "8"), "AAAA")
    world.sheet("seat-002", "s2-1", marks("6", "9"), "BBBB")
    world.sheet("seat-001", "s1-2", marks("5", "10"), "CCCC")
    world.sheet("seat-003", "s3-1", marks("3", "4"), "DDDD")
    world.sheet("seat-001", "x1-1", marks("61.800000000001", "61.800000000002"), "EEEE", "SEALED")
    world.sheet("seat-001", "x1-2", marks(FIRST, SECOND), "FFFF", "SEALED")
    world.sheet("seat-002", "x2-1", marks("61.800000000003", "61.800000000004"), "GGGG", "SEALED")
    world.told("invoke", "SEALED", "seat-002", "x2-2", marks=marks("61.805000000001", f"1{HIGH}"))
    world.told("fail", "SEALED", "seat-002", "x2-2", code="ballot_invalid")
    world.look("seat-002", f"1{HIGH} is too high")
    world.look("public", "two have cast")
    for id_ in ("WEB", "ONCE", "PANEL", "SEALED"):
        world.told("closing", id_, "", "")
        world.told("closed", id_, "", "")
    world.look("supervisors", f"{FIRST},{SECOND}")
    world.look("public", "closed")
    world.told("released", "SEALED", "", "", audience="hall")
    world.look("hall", TOTAL)
    world.look("internal", TOTAL)
    world.told("released", "SEALED", "", "", audience="public")
    world.look("public", TOTAL)
    world.told("invoke", "WEB", "cat", "cat-1", choice="good")
    world.told("fail", "WEB", "cat", "cat-1", code="round_closed")
    world.views += [
        {"viewer": "v", "kind": "snapshot", "epoch": "e", "version": 3},
        {"viewer": "v", "kind": "cue", "version": 4},
        {"viewer": "v", "kind": "snapshot", "epoch": "e", "version": 5},
        {"viewer": "v", "kind": "cue", "version": 6},
    ]
    return world


def edited(path: str, edit: Callable[[str], str]) -> Callable[[Path], None]:
    """Changes one file after it was written."""

    def change(folder: Path) -> None:
        file = folder / path
        before = file.read_text()
        after = edit(before)
        assert after != before
        file.write_text(after)

    return change


def lost(world: World) -> None:
    """An acknowledged vote is not there."""
    world.stored.remove(["WEB", "bob", "bob-1", "good"])


def twice(world: World) -> None:
    """One key is stored two times; it counts once all the same."""
    world.stored.append(["WEB", "bob", "bob-1", "good"])


def undone(world: World) -> None:
    """A late repeat stands after the newer vote."""
    world.stored.remove(["WEB", "ann", "ann-1", "good"])
    world.stored.append(["WEB", "ann", "ann-1", "good"])


def older_sheet(world: World) -> None:
    """A seat's first sheet counts although its second was acknowledged."""
    world.seats["PANEL", "seat-001"] = "s1-1", "AAAA", 1, marks("7", "8")


def older_sealed_sheet(world: World) -> None:
    """The same in a secret round."""
    older = marks("61.800000000001", "61.800000000002")
    world.seats["SEALED", "seat-001"] = "x1-1", "EEEE", 1, older


def phantom_mark(world: World) -> None:
    """A secret round has a mark that nobody sent."""
    key, receipt, n, sheet = world.seats["SEALED", "seat-002"]
    sheet = marks("61.807000000001", sheet["water"]["law"])
    world.seats["SEALED", "seat-002"] = key, receipt, n, sheet


def phantom(world: World) -> None:
    """A vote that nobody sent."""
    world.stored.append(["WEB", "eve", "eve-1", "good"])


def two_of_one(world: World) -> None:
    """Two votes of one viewer where the first holds."""
    world.vote("ONCE", "ann", "ann-5", "good")
    before_closing(world)


def before_closing(world: World) -> None:
    """The last two lines of the history were before anybody closed."""
    closing = next(line for line in world.lines if line["kind"] == "closing")
    world.lines[-2]["t"], world.lines[-1]["t"] = closing["t"] - 2, closing["t"] - 1


def refused_and_there(world: World) -> None:
    """What was refused is stored."""
    world.stored.append(["WEB", "cat", "cat-1", "good"])


def another_answer(world: World) -> None:
    """A repeat is answered otherwise."""
    world.told("ok", "WEB", "bob", "bob-1", answer={"round": "WEB", "replaced": True})


def never_settled(world: World) -> None:
    """Unknown, and never asked again."""
    world.told("invoke", "WEB", "dan", "dan-1", choice="good")
    world.told("info", "WEB", "dan", "dan-1", why="cut")


def after_the_close(world: World) -> None:
    """Stored when the close was written already, and it counts."""
    world.told("invoke", "WEB", "cat", "cat-2", choice="good")
    world.vote_ok("WEB", "cat", "cat-2", "good")
    world.late.append(["WEB", "cat", "cat-2", "good"])


def refused_early(world: World) -> None:
    """Refused as closed while the round was open."""
    world.told("invoke", "WEB", "dan", "dan-1", choice="good")
    world.told("fail", "WEB", "dan", "dan-1", code="round_closed")
    before_closing(world)


def wrong_sum(world: World) -> None:
    """The result says another number."""
    world.change = edited(
        "export/WEB.result.json", lambda text: text.replace('"count": 1', '"count": 2', 1)
    )


def wrong_mean(world: World) -> None:
    """The panel's total is another."""
    world.change = edited(
        "export/PANEL.result.json", lambda text: text.replace('"total": "', '"total": "1')
    )


def workbook_differs(world: World) -> None:
    """The workbook shows another total."""

    def change(folder: Path) -> None:
        path = folder / "export" / "PANEL.result.xlsx"
        book = openpyxl.load_workbook(path)
        book.active["C3"] = 1.5  # type: ignore[index]
        book.save(path)

    world.change = change


def paper_differs(world: World) -> None:
    """The paper shows another total."""

    def change(folder: Path) -> None:
        digest = json.loads((folder / "export/PANEL.result.json").read_text())["ballots_hash"]
        World._documents(folder / "export" / "OTHER", "1.50", digest)
        (folder / "export/OTHER.result.pdf").rename(folder / "export/PANEL.result.pdf")

    world.change = change


def rewritten_journal(world: World) -> None:
    """An entry was changed, and everything after it chained anew."""

    def change(folder: Path) -> None:
        path = folder / "export" / "journal.jsonl"
        entries = [json.loads(line) for line in path.read_text().splitlines()]
        told = [(one["event"], {**one["body"]}) for one in entries]
        told[0][1]["note"] = "changed"
        World._lines(path, chained(told))

    world.change = change


def stage_differs(world: World) -> None:
    """Screens show another turnout."""

    def change(folder: Path) -> None:
        for path in ("export/state.json", "views/v.jsonl"):
            edited(path, lambda text: text.replace('"WEB", "cast": 2', '"WEB", "cast": 3'))(folder)

    world.change = change


def edited_journal(world: World) -> None:
    """An entry was changed and hashes were not."""
    world.change = edited(
        "export/journal.jsonl", lambda text: text.replace('"actor": "machine"', '"actor": "me"', 1)
    )


def missed_cue(world: World) -> None:
    """A version is left out."""
    world.views.remove({"viewer": "v", "kind": "cue", "version": 4})
    world.views.insert(1, {"viewer": "v", "kind": "cue", "version": 5})


def other_end(world: World) -> None:
    """A viewer ends with another state than the server's."""
    world.change = edited(
        "views/v.jsonl", lambda text: text.replace('"PANEL", "cast": 3', '"PANEL", "cast": 2')
    )


def mark_in_a_log(world: World) -> None:
    """A process says a mark, as a number in JSON."""
    world.log += f'{{"event": "sheet", "duty": {FIRST}}}\n'


def mark_in_the_journal(world: World) -> None:
    """An act's entry holds one."""
    world.noted.append(("note", {"round": "OTHER", "mark": SECOND}))


def mark_before_the_closing(world: World) -> None:
    """Even who supervises sees none while the round is open."""
    world.seen.insert(0, {"t": 1, "audience": "supervisors", "what": "a page", "text": FIRST})


def mark_on_a_page(world: World) -> None:
    """The round is closed and nothing of it is published."""
    before_release(world, "public", f"<td>{SECOND}</td>")


def total_on_a_page(world: World) -> None:
    """What is worked out from marks is no more for everybody than they are."""
    before_release(world, "internal", TOTAL)


def total_beyond_the_hall(world: World) -> None:
    """Published in the hall, and seen outside of it."""
    released = next(line["t"] for line in world.lines if line["kind"] == "released")
    world.seen.append({"t": released + 1, "audience": "public", "what": "a page", "text": TOTAL})


def another_ones_mistake(world: World) -> None:
    """What was wrong with a sheet is told to another seat."""
    text = f"1{HIGH} is too high"
    world.seen.insert(0, {"t": 1, "audience": "seat-003", "what": "an answer", "text": text})


def before_release(world: World, audience: str, text: str) -> None:
    """Seen after the closing, before anybody was told."""
    released = next(line["t"] for line in world.lines if line["kind"] == "released")
    world.seen.append({"t": released - 1, "audience": audience, "what": "a page", "text": text})


def mark_on_the_disk(world: World) -> None:
    """Beside its box there is a mark in clear."""
    world.disk = b"\0" * 4096 + b"\x07box" + FIRST.encode() + b"\0" * 4096


WRONGS = [
    (lost, "I1"),
    (twice, "I1"),
    (undone, "I1"),
    (older_sheet, "I1"),
    (older_sealed_sheet, "I1"),
    (phantom, "I2"),
    (phantom_mark, "I2"),
    (two_of_one, "I3"),
    (refused_and_there, "I4"),
    (another_answer, "I5"),
    (never_settled, "I5"),
    (after_the_close, "I6"),
    (refused_early, "I6"),
    (wrong_sum, "I7"),
    (wrong_mean, "I7"),
    (stage_differs, "I7"),
    (workbook_differs, "I7"),
    (paper_differs, "I7"),
    (edited_journal, "I8"),
    (rewritten_journal, "I8"),
    (missed_cue, "I9"),
    (other_end, "I9"),
    (mark_in_a_log, "I10"),
    (mark_in_the_journal, "I10"),
    (mark_before_the_closing, "I10"),
    (mark_on_a_page, "I10"),
    (total_on_a_page, "I10"),
    (total_beyond_the_hall, "I10"),
    (another_ones_mistake, "I10"),
    (mark_on_the_disk, "I10"),
]


def test_nothing_is_found_where_everything_is_right(tmp_path: Path) -> None:
    verdict = check(good().write(tmp_path))
    assert verdict.told == []
    assert verdict.counted["acknowledged"] == 11
    assert verdict.counted["refused"] == 3
    assert verdict.counted["rounds"] == 4
    assert verdict.counted["views"] == 1
    assert verdict.counted["sealed_marks"] == 8
    assert verdict.counted["seen_rightly"] == 4
    assert verdict.unchecked == []


@pytest.mark.parametrize(("wrong", "invariant"), WRONGS, ids=lambda x: getattr(x, "__name__", x))
def test_exactly_the_broken_invariant_is_told(
    tmp_path: Path, wrong: Callable[[World], None], invariant: str
) -> None:
    world = good()
    wrong(world)
    verdict = check(world.write(tmp_path))
    assert {name for name, _ in verdict.findings} == {invariant}, verdict.told


@pytest.mark.parametrize(
    "written",
    [
        lambda n: str(n).encode(),
        lambda n: str(n).replace(".", "").encode(),
        lambda n: struct.pack(">d", n),
        lambda n: struct.pack("<d", n),
        lambda n: struct.pack("<d", n).hex().encode(),
        lambda n: round(n * 10**12).to_bytes(6, "big"),
        lambda n: struct.pack("<q", round(n * 10**12)),
        lambda n: str(n).encode().hex().upper().encode(),
        lambda n: base64.b64encode(str(n).encode()),
        lambda n: base64.b64encode(f'{{"duty":"{n}","law":"1"}}'.encode()),
        lambda n: base64.urlsafe_b64encode(f"[{n}]".encode()),
        lambda n: str(n).encode("utf-16"),
    ],
)
def test_a_mark_is_found_in_other_spellings(
    tmp_path: Path, written: Callable[[float], bytes]
) -> None:
    world = good()
    world.disk = bytes(range(256)) * 3 + written(float(FIRST)) + bytes(range(256))
    assert {name for name, _ in check(world.write(tmp_path)).findings} == {"I10"}


def test_what_was_not_kept_is_said(tmp_path: Path) -> None:
    """An I10 of which nobody saw, copied or logged anything is not shown."""
    world = good()

    def change(folder: Path) -> None:
        for name in ("seen", "logs", "copies"):
            shutil.rmtree(folder / name)

    world.change = change
    verdict = check(world.write(tmp_path))
    assert verdict.told == []
    assert len([one for one in verdict.unchecked if "I10" in one]) == 3


def test_who_sees_nothing_even_after_the_release_may_be_blind(tmp_path: Path) -> None:
    world = good()
    world.seen = [line for line in world.seen if FIRST not in line["text"]]
    world.seen = [line for line in world.seen if TOTAL not in line["text"]]
    verdict = check(world.write(tmp_path))
    assert verdict.unchecked == ["I10: nobody saw a value of SEALED even afterwards"]


def test_every_invariant_has_a_wrong_history() -> None:
    assert {invariant for _, invariant in WRONGS} == {f"I{n}" for n in range(1, 11)}


def test_two_rows_of_one_rater(tmp_path: Path) -> None:
    """Exported twice: it is found, whatever else is wrong with such a file."""
    world = good()

    def change(folder: Path) -> None:
        path = folder / "export" / "WEB.ballots.csv"
        path.write_text(path.read_text() + path.read_text().splitlines()[1] + "\n")

    world.change = change
    assert "I3" in {name for name, _ in check(world.write(tmp_path)).findings}


def test_half_up_and_the_weighted_mean() -> None:
    assert half_up(checker.Fraction("2.345"), 2) == checker.Fraction("2.35")
    rows = [
        {"subject": "s", "rater": "1", "group": "a", "dimension": "duty", "value": "7"},
        {"subject": "s", "rater": "2", "group": "a", "dimension": "duty", "value": "8"},
        {"subject": "s", "rater": "3", "group": "b", "dimension": "duty", "value": "10"},
        {"subject": "s", "rater": "3", "group": "b", "dimension": "law", "value": "abstain"},
    ]
    assert tally(RULES, rows) == {"s": ("8.50", {"duty": "8.50", "law": None})}


def test_the_command_tells_and_its_status_says_it(tmp_path: Path) -> None:
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.mkdir()
    wrong.mkdir()
    good().write(right)
    world = good()
    lost(world)
    world.write(wrong)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tests.faults.checker", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert run(str(right)).returncode == 0
    told = run(str(wrong))
    assert told.returncode == 1
    assert "I1: round WEB: bob-1 was acknowledged and is lost" in told.stdout
    assert "not checked" not in told.stdout
    assert run().returncode == 2


def test_the_checker_imports_nothing_of_the_product() -> None:
    tree = ast.parse(Path(checker.__file__).read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add((node.module or "").split(".")[0])
    assert names <= {*sys.stdlib_module_names, "openpyxl", "pypdf"}
    assert "importlib" not in names
