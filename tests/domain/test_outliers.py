"""Notices to the supervisor: ceilings, one rater or a group far away, and quiet for ordinary panels."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

from server.domain.ballots import BallotRow
from server.domain.outliers import Outlier, outliers
from server.domain.rule_file import parse_rules

SCALE = {"kind": "number", "min": "0", "max": "100", "step": "1"}
RULES = parse_rules({"version": 1, "scale": SCALE, "dimensions": [{"key": "a"}]})
GROUPED = parse_rules(
    {
        "version": 1,
        "scale": SCALE,
        "dimensions": [{"key": "a"}],
        "groups": [{"key": "g"}, {"key": "h"}, {"key": "i"}],
    }
)


def rows(*marks: Any, subject: str = "s", group: str = "") -> list[BallotRow]:
    return [
        BallotRow(subject, f"{group}r{n}", group, "a", str(mark)) for n, mark in enumerate(marks)
    ]


def test_a_ceiling_is_every_mark_near_the_top_from_five_marks_on() -> None:
    assert outliers(RULES, rows(90, 95, 100, 91, 99), named=True) == (
        Outlier("ceiling", "s", Fraction(9, 10)),
    )
    assert outliers(RULES, rows(90, 95, 100, 91, 89), named=True) == ()
    assert outliers(RULES, rows(90, 95, 100, 91), named=True) == ()
    words = [*rows(90, 95, 100, 91, 99), BallotRow("s", "r9", "", "a", "abstain")]
    assert outliers(RULES, words, named=True)[0].kind == "ceiling"


def test_one_rater_far_from_the_rest_is_told_where_names_are_known() -> None:
    away = rows(80, 82, 78, 81, 40)
    (one,) = outliers(RULES, away, named=True)
    assert (one.kind, one.who, one.share) == ("rater", "r4", Fraction(2, 5))
    assert one.others == Fraction(161, 200)
    assert outliers(RULES, away, named=False) == ()
    assert outliers(RULES, rows(80, 82, 78, 40), named=True) == ()
    # Where all differ widely nobody stands out.
    assert outliers(RULES, rows(20, 40, 60, 80, 100), named=True) == ()


def test_a_group_that_differs_sharply_is_told_without_names_too() -> None:
    found = [
        *rows(80, 82, group="g"),
        *rows(79, 81, group="h"),
        *rows(60, 62, group="i"),
    ]
    assert [(one.kind, one.who) for one in outliers(GROUPED, found, named=False)] == [
        ("group", "i")
    ]


def test_labels_without_points_say_nothing() -> None:
    labels = {"kind": "labels", "labels": [{"key": "yes"}, {"key": "no"}]}
    rules = parse_rules(
        {
            "version": 1,
            "scale": labels,
            "dimensions": [{"key": "a"}],
            "within": "rate",
            "positive": ["yes"],
        }
    )
    assert outliers(rules, rows("yes", "yes", "yes", "yes", "no"), named=True) == ()


def test_an_ordinary_panel_gets_no_notice() -> None:
    told = 0
    for seed in range(200):
        chance = random.Random(seed)
        strictness = [chance.gauss(0, 3) for _ in range(21)]
        found: list[BallotRow] = []
        for subject in "abcde":
            marks = [round(min(100, chance.gauss(78, 6) + own)) for own in strictness]
            found += rows(*marks, subject=subject)
        told += bool(outliers(RULES, found, named=True))
    assert told <= 2
