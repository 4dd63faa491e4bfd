"""Makes the bundle of a round: the members of both editions, the root over them, and the zips.

Pure: what goes in is given, randomness too, so that the same source gives the same bytes. Outside
tests the source is `random.SystemRandom()`. What each member holds stands in docs/bundle.md; what is
left out of the public edition, and which figures that touches, `verify.py` works out as well, from
the rules and the ballots alone.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from server.domain.journal import Entry, canonical
from server.domain.merkle import root_of
from server.reports import verify
from server.reports.verify import Cell, Row

LEAST_NAME = 16
"""Letters that a rater's name must have at least in a named round. The result's `ballots_hash` is known
to everybody, and so are the public edition's rows, without names: where names are a seat's number
alone, all ways to give the rows to the seats can be tried until the hash is met."""

README = """\
评议结果核验包 / The bundle of an evaluation round

不需要联网，也不需要安装任何软件：
  在浏览器中打开 verify.html，选择本压缩包；或者
  python3 verify.py 本压缩包.zip --root 根值
根值是 64 位十六进制数，现场大屏显示过，印在结果单上。根值相同、各项通过，即说明：
规则、选票、回执、日志和结果与公布时一字不差，结果由这些选票按这些规则算出。
回执只证明某张票已收到、计入总数，不说明票上写了什么。
标为“仅承诺”的数字在公开版中不能重算，监督人手中的完整版可以重算。

No network and no installation is needed:
  open verify.html in a browser and choose this zip; or
  python3 verify.py THIS.zip --root ROOT
The root is 64 hex digits; it was shown on stage and is printed on the result sheet. When the root is
the same and every check holds, the rules, ballots, receipts, journal and result are what they were
when they were published, and the result follows from these ballots by these rules.
A receipt proves that a ballot was taken and counted among all, and nothing of its value.
Figures that are "committed only" cannot be worked out again from the public edition; from the sealed
one, which those who supervise have, they can.
"""


class NameGuessable(ValueError):
    """A rater's name in a named round is so short that it could be found by trying."""


@dataclass(frozen=True)
class Material:
    """All that a bundle is made from.

    `rules`, `ballots` and `result` are bytes as they were hashed; `groups` is {key: (present, cast)},
    empty for a secret round and a public one; `journal` is the run's up to the entry before the
    root; `tools` are the bytes of `verify.py` and `verify.html`.
    """

    round: str
    title: str
    audience: str
    secrecy: str
    due: int | None
    present: int | None
    cast: int
    opened_at: int
    closed_at: int
    groups: Mapping[str, tuple[int, int]]
    rules: bytes
    ballots: bytes
    receipts: Sequence[str]
    journal: Sequence[Entry]
    result: bytes
    tools: Mapping[str, bytes]


@dataclass(frozen=True)
class Bundle:
    """Both editions, whole, and the root over them."""

    root: str
    editions: Mapping[str, Mapping[str, bytes]]

    def zipped(self, edition: str) -> bytes:
        """One edition as a zip; the same bytes each time."""
        return zip_of(self.editions[edition])


def receipts_root(receipts: Iterable[str]) -> str:
    """The Merkle root of the codes, which `round_closed` carries."""
    return root_of([code.encode() for code in sorted(receipts)]).hex()


def make_bundle(material: Material, random: Random) -> Bundle:
    """The bundle of a round. `NameGuessable` when the public edition could not keep who said what."""
    rules = json.loads(material.rules)
    public, sealed = (
        _panel_members(material, rules, random)
        if material.audience == "panel"
        else _public_round_members(material, rules, random)
    )
    receipts = "".join(f"{code}\n" for code in ("receipt", *sorted(material.receipts)))
    both = {
        "rules.json": material.rules,
        "receipts.csv": receipts.encode(),
        "turnout.json": document(_turnout(material)),
        "verify.py": material.tools["verify.py"],
        "verify.html": material.tools["verify.html"],
        "README.txt": README.encode(),
    }
    editions = {
        "public": {**both, **public, "edition.txt": b"public\n"},
        "sealed": {**both, **sealed, "edition.txt": b"sealed\n"},
    }
    for edition, members in editions.items():
        entries = material.journal
        lines = (_line(one, material.round, edition == "sealed") for one in entries)
        members["journal.jsonl"] = b"".join(lines)
    manifest = document(
        {
            "version": 1,
            "round": material.round,
            "receipts_root": receipts_root(material.receipts),
            "editions": {edition: hashes_of(members) for edition, members in editions.items()},
        }
    )
    for members in editions.values():
        members["manifest.json"] = manifest
    return Bundle(_sha256(manifest), editions)


