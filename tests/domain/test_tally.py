"""The tally: worked examples by hand, an independent oracle, real competitions, the trace."""

import csv
import hashlib
import json
import random
import time
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.ballot_file import BallotFileInvalid, read_ballots, write_ballots
from server.domain.ballots import BallotRow
from server.domain.exact import RoundingMode, mark_text, rounded
from server.domain.rule_file import parse_rules
from server.domain.rules import Rules, rules_hash
from server.domain.tally import (
    Result,
    SubjectResult,
    TallyRefused,
    result_bytes,
    tally,
)
from tests.real_data import real_data

TEN = {"kind": "number", "min": "0", "max": "10", "step": "0.25"}
FIVE_ITEMS = {
    "kind": "labels",
    "labels": [
        {"key": "good", "label": "好", "points": "20"},
        {"key": "fair", "label": "一般", "points": "17"},
        {"key": "poor", "label": "差", "points": "14"},
    ],
}


def document(**keys: Any) -> dict[str, Any]:
    return {"version": 1, "scale": TEN, "dimensions": [{"key": "duty"}], **keys}


def rows_from(text: str) -> list[BallotRow]:
    """Rows from lines of `subject rater group dimension value`, `-` = empty."""
    lines = [line.split() for line in text.strip().splitlines()]
    return [BallotRow(*("" if cell == "-" else cell for cell in line)) for line in lines]


def tallied(keys: dict[str, Any], rows: Sequence[BallotRow]) -> Result:
    return tally(parse_rules(keys), rows, write_ballots(rows).encode())


def marks(subject: str, values: str, dimension: str = "duty", group: str = "-") -> str:
    """One row a value, raters r1, r2, …"""
    return "\n".join(
        f"{subject} {group}r{number} {group} {dimension} {value}"
        for number, value in enumerate(values.split(), start=1)
    )


def first(result: Result) -> SubjectResult:
    return result["subjects"][0]


def totals(result: Result) -> list[str | None]:
    return [one["total"] for one in result["subjects"]]


def ranks(result: Result) -> list[int | None]:
    return [one["rank"] for one in result["subjects"]]


def steps(result: Result, step: str) -> list[dict[str, Any]]:
    return [line for line in result["trace"] if line["step"] == step]


# Worked by hand ---------------------------------------------------------------------------------


def test_a_result_whole() -> None:
    """7.5 and 8 of two deputies: mean 7.75; 6, 6.25, 6.5 of three citizens: mean 6.25.
    7.75 × 0.4 + 6.25 × 0.6 = 3.10 + 3.75 = 6.85."""
    keys = document(
        groups=[{"key": "deputies", "weight": "0.4"}, {"key": "citizens", "weight": "0.6"}],
        rounding={"mode": "half_up", "dimension": 2, "total": 2},
    )
    rows = rows_from(
        """
        s1 d1 deputies duty 7.5
        s1 d2 deputies duty 8
        s1 c1 citizens duty 6
        s1 c2 citizens duty 6.25
        s1 c3 citizens duty 6.5
        s1 c4 citizens duty abstain
        s1 c5 citizens duty dont_know
        s1 c6 citizens duty void
        s1 c7 citizens duty -
        """
    )
    data = write_ballots(rows).encode()
    rules = parse_rules(keys)
    assert tally(rules, rows, data) == {
        "subjects": [
            {
                "subject": "s1",
                "total": "6.85",
                "rank": 1,
                "grade": None,
                "dimensions": {"duty": "6.85"},
                "groups": {"deputies": "7.75", "citizens": "6.25"},
                "ballots": {"valid": 5, "abstain": 1, "dont_know": 1, "void": 1},
            }
        ],
        "valid": True,
        "rules_hash": rules_hash(rules),
        "ballots_hash": hashlib.sha256(data).hexdigest(),
        "trace": [
            {
                "step": "sheets",
                "subject": "s1",
                "valid": 5,
                "abstain": 1,
                "dont_know": 1,
                "void": 1,
                "struck": [],
            },
            {
                "step": "dimension",
                "subject": "s1",
                "group": "deputies",
                "dimension": "duty",
                "marks": [["8", 1], ["7.5", 1]],
                "high": [],
                "low": [],
                "n": 2,
                "within": "mean",
                "exact": "7.75",
                "mark": "7.75",
                "factor": "1",
                "weighted": "7.75",
            },
            {
                "step": "group",
                "subject": "s1",
                "group": "deputies",
                "dimensions": [["duty", "7.75"]],
                "across": "sum",
                "exact": "7.75",
                "mark": "7.75",
            },
            {
                "step": "dimension",
                "subject": "s1",
                "group": "citizens",
                "dimension": "duty",
                "marks": [["6.5", 1], ["6.25", 1], ["6", 1]],
                "high": [],
                "low": [],
                "n": 3,
                "within": "mean",
                "exact": "6.25",
                "mark": "6.25",
                "factor": "1",
                "weighted": "6.25",
            },
            {
                "step": "group",
                "subject": "s1",
                "group": "citizens",
                "dimensions": [["duty", "6.25"]],
                "across": "sum",
                "exact": "6.25",
                "mark": "6.25",
            },
            {
                "step": "total",
                "subject": "s1",
                "groups": [["deputies", "0.4", "7.75"], ["citizens", "0.6", "6.25"]],
                "exact": "6.85",
                "total": "6.85",
            },
            {"step": "rank", "subject": "s1", "total": "6.85", "rank": 1},
        ],
    }


