"""What a bundle holds, and that the verifier accepts every bundle that is made."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter, defaultdict
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.merkle import is_proved, proof_of
from server.domain.tally import TallyRefused
from server.reports import tools, verify
from server.reports.bundle import NameGuessable, zip_of
from server.reports.verify import COMMITTED, RECOMPUTABLE
from tests.reports.documents import ballots, composite, document
from tests.reports.making import bundle, panel_material, rows_in, sha256
from tests.reports.rounds import EDITIONS, PLAIN, ROUNDS, bundle_of, material_of, rows_of
from tests.reports.test_second_tally import settled

BY_ROUND = pytest.mark.parametrize("name", ROUNDS)


def checked(members: dict[str, bytes], root: str | None = None) -> verify.Report:
    return verify.verify(io.BytesIO(zip_of(members)), root)


@given(st.integers(0, 2**32))
@settings(max_examples=250, deadline=None)
def test_every_bundle_that_is_made_is_accepted(seed: int) -> None:
    r = Random(seed)
    rules = settled(composite(r)) if r.random() < 0.2 else document(r)
    rows = ballots(r, rules, r.choice((9, 30)))
    try:
        made = bundle(panel_material(r, rules, rows, r.choice(("named", "secret"))), seed)
    except TallyRefused:
        return
    for edition in EDITIONS:
        report = checked(dict(made.editions[edition]), made.root)
        assert (report.root, report.edition) == (made.root, edition)


@BY_ROUND
@pytest.mark.parametrize("edition", EDITIONS)
def test_the_rounds_of_the_tests_are_accepted(name: str, edition: str) -> None:
    made = bundle_of(name)
    report = verify.verify(io.BytesIO(made.zipped(edition)), made.root)
    assert report.entries == 9
    assert report.round == "r-4821"
    assert RECOMPUTABLE in report.figures.values()


@BY_ROUND
def test_the_root_stands_over_every_member_of_both_editions(name: str) -> None:
    made = bundle_of(name)
    for edition in EDITIONS:
        members = made.editions[edition]
        assert sha256(members["manifest.json"]) == made.root
        named = json.loads(members["manifest.json"])["editions"][edition]
        seal = (
            bytes.fromhex(json.loads(members["salts.json"])["seal"]) if edition == "sealed" else b""
        )
        assert set(named) == verify.MEMBERS[edition]
        for member, hash_ in named.items():
            under = seal if member in {"ballots.csv", "journal.jsonl", "result.json"} else b""
            assert hash_ == sha256(under + members[member])


def test_what_is_left_out_cannot_be_tried_against_a_hash() -> None:
    """Whoever guesses the marks of a small group can make the sealed result; no hash of the public
    edition must tell whether the guess is right. (Names in the ballots cannot be guessed.)"""
    public, sealed = (bundle_of("grouped").editions[edition] for edition in EDITIONS)
    everything = b"".join(data for data in public.values())
    assert sha256(sealed["result.json"]).encode() not in everything
    assert sha256(sealed["journal.jsonl"]).encode() not in everything


def test_the_same_source_gives_the_same_bytes_and_another_one_another_root() -> None:
    material = material_of("grouped")
    assert bundle(material, 3).zipped("public") == bundle(material, 3).zipped("public")
    assert bundle(material, 3).root != bundle(material, 4).root


def test_a_zip_says_nothing_by_order_or_time() -> None:
    with zipfile.ZipFile(io.BytesIO(bundle_of("plain").zipped("sealed"))) as made:
        assert [one.filename for one in made.infolist()] == sorted(made.namelist())
        assert {one.date_time for one in made.infolist()} == {(1980, 1, 1, 0, 0, 0)}


# The public edition -----------------------------------------------------------------------------


@BY_ROUND
def test_no_name_of_the_sealed_edition_stands_in_the_public_one(name: str) -> None:
    made = bundle_of(name)
    raters = {row["rater"] for row in rows_in(made.editions["sealed"]["ballots.csv"])}
    everything = b"".join(
        data for n, data in made.editions["public"].items() if not n.startswith("verify")
    )
    assert raters
    assert not [rater for rater in raters if rater.encode() in everything]


def test_groups_under_the_floor_are_left_out_and_committed_to() -> None:
    made = bundle_of("grouped")
    public, sealed = made.editions["public"], made.editions["sealed"]
    groups = Counter(row["group"] for row in rows_in(public["ballots.csv"]))
    assert set(groups) == {"deputies", "citizens"}
    told = json.loads(public["figures.json"])
    assert [one[:3] for one in told["left_out"]] == [
        ["", "专家", s] for s in ('s"3', "周局长", "李,主任")
    ]
    salts = {tuple(one[:3]): one[3] for one in json.loads(sealed["salts.json"])["left_out"]}
    lines = sealed["ballots.csv"].decode().splitlines(keepends=True)
    own = "".join(line for line in lines if line.startswith("周局长,") and "专家" in line)
    salt = bytes.fromhex(salts["", "专家", "周局长"])
    assert len(salt) == 32
    assert ["", "专家", "周局长", sha256(salt + own.encode())] in told["left_out"]
    results = json.loads(public["result.json"])["subjects"]
    assert all(one["groups"]["专家"] is None for one in results)
    assert all(one["groups"]["deputies"] for one in results)
    whole = json.loads(sealed["result.json"])["subjects"]
    assert all(one["groups"]["专家"] for one in whole)
    figures = told["figures"]["subjects"]["周局长"]
    assert figures["groups"] == {
        "deputies": RECOMPUTABLE,
        "citizens": RECOMPUTABLE,
        "专家": COMMITTED,
    }
    assert figures["total"] == figures["rank"] == figures["grade"] == COMMITTED


def test_the_public_rows_are_the_sealed_ones_without_names() -> None:
    made = bundle_of("grouped")
    kept = ("subject", "group", "dimension", "value")
    rows = {
        edition: Counter(
            tuple(row[key] for key in kept)
            for row in rows_in(made.editions[edition]["ballots.csv"])
            if row["group"] != "专家"
        )
        for edition in EDITIONS
    }
    assert rows["public"] == rows["sealed"]


def test_marks_of_one_person_are_not_kept_together() -> None:
    """No rule of this round reads two marks of one rater, so each row has a name of its own."""
    rows = rows_in(bundle_of("grouped").editions["public"]["ballots.csv"])
    assert len({row["rater"] for row in rows}) == len(rows) > 50


@pytest.mark.parametrize(
    ("more", "together"),
    [
        ({}, "row"),
        ({"ballot": {"required": "all"}}, "sheet"),
        ({"floor": 5}, "sheet"),
        ({"ballot": {"void_all_equal": True}}, "ballot"),
        ({"ballot": {"void_all_full": True}}, "ballot"),
        ({"ballot": {"quota": [{"at_least": "90", "most": 3}]}}, "ballot"),
        ({"within": "rank_points", "rank_points": {"first": "200", "step": "2"}}, "ballot"),
        ({"trim": {"high": 1, "low": 1, "on": "total"}}, "sheet"),
    ],
)
def test_names_reach_as_far_as_a_rule_reads(more: dict[str, object], together: str) -> None:
    rules = {**PLAIN, "dimensions": [{"key": "a"}, {"key": "b"}], "ties": "shared"}
    del rules["trim"]
    rules |= more
    made = bundle(panel_material(Random(2), rules, rows_of(Random(2), rules)))
    under: dict[str, list[str]] = defaultdict(list)
    for row in rows_in(made.editions["public"]["ballots.csv"]):
        under[row["rater"]].append(row["subject"])
    found = "row"
    if any(len(subjects) > 1 for subjects in under.values()):
        found = "ballot" if any(len(set(s)) > 1 for s in under.values()) else "sheet"
    assert found == together


@BY_ROUND
def test_the_order_of_the_public_rows_is_not_that_of_the_sealed_ones(name: str) -> None:
    made = bundle_of(name)
    kept = ("subject", "group", "dimension", "value")
    public, sealed = (
        [
            tuple(row[key] for key in kept)
            for row in rows_in(made.editions[edition]["ballots.csv"])
            if name in ("secret", "public") or row["group"] != "专家"
        ]
        for edition in EDITIONS
    )
    if name in ("grouped", "public"):
        assert sorted(public) == sorted(sealed)
    assert public != sealed


TWO: dict[str, Any] = {
    "dimensions": [{"key": "d"}],
    "groups": [{"key": "g"}, {"key": "h"}],
}
LEFT = frozenset({("", "g", "s1")})
"""The group g is left out for the subject s1, and for s2 it is not."""


@pytest.mark.parametrize(
    ("more", "committed"),
    [
        ({}, {"s1": ("total", "rank", "grade", "ballots", "d", "g"), "s2": ("rank",)}),
        (
            {"quota": [{"grade": "x"}]},
            {"s1": ("total", "rank", "grade", "ballots", "d", "g"), "s2": ("rank", "grade")},
        ),
        (
            {"floor": 5},
            {"s1": ("total", "rank", "grade", "ballots", "d", "g", "h"), "s2": ("rank",)},
        ),
        (
            {"within": "best_ratio"},
            {
                "s1": ("total", "rank", "grade", "ballots", "d", "g"),
                "s2": ("total", "rank", "grade", "ballots", "d", "g"),
            },
        ),
        (
            {"within": "rank_points"},
            {
                "s1": ("total", "rank", "grade", "ballots", "d", "g"),
                "s2": ("total", "rank", "grade", "ballots", "d", "g"),
            },
        ),
        (
            {"within": "best_ratio", "floor": 5},
            {
                "s1": ("total", "rank", "grade", "ballots", "d", "g", "h"),
                "s2": ("total", "rank", "grade", "ballots", "d", "g", "h"),
            },
        ),
    ],
)
def test_what_is_committed_follows_from_what_is_left_out(
    more: dict[str, Any], committed: dict[str, tuple[str, ...]]
) -> None:
    told = verify.figures_of({**TWO, **more}, ["s1", "s2"], LEFT, True)
    for subject, figures in told["subjects"].items():
        flat = {**figures, **figures["dimensions"], **figures["groups"]}
        found = {key for key, kind in flat.items() if kind == COMMITTED}
        assert found == set(committed[subject]), subject
    assert told["valid"] == RECOMPUTABLE


def test_the_session_is_committed_where_rows_are_held_against_its_counts() -> None:
    by_due = {**TWO, "denominator": "due"}
    assert verify.figures_of(by_due, ["s1"], LEFT, True)["valid"] == COMMITTED
    assert verify.figures_of(by_due, ["s1"], frozenset(), True)["valid"] == RECOMPUTABLE


@pytest.mark.parametrize("floor", [0, 6])
def test_a_channel_stands_alone_unless_the_composite_has_a_floor(floor: int) -> None:
    """A floor of the composite counts the sheets of all channels."""
    channels = [{"channel": c, "weight": "0.5", "rules": TWO} for c in ("a", "b")]
    rules = {"composite": channels, "floor": floor}
    told = verify.figures_of(rules, ["s1"], frozenset({("a", "g", "s1")}), True)["subjects"]["s1"]
    kind = COMMITTED if floor else RECOMPUTABLE
    assert told["channels"] == {"a": COMMITTED, "b": kind}
    assert told["total"] == COMMITTED


def test_names_that_could_be_guessed_are_refused() -> None:
    """With seats for names, whoever has the rows could try all seats until `ballots_hash` is met."""
    rows = [(s, f"seat-{i:03d}", "", "总体", "good") for s in ("a", "b") for i in range(6)]
    with pytest.raises(NameGuessable):
        bundle(panel_material(Random(1), PLAIN, rows))


def test_entries_about_other_things_are_links_in_the_public_edition() -> None:
    made = bundle_of("grouped")
    journals = [
        [json.loads(line) for line in made.editions[edition]["journal.jsonl"].splitlines()]
        for edition in EDITIONS
    ]
    for public, sealed in zip(*journals, strict=True):
        about = sealed["body"].get("round") == "r-4821"
        assert public == (
            sealed if about else {key: sealed[key] for key in ("seq", "prev", "hash")}
        )
    assert len({len(one) for one in journals[0]}) == 2


def test_the_trace_is_in_the_sealed_edition_alone() -> None:
    """It names rows of the sealed ballots."""
    made = bundle_of("grouped")
    assert json.loads(made.editions["sealed"]["result.json"])["trace"]
    assert "trace" not in json.loads(made.editions["public"]["result.json"])


def test_among_equal_totals_the_public_edition_keeps_who_left() -> None:
    """Trimming on totals looks at the order of the file where totals are equal; which of two marks of
    a total leaves changes the dimensions."""
    rules = {
        **PLAIN,
        "scale": {"kind": "number", "min": "0", "max": "10"},
        "dimensions": [{"key": "a"}, {"key": "b"}],
        "trim": {"high": 1, "low": 1, "on": "total"},
        "ties": "shared",
    }
    pairs = [("9", "1"), ("1", "9"), ("5", "5"), ("2", "3"), ("3", "2"), ("4", "4")]
    rows = [
        ("s", f"seat-{i}-5be0c9d1f37a4e28", "", key, value)
        for i, pair in enumerate(pairs)
        for key, value in zip("ab", pair, strict=True)
    ]
    material = panel_material(Random(1), rules, rows)
    for seed in range(20):
        made = bundle(material, seed)
        report = checked(dict(made.editions["public"]), made.root)
        assert report.figures["subjects s dimensions a"] == RECOMPUTABLE
    wrong = panel_material(Random(1), rules, [*rows[2:4], *rows[:2], *rows[4:]])
    assert json.loads(wrong.result)["subjects"] != json.loads(material.result)["subjects"]


# Receipts ---------------------------------------------------------------------------------------


def test_a_receipt_is_proved_to_be_among_all() -> None:
    made = bundle_of("public")
    codes = made.editions["public"]["receipts.csv"].decode().splitlines()[1:]
    leaves = [code.encode() for code in codes]
    root = json.loads(made.editions["public"]["manifest.json"])["receipts_root"]
    path = proof_of(leaves, 17)
    assert len(leaves) == 60
    assert is_proved(leaves[17], 17, 60, path, bytes.fromhex(root))
    assert not is_proved(b"2222-0000", 17, 60, path, bytes.fromhex(root))


def test_the_receipts_say_nothing_of_the_ballots() -> None:
    """The codes are sorted, so that their order is that of nothing else."""
    material = material_of("plain")
    other = replace(material, receipts=list(reversed(material.receipts)))
    one, two = bundle(material), bundle(other)
    assert one.editions["public"]["receipts.csv"] == two.editions["public"]["receipts.csv"]
    assert one.root == two.root


# The tools --------------------------------------------------------------------------------------


def test_the_files_that_check_lie_beside_the_program() -> None:
    found = tools()
    assert found["verify.py"].startswith(b"#!/usr/bin/env python3\n")
    assert b"<!doctype html>" in found["verify.html"][:40].lower()
