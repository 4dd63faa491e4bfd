"""A quick cut of every experiment on viewers, and each planted fault is caught (docs/faults.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import abuse, stalled, storm
from tests.faults.experiment import QUICK, Experiment, carry_out

CROWD: dict[str, Experiment] = {
    one.name: one for module in (storm, stalled, abuse) for one in module.EXPERIMENTS
}
SEED = 7
CAUGHT = [
    ("storm_killed", "forgotten_offset", "in one epoch"),
    ("stalled", "one_after_another", "viewers stand at"),
    ("stalled", "without_end", "descriptors_back_s"),
    ("abuse", "no_limits", "were let in again"),
]
"""Experiment, plant, and what of the report must say it."""


@pytest.mark.parametrize("name", sorted(CROWD.keys() - {"storm_reset"}))
def test_nobody_else_suffers(tmp_path: Path, name: str) -> None:
    told = carry_out(CROWD[name], tmp_path / name, SEED, QUICK)
    assert told["faults"] == []
    assert told["n"] > 0


def test_all_are_back_after_a_reset_and_only_that_they_came_in_step_is_wrong(
    tmp_path: Path,
) -> None:
    told = carry_out(CROWD["storm_reset"], tmp_path, SEED, QUICK, "lockstep")
    assert [fault.split()[0] for fault in told["faults"]] == ["busiest_tenth"]


@pytest.mark.parametrize(("name", "plant", "sign"), CAUGHT)
def test_a_planted_fault_is_caught(tmp_path: Path, name: str, plant: str, sign: str) -> None:
    told = carry_out(CROWD[name], tmp_path / name, SEED, QUICK, plant)
    assert any(sign in fault for fault in told["faults"]), told["faults"]
    # It is caught for what it does, not because it broke the server.
    assert not any("not measured" in fault for fault in told["faults"]), told["faults"]


def test_every_plant_is_tried() -> None:
    plants = {plant for one in CROWD.values() for plant in one.plants}
    assert {"lockstep", *(plant for _, plant, _ in CAUGHT)} == plants