def hashes_of(members: Mapping[str, bytes]) -> dict[str, str]:
    """member → the hash by which the manifest binds it."""
    seal = verify.seal_of(members.get("salts.json", b""))
    return {
        name: _sha256(seal + data if name in verify.SEALED_HASH else data)
        for name, data in members.items()
    }


def zip_of(members: Mapping[str, bytes]) -> bytes:
    """The members as a zip, sorted, without times."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = 0o644 << 16
            made.writestr(info, members[name])
    return file.getvalue()


def document(value: object) -> bytes:
    """Canonical JSON with its final newline."""
    return canonical(value) + b"\n"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _turnout(material: Material) -> dict[str, Any]:
    names = ("round", "title", "audience", "secrecy", "due", "present", "cast")
    return {
        **{name: getattr(material, name) for name in (*names, "opened_at", "closed_at")},
        "groups": {
            key: {"present": present, "cast": cast}
            for key, (present, cast) in material.groups.items()
        },
    }


def _line(entry: Entry, round_id: str, whole: bool) -> bytes:
    """An entry of the journal; one that is not about this round is a link in the public edition."""
    made: dict[str, Any] = {"seq": entry.seq, "prev": entry.prev, "hash": entry.hash}
    if whole or entry.body.get("round") == round_id:
        made |= {
            "at": entry.at,
            "event": entry.event,
            "actor": entry.actor,
            "role": entry.role,
            "body": dict(entry.body),
            "rooms": dict(entry.rooms),
        }
    return document(made)


# Both kinds of round ----------------------------------------------------------------------------


def _panel_members(
    material: Material, rules: Mapping[str, Any], random: Random
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """What differs between the editions: (public, sealed)."""
    rows = verify.read_rows(material.ballots.decode(), "composite" in rules)
    if material.secrecy == "named" and any(len(row.rater) < LEAST_NAME for row in rows):
        raise NameGuessable(f"a rater's name has fewer than {LEAST_NAME} letters")
    result = json.loads(material.result)
    left = verify.small_cells(rules, rows)
    salts = {cell: random.randbytes(32).hex() for cell in sorted(left)}
    lines: dict[Cell, list[str]] = {cell: [] for cell in left}
    kept: list[Row] = []
    for row, line in zip(rows, material.ballots.decode().split("\n")[1:-1], strict=True):
        cell = verify.cell_of(rules, row)
        if cell in left:
            lines[cell].append(line)
        else:
            kept.append(row)
    order = _shuffled(rules, rows, kept, random)
    subjects = [one["subject"] for one in result["subjects"]]
    figures = verify.figures_of(rules, subjects, left, material.secrecy == "named")
    left_out = verify.left_out(salts, lines)
    public = {
        "ballots.csv": table(_renamed(rules, order, random), "composite" in rules),
        "result.json": document(verify.public_result(result, left)),
        "figures.json": document({"figures": figures, "left_out": left_out}),
    }
    sealed = {
        "ballots.csv": material.ballots,
        "result.json": material.result,
        "salts.json": _salts(salts, random),
    }
    return public, sealed


def _salts(salts: Mapping[Cell, str], random: Random) -> bytes:
    left_out = [[*cell, salt] for cell, salt in sorted(salts.items())]
    return document({"left_out": left_out, "seal": random.randbytes(32).hex()})


def _public_round_members(
    material: Material, rules: Mapping[str, Any], random: Random
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """A public round has one row for each viewer, and its counts hide nobody."""
    rows = verify.read_rows(material.ballots.decode(), False)
    random.shuffle(rows)
    renamed = [row._replace(rater=_name(random)) for row in rows]
    known = {key: verify.RECOMPUTABLE for key, _ in rules["choices"]}
    figures = {"cast": verify.RECOMPUTABLE, "choices": known}
    public = {
        "ballots.csv": table(renamed, False),
        "result.json": material.result,
        "figures.json": document({"figures": figures, "left_out": []}),
    }
    sealed = {
        "ballots.csv": material.ballots,
        "result.json": material.result,
        "salts.json": _salts({}, random),
    }
    return public, sealed


# The public edition's rows ----------------------------------------------------------------------


def _name(random: Random) -> str:
    return random.randbytes(10).hex()


def _renamed(rules: Mapping[str, Any], rows: Iterable[Row], random: Random) -> list[Row]:
    """Random names: one for each rater, sheet or row, as far as a rule reads marks together."""
    needed = {c: verify.read_together(*own) for c, own in verify.channels_of(rules).items()}
    names: dict[tuple[object, ...], str] = {}
    renamed = []
    for number, row in enumerate(rows):
        apart = {"ballot": None, "sheet": row.subject, "nothing": number}[needed[row.channel]]
        key = (row.channel, row.rater, apart)
        if key not in names:
            names[key] = _name(random)
        renamed.append(row._replace(rater=names[key]))
    return renamed


def _shuffled(
    rules: Mapping[str, Any], rows: Sequence[Row], kept: Iterable[Row], random: Random
) -> list[Row]:
    """The rows that are kept, in an order that says nothing but what the result needs: where totals
    are trimmed, among equal totals those that left stand before those that stayed."""
    order = list(kept)
    random.shuffle(order)
    for channel, (own, _) in verify.channels_of(rules).items():
        if (own.get("trim") or {}).get("on") == "total":
            _put_leavers_first(order, own, [row for row in rows if row.channel == channel], channel)
    return order


def _put_leavers_first(
    order: list[Row], rules: Mapping[str, Any], rows: Sequence[Row], channel: str
) -> None:
    tally = verify.Tally(rules, list(enumerate(rows, 2)))
    leaves = {
        (sheet.subject, sheet.rater): turn
        for gone in tally.leaving.values()
        for turn, sheets in enumerate(gone)
        for sheet in sheets
    }
    tied: dict[tuple[object, ...], list[tuple[str, str]]] = defaultdict(list)
    for sheet in tally.sheets.values():
        if sheet.state == "valid":
            tied[sheet.subject, sheet.group, tally.sheet_total(sheet)].append(
                (sheet.subject, sheet.rater)
            )
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, row in enumerate(order):
        if row.channel == channel:
            places[row.subject, row.rater].append(i)
    for sheets in tied.values():
        if len({leaves.get(sheet, 2) for sheet in sheets}) > 1:
            here = sorted((sheet for sheet in sheets if sheet in places), key=places.__getitem__)
            here.sort(key=lambda sheet: leaves.get(sheet, 2))
            moved = [order[i] for sheet in here for i in places[sheet]]
            for i, row in zip(
                sorted(i for sheet in here for i in places[sheet]), moved, strict=True
            ):
                order[i] = row


def table(rows: Iterable[Row], composite: bool) -> bytes:
    """`ballots.csv`: a cell is quoted only when it holds a comma or a quotation mark."""
    width = 6 if composite else 5
    lines = [",".join(Row._fields[:width])]
    lines += [",".join(map(_quoted, row[:width])) for row in rows]
    return "".join(f"{line}\n" for line in lines).encode()


def _quoted(cell: str) -> str:
    if '"' in cell or "," in cell:
        return '"' + cell.replace('"', '""') + '"'
    return cell