def test_trimmed_mean_factor_and_rounding_as_in_skating() -> None:
    """Of 7.5 7.0 8.25 7.75 7.75 7.5 8.0 7.5 7.75 the 8.25 and the 7.0 leave; the other seven add
    up to 53.75; 53.75 / 7 = 7.678… → 7.68; × 0.8 = 6.144 → 6.14."""
    keys = document(
        dimensions=[{"key": "duty", "factor": "0.8"}],
        trim={"high": 1, "low": 1, "from": 5, "on": "dimension"},
        rounding={"mode": "half_up", "dimension": 2, "weighted": 2, "group": None, "total": 2},
    )
    result = tallied(keys, rows_from(marks("s1", "7.5 7.0 8.25 7.75 7.75 7.5 8.0 7.5 7.75")))
    assert first(result)["dimensions"] == {"duty": "7.68"}
    assert first(result)["total"] == "6.14"
    assert first(result)["groups"] == {}
    (step,) = steps(result, "dimension")
    assert (step["high"], step["low"], step["n"]) == (["8.25"], ["7"], 7)
    assert (step["exact"], step["mark"], step["weighted"]) == ("215/28", "7.68", "6.14")
    assert step["group"] is None


def test_labels_in_five_dimensions() -> None:
    """Three raters, 好 20 一般 17 差 14: 20+20+17 = 57 → 19; 20+17+14 = 51 → 17; 20 → 20;
    17+17 → 17; none → left out. Sum 73."""
    keys = document(
        scale=FIVE_ITEMS,
        dimensions=[{"key": key} for key in "abcde"],
        rounding={"dimension": 2, "total": 2},
    )
    rows = rows_from(
        "\n".join(
            marks("s1", values, dimension)
            for dimension, values in {
                "a": "good good fair",
                "b": "good fair poor",
                "c": "good abstain -",
                "d": "- fair fair",
            }.items()
        )
    )
    result = tallied(keys, rows)
    assert first(result)["dimensions"] == {
        "a": "19.00",
        "b": "17.00",
        "c": "20.00",
        "d": "17.00",
        "e": None,
    }
    assert first(result)["total"] == "73.00"
    assert first(result)["ballots"] == {"valid": 3, "abstain": 0, "dont_know": 0, "void": 0}
    assert steps(result, "points")[0] == {
        "step": "points",
        "dimension": "a",
        "points": {"good": "20", "fair": "17", "poor": "14"},
    }


@pytest.mark.parametrize(
    ("within", "values", "total"),
    [
        ("mean", "7 8 8", "23/3"),
        ("mean", "7 8", "7.5"),
        ("sum", "7 8 8", "23"),
        ("median", "7 9.5 8", "8"),
        ("median", "7 9.5 8 8.25", "8.125"),
        ("median", "7", "7"),
    ],
)
def test_within(within: str, values: str, total: str) -> None:
    assert totals(tallied(document(within=within), rows_from(marks("s1", values)))) == [total]


def test_across_leaves_out_a_dimension_without_a_mark() -> None:
    three = [{"key": "a"}, {"key": "b", "factor": "0.5"}, {"key": "c"}]
    rows = rows_from("s1 r1 - a 8\ns1 r1 - b 5")
    assert totals(tallied(document(dimensions=three), rows)) == ["10.5"]
    assert totals(tallied(document(dimensions=three, across="mean"), rows)) == ["5.25"]


TWO = [{"key": "a"}, {"key": "b"}]


def test_trimming_each_dimension_and_trimming_totals_differ() -> None:
    """Sheets a, b: 10 0 · 6 6 · 5 8 · 0 9. By dimension: a keeps 6, 5 = 5.5, b keeps 6, 8 = 7.
    By totals (10, 12, 13, 9): the third and the fourth leave, a keeps 10, 6 = 8, b keeps 0, 6."""
    rows = rows_from(
        "\n".join(
            f"s1 r{number} - {key} {value}"
            for number, sheet in enumerate([(10, 0), (6, 6), (5, 8), (0, 9)])
            for key, value in zip("ab", sheet, strict=True)
        )
    )
    trim = {"high": 1, "low": 1, "from": 4}
    by_dimension = tallied(document(dimensions=TWO, trim={**trim, "on": "dimension"}), rows)
    by_total = tallied(document(dimensions=TWO, trim={**trim, "on": "total"}), rows)
    untrimmed = tallied(document(dimensions=TWO, trim={**trim, "on": "none"}), rows)
    assert first(by_dimension)["dimensions"] == {"a": "5.5", "b": "7"}
    assert first(by_dimension)["total"] == "12.5"
    assert first(by_total)["dimensions"] == {"a": "8", "b": "3"}
    assert first(by_total)["total"] == "11"
    assert first(untrimmed)["dimensions"] == {"a": "5.25", "b": "5.75"}
    assert steps(by_total, "totals") == [
        {
            "step": "totals",
            "subject": "s1",
            "group": None,
            "n": 4,
            "high": [[6, "13"]],
            "low": [[8, "9"]],
        }
    ]


def test_among_equal_totals_the_earlier_row_leaves() -> None:
    """All three totals are 10: the first leaves as the highest, the second as the lowest, the
    third (a 4, b 6) stays. Rows interleave: a rater's row is his first one with a mark."""
    rows = rows_from(
        """
        s1 r3 - a abstain
        s1 r1 - a 5
        s1 r2 - b 7
        s1 r4 - a 4
        s1 r1 - b 5
        s1 r2 - a 3
        s1 r4 - b 6
        """
    )
    keys = document(dimensions=TWO, trim={"high": 1, "low": 1, "on": "total"})
    result = tallied(keys, rows)
    assert first(result)["dimensions"] == {"a": "4", "b": "6"}
    (step,) = steps(result, "totals")
    assert (step["high"], step["low"]) == ([[3, "10"]], [[4, "10"]])


