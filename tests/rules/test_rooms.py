"""What the import contracts cannot say: pure rooms know no I/O, and no room stands outside the house."""

from __future__ import annotations

import ast
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PURE = (
    "server/domain/*.py",
    "moderation/policy.py",
    "moderation/screening/*.py",
    "moderation/intake/cells.py",
    "moderation/intake/columns.py",
    "moderation/intake/refusals.py",
    "moderation/intake/charsets.py",
    "moderation/intake/mime.py",
    "moderation/intake/html_text.py",
    "moderation/intake/mail.py",
    "moderation/intake/acknowledgement.py",
    "moderation/intake/normal_form.py",
    "moderation/intake/open311.py",
    "moderation/intake/open311_text.py",
    "moderation/intake/table_bytes.py",
    "moderation/matching/**/*.py",
    "moderation/topics/adviser.py",
    "moderation/topics/features.py",
    "moderation/topics/keywords.py",
    "moderation/topics/learner.py",
    "moderation/topics/model.py",
)
"""Law 3: functions and frozen dataclasses that know no clock, no I/O and no framework."""
PURE_LIBRARY = frozenset(
    [
        "__future__",
        "array",
        "binascii",
        "bisect",
        "codecs",
        "collections",
        "contextlib",
        "copy",
        "csv",
        "dataclasses",
        "datetime",
        "decimal",
        "email",
        "enum",
        "fractions",
        "functools",
        "hashlib",
        "heapq",
        "hmac",
        "html",
        "io",
        "itertools",
        "json",
        "math",
        "statistics",
        "operator",
        "pyexpat",
        "re",
        "string",
        "struct",
        "typing",
        "unicodedata",
        "urllib",
    ]
)
"""What a pure room may take from the standard library: nothing that waits, asks or is by chance."""
PURE_BESIDE = frozenset({"ahocorasick", "rjieba"})
"""Libraries that are as pure: a function of the text, which asks for nothing and waits for nothing
(docs/decisions/0020-likely-twins.md)."""
CLOCKS = frozenset({"now", "today", "utcnow"})
DEEDS = frozenset({"open", "input", "print", "exec", "eval", "__import__", "breakpoint"})


def pure_files() -> list[Path]:
    """Every file of the pure rooms."""
    return sorted({path for pattern in PURE for path in ROOT.glob(pattern)})


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def impurities(source: str, pure: frozenset[str]) -> list[str]:
    """What a pure room may not do; `pure` are the modules of pure rooms."""
    found = []
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "."]
            if node.module not in pure and all(
                f"{node.module}.{alias.name}" in pure for alias in node.names
            ):
                names = []  # `from server.domain import rounds`: modules of a pure package
        found += [
            f"imports {name}"
            for name in names
            if name.split(".")[0] not in PURE_LIBRARY | PURE_BESIDE and name not in pure
        ]
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id=name) if name in DEEDS:
                    found.append(f"calls {name}")
                case ast.Attribute(value=ast.Name(id="datetime" | "date" as kind), attr=attr) if (
                    attr in CLOCKS
                ):
                    found.append(f"asks {kind}.{attr}")
    return found


@pytest.mark.parametrize("path", pure_files(), ids=module_of)
def test_pure_rooms_know_no_io_and_no_framework(path: Path) -> None:
    pure = frozenset(map(module_of, pure_files()))
    assert impurities(path.read_text(encoding="utf-8"), pure) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import asyncio", ["imports asyncio"]),
        ("from pathlib import Path", ["imports pathlib"]),
        ("import random, re", ["imports random"]),
        ("from server.store import unit", ["imports server.store"]),
        ("from server.domain import rounds", []),
        ("def f():\n    import time", ["imports time"]),
        ("from datetime import datetime\ndatetime.now()", ["asks datetime.now"]),
        ("open('x')", ["calls open"]),
    ],
)
def test_every_kind_of_impurity_is_seen(source: str, found: list[str]) -> None:
    assert impurities(source, frozenset({"server.domain.rounds"})) == found


def test_a_pure_library_is_the_standard_one() -> None:
    assert sys.stdlib_module_names >= PURE_LIBRARY


def test_every_room_stands_in_the_layers() -> None:
    """A new room says above and below which others it stands before anything can import it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layered = {
        room.strip()
        for contract in project["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
        for layer in contract["layers"]
        for room in layer.split("|")
    }
    rooms = {
        module_of(path)
        for folder in ("server", "web", "moderation")
        for path in (ROOT / folder).iterdir()
        if path.name != "__init__.py" and (path.suffix == ".py" or (path / "__init__.py").exists())
    }
    assert rooms <= layered
    assert layered - {"web", "moderation"} <= rooms
