"""Where the real data lies that some tests check against; it is not part of the repository."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"


def real_data(*parts: str) -> Path:
    """`../shared/data/PARTS` beside the repository.

    Where it is absent the test is skipped, or fails if `PINGYI_REAL_DATA=required` is set.
    """
    path = SHARED.joinpath(*parts)
    if path.exists():
        return path
    reason = f"real data is absent: ../shared/data/{'/'.join(parts)}"
    if os.environ.get("PINGYI_REAL_DATA") == "required":
        pytest.fail(reason)
    pytest.skip(reason)