def test_totals_for_trimming_take_factor_and_across_of_what_was_given() -> None:
    """Mean of what each gave, × 0.5 in b: r1 (8 + 2) / 2 = 5, r2 9, r3 4 × 0.5 = 2, r4 7."""
    rows = rows_from("s1 r1 - a 8\ns1 r1 - b 4\ns1 r2 - a 9\ns1 r3 - b 4\ns1 r4 - a 7")
    keys = document(
        dimensions=[{"key": "a"}, {"key": "b", "factor": "0.5"}],
        across="mean",
        trim={"high": 1, "low": 1, "on": "total"},
    )
    result = tallied(keys, rows)
    assert steps(result, "totals")[0]["high"] == [[4, "9"]]
    assert steps(result, "totals")[0]["low"] == [[5, "2"]]
    assert first(result)["dimensions"] == {"a": "7.5", "b": "4"}


def test_trim_starts_at_its_threshold_and_in_each_group_alone() -> None:
    keys = document(
        groups=[{"key": "g"}, {"key": "h"}], trim={"high": 1, "low": 1, "from": 4}, within="sum"
    )
    rows = rows_from(marks("s1", "1 2 3 4", group="g") + "\n" + marks("s1", "1 2 3", group="h"))
    assert first(tallied(keys, rows))["groups"] == {"g": "5", "h": "6"}


def test_more_low_than_high_marks_may_leave() -> None:
    """Of 1 2 3 4 9 the 9, the 1 and the 2 leave: (3 + 4) / 2."""
    keys = document(trim={"high": 1, "low": 2, "from": 5})
    result = tallied(keys, rows_from(marks("s1", "9 1 4 2 3")))
    assert totals(result) == ["3.5"]
    (step,) = steps(result, "dimension")
    assert (step["high"], step["low"], step["n"]) == (["9"], ["1", "2"], 2)


@pytest.mark.parametrize(
    ("value", "places", "half_up", "half_even", "down"),
    [
        ("0.125", 2, "0.13", "0.12", "0.12"),
        ("0.135", 2, "0.14", "0.14", "0.13"),
        ("0.1349", 2, "0.13", "0.13", "0.13"),
        ("0.1351", 2, "0.14", "0.14", "0.13"),
        ("2.5", 0, "3", "2", "2"),
        ("3.5", 0, "4", "4", "3"),
        ("-0.125", 2, "-0.13", "-0.12", "-0.12"),
        ("-2.5", 0, "-3", "-2", "-2"),
        ("-0.001", 2, "0.00", "0.00", "0.00"),
        ("9.995", 2, "10.00", "10.00", "9.99"),
    ],
)
def test_rounding(value: str, places: int, half_up: str, half_even: str, down: str) -> None:
    modes: list[tuple[RoundingMode, str]] = [
        ("half_up", half_up),
        ("half_even", half_even),
        ("down", down),
    ]
    for mode, text in modes:
        assert mark_text(rounded(Fraction(value), places, mode), places) == text


def test_unrounded_is_left_alone() -> None:
    assert rounded(Fraction(1, 3), None, "half_up") == Fraction(1, 3)
    assert mark_text(None, 2) is None
    assert mark_text(Fraction(260, 3), None) == "260/3"


def test_every_named_step_rounds() -> None:
    """a: (7 + 7 + 7.25) / 3 = 7.08333 → 7.1, × 0.33 = 2.343 → 2.34; b: 8 × 1 = 8.00;
    sum 10.34 → group 10; total 10 at 3 places."""
    keys = document(
        dimensions=[{"key": "a", "factor": "0.33"}, {"key": "b"}],
        groups=[{"key": "g"}],
        rounding={"mode": "half_up", "dimension": 1, "weighted": 2, "group": 0, "total": 3},
    )
    rows = rows_from(marks("s1", "7 7 7.25", "a", "g") + "\n" + marks("s1", "8", "b", "g"))
    one = first(tallied(keys, rows))
    assert one["dimensions"] == {"a": "7.1", "b": "8.0"}
    assert one["groups"] == {"g": "10"}
    assert one["total"] == "10.000"


def test_a_dimension_of_the_result_averages_the_unrounded_marks() -> None:
    """0.25 of g and 0.5 of h: their mean 0.375 is 0 at no places; had the groups' marks been
    rounded first (0 and 1), it would have been 0.5 and so 1."""
    keys = document(
        groups=[{"key": "g"}, {"key": "h"}], rounding={"mode": "half_up", "dimension": 0}
    )
    rows = rows_from("s1 r1 g duty 0.25\ns1 r2 h duty 0.5")
    one = first(tallied(keys, rows))
    assert one["dimensions"] == {"duty": "0"}
    assert one["groups"] == {"g": "0", "h": "1"}
    assert one["total"] == "0.5"


# Groups -----------------------------------------------------------------------------------------

WEIGHED = [{"key": "g", "weight": "1"}, {"key": "h", "weight": "3"}]


def test_empty_group() -> None:
    """g gave 8 to s1, h nothing but an abstention."""
    rows = rows_from("s1 r1 g duty 8\ns1 r2 h duty abstain")
    left_out = first(tallied(document(groups=WEIGHED), rows))
    zero = first(tallied(document(groups=WEIGHED, empty_group="zero"), rows))
    assert left_out["total"] == "8"
    assert left_out["dimensions"] == {"duty": "8"}
    assert zero["total"] == "2"
    assert zero["dimensions"] == {"duty": "2"}
    assert left_out["groups"] == zero["groups"] == {"g": "8", "h": None}


