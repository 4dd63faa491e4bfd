"""The public's socket speaks RFC 6455 as the Autobahn cases ask, all of them, and at its own caps says
which of them has been passed (docs/faults.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.autobahn import EXPERIMENTS
from tests.faults.experiment import QUICK, carry_out

(AUTOBAHN,) = EXPERIMENTS


def test_every_case_passes(tmp_path: Path) -> None:
    told = carry_out(AUTOBAHN, tmp_path, 0, QUICK)
    assert told["faults"] == []
    assert told["counted"] == {"cases": 301, "large cases at the product's caps": 54}


@pytest.mark.parametrize("plant", AUTOBAHN.plants)
def test_a_planted_fault_is_caught(tmp_path: Path, plant: str) -> None:
    assert carry_out(AUTOBAHN, tmp_path, 0, QUICK, plant)["failures"]
