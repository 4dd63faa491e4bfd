"""The show that the demonstration plays, as a file to begin one's own from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from server.domain.show import Language

EXAMPLES: Mapping[Language, Path] = {
    "zh": Path(__file__).parents[1] / "demo" / "show.yaml",
    "en": Path(__file__).parents[1] / "demo" / "show.en.yaml",
}
"""language → a whole show written in it. Everything in it is invented."""