def test_a_group_without_marks_in_one_dimension_is_not_empty() -> None:
    keys = document(dimensions=TWO, groups=WEIGHED, empty_group="zero")
    rows = rows_from("s1 r1 g a 8\ns1 r1 g b 4\ns1 r2 h a 4")
    one = first(tallied(keys, rows))
    assert one["dimensions"] == {"a": "5", "b": "4"}
    assert one["groups"] == {"g": "12", "h": "4"}
    assert one["total"] == "6"


def test_refused_for_an_empty_group() -> None:
    keys = document(groups=WEIGHED, empty_group="refuse")
    rows = rows_from("s1 r1 g duty 8\ns1 r2 h duty 7\ns2 r1 g duty 8\ns2 r2 h duty void")
    with pytest.raises(TallyRefused) as caught:
        tallied(keys, rows)
    assert caught.value.code == "group_empty"
    assert caught.value.message("en") == (
        "Group “h” gave subject “s2” no mark, and the rules refuse the tally then."
    )
    assert "s2" in caught.value.message("zh")
    assert totals(tallied(keys, rows[:2])) == ["7.25"]


def test_refused_without_groups_for_a_subject_without_marks() -> None:
    with pytest.raises(TallyRefused) as caught:
        tallied(document(empty_group="refuse"), rows_from("s1 r1 - duty abstain"))
    assert caught.value.code == "subject_empty"
    assert "s1" in caught.value.message("zh")


@pytest.mark.parametrize("empty_group", ["renormalise", "zero"])
@pytest.mark.parametrize("groups", [None, WEIGHED])
def test_a_subject_without_any_mark_is_never_zero(
    empty_group: str, groups: list[dict[str, str]] | None
) -> None:
    keys = document(empty_group=empty_group, rounding={"total": 2, "dimension": 2})
    if groups:
        keys["groups"] = groups
    rows = rows_from("s1 r1 g duty -\ns2 r1 g duty 0")
    one, two = tallied(keys, rows)["subjects"]
    assert (one["total"], one["rank"], one["dimensions"]) == (None, None, {"duty": None})
    assert set(one["groups"].values()) <= {None}
    assert one["ballots"] == {"valid": 0, "abstain": 0, "dont_know": 0, "void": 0}
    assert (two["total"], two["rank"]) == ("0.00", 1)


def test_only_a_group_of_weight_zero_gave_marks() -> None:
    keys = document(groups=[{"key": "g"}, {"key": "online", "weight": "0"}])
    one = first(tallied(keys, rows_from("s1 r1 online duty 8")))
    assert (one["total"], one["rank"]) == (None, None)
    assert one["groups"] == {"g": None, "online": "8"}
    both = first(tallied(keys, rows_from("s1 r1 online duty 8\ns1 r2 g duty 4")))
    assert both["total"] == "4"


def test_without_groups_the_group_column_is_not_looked_at() -> None:
    rows = rows_from("s1 r1 g duty 8\ns1 r2 h duty 4\ns1 r3 - duty 3")
    assert totals(tallied(document(), rows)) == ["5"]


# Sheets -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("required", "values", "kind"),
    [
        ("any", "8 7", "valid"),
        ("any", "8 -", "valid"),
        ("any", "8 void", "valid"),
        ("any", "abstain abstain", "abstain"),
        ("any", "abstain dont_know", "abstain"),
        ("any", "dont_know -", "dont_know"),
        ("any", "dont_know void", "void"),
        ("any", "void abstain", "void"),
        ("any", "- -", None),
        ("all", "8 7", "valid"),
        ("all", "8 -", "void"),
        ("all", "8 abstain", "void"),
        ("all", "8 dont_know", "void"),
        ("all", "abstain -", "abstain"),
        ("all", "abstain dont_know", "abstain"),
        ("all", "dont_know dont_know", "dont_know"),
        ("all", "void dont_know", "void"),
        ("all", "- -", None),
    ],
)
def test_kinds_of_sheets(required: str, values: str, kind: str | None) -> None:
    a, b = values.split()
    keys = document(dimensions=TWO, ballot={"required": required})
    counts = first(tallied(keys, rows_from(f"s1 r1 - a {a}\ns1 r1 - b {b}")))["ballots"]
    expected = {"valid": 0, "abstain": 0, "dont_know": 0, "void": 0}
    if kind:
        expected[kind] = 1
    assert dict(counts) == expected


def test_the_marks_of_a_sheet_that_is_not_valid_do_not_count() -> None:
    rows = rows_from("s1 r1 - a 10\ns1 r2 - a 4\ns1 r2 - b 5")
    result = tallied(document(dimensions=TWO, ballot={"required": "all"}), rows)
    assert first(result)["dimensions"] == {"a": "4", "b": "5"}
    assert steps(result, "sheets")[0]["struck"] == [[2, "incomplete"]]


# Rank -------------------------------------------------------------------------------------------


def scored(*values: str) -> list[BallotRow]:
    return rows_from("\n".join(f"s{n} r1 - duty {v}" for n, v in enumerate(values, start=1)))


def test_shared_places() -> None:
    assert ranks(tallied(document(), scored("9", "7", "9", "8", "10", "-"))) == [
        2,
        5,
        2,
        4,
        1,
        None,
    ]
    ascending = tallied(document(order="ascending"), scored("9", "7", "9", "8", "10", "-"))
    assert ranks(ascending) == [3, 1, 3, 2, 5, None]


