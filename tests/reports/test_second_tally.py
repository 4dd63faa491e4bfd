"""The product's tally against the verifier's, which was written from the rule book alone.

Neither has read the other. What both say of thousands of drawn rule sets and ballots is the same to
the byte, refusals included.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.ballots import BallotRow
from server.domain.rule_file import parse_rule_set
from server.domain.tally import TallyRefused, tally
from server.reports.verify import Refused, tallied
from tests.reports.documents import ballots, composite, document

REFUSED = "refused"


def product(rules: dict[str, Any], rows: Sequence[tuple[str, ...]]) -> Any:
    """What the product says."""
    try:
        result: Any = tally(parse_rule_set(rules), [BallotRow(*row) for row in rows], b"")
    except TallyRefused:
        return REFUSED
    return json.loads(json.dumps({key: result[key] for key in ("subjects", "valid", "trace")}))


def verifier(rules: dict[str, Any], rows: Sequence[tuple[str, ...]]) -> Any:
    """What the verifier says."""
    try:
        return tallied(rules, rows)
    except Refused:
        return REFUSED


def settled(rules: dict[str, Any]) -> dict[str, Any]:
    """A composite without what the two do not agree about yet (the last tests of this file)."""
    rules.pop("floor", None)
    if rules.get("empty_group") == "zero":
        del rules["empty_group"]
    return rules


@given(st.integers(0, 2**32))
@settings(max_examples=500, deadline=None)
def test_both_say_the_same_of_a_rule_set(seed: int) -> None:
    r = Random(seed)
    rules = document(r)
    rows = ballots(r, rules)
    assert product(rules, rows) == verifier(rules, rows)


@given(st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_both_say_the_same_of_a_composite(seed: int) -> None:
    r = Random(seed)
    rules = settled(composite(r))
    rows = ballots(r, rules)
    assert product(rules, rows) == verifier(rules, rows)


def test_the_draws_reach_every_rule() -> None:
    """A rule that is never drawn would be compared by nobody."""
    seen: set[str] = set()
    outcomes: set[bool] = set()
    for seed in range(300):
        r = Random(seed)
        rules = document(r)
        seen |= set(rules)
        seen.add(rules.get("within", "mean"))
        seen.add(f"trim {rules.get('trim', {}).get('on')}")
        seen.add(f"empty {rules.get('empty_group')}")
        seen.add(f"by {rules.get('denominator')}")
        seen |= {f"ballot {key}" for key in rules.get("ballot", {})}
        seen |= {f"after {one['kind']}" for one in rules.get("after", ())}
        seen |= {"when" for band in rules.get("bands", ()) if "when" in band}
        outcomes.add(verifier(rules, ballots(r, rules)) == REFUSED)
    wanted = {
        *("mean", "sum", "median", "rate", "verdict", "rank_points", "best_ratio"),
        *("trim dimension", "trim total", "trim none", "when", "floor", "ties", "quota", "session"),
        *("empty renormalise", "empty zero", "empty refuse"),
        *("by valid", "by present", "by due", "by members"),
        *("ballot required", "ballot void_all_equal", "ballot void_all_full", "ballot quota"),
        *("after bonus", "after deduction", "after cap", "after veto"),
    }
    assert wanted <= seen
    assert outcomes == {True, False}


RULES: dict[str, Any] = {
    "version": 1,
    "scale": {"kind": "number", "min": "0", "max": "100"},
    "dimensions": [{"key": "d"}],
}


def total(rules: dict[str, Any], *values: str) -> Any:
    """The total that the verifier gives these values of one subject."""
    rows = [("s", f"r{n}", "", "d", value) for n, value in enumerate(values)]
    return tallied({**RULES, **rules}, rows)["subjects"][0]["total"]


@pytest.mark.parametrize(
    ("rules", "values", "expected"),
    [
        ({}, ("7", "8"), "7.5"),
        ({}, ("1", "1", "2"), "4/3"),
        ({"within": "median"}, ("1", "9", "4", "5"), "4.5"),
        ({"within": "sum"}, ("1", "2.5"), "3.5"),
        ({"trim": {"high": 1, "low": 1, "from": 4}}, ("1", "2", "4", "90"), "3"),
        ({"trim": {"high": 1, "low": 1, "from": 5}}, ("1", "2", "4", "93"), "25"),
        ({"rounding": {"mode": "half_up", "total": 1}}, ("0.1", "0.2"), "0.2"),
        ({"rounding": {"mode": "half_even", "total": 1}}, ("0.1", "0.2", "0.45"), "0.2"),
        ({"rounding": {"mode": "half_even", "total": 1}}, ("0.45",), "0.4"),
        ({"rounding": {"mode": "down", "total": 1}}, ("0.49",), "0.4"),
        ({"bands": [{"from": "90", "value": "200"}, {"value": "130"}]}, ("89.999",), "130"),
        ({"within": "best_ratio", "best_ratio": {"times": "600"}}, ("50",), "600"),
        ({"within": "rank_points", "rank_points": {"first": "200", "step": "2"}}, ("5",), "200"),
        ({"after": [{"kind": "cap", "value": "5"}], "rounding": {"total": 2}}, ("8",), "5.00"),
        ({"floor": 3}, ("8", "9"), None),
    ],
)
def test_the_verifier_against_arithmetic_by_hand(
    rules: dict[str, Any], values: tuple[str, ...], expected: str | None
) -> None:
    assert total(rules, *values) == expected


@pytest.mark.parametrize(
    ("rules", "rows"),
    [
        ({}, [("s", "r", "", "d", "101")]),
        ({}, [("s", "r", "", "d", "1e1")]),
        ({}, [("s", "r", "", "other", "1")]),
        ({}, [("s", "r", "", "d", "1"), ("s", "r", "", "d", "2")]),
        ({"groups": [{"key": "g"}]}, [("s", "r", "h", "d", "1")]),
        ({"groups": [{"key": "g"}, {"key": "h"}]}, [("s", "r", "g", "d", "1"), ("t", "r", "h", "d", "1")]),
        ({"within": "hum"}, [("s", "r", "", "d", "1")]),
        ({"dimensions": 7}, [("s", "r", "", "d", "1")]),
        ({"scale": {"kind": "number", "min": "9" * 999, "max": "1"}}, [("s", "r", "", "d", "1")]),
        ({"rounding": {"mode": "half_up", "total": 10**9}}, [("s", "r", "", "d", "1")]),
    ],
)  # fmt: skip
def test_what_cannot_be_worked_out_is_refused(rules: Any, rows: Sequence[tuple[str, ...]]) -> None:
    with pytest.raises(Refused):
        tallied({**RULES, **rules}, rows)


def of_two(**more: Any) -> dict[str, Any]:
    """A composite of a channel that counts and one that is only shown."""
    channels = [
        {"channel": "panel", "weight": "1", "rules": RULES},
        {"channel": "online", "weight": "0", "rules": RULES},
    ]
    return {"version": 1, "composite": channels, **more}


def test_a_composite_below_its_floor_shows_no_mark() -> None:
    rules, rows = of_two(floor=3), [("s", "r", "", "d", "8", "panel")]
    assert verifier(rules, rows)["subjects"][0]["channels"] == {"panel": None, "online": None}
    assert product(rules, rows) == verifier(rules, rows)


@pytest.mark.parametrize("row", [("8", "online"), ("abstain", "panel")])
def test_a_subject_that_no_counting_channel_marked_has_no_total(row: tuple[str, str]) -> None:
    rules, rows = of_two(empty_group="zero"), [("s", "r", "", "d", *row)]
    assert verifier(rules, rows)["subjects"][0]["total"] is None
    assert product(rules, rows) == verifier(rules, rows)
