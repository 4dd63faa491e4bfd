"""Every change of a bundle is found: by the root whoever made it, and without the root by the check
that looks at the place, when somebody with the database made everything else new."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from server.domain.journal import GENESIS, entry_hash
from server.reports import verify
from server.reports.bundle import document, receipts_root, zip_of
from tests.reports.making import rooted, rows_in, sha256
from tests.reports.mutations import KINDS, chained, mutated, rechained
from tests.reports.rounds import EDITIONS, ROUNDS, bundle_of

Members = dict[str, bytes]


def found(data: bytes | Members, root: str | None = None) -> tuple[str, str] | None:
    """(check, member) of the first difference, or None."""
    try:
        verify.verify(io.BytesIO(data if isinstance(data, bytes) else zip_of(data)), root)
    except verify.Difference as difference:
        for lang in ("zh", "en"):
            sentence = difference.sentence(lang)
            assert "\n" not in sentence
            assert sentence.endswith(("。", "."))
        return difference.check, difference.member
    return None


def members_of(name: str, edition: str) -> Members:
    return dict(bundle_of(name).editions[edition])


def entries_of(members: Members) -> list[dict[str, Any]]:
    return [json.loads(line) for line in members["journal.jsonl"].splitlines()]


def lines(entries: list[dict[str, Any]]) -> bytes:
    return b"".join(document(entry) for entry in entries)


def with_journal(members: Members, *changes: Callable[[list[dict[str, Any]]], Any]) -> Members:
    """The journal changed, chained anew and under a new root."""
    entries = entries_of(members)
    for change in changes:
        change(entries)
    return rooted({**members, "journal.jsonl": lines(chained(entries))})


def with_json(members: Members, name: str, change: Callable[[Any], Any]) -> Members:
    """A document changed, and all that follows made new."""
    value = json.loads(members[name])
    change(value)
    return rechained({**members, name: document(value)})


def with_text(members: Members, name: str, old: str, new: str) -> Members:
    """The first `old` in a member becomes `new`, and all that follows is made new."""
    text = members[name].decode()
    assert old in text
    return rechained({**members, name: text.replace(old, new, 1).encode()})


def under_one_name(data: bytes) -> bytes:
    """Two rows of one group about different subjects get the same name."""
    first, *others = rows_in(data)
    other = next(
        row
        for row in others
        if row["group"] == first["group"] and row["subject"] != first["subject"]
    )
    return data.replace(first["rater"].encode(), other["rater"].encode())


def renumbered(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The chain holds, and the first number is 2."""
    prev, made = GENESIS, []
    for entry in entries:
        keys = ("at", "event", "actor", "role", "body", "rooms")
        seq = entry["seq"] + 1
        hash_ = entry_hash(prev, seq, *(entry[key] for key in keys))
        made.append({**entry, "seq": seq, "prev": prev, "hash": hash_})
        prev = hash_
    return made


