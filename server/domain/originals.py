"""What masking took of a question's wordings, as its boxes hold it once they are opened. Pure.

A source's box holds each field that was masked by its name (`title`, `content`, `requester_phone`,
`extra.HEADER`), the box of a text that was written here the whole `text`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

Box: TypeAlias = Mapping[str, Any]

WORDING = ("title", "content")
BEFORE = "before"
"""Member of a box: what its other members were before facts beside the wording changed, the oldest first."""


def wording_of(box: Box) -> str:
    """The text as it was sent or written; empty where nothing of it was masked."""
    return str(box.get("text") or box.get("content") or "")


def as_sent(boxes: Sequence[tuple[int, Box]]) -> list[tuple[int, Box]]:
    """Those of what was sent, the newest last, without those of what a moderator wrote: a rewriting is
    never the first wording."""
    return [(version, box) for version, box in boxes if version == 1 or "text" not in box]


def told(title: str, text: str, box: Box) -> dict[str, Any]:
    """All that a record says which masking may touch: its wording, masked or not, and what was sealed."""
    said = {"title": title, "content": wording_of(box) or text, **box}
    return {name: value for name, value in said.items() if value and name != "text"}


def reworded(was: Box, now: Box) -> bool:
    """Whether the citizen's own words are others, also where the masked ones are the same."""
    return any(was.get(name) != now.get(name) for name in WORDING)


def with_history(was: Box, now: Box) -> dict[str, Any]:
    """What is sealed when nothing but facts beside the wording changed: nothing that was there is lost."""
    gone = {name: value for name, value in was.items() if now.get(name) != value and name != BEFORE}
    return {**now, BEFORE: [*was.get(BEFORE, ()), gone]} if gone else {**was, **now}
