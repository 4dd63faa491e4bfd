"""Several processes from one command (`server/several.py`): one that dies does not take the others along."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.nursery import ROOT

WORK = """
import os, sys, time
from pathlib import Path
from server import several

several.AGAIN_S = 0.5
place = Path(sys.argv[1])

def work(nth):
    (place / f"{nth}-{os.getpid()}").touch()
    born = len(list(place.glob(f"{nth}-*")))
    if sys.argv[2] == "never" or (nth == 1 and 1 < born < 4):
        return 7  # The database is away, say.
    time.sleep(1 if nth == 1 and born == 1 else 60)
    return 0

sys.exit(several.run_several(2, work))
"""


def begun(place: Path, how: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WORK, str(place), how], cwd=ROOT)


def test_one_that_cannot_begin_again_is_tried_until_it_can(tmp_path: Path) -> None:
    parent = begun(tmp_path, "later")
    try:
        deadline = time.monotonic() + 15
        while len(list(tmp_path.glob("1-*"))) < 4 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(list(tmp_path.glob("1-*"))) == 4
        assert len(list(tmp_path.glob("0-*"))) == 1  # The other one lives on.
        time.sleep(0.3)
        assert parent.poll() is None
    finally:
        parent.send_signal(signal.SIGTERM)
        assert parent.wait(20) == 0
    for one in tmp_path.iterdir():
        pid = int(one.name.partition("-")[2])
        assert not Path(f"/proc/{pid}").exists()  # Ended, and waited for by its parent.


def test_what_does_not_start_at_all_ends_with_its_status(tmp_path: Path) -> None:
    parent = begun(tmp_path, "never")
    assert parent.wait(15) == 7
