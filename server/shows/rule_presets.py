"""The rule sets that real offices use, ready to be taken into a show: `rules: preset:NAME`.

Each lies as a file in `presets/`: its name and source for people, the rules document as `pingyi
tally` takes it, and the words for its dimensions and grades in each language.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("presets")
PREFIX = "preset:"


@dataclass(frozen=True)
class Preset:
    """One rule set: `key` is its file's name; names, sources and words are by language."""

    key: str
    name: Mapping[str, str]
    source: Mapping[str, str]
    words: Mapping[str, Mapping[str, str]]
    rules: Mapping[str, Any]


@cache
def presets() -> Mapping[str, Preset]:
    """All of them by key, in the order of their files."""
    found: dict[str, Preset] = {}
    for path in sorted(FOLDER.glob("*.json")):
        told = json.loads(path.read_text("utf-8"))
        found[path.stem] = Preset(
            path.stem, told["name"], told["source"], told["words"], told["rules"]
        )
    return found
