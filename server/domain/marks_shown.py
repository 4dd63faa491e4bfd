"""How people read the marks of a result: a share of raters as a percentage, every other mark as it is.

The result itself, its bundle and `pingyi tally` keep the share (`0.8571`); screens and documents show
`85.71%`. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from server.domain.exact import as_percent
from server.domain.rule_file import parse_draft

Read = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Reading:
    """What makes the text that people read of a total, and of a mark by dimension or group."""

    total: Read = str
    mark: Read = str


def reading(document: Mapping[str, Any] | None) -> Reading:
    """How marks under the rules of this document are read."""
    # Most rules give no rates; they are not parsed for nothing.
    if document is None or document.get("within") != "rate":
        return Reading()
    rules = parse_draft(document)
    return Reading(
        total=as_percent if rules.totals_are_shares else str,
        mark=as_percent if rules.marks_are_shares else str,
    )