def event(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(
        one for one in entries if one.get("event") == name and one["body"].get("round") == "r-4821"
    )


# Each check has its faults. The root is made new: the check itself must find them ----------------

SEALED, PUBLIC = "sealed", "public"
FAULTS: dict[str, tuple[str, str, Callable[[Members], Members], str, str]] = {
    "a member of nobody": (
        "grouped", SEALED, lambda m: {**m, "x.txt": b"x"}, "members", "x.txt",
    ),
    "a member lost": (
        "grouped", SEALED, lambda m: {k: v for k, v in m.items() if k != "salts.json"},
        "members", "salts.json",
    ),
    "a manifest lost": (
        "grouped", SEALED, lambda m: {k: v for k, v in m.items() if k != "manifest.json"},
        "members", "manifest.json",
    ),
    "a manifest of another shape": (
        "grouped", SEALED,
        lambda m: {**m, "manifest.json": document({**json.loads(m["manifest.json"]), "note": 1})},
        "members", "manifest.json",
    ),
    "a member that the manifest does not know": (
        "grouped", SEALED, lambda m: {**m, "README.txt": b"do not check\n"}, "members", "README.txt",
    ),
    "editions with different rules": (
        "grouped", SEALED,
        lambda m: {
            **m,
            "manifest.json": m["manifest.json"].replace(
                sha256(m["turnout.json"]).encode(), sha256(b"").encode(), 1
            ),
        },
        "members", "manifest.json",
    ),
    "an edition that there is not": (
        "grouped", SEALED, lambda m: {**m, "edition.txt": b"secret\n"}, "members", "edition.txt",
    ),
    "an entry edited": (
        "grouped", SEALED,
        lambda m: rooted({**m, "journal.jsonl": m["journal.jsonl"].replace(b"live", b"ended", 1)}),
        "journal", "journal.jsonl",
    ),
    "an entry dropped": (
        "grouped", SEALED,
        lambda m: rooted({**m, "journal.jsonl": lines(entries_of(m)[:3] + entries_of(m)[4:])}),
        "journal", "journal.jsonl",
    ),
    "the first entry dropped": (
        "grouped", SEALED, lambda m: rooted({**m, "journal.jsonl": lines(entries_of(m)[1:])}),
        "journal", "journal.jsonl",
    ),
    "entries swapped": (
        "grouped", SEALED,
        lambda m: rooted(
            {**m, "journal.jsonl": lines([*entries_of(m)[:4], entries_of(m)[5], entries_of(m)[4]])}
        ),
        "journal", "journal.jsonl",
    ),
    "entries numbered otherwise": (
        "grouped", SEALED, lambda m: rooted({**m, "journal.jsonl": lines(renumbered(entries_of(m)))}),
        "journal", "journal.jsonl",
    ),
    "an entry cut off": (
        "grouped", SEALED, lambda m: rooted({**m, "journal.jsonl": m["journal.jsonl"][:-1]}),
        "journal", "journal.jsonl",
    ),
    "the journal cut off before the tally": (
        "grouped", SEALED, lambda m: rooted({**m, "journal.jsonl": lines(entries_of(m)[:7])}),
        "journal", "journal.jsonl",
    ),
    "a link cut in the public journal": (
        "grouped", PUBLIC,
        lambda m: rooted(
            {**m, "journal.jsonl": lines([{**entries_of(m)[0], "prev": "1" * 64}, *entries_of(m)[1:]])}
        ),
        "journal", "journal.jsonl",
    ),
    "a link numbered otherwise": (
        "grouped", PUBLIC,
        lambda m: rooted(
            {**m, "journal.jsonl": lines([{**entries_of(m)[0], "seq": 2}, *entries_of(m)[1:]])}
        ),
        "journal", "journal.jsonl",
    ),
    "links in the sealed journal": (
        "grouped", SEALED,
        lambda m: rooted({**m, "journal.jsonl": bundle_of("grouped").editions[PUBLIC]["journal.jsonl"]}),
        "journal", "journal.jsonl",
    ),
    "a round that opens twice": (
        "grouped", SEALED,
        lambda m: with_journal(m, lambda e: e.insert(3, dict(event(e, "round_opened")))),
        "journal", "journal.jsonl",
    ),
    "a round that closes before it opens": (
        "grouped", SEALED,
        lambda m: with_journal(m, lambda e: e.insert(1, e.pop(e.index(event(e, "round_closed"))))),
        "journal", "journal.jsonl",
    ),
    "a round that is voided": (
        "grouped", SEALED,
        lambda m: with_journal(m, lambda e: e.append({**event(e, "round_signed"), "event": "round_voided"})),
        "journal", "journal.jsonl",
    ),
    "other rules at opening": (
        "grouped", SEALED,
        lambda m: with_journal(m, lambda e: event(e, "round_opened")["body"].update(rules_hash="0" * 64)),
        "journal", "journal.jsonl",
    ),
    "another turnout at closing": (
        "grouped", SEALED,
        lambda m: with_journal(m, lambda e: event(e, "round_closed")["body"].update(cast=14)),
        "journal", "journal.jsonl",
    ),
    "other receipts at closing": (
        "grouped", SEALED,
        lambda m: with_journal(m, lambda e: event(e, "round_closed")["body"].update(receipts_root="0" * 64)),
        "journal", "journal.jsonl",
    ),
    "other ballots at the tally": (
        "grouped", PUBLIC,
        lambda m: with_journal(m, lambda e: event(e, "round_tallied")["body"].update(ballots_hash="0" * 64)),
        "journal", "journal.jsonl",
    ),
    "a receipt changed": (
        "plain", SEALED,
        lambda m: rooted({**m, "receipts.csv": m["receipts.csv"][:-2] + b"Z\n"}),
        "receipts", "receipts.csv",
    ),
    "receipts without their heading": (
        "plain", SEALED, lambda m: with_text(m, "receipts.csv", "receipt\n", "AAAA-0000\n"),
        "receipts", "receipts.csv",
    ),
    "a receipt that is no code": (
        "plain", SEALED, lambda m: rechained(
            {**m, "receipts.csv": b"receipt\n!1+1\n" + b"".join(m["receipts.csv"].splitlines(True)[2:])}
        ),
        "receipts", "receipts.csv",
    ),
    "receipts in two columns": (
        "plain", SEALED,
        lambda m: rechained({**m, "receipts.csv": m["receipts.csv"].replace(b"-", b",", 1)}),
        "receipts", "receipts.csv",
    ),
    "a receipt twice": (
        "plain", SEALED,
        lambda m: rechained(
            {
                **m,
                "receipts.csv": b"".join(
                    [*m["receipts.csv"].splitlines(True)[:-1], m["receipts.csv"].splitlines(True)[-2]]
                ),
            }
        ),
        "receipts", "receipts.csv",
    ),
    "receipts in another order": (
        "plain", SEALED,
        lambda m: rechained(
            {**m, "receipts.csv": b"receipt\n" + b"".join(m["receipts.csv"].splitlines(True)[:0:-1])}
        ),
        "receipts", "receipts.csv",
    ),
    "fewer receipts than ballots": (
        "plain", SEALED,
        lambda m: rechained({**m, "receipts.csv": b"".join(m["receipts.csv"].splitlines(True)[:-1])}),
        "receipts", "receipts.csv",
    ),
    "a receipt beside a ballot": (
        "public", SEALED,
        lambda m: rechained(
            {
                **m,
                "ballots.csv": m["ballots.csv"].replace(
                    m["ballots.csv"].splitlines()[1].split(b",")[1], m["receipts.csv"].splitlines()[1]
                ),
            }
        ),
        "receipts", "ballots.csv",
    ),
    "more cast than were present": (
        "secret", SEALED, lambda m: with_json(m, "turnout.json", lambda t: t.update(present=3)),
        "turnout", "turnout.json",
    ),
    "more cast in a group than were present": (
        "grouped", SEALED,
        lambda m: with_json(
            m, "turnout.json", lambda t: (t.update(present=t["present"] - 8), t["groups"]["deputies"].update(present=0))
        ),
        "turnout", "turnout.json",
    ),
    "a negative count": (
        "secret", SEALED, lambda m: with_json(m, "turnout.json", lambda t: t.update(cast=-1)),
        "turnout", "turnout.json",
    ),
    "a turnout of another shape": (
        "secret", SEALED, lambda m: with_json(m, "turnout.json", lambda t: t.update(note=1)),
        "turnout", "turnout.json",
    ),
    "a title that is no text": (
        "secret", SEALED, lambda m: with_json(m, "turnout.json", lambda t: t.update(title=1)),
        "turnout", "turnout.json",
    ),
    "an audience that there is not": (
        "public", PUBLIC, lambda m: with_json(m, "turnout.json", lambda t: t.update(secrecy="open")),
        "turnout", "turnout.json",
    ),
    "a group of another shape": (
        "grouped", SEALED,
        lambda m: with_json(m, "turnout.json", lambda t: t["groups"]["deputies"].update(due=9)),
        "turnout", "turnout.json",
    ),
    "groups that do not add up": (
        "grouped", SEALED,
        lambda m: with_json(m, "turnout.json", lambda t: t["groups"].pop("专家")),
        "turnout", "turnout.json",
    ),
    "the turnout of another round": (
        "grouped", SEALED, lambda m: with_json(m, "turnout.json", lambda t: t.update(round="r-2")),
        "turnout", "turnout.json",
    ),
    "more rows than ballots": (
        "plain", SEALED,
        lambda m: rechained({**m, "ballots.csv": m["ballots.csv"] + b"".join(
            b"\xe5\x91\xa8\xe5\xb1\x80\xe9\x95\xbf,seat-9%d-8c31f07ad2e94b56,deputies,\xe6\x80\xbb\xe4\xbd\x93,good\n" % n
            for n in range(9)
        )}),
        "result", "ballots.csv",
    ),
    "a value changed": (
        "plain", SEALED, lambda m: with_text(m, "ballots.csv", ",poor\n", ",good\n"),
        "result", "result.json",
    ),
    "ballots that are not those of the hash": (
        "plain", SEALED,
        lambda m: rooted({**m, "ballots.csv": m["ballots.csv"].replace(b"seat-01", b"seat-99")}),
        "result", "result.json",
    ),
    "a value off the scale": (
        "plain", SEALED, lambda m: with_text(m, "ballots.csv", ",poor\n", ",best\n"),
        "result", "rules.json",
    ),
    "a row that is badly written": (
        "plain", SEALED, lambda m: with_text(m, "ballots.csv", ",poor\n", ',"poor"\n'),
        "result", "ballots.csv",
    ),
    "a public value changed": (
        "plain", PUBLIC, lambda m: with_text(m, "ballots.csv", ",poor\n", ",good\n"),
        "result", "result.json",
    ),
    "a public value dropped": (
        "grouped", PUBLIC,
        lambda m: rechained({**m, "ballots.csv": b"".join(m["ballots.csv"].splitlines(True)[:-1])}),
        "result", "result.json",
    ),
    "a total changed": (
        "grouped", SEALED,
        lambda m: with_json(m, "result.json", lambda v: v["subjects"][0].update(total="9.99")),
        "result", "result.json",
    ),
    "a place changed": (
        "plain", PUBLIC,
        lambda m: with_json(m, "result.json", lambda v: v["subjects"][0].update(rank=9)),
        "result", "result.json",
    ),
    "a session called invalid": (
        "plain", PUBLIC, lambda m: with_json(m, "result.json", lambda v: v.update(valid=False)),
        "result", "result.json",
    ),
    "a group's mark changed": (
        "grouped", PUBLIC,
        lambda m: with_json(m, "result.json", lambda v: v["subjects"][0]["groups"].update(deputies="1")),
        "result", "result.json",
    ),
    "the mark of a group under the floor": (
        "grouped", PUBLIC,
        lambda m: with_json(m, "result.json", lambda v: v["subjects"][0]["groups"].update(专家="1")),
        "result", "result.json",
    ),
    "a weight changed": (
        "channels", SEALED, lambda m: with_text(m, "rules.json", '"weight":"0.7"', '"weight":"0.6"'),
        "result", "result.json",
    ),
    "a subject renamed": (
        "plain", SEALED,
        lambda m: with_json(m, "result.json", lambda v: v["subjects"][0].update(subject="x")),
        "result", "result.json",
    ),
    "a figure that there is not": (
        "plain", SEALED,
        lambda m: with_json(m, "result.json", lambda v: v["subjects"][0].update(stars="5")),
        "result", "result.json",
    ),
    "a committed figure that is no mark": (
        "grouped", PUBLIC,
        lambda m: with_json(m, "result.json", lambda v: v["subjects"][0]["dimensions"].update(履职=5)),
        "result", "result.json",
    ),
    "a committed total that is no mark": (
        "grouped", PUBLIC,
        lambda m: with_json(m, "result.json", lambda v: v["subjects"][0].update(total=[])),
        "result", "result.json",
    ),
    "a hash of ballots that is none": (
        "grouped", PUBLIC, lambda m: with_json(m, "result.json", lambda v: v.update(ballots_hash="x")),
        "result", "result.json",
    ),
    "a result of other rules": (
        "grouped", PUBLIC,
        lambda m: rooted(
            {**m, "result.json": document({**json.loads(m["result.json"]), "rules_hash": "0" * 64})}
        ),
        "result", "result.json",
    ),
    "ballots that are no text": (
        "public", PUBLIC,
        lambda m: rooted({**m, "ballots.csv": m["ballots.csv"].replace(b"poor", b"\xff", 1)}),
        "result", "ballots.csv",
    ),
    "receipts that are no text": (
        "public", PUBLIC, lambda m: rooted({**m, "receipts.csv": m["receipts.csv"][:-1] + b"\xff\n"}),
        "receipts", "receipts.csv",
    ),
    "a public round that leaves out": (
        "public", SEALED,
        lambda m: with_json(m, "salts.json", lambda v: v["left_out"].append(["", "", "s1", "0" * 64])),
        "figures", "salts.json",
    ),
    "salts without a seal": (
        "plain", SEALED,
        lambda m: rooted({**m, "salts.json": document({"left_out": [], "seal": ""})}),
        "figures", "salts.json",
    ),
    "salts of another shape": (
        "grouped", SEALED, lambda m: with_json(m, "salts.json", lambda v: v.update(more=1)),
        "figures", "salts.json",
    ),
    "a step told otherwise": (
        "channels", SEALED,
        lambda m: with_json(m, "result.json", lambda v: v["trace"][3].update(exact="9")),
        "result", "result.json",
    ),
    "a step left out": (
        "secret", SEALED, lambda m: with_json(m, "result.json", lambda v: v["trace"].pop()),
        "result", "result.json",
    ),
    "votes counted wrongly": (
        "public", PUBLIC,
        lambda m: with_json(m, "result.json", lambda v: v["choices"][0].update(count=60)),
        "result", "result.json",
    ),
    "a vote for nothing": (
        "public", PUBLIC, lambda m: with_text(m, "ballots.csv", ",poor\n", ",awful\n"),
        "result", "ballots.csv",
    ),
    "two votes of one viewer": (
        "public", SEALED,
        lambda m: rechained(
            {
                **m,
                "ballots.csv": m["ballots.csv"].replace(
                    m["ballots.csv"].splitlines()[1].split(b",")[1],
                    m["ballots.csv"].splitlines()[2].split(b",")[1],
                ),
            }
        ),
        "result", "ballots.csv",
    ),
    "a figure hidden": (
        "plain", PUBLIC,
        lambda m: with_json(m, "figures.json", lambda v: v["figures"].update(valid="committed")),
        "figures", "figures.json",
    ),
    "commitments out of order": (
        "grouped", PUBLIC, lambda m: with_json(m, "figures.json", lambda v: v["left_out"].reverse()),
        "figures", "figures.json",
    ),
    "a row that should have been left out": (
        "grouped", PUBLIC,
        lambda m: rechained({**m, "ballots.csv": m["ballots.csv"] + "周局长,77aa,专家,履职,9\n".encode()}),
        "figures", "ballots.csv",
    ),
    "marks of one person together": (
        "grouped", PUBLIC, lambda m: rechained({**m, "ballots.csv": under_one_name(m["ballots.csv"])}),
        "figures", "ballots.csv",
    ),
    "a group left out that should not be": (
        "grouped", SEALED,
        lambda m: with_json(m, "salts.json", lambda v: v["left_out"].insert(0, ["", "citizens", "周局长", "0" * 64])),
        "figures", "salts.json",
    ),
    "a salt changed": (
        "grouped", SEALED,
        lambda m: with_json(m, "salts.json", lambda v: v["left_out"][0].__setitem__(3, "0" * 64)),
        "figures", "manifest.json",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_under_a_new_root_is_found_by_its_check(fault: str) -> None:
    name, edition, damage, check, member = FAULTS[fault]
    whole = members_of(name, edition)
    damaged = damage(whole)
    assert damaged != whole
    assert found(damaged) == (check, member)


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_found_against_the_published_root(fault: str) -> None:
    name, edition, damage, _, _ = FAULTS[fault]
    damaged = damage(members_of(name, edition))
    assert found(damaged, bundle_of(name).root) is not None


def test_every_check_has_a_fault() -> None:
    assert {fault[3] for fault in FAULTS.values()} == set(verify.CHECKS) - {"zip", "root"}


def test_what_a_new_root_alone_hides_the_published_one_shows() -> None:
    """A title is bound by the root and nothing else."""
    other = with_json(
        members_of("plain", PUBLIC), "turnout.json", lambda t: t.update(title="另一个标题")
    )
    assert found(other) is None
    assert found(other, bundle_of("plain").root) == ("root", "manifest.json")


# Random mutations; bench/mutations.py does a hundred thousand ------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("edition", EDITIONS)
def test_random_mutations_are_found(kind: str, edition: str) -> None:
    for seed in range(40):
        name = ROUNDS[seed % len(ROUNDS)]
        damaged = mutated(Random(seed), members_of(name, edition), kind)
        assert found(damaged, bundle_of(name).root) is not None, (kind, edition, seed)


# Hostile bundles --------------------------------------------------------------------------------


def test_documents_with_anything_in_them_crash_nothing() -> None:
    """A place of a document becomes something else and all hashes are made new."""
    junk: list[Any] = [None, True, -1, 10**15, "", "x", "1/0", "9" * 50, [], {}, [[]], {"key": 1}]
    outcomes = set()
    for seed in range(600):
        r = Random(seed)
        name, edition = r.choice(ROUNDS), r.choice(EDITIONS)
        members = members_of(name, edition)
        documents = [
            one for one in sorted(members) if one.endswith(".json") and one != "manifest.json"
        ]
        member = r.choice(documents)
        value = replaced(r, json.loads(members[member]), r.choice(junk))
        made = {**members, member: document(value)}
        try:
            made = rechained(made)
        except (TypeError, KeyError, AttributeError, ValueError):
            made = rooted(made)
        outcomes.add(found(made))
    assert len(outcomes) > 7


def replaced(r: Random, value: Any, by: Any) -> Any:
    """A random place of the value is replaced."""
    if isinstance(value, dict) and value and r.random() < 0.85:
        key = r.choice(sorted(value))
        return {**value, key: replaced(r, value[key], by)}
    if isinstance(value, list) and value and r.random() < 0.85:
        place = r.randrange(len(value))
        return [*value[:place], replaced(r, value[place], by), *value[place + 1 :]]
    return by


OTHER_FORMS = [
    b"",
    b"\n",
    b"\xff\xfe\n",
    b'{"a":1.5}\n',
    b'{"a":1e400}\n',
    b"NaN\n",
    b'{"a":1,"a":1}\n',
    b'{"b":1,"a":1}\n',
    b'{"a": 1}\n',
    b'{"a":9007199254740993}\n',
    b'{"a":' + b"9" * 9999 + b"}\n",
    b'"\\ud800"\n',
    b"[" * 100_000 + b"]" * 100_000 + b"\n",
    b"[" * 60 + b"]" * 60 + b"\n",
    b"\xef\xbb\xbf{}\n",
]
BY_FORM = pytest.mark.parametrize("text", OTHER_FORMS)


@BY_FORM
def test_json_that_is_not_canonical_is_a_difference(text: bytes) -> None:
    whole = members_of("plain", PUBLIC)
    assert found({**whole, "manifest.json": text}) == ("members", "manifest.json")
    journal = rooted({**whole, "journal.jsonl": (text or b"\n") + whole["journal.jsonl"]})
    assert found(journal) == ("journal", "journal.jsonl")


@BY_FORM
def test_a_document_is_read_in_one_form_only(text: bytes) -> None:
    with pytest.raises(verify.Difference):
        verify.read_document(text, "x.json", "members")


@pytest.mark.parametrize("text", [b'{"a":[1,"b",null,true]}', b"[" * 40 + b"]" * 40, b"7"])
def test_a_document_in_that_form_is_read(text: bytes) -> None:
    assert verify.read_document(text + b"\n", "x.json", "members") == json.loads(text)
    with pytest.raises(verify.Difference, match="does not end"):
        verify.read_document(text, "x.json", "members")


@pytest.mark.parametrize(
    "more",
    [
        {"version": 2},
        {"version": True},
        {"round": 7},
        {"receipts_root": "0"},
        {"receipts_root": None},
        {"editions": []},
        {"editions": {"public": {}}},
        {"editions": {"public": {}, "sealed": {}}},
        {"editions": {"public": [], "sealed": []}},
        {"editions": {"public": {}, "sealed": {}, "third": {}}},
    ],
)
def test_a_manifest_has_one_shape(more: dict[str, Any]) -> None:
    whole = members_of("plain", PUBLIC)
    manifest = {**json.loads(whole["manifest.json"]), **more}
    assert found({**whole, "manifest.json": document(manifest)}) == ("members", "manifest.json")


def test_a_manifest_has_two_editions() -> None:
    whole = members_of("plain", PUBLIC)
    for change in (
        lambda editions: editions.update(third=editions["public"]),
        lambda editions: editions.pop("sealed"),
    ):
        manifest = json.loads(whole["manifest.json"])
        change(manifest["editions"])
        changed = {**whole, "manifest.json": document(manifest)}
        assert found(changed) == ("members", "manifest.json")


def test_every_hash_of_a_manifest_is_one() -> None:
    whole = members_of("plain", PUBLIC)
    manifest = json.loads(whole["manifest.json"])
    manifest["editions"]["sealed"]["salts.json"] = "F" * 64
    assert found({**whole, "manifest.json": document(manifest)}) == ("members", "manifest.json")


def test_what_does_not_unpack_is_named() -> None:
    """The bytes of a member are changed within the zip, which keeps its checksum."""
    data = bytearray(bundle_of("plain").zipped(PUBLIC))
    for name in ("journal.jsonl", "rules.json"):
        place = data.index(name.encode()) + len(name) + 8
        broken = data[:place] + bytes((data[place] ^ 255,)) + data[place + 1 :]
        assert found(bytes(broken)) == ("zip", name)


@pytest.mark.parametrize(
    ("place", "value", "member"),
    [(10, 99, "journal.jsonl"), (8, 1, "journal.jsonl"), (6, 999, "zip")],
    ids=["a way of packing that is none", "encrypted", "a version of zip that is none"],
)
def test_what_the_reader_cannot_unpack_is_named(place: int, value: int, member: str) -> None:
    """Both headers of a member say it, two bytes at the same place but for two more in the directory."""
    data = bytearray(bundle_of("plain").zipped(PUBLIC))
    name = member.encode() if member != "zip" else b"journal.jsonl"
    local, directory = data.index(name) - 30, data.rindex(name) - 46
    struct.pack_into("<H", data, directory + place, value)
    struct.pack_into("<H", data, local + place - 2, value)
    assert found(bytes(data)) == ("zip", member)


def test_what_is_no_zip_is_a_difference() -> None:
    whole = bundle_of("plain").zipped(PUBLIC)
    assert found(b"")[0] == "zip"  # type: ignore[index]
    assert found(b"PK\x05\x06" + bytes(18)) == ("members", "manifest.json")
    for seed in range(150):
        r = Random(seed)
        data = bytearray(whole[: r.randrange(1, len(whole))] if seed % 2 else whole)
        for _ in range(r.randint(1, 20)):
            data[r.randrange(len(data))] = r.randrange(256)
        found(bytes(data))


def test_two_members_of_one_name_are_refused() -> None:
    """One reader would take the first, another the last."""
    file = io.BytesIO(bundle_of("plain").zipped(PUBLIC))
    with zipfile.ZipFile(file, "a") as made, pytest.warns(UserWarning, match="Duplicate"):
        made.writestr("README.txt", b"other")
    assert found(file.getvalue()) == ("zip", "zip")


def test_members_that_unpack_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "MOST_BYTES", 1 << 20)
    whole = members_of("plain", PUBLIC)
    assert found(rooted({**whole, "README.txt": bytes((1 << 20) + 1)})) == ("zip", "README.txt")
    many = {**whole, **{f"x{n}": b"" for n in range(verify.MOST_MEMBERS)}}
    assert found(many) == ("zip", "zip")
    monkeypatch.setattr(verify, "MOST_LINE", 1 << 10)
    long = rooted({**whole, "journal.jsonl": b'{"a":"' + b"x" * (1 << 11)})
    with pytest.raises(verify.Difference, match="a line is too long"):
        verify.verify(io.BytesIO(zip_of(long)))


def test_a_size_that_lies_does_not_help() -> None:
    """The size in the zip's directory is not believed."""
    data = bytearray(bundle_of("plain").zipped(PUBLIC))
    place = data.index(b"PK\x01\x02")
    struct.pack_into("<I", data, place + 24, 0)
    assert found(bytes(data)) is not None


def test_receipts_root_of_nothing() -> None:
    assert receipts_root([]) == sha256(b"")