def test_the_rounded_total_is_what_is_ranked() -> None:
    rows = rows_from("s1 r1 - duty 7\ns1 r2 - duty 7.25\ns2 r1 - duty 7\ns3 r1 - duty 7.25")
    assert ranks(tallied(document(), rows)) == [2, 3, 1]
    assert ranks(tallied(document(rounding={"total": 0}), rows)) == [1, 1, 1]


TIED = rows_from(
    """
    s1 r1 - a 5
    s1 r1 - b 5
    s2 r1 - a 7
    s2 r1 - b 3
    s3 r1 - a 3
    s3 r1 - b 7
    s4 r1 - a 10
    """
)
"""Four totals of 10; s4 has no mark in b."""


@pytest.mark.parametrize(
    ("order", "ties", "places"),
    [
        ("descending", "shared", [1, 1, 1, 1]),
        ("descending", ["dimension:a"], [3, 2, 4, 1]),
        ("descending", ["dimension:b"], [2, 3, 1, 4]),
        ("ascending", ["dimension:a"], [2, 3, 1, 4]),
        ("ascending", ["dimension:b"], [2, 1, 3, 4]),
        ("descending", ["highest_mark"], [4, 2, 2, 1]),
        ("ascending", ["highest_mark"], [3, 1, 1, 4]),
        ("descending", ["highest_mark", "dimension:b"], [4, 3, 2, 1]),
        ("descending", ["highest_mark", "office_order"], [4, 2, 3, 1]),
        ("descending", ["office_order"], [1, 2, 3, 4]),
        ("ascending", ["office_order", "dimension:b"], [1, 2, 3, 4]),
    ],
)
def test_ties(order: str, ties: object, places: list[int]) -> None:
    result = tallied(document(dimensions=TWO, order=order, ties=ties), TIED)
    assert ranks(result) == places


def test_the_trace_of_a_broken_tie() -> None:
    keys = document(dimensions=TWO, ties=["dimension:b", "highest_mark", "office_order"])
    result = tallied(keys, TIED)
    assert steps(result, "rank")[0] == {
        "step": "rank",
        "subject": "s3",
        "total": "10",
        "rank": 1,
        "by": [["dimension:b", "7"], ["highest_mark", "7"], ["office_order", 3]],
    }
    assert steps(result, "rank")[3]["by"][0] == ["dimension:b", None]
    alone = tallied(keys, TIED[:2])
    assert "by" not in steps(alone, "rank")[0]


def test_the_highest_mark_counts_trimmed_ones_and_valid_sheets_only() -> None:
    trim = {"high": 1, "low": 1, "from": 3}
    rows = rows_from(marks("s1", "8 5 1") + "\n" + marks("s2", "9 5 1"))
    assert ranks(tallied(document(trim=trim, ties=["highest_mark"]), rows)) == [2, 1]
    sheets = rows_from("s1 r1 - a 5\ns1 r1 - b 5\ns2 r1 - a 4\ns2 r1 - b 6\ns1 r2 - a 10")
    keys = document(dimensions=TWO, ballot={"required": "all"}, ties=["highest_mark"])
    assert ranks(tallied(keys, sheets)) == [2, 1]


def test_subjects_stand_in_the_order_of_their_first_rows() -> None:
    rows = rows_from("s2 r1 - duty -\ns1 r1 - duty 5\ns2 r2 - duty 4")
    assert [one["subject"] for one in tallied(document(), rows)["subjects"]] == ["s2", "s1"]


def test_no_rows_no_subjects() -> None:
    result = tallied(document(), [])
    assert (result["subjects"], result["valid"]) == ([], True)


def test_rows_that_do_not_fit_the_rules() -> None:
    with pytest.raises(BallotFileInvalid) as caught:
        tallied(document(), rows_from("s1 r1 - duty 7.1"))
    assert (caught.value.code, caught.value.row) == ("value_off_step", 2)


