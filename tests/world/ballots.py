"""Official score sheets as ballots: rows of `BALLOTS.csv` from the files of other people."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

from server.domain.ballot_file import write_ballots
from server.domain.ballots import BallotRow
from server.tally_command import DONE, run
from tests.real_data import real_data

RULES = Path(__file__).with_name("rules")


def table(*parts: str) -> list[dict[str, str]]:
    """A CSV file of the real data as one dict a row."""
    path: Path = real_data(*parts)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def tallied(rules: str, rows: Iterable[BallotRow], folder: Path) -> dict[str, Any]:
    """What `pingyi tally` says of the rows under a rule file of this folder: subject → its result."""
    ballots = folder / "BALLOTS.csv"
    ballots.write_text(write_ballots(rows), encoding="utf-8")
    out, err = BytesIO(), StringIO()
    status = run(RULES / f"{rules}.json", ballots, out, err)
    assert status == DONE, err.getvalue()
    return {one["subject"]: one for one in json.loads(out.getvalue())["subjects"]}
