"""The juries and the totals of the Eurovision Song Contest 2016 and 2017.

A jury's ranking is the mean of its jurors' ranks; the first ten get 12, 10, 8, 7 … 1 points. Two
songs may have the same mean: the published points then follow a vote among the jurors, which the
data does not hold. So each tie key is counted against what was published, and none is claimed to be
the rule.

Data: Amsterdam-Music-Lab/mirovision (MIT). It is no part of the repository; the rule files are.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from server.domain.ballot_file import write_ballots
from server.domain.ballots import BallotRow
from server.domain.rule_file import parse_rules
from server.domain.tally import tally
from tests.world.ballots import RULES, table, tallied

pytestmark = pytest.mark.real_data
POINTS = (12, 10, 8, 7, 6, 5, 4, 3, 2, 1)
JURORS = "ABCDE"
TIES: dict[str, tuple[Any, int]] = {
    "no key": ("shared", 0),
    "the best single rank": (["highest_mark"], 34),
    "the best single rank, then the order of the file": (["highest_mark", "office_order"], 46),
    "the order of the file": (["office_order"], 35),
    "juror A": (["dimension:A"], 41),
    "juror B": (["dimension:B"], 46),
    "juror C": (["dimension:C"], 47),
    "juror D": (["dimension:D"], 47),
    "juror E": (["dimension:E"], 43),
}
"""Tie keys, and how many of the 102 juries that a tie decides each reproduces."""
Jury = tuple[str, str, str]


def juries() -> Mapping[Jury, Sequence[Mapping[str, str]]]:
    """(year, round, country) → what each of its songs was ranked."""
    found: dict[Jury, list[Mapping[str, str]]] = defaultdict(list)
    for row in table("scores-eurovision", "jurors.csv"):
        found[row["year"], row["round"], row["from_country"]].append(row)
    return found


def published() -> Mapping[tuple[Jury, str], int]:
    """Jury points by jury and song."""
    return {
        ((row["year"], row["round"], row["from_country"]), row["to_country"]): int(
            row["jury_points"]
        )
        for row in table("scores-eurovision", "votes.csv")
    }


def ranked(songs: Sequence[Mapping[str, str]], ties: Any) -> list[tuple[str, int]]:
    """(song, place) under the rule file with these tie keys."""
    document = {**json.loads((RULES / "eurovision-jury.json").read_text("utf-8")), "ties": ties}
    rows = [
        BallotRow(song["to_country"], "jury", "", juror, song[juror].replace("NA", ""))
        for song in songs
        for juror in JURORS
    ]
    told = tally(parse_rules(document), rows, write_ballots(rows).encode())
    return [(one["subject"], one["rank"] or 0) for one in told["subjects"]]


def as_published(jury: Jury, ranks: Sequence[tuple[str, int]], points: Mapping[Any, int]) -> bool:
    """Whether the places of a jury are all different where they earn points, and earn those that were
    published."""
    first = [place for _, place in ranks if place <= len(POINTS)]
    if len(first) != len(set(first)):
        return False
    return all(
        points[jury, song] == (POINTS[place - 1] if place <= len(POINTS) else 0)
        for song, place in ranks
    )


def test_the_points_of_every_jury_without_a_tie_and_how_many_each_key_reproduces() -> None:
    points, all_juries = published(), juries()
    assert len(all_juries) == 168
    tied = {
        jury
        for jury, songs in all_juries.items()
        if not as_published(jury, ranked(songs, "shared"), points)
    }
    # Every jury that no tie among the first ten (or at their edge) decides follows from the mean.
    assert len(tied) == 102
    found = {
        name: sum(as_published(jury, ranked(all_juries[jury], ties), points) for jury in tied)
        for name, (ties, _) in TIES.items()
    }
    assert found == {name: number for name, (_, number) in TIES.items()}


def test_a_jury_of_four_leaves_the_fifth_out() -> None:
    jury = ("2016", "semi-final-1", "RU")
    songs = juries()[jury]
    assert any("NA" in song.values() for song in songs)
    told = dict(ranked(songs, ["office_order"]))
    assert len(told) == len(songs)


def test_every_published_total_of_the_finals(tmp_path: Path) -> None:
    for year in ("2016", "2017"):
        rows = [
            BallotRow(vote["to_country"], vote["from_country"], "", dimension, vote[column])
            for vote in table("scores-eurovision", "votes.csv")
            if vote["year"] == year and vote["round"] == "final"
            for dimension, column in (("jury", "jury_points"), ("televote", "televoting_points"))
        ]
        told = tallied("eurovision-total", [row for row in rows if row.value != "NA"], tmp_path)
        songs = [
            one
            for one in table("scores-eurovision", "contestants.csv")
            if one["year"] == year and one["final_total_points"] not in ("", "NA")
        ]
        assert len(songs) == 26
        for one in songs:
            here = told[one["country"]]
            assert here["total"] == one["final_total_points"], one
            assert here["dimensions"] == {
                "jury": one["final_jury_points"],
                "televote": one["final_televoting_points"],
            }
