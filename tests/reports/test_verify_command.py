"""`pingyi verify` and `python3 verify.py`: exit status, one sentence, and a file that needs nobody."""

from __future__ import annotations

import ast
import io
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from server.reports import tools, verify
from server.reports.bundle import zip_of
from tests.nursery import finished
from tests.reports.rounds import bundle_of
from tests.reports.test_differences import FAULTS, members_of

FILE = Path(verify.__file__)


@pytest.fixture
def bundles(tmp_path: Path) -> tuple[Path, Path]:
    """A bundle, and one with a fault."""
    whole, damaged = tmp_path / "whole.zip", tmp_path / "damaged.zip"
    whole.write_bytes(bundle_of("plain").zipped("public"))
    damaged.write_bytes(zip_of(FAULTS["a place changed"][2](members_of("plain", "public"))))
    return whole, damaged


def alone(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """`verify.py`, copied to where nothing of the server can be imported."""
    shutil.copy(FILE, cwd / "verify.py")
    command = [sys.executable, "-I", "verify.py", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, env={})


def test_the_command(bundles: tuple[Path, Path]) -> None:
    whole, damaged = bundles
    root = bundle_of("plain").root
    done = finished("verify", whole, "--root", root)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == f"root {root}"
    done = finished("verify", damaged)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "result.json" in done.stderr


def test_the_file_alone(bundles: tuple[Path, Path], tmp_path: Path) -> None:
    whole, damaged = bundles
    root = bundle_of("plain").root
    done = alone(whole, "--lang", "zh", cwd=tmp_path)
    assert done.returncode == 0
    assert "比对" in done.stdout
    assert done.stdout.splitlines()[-1] == f"根值 {root}"
    assert "The root" in alone(whole, "--root", root.upper(), cwd=tmp_path).stdout
    for arguments, status in (
        ((damaged,), 1),
        ((whole, "--root", "0" * 64), 1),
        ((tmp_path / "verify.py",), 1),
        ((tmp_path,), 2),
        ((tmp_path / "none.zip",), 2),
        ((whole, "--root", "12"), 2),
        ((whole, "--what"), 2),
        ((), 2),
    ):
        done = alone(*arguments, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (status, ""), arguments
        assert done.stderr.count("\n") == 1
        assert "Traceback" not in done.stderr


def test_the_file_imports_the_standard_library_alone_and_is_read_by_python_3_9() -> None:
    tree = ast.parse(FILE.read_text(encoding="utf-8"), feature_version=(3, 9))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {one.name.split(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level
            names.add(str(node.module).split(".")[0])
    assert names <= sys.stdlib_module_names
    assert names.isdisjoint({"socket", "urllib", "http", "subprocess", "importlib", "ctypes"})


def test_a_bundle_holds_the_file_that_checks_it() -> None:
    assert tools()["verify.py"] == FILE.read_bytes()


def test_progress_is_told_on_a_terminal() -> None:
    told: list[int] = []
    whole = bundle_of("grouped").zipped("sealed")
    verify.verify(io.BytesIO(whole), None, told.append)
    assert told[-1] == 9
