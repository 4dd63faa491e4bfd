"""The first start: an office and its first administrator."""

from __future__ import annotations

from dataclasses import dataclass

from server.identity.passwords import LEAST

LEVELS = (
    ("province", "省级", "Province"),
    ("city", "市级", "City"),
    ("county", "县级", "County"),
    ("town", "乡镇级", "Town"),
)
"""Levels of an office with their words."""


@dataclass(frozen=True)
class Setup:
    """The page. What was typed is kept, but for the passwords; `wrong` names the field that
    `said` is about, if it is about one."""

    code: str
    office: str = ""
    level: str = "city"
    login: str = ""
    name: str = ""
    said: str = ""
    wrong: str = ""
    least: int = LEAST

    def levels(self, lang: str) -> tuple[tuple[str, str], ...]:
        """(key, word) of each level."""
        return tuple((key, en if lang == "en" else zh) for key, zh, en in LEVELS)
