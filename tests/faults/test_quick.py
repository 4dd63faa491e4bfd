"""A quick cut of every experiment about ballots, and each planted fault is caught (docs/faults.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import bell, closings, databases, kills, plants, retries
from tests.faults.experiment import QUICK, Experiment, carry_out

BALLOTS: dict[str, Experiment] = {
    one.name: one
    for module in (kills, retries, closings, databases, bell)
    for one in module.EXPERIMENTS
}
FULL_ONLY = "closings-in-a-flood"
"""It is about time alone, and takes half a minute to catch its plant."""
del BALLOTS[FULL_ONLY]
NEED_SERVERS = {"closings-postgresql", "closings-3-processes", "databases", "bell"}
SECRET = {"kills", "databases"}
"""Those that hold a secret round."""
SEED = 7
CAUGHT = [
    ("kills", "acknowledged_before_commit", "I1"),
    ("kills", "key_not_looked_up", "stored 2 times"),
    ("retries", "key_scoped_to_the_connection", "I5"),
    ("closings-sqlite", "closing_checked_outside", "I6"),
    ("databases", "commit_error_is_a_refusal", "I4"),
    ("databases", "commits_not_waited_for", "I1"),
    ("bell", "acts_wait_for_redis", "ballot_ms_without_redis"),
    ("kills", "mark_is_told", "in logs, 0.log"),
    ("kills", "mark_beside_its_box", "as float64"),
]
"""Experiment, plant, and what of the report must say it."""
ALSO = {
    "mark_is_told": ("told to public", "told to hall"),
    "mark_beside_its_box": ("-killed/pingyi.db", "-backup/copy.db"),
}
"""What must be said besides: wherever a mark lies it is found."""


def needing(name: str, *values: str) -> object:
    """A parameter, marked when its experiment needs PostgreSQL or Redis. One PostgreSQL serves all
    of those, which are done one after the other."""
    system = name in NEED_SERVERS
    marks = [pytest.mark.xdist_group("faults of servers")] if system else []
    marks += [pytest.mark.system] if system else []
    # Ballots are sent within 50 ms of the closing: beside other tests hardly one is in time.
    marks += [pytest.mark.alone] if name.startswith("closings") else []
    return pytest.param(name, *values, marks=marks, id="-".join((name, *values[:1])))


@pytest.mark.parametrize("name", [needing(name) for name in BALLOTS])
def test_nothing_is_lost_doubled_or_invented(tmp_path: Path, name: str) -> None:
    told = carry_out(BALLOTS[name], tmp_path / name, SEED, QUICK)
    assert told["faults"] == []
    assert told["n"] > 0
    # Around a closing a slow machine has most of its ballots refused.
    assert told["counted"]["acknowledged"] > 5
    if name == "kills":
        assert {*kills.NAMED, "random"} <= told["counted"].keys()
    if name in SECRET:
        assert not [one for one in told["unchecked"] if "I10" in one]
        assert told["counted"]["sealed_marks"] > 5
        assert told["counted"]["copies"] > 1


@pytest.mark.parametrize(("name", "plant", "sign"), [needing(*one) for one in CAUGHT])
def test_a_planted_fault_is_caught(tmp_path: Path, name: str, plant: str, sign: str) -> None:
    told = carry_out(BALLOTS[name], tmp_path / name, SEED, QUICK, plant)
    for one in (sign, *ALSO.get(plant, ())):
        assert any(one in fault for fault in told["faults"]), (one, told["faults"])


def test_every_plant_belongs_to_an_experiment_and_is_tried() -> None:
    tried = {plant for _, plant, _ in CAUGHT}
    assert tried == {plant for one in BALLOTS.values() for plant in one.plants}
    assert set(plants.PLANTS) - tried == {"closing_waits_for_silence"}
