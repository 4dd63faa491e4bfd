"""Every component mark, component total and place of 951 published skating performances.

Data: the scores that BuzzFeed News took from the protocols of the International Skating Union
(CC BY 4.0). They are no part of the repository; the rule files are.
"""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import pytest

from server.domain.ballots import BallotRow
from tests.world.ballots import table, tallied

pytestmark = pytest.mark.real_data
FACTORS = ("0.8", "1.0", "1.2", "1.6", "2.0")
KEYS = {
    "Skating Skills": "skating",
    "Transitions": "transitions",
    "Performance": "performance",
    "Composition": "composition",
    "Interpretation of the Music": "interpretation",
    "Interpretation of the Music / Timing": "interpretation",
    "Interpretation of the Music/Timing": "interpretation",
}


@pytest.mark.parametrize("factor", FACTORS)
def test_every_component_mark_and_total_is_the_published_one(factor: str, tmp_path: Path) -> None:
    aspects = {
        one["aspect_id"]: one
        for one in table("scores-isu", "components.csv")
        if Fraction(one["factor"]) == Fraction(factor)
    }
    rows = [
        BallotRow(
            aspect["performance_id"], mark["judge"], "", KEYS[aspect["aspect_desc"]], mark["score"]
        )
        for mark in table("scores-isu", "judge-scores.csv")
        if (aspect := aspects.get(mark["aspect_id"])) is not None
    ]
    # A judge who was not there gives nothing: never a zero.
    absent = [
        BallotRow(subject, "J10", "", "skating", "") for subject in {row.subject for row in rows}
    ]
    told = tallied(f"isu-component-{factor}", [*rows, *absent], tmp_path)
    for aspect in aspects.values():
        mark = told[aspect["performance_id"]]["dimensions"][KEYS[aspect["aspect_desc"]]]
        assert Fraction(mark) == Fraction(aspect["scores_of_panel"])
    performances = {one["performance_id"]: one for one in table("scores-isu", "performances.csv")}
    assert told
    for id_, one in told.items():
        assert Fraction(one["total"]) == Fraction(performances[id_]["total_component_score"])
        assert one["ballots"] == {"valid": 9, "abstain": 0, "dont_know": 0, "void": 0}


def test_all_marks_are_of_one_of_the_factors() -> None:
    found = {Fraction(one["factor"]) for one in table("scores-isu", "components.csv")}
    assert found == {Fraction(one) for one in FACTORS}


def test_every_place_is_the_published_one(tmp_path: Path) -> None:
    segments = defaultdict(list)
    for one in table("scores-isu", "performances.csv"):
        segments[one["competition"], one["program"]].append(one)
    assert sum(map(len, segments.values())) == 951
    for performances in segments.values():
        rows = [
            BallotRow(one["performance_id"], "panel", "", dimension, one[column])
            for one in performances
            for dimension, column in (
                ("elements", "total_element_score"),
                ("components", "total_component_score"),
                ("deductions", "total_deductions"),
            )
        ]
        told = tallied("isu-segment", rows, tmp_path)
        for one in performances:
            here = told[one["performance_id"]]
            assert here["rank"] == int(one["rank"]), one
            assert Fraction(here["total"]) == Fraction(one["total_segment_score"])
