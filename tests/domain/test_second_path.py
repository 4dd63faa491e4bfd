"""The second path agrees with the tally on whatever is cast, and with nothing that was changed."""

from __future__ import annotations

import copy
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain import second_path
from server.domain.ballot_file import write_ballots
from server.domain.ballots import BallotRow
from server.domain.rule_file import parse_rules
from server.domain.second_path import difference
from server.domain.tally import TallyRefused, tally

NUMBERS = {"kind": "number", "min": "-1", "max": "2", "step": "0.25"}
LABELS = {
    "kind": "labels",
    "labels": [
        {"key": "good", "points": "2"}, {"key": "fair", "points": "1.5"}, {"key": "poor", "points": "-1"}
    ],
}  # fmt: skip
GROUPS = st.sampled_from(
    [
        None,
        [{"key": "a", "weight": "0.7"}, {"key": "b", "weight": "0.3"}],
        [{"key": "a", "weight": "2"}, {"key": "b"}],
        [{"key": "a", "weight": "1"}, {"key": "b", "weight": "0"}],
    ]
)
PLACES = st.sampled_from([None, 0, 1, 2])


@st.composite
def rule_sets(draw: st.DrawFn) -> dict[str, Any]:
    within = draw(st.sampled_from(["mean", "sum", "median", "rate"]))
    by_label = within == "rate" or draw(st.booleans())
    rules: dict[str, Any] = {
        "version": 1,
        "scale": LABELS if by_label else NUMBERS,
        "dimensions": [
            {"key": "x", "factor": draw(st.sampled_from(["1", "0.8", "-1"]))},
            {"key": "y"},
        ],
        "within": within,
        "across": draw(st.sampled_from(["sum", "mean"])),
        "empty_group": draw(st.sampled_from(["renormalise", "zero"])),
        "floor": draw(st.sampled_from([0, 0, 2])),
        "rounding": {
            "mode": draw(st.sampled_from(["half_up", "half_even", "down"])),
            **{step: draw(PLACES) for step in ("dimension", "weighted", "group", "total")},
        },
    }
    groups = draw(GROUPS)
    if groups is not None:
        rules["groups"] = groups
    if within == "rate":
        rules["positive"] = draw(st.sampled_from([["good"], ["good", "fair"]]))
        if groups is None and draw(st.booleans()):
            rules |= {"denominator": "present", "session": {"present": 9}}
    elif draw(st.booleans()):
        rules["trim"] = {"high": draw(st.integers(0, 2)), "low": 1, "from": draw(st.integers(4, 6))}
    return rules


@st.composite
def cast(draw: st.DrawFn) -> tuple[dict[str, Any], list[BallotRow]]:
    rules = draw(rule_sets())
    if rules["scale"] is LABELS:
        marks = ["good", "fair", "poor"]
    else:
        marks = [f"{n / 4:g}" for n in range(-4, 9)]
    values = st.sampled_from([*marks, *marks, "abstain", "dont_know"])
    rows = [
        BallotRow(subject, f"r{rater}", draw(st.sampled_from("ab")), dimension, draw(values))
        for subject in ("s", "t")
        for rater in range(draw(st.integers(1, 8)))
        for dimension in draw(st.sampled_from(["xy", "x", "y"]))
    ]
    group = {row.rater: row.group for row in rows}
    return rules, [row._replace(group=group[row.rater]) for row in rows]


def paths(rules: dict[str, Any], rows: list[BallotRow]) -> tuple[Any, Any, Any, Any]:
    """What `difference` is given: as SQL would count the rows, and as the tally reads them."""
    cells = [(row.subject, row.dimension, row.group, row.value) for row in rows]
    raters = {
        (row.subject, row.group, row.rater)
        for row in rows
        if row.value not in {"abstain", "dont_know"}
    }
    sheets = Counter((subject, group) for subject, group, _ in raters)
    return rules, Counter(cells), sheets, cells


@settings(max_examples=150, deadline=None)
@given(cast())
def test_both_paths_agree(made: tuple[dict[str, Any], list[BallotRow]]) -> None:
    rules, rows = made
    try:
        result = tally(parse_rules(rules), rows, write_ballots(rows).encode())
    except TallyRefused:
        return
    assert difference(*paths(rules, rows), result) is None


RULES = {
    "version": 1,
    "scale": NUMBERS,
    "dimensions": [{"key": "x"}, {"key": "y"}],
    "groups": [{"key": "a", "weight": "2"}, {"key": "b"}],
    "rounding": {"total": 2},
}
ROWS = [
    BallotRow("s", f"r{n}", "ab"[n % 2], dimension, value)
    for n, values in enumerate((("1", "2"), ("0.5", "1"), ("2", "abstain")))
    for dimension, value in zip("xy", values, strict=True)
]


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told.update(total="9.99"),
        lambda told: told["dimensions"].update(x="1.75"),
        lambda told: told["groups"].update(b=None),
        lambda told: told["ballots"].update(valid=4),
    ],
)
def test_every_changed_figure_is_found(change: Any) -> None:
    result = copy.deepcopy(tally(parse_rules(RULES), ROWS, b""))
    assert difference(*paths(RULES, ROWS), result) is None
    change(result["subjects"][0])
    assert difference(*paths(RULES, ROWS), result) is not None


@pytest.mark.parametrize("more", [{}, {"trim": {"high": 1, "on": "total"}}])
def test_a_mark_that_sql_counts_otherwise_is_found_under_any_rules(more: dict[str, Any]) -> None:
    rules = {**RULES, **more}
    result = tally(parse_rules(rules), ROWS, b"")
    document, histogram, sheets, cells = paths(rules, ROWS)
    assert difference(document, histogram, sheets, cells, result) is None
    changed = histogram - Counter([cells[0]]) + Counter([(*cells[0][:3], "1.25")])
    assert difference(document, changed, sheets, cells, result) is not None


def test_a_subject_that_is_missing_is_found() -> None:
    result = copy.deepcopy(tally(parse_rules(RULES), ROWS, b""))
    result["subjects"].clear()
    assert difference(*paths(RULES, ROWS), result) == "subjects: [] / ['s']"


def test_it_stands_on_nothing_that_the_tally_stands_on() -> None:
    source = Path(second_path.__file__).read_text(encoding="utf-8")
    assert "from server" not in source
    assert "import server" not in source