def test_bytes_are_canonical_and_the_same_each_time() -> None:
    rows = rows_from("述法人 r1 - duty 7.5\ns2 r2 - duty 7")
    data = result_bytes(tallied(document(), rows))
    assert data == result_bytes(tallied(document(), rows))
    assert data.endswith(b"}\n")
    parsed = json.loads(data)
    again = json.dumps(parsed, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"
    assert data == again.encode()
    assert "述法人".encode() in data


# An independent oracle --------------------------------------------------------------------------
# Written from the contract's text alone, on the JSON document and plain rows.


def oracle_points(keys: dict[str, Any], dimension: dict[str, Any], value: str) -> Fraction | None:
    if value in ("", "abstain", "dont_know", "void"):
        return None
    scale = dimension.get("scale") or keys["scale"]
    if scale["kind"] == "number":
        return Fraction(value)
    return next(Fraction(one["points"]) for one in scale["labels"] if one["key"] == value)


def oracle_round(value: Fraction | None, places: int | None, mode: str) -> Fraction | None:
    if value is None or places is None:
        return value
    size = abs(value) * 10**places
    if mode == "down":
        whole = int(size)
    elif mode == "half_even":
        whole = round(size)
    else:
        whole = int(size + Fraction(1, 2))
    return Fraction(whole if value >= 0 else -whole, 10**places)


def oracle_text(value: Fraction | None, places: int | None) -> str | None:
    if value is None:
        return None
    if places is None:
        ends = [p for p in range(13) if (value * 10**p).denominator == 1]
        if not ends:
            return f"{value.numerator}/{value.denominator}"
        places = ends[0]
    whole, part = divmod(int(abs(value) * 10**places), 10**places)
    sign = "-" if value < 0 else ""
    return f"{sign}{whole}.{part:0{places}d}" if places else f"{sign}{whole}"


def oracle_trim(trim: dict[str, Any], pairs: list[tuple[int, Fraction]]) -> set[int]:
    """Which rows leave, from (row, amount): one by one, the highest first."""
    gone: set[int] = set()
    if len(pairs) < trim["from"]:
        return gone
    for count, best in ((trim["high"], max), (trim["low"], min)):
        for _ in range(count):
            left = [pair for pair in pairs if pair[0] not in gone]
            amount = best(amount for _, amount in left)
            gone.add(min(row for row, other in left if other == amount))
    return gone


def oracle_mean(pairs: Iterable[tuple[Fraction, Fraction]]) -> Fraction | None:
    weight, total = Fraction(0), Fraction(0)
    for one, mark in pairs:
        weight, total = weight + one, total + one * mark
    return total / weight if weight else None


def oracle(keys: dict[str, Any], rows: Sequence[BallotRow]) -> list[dict[str, Any]] | None:
    """The subjects of the result, None where the rules refuse."""
    dimensions = {one["key"]: one for one in keys["dimensions"]}
    factor = {key: Fraction(one.get("factor", "1")) for key, one in dimensions.items()}
    groups = {one["key"]: Fraction(one.get("weight", "1")) for one in keys.get("groups", [])}
    rounding, trim = keys.get("rounding", {}), keys.get("trim", {"on": "none"})
    mode = rounding.get("mode", "half_up")
    empty_group = keys.get("empty_group", "renormalise")
    across = keys.get("across", "sum")

    def step(value: Fraction | None, name: str) -> Fraction | None:
        return oracle_round(value, rounding.get(name), mode)

    def put_together(values: list[Fraction]) -> Fraction:
        return sum(values, Fraction(0)) / (len(values) if across == "mean" else 1)

    cells = [
        (number, row, oracle_points(keys, dimensions[row.dimension], row.value))
        for number, row in enumerate(rows)
    ]
    found: list[dict[str, Any]] = []
    for subject in dict.fromkeys(row.subject for row in rows):
        mine = [cell for cell in cells if cell[1].subject == subject]
        counts = {"valid": 0, "abstain": 0, "dont_know": 0, "void": 0}
        valid: set[str] = set()
        for rater in {row.rater for _, row, _ in mine}:
            sheet = [(row, points) for _, row, points in mine if row.rater == rater]
            given = sum(points is not None for _, points in sheet)
            values = {row.value for row, _ in sheet}
            enough = len(dimensions) if keys.get("ballot", {}).get("required") == "all" else 1
            if given >= enough:
                counts["valid"] += 1
                valid.add(rater)
            elif given or "void" in values:
                counts["void"] += 1
            elif "abstain" in values:
                counts["abstain"] += 1
            elif "dont_know" in values:
                counts["dont_know"] += 1
        good = [(n, row, p) for n, row, p in mine if row.rater in valid and p is not None]
        exact: dict[str, dict[str, Fraction]] = {}
        group_marks: dict[str, Fraction | None] = {}
        for group in groups or {"": Fraction(1)}:
            own = [one for one in good if not groups or one[1].group == group]
            if trim["on"] == "total":
                lines: dict[str, list[tuple[int, Fraction]]] = {}
                for number, row, points in own:
                    line = (number, points * factor[row.dimension])
                    lines.setdefault(row.rater, []).append(line)
                sums = [
                    (min(n for n, _ in line), put_together([p for _, p in line]))
                    for line in lines.values()
                ]
                gone = oracle_trim(trim, sums)
                own = [one for one in own if min(n for n, _ in lines[one[1].rater]) not in gone]
            exact[group] = {}
            weighted: list[Fraction] = []
            for key in dimensions:
                pairs = [(n, p) for n, row, p in own if row.dimension == key]
                if trim["on"] == "dimension":
                    gone = oracle_trim(trim, pairs)
                    pairs = [pair for pair in pairs if pair[0] not in gone]
                if not pairs:
                    continue
                values_in_order = sorted(p for _, p in pairs)
                n = len(values_in_order)
                middle = values_in_order[(n - 1) // 2 : n // 2 + 1]
                within = {
                    "sum": sum(values_in_order, Fraction(0)),
                    "mean": sum(values_in_order, Fraction(0)) / n,
                    "median": sum(middle, Fraction(0)) / len(middle),
                }[keys.get("within", "mean")]
                exact[group][key] = within
                mark = step(within, "dimension")
                assert mark is not None
                product = step(mark * factor[key], "weighted")
                assert product is not None
                weighted.append(product)
            group_marks[group] = step(put_together(weighted), "group") if weighted else None
        empty = [group for group, mark in group_marks.items() if mark is None]
        if empty and empty_group == "refuse":
            return None
        weights = groups or {"": Fraction(1)}
        parts = [(weights[g], mark) for g, mark in group_marks.items() if mark is not None]
        zeros = [(weights[g], Fraction(0)) for g in empty] if empty_group == "zero" else []
        total = step(oracle_mean(parts + zeros), "total") if parts else None
        across_groups: dict[str, Fraction | None] = {}
        for key in dimensions:
            inside = [(weights[g], marks[key]) for g, marks in exact.items() if key in marks]
            joined = oracle_mean(inside + zeros) if inside else None
            across_groups[key] = step(joined, "dimension")
        found.append(
            {
                "subject": subject,
                "total": total,
                "dimensions": across_groups,
                "groups": {g: group_marks[g] for g in groups},
                "ballots": counts,
                "highest": (max if keys.get("order") != "ascending" else min)(
                    (p for *_, p in good), default=None
                ),
            }
        )
    return oracle_ranked(keys, found)


def oracle_better(keys: dict[str, Any], one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether `one` stands before `other`, both with a total."""

    def ahead(a: Fraction | None, b: Fraction | None) -> bool | None:
        if a == b:
            return None
        if a is None or b is None:
            return b is None
        return a > b if keys.get("order", "descending") == "descending" else a < b

    ties = keys.get("ties", "shared")
    answers = [ahead(one["total"], other["total"])]
    for tie in [] if ties == "shared" else ties:
        if tie == "office_order":
            answers.append(one["place"] < other["place"])
        elif tie == "highest_mark":
            answers.append(ahead(one["highest"], other["highest"]))
        else:
            key = tie.split(":", 1)[1]
            answers.append(ahead(one["dimensions"][key], other["dimensions"][key]))
    return next((answer for answer in answers if answer is not None), False)


def oracle_ranked(keys: dict[str, Any], found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    places = keys.get("rounding", {})
    for place, one in enumerate(found):
        one["place"] = place
    ranked = [one for one in found if one["total"] is not None]
    return [
        {
            "subject": one["subject"],
            "total": oracle_text(one["total"], places.get("total")),
            "rank": 1
            + sum(other is not one and oracle_better(keys, other, one) for other in ranked)
            if one["total"] is not None
            else None,
            "grade": None,
            "dimensions": {
                key: oracle_text(mark, places.get("dimension"))
                for key, mark in one["dimensions"].items()
            },
            "groups": {
                key: oracle_text(mark, places.get("group")) for key, mark in one["groups"].items()
            },
            "ballots": one["ballots"],
        }
        for one in found
    ]


PLACES = st.none() | st.integers(0, 3)
SMALL = st.sampled_from(["0", "0.3", "0.5", "0.8", "1", "1.25", "2"])
WEIGHT = st.sampled_from(["0", "1", "2", "3", "5"])
SCALES = [
    TEN,
    FIVE_ITEMS,
    {"kind": "number", "min": "-1.5", "max": "2", "step": "0.5"},
    {"kind": "number", "min": "0", "max": "1"},
    {
        "kind": "labels",
        "labels": [{"key": "a", "points": "0.1"}, {"key": "b", "points": "-2.25"}],
    },
]
SCALE_VALUES = [
    ["7", "7.25", "8", "10", "0"],
    ["good", "fair", "poor"],
    ["-1.5", "0", "1", "2.0"],
    ["0.123456789012", "0.5", "0.50", "1"],
    ["a", "b"],
]
NO_MARKS = ["", "abstain", "dont_know", "void"]


@st.composite
def rounds(draw: st.DrawFn) -> tuple[dict[str, Any], list[BallotRow]]:
    """A rule set and the rows of a round under it, with absences and many equal marks."""
    names = ["a", "b", "c"][: draw(st.integers(1, 3))]
    scale_of = {name: draw(st.integers(0, len(SCALES) - 1)) for name in names}
    keys: dict[str, Any] = {
        "version": 1,
        "dimensions": [
            {"key": name, "factor": draw(SMALL), "scale": SCALES[scale_of[name]]} for name in names
        ],
        "ballot": {"required": draw(st.sampled_from(["any", "all"]))},
        "within": draw(st.sampled_from(["mean", "sum", "median"])),
        "across": draw(st.sampled_from(["sum", "mean"])),
        "empty_group": draw(st.sampled_from(["renormalise", "zero", "renormalise", "refuse"])),
        "rounding": {
            "mode": draw(st.sampled_from(["half_up", "half_even", "down"])),
            **{name: draw(PLACES) for name in ("dimension", "weighted", "group", "total")},
        },
        "order": draw(st.sampled_from(["descending", "ascending"])),
    }
    high, low = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    on = draw(st.sampled_from(["dimension", "total", "none"]))
    least = high + low + draw(st.integers(1, 3))
    keys["trim"] = {"high": high, "low": low, "from": least, "on": on}
    tie_keys = ["highest_mark", "office_order", *[f"dimension:{name}" for name in names]]
    keys["ties"] = draw(
        st.just("shared") | st.lists(st.sampled_from(tie_keys), min_size=1, unique=True)
    )
    weights = draw(st.lists(WEIGHT, max_size=3))
    if any(weight != "0" for weight in weights):
        keys["groups"] = [{"key": f"g{n}", "weight": w} for n, w in enumerate(weights)]
    raters = range(draw(st.integers(1, 7)))
    group_of = [f"g{draw(st.integers(0, len(weights) - 1))}" if weights else "" for _ in raters]
    rows = [
        BallotRow(f"s{subject}", f"r{rater}", group_of[rater], name, value)
        for subject in range(draw(st.integers(1, 4)))
        for rater in raters
        for name in names
        if (value := draw(st.sampled_from([None, *NO_MARKS, *3 * SCALE_VALUES[scale_of[name]]])))
        is not None
    ]
    return keys, draw(st.permutations(rows)) if draw(st.booleans()) else rows


@settings(max_examples=400, deadline=None)
@given(rounds())
def test_against_the_oracle(round_: tuple[dict[str, Any], list[BallotRow]]) -> None:
    keys, rows = round_
    expected = oracle(keys, rows)
    if expected is None:
        with pytest.raises(TallyRefused):
            tallied(keys, rows)
        return
    result = tallied(keys, rows)
    assert result["subjects"] == expected
    assert_trace_leads_to(result)


def assert_trace_leads_to(result: Result) -> None:
    """The trace ends in what the result says, and its sheets are those counted."""
    shown = {line["subject"]: line for line in steps(result, "rank")}
    for one, total, sheets in zip(
        result["subjects"], steps(result, "total"), steps(result, "sheets"), strict=True
    ):
        assert total["total"] == one["total"]
        assert {kind: sheets[kind] for kind in one["ballots"]} == one["ballots"]
        if one["total"] is not None:
            assert shown[one["subject"]]["rank"] == one["rank"]


@settings(max_examples=50, deadline=None)
@given(rounds())
def test_through_the_file_and_back_nothing_changes(
    round_: tuple[dict[str, Any], list[BallotRow]],
) -> None:
    keys, rows = round_
    keys["empty_group"] = "renormalise"
    data = write_ballots(rows).encode()
    rules = parse_rules(keys)
    assert result_bytes(tally(rules, read_ballots(data.decode()), data)) == result_bytes(
        tally(rules, rows, data)
    )


# Real competitions ------------------------------------------------------------------------------


def real_rows(name: str) -> list[dict[str, str]]:
    path: Path = real_data("scores-isu", name)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def skating_rules(factors: dict[str, str]) -> Rules:
    """Without one highest and one lowest, half up to 0.01, × factor, half up to 0.01."""
    return parse_rules(
        {
            "version": 1,
            "scale": {"kind": "number", "min": "0", "max": "10", "step": "0.25"},
            "dimensions": [{"key": key, "factor": factor} for key, factor in factors.items()],
            "trim": {"high": 1, "low": 1, "from": 3, "on": "dimension"},
            "rounding": {"mode": "half_up", "dimension": 2, "weighted": 2, "total": 2},
        }
    )


def test_real_skating_every_component_mark_and_total() -> None:
    given_by: dict[str, list[tuple[str, str]]] = {}
    for line in real_rows("judge-scores.csv"):
        given_by.setdefault(line["aspect_id"], []).append((line["judge"], line["score"]))
    components: dict[str, list[dict[str, str]]] = {}
    for line in real_rows("components.csv"):
        components.setdefault(line["performance_id"], []).append(line)
    published = {
        line["performance_id"]: line["total_component_score"]
        for line in real_rows("performances.csv")
    }
    compared = 0
    for performance, lines in components.items():
        rules = skating_rules({line["aspect_desc"]: line["factor"] for line in lines})
        rows = [
            BallotRow(performance, judge, "", line["aspect_desc"], score)
            for line in lines
            for judge, score in given_by[line["aspect_id"]]
        ]
        one = first(tally(rules, rows, b""))
        assert one["dimensions"] == {
            line["aspect_desc"]: two_places(line["scores_of_panel"]) for line in lines
        }
        assert one["total"] == two_places(published[performance])
        compared += len(lines) + 1
    assert compared == 4755 + 951


def two_places(text: str) -> str:
    """A published number at two places, by moving the point and nothing else."""
    whole, _, part = text.partition(".")
    assert len(part) <= 2
    return f"{whole}.{part.ljust(2, '0')}"


def segment_rules(tie: str) -> Rules:
    points = {"kind": "number", "min": "0", "max": "300", "step": "0.01"}
    deductions = {"kind": "number", "min": "-50", "max": "0", "step": "0.01"}
    return parse_rules(
        {
            "version": 1,
            "scale": points,
            "dimensions": [
                {"key": "elements"},
                {"key": "components"},
                {"key": "deductions", "scale": deductions},
            ],
            "rounding": {"total": 2},
            "ties": [f"dimension:{tie}"],
        }
    )


def test_real_skating_every_segment_total_and_rank() -> None:
    """Elements + components - deductions; equal totals are told apart by the elements in the
    short programmes (it happened twice) and by the components in the free ones."""
    segments: dict[tuple[str, str], list[dict[str, str]]] = {}
    for line in real_rows("performances.csv"):
        segments.setdefault((line["competition"], line["program"]), []).append(line)
    for (_, program), lines in segments.items():
        rows = [
            BallotRow(line["performance_id"], "sheet", "", key, sign + line[f"total_{name}"])
            for line in lines
            for key, name, sign in (
                ("elements", "element_score", ""),
                ("components", "component_score", ""),
                ("deductions", "deductions", "-"),
            )
        ]
        result = tally(segment_rules("elements" if "SHORT" in program else "components"), rows, b"")
        assert totals(result) == [two_places(line["total_segment_score"]) for line in lines]
        assert ranks(result) == [int(line["rank"]) for line in lines]


# Size -------------------------------------------------------------------------------------------


def test_a_thousand_raters_thirty_subjects_five_dimensions() -> None:
    """165,600 marks; about 0.6 s of CPU on one core, bounded here with room for a busy machine."""
    names = [f"d{number}" for number in range(5)]
    keys = document(
        dimensions=[{"key": name, "factor": "0.8"} for name in names],
        groups=[{"key": "g", "weight": "0.4"}, {"key": "h", "weight": "0.6"}],
        trim={"high": 1, "low": 1, "from": 5, "on": "dimension"},
        rounding={"dimension": 2, "weighted": 2, "total": 2},
    )
    chance = random.Random(7)
    rows = [
        BallotRow(f"s{s}", f"r{r}", "gh"[r % 2], name, str(chance.randrange(41) / 4))
        for r in range(1104)
        for s in range(30)
        for name in names
    ]
    rules = parse_rules(keys)
    spent: list[float] = []
    for _ in range(3):
        start = time.process_time()
        result = tally(rules, rows, b"")
        spent.append(time.process_time() - start)
    assert len(result["subjects"]) == 30
    assert min(spent) < 2
