"""A question as intake hands it over: masked, with its originals sealed. Pure shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

MaskedNames: TypeAlias = Literal["private", "all"]
"""Whose names are masked: those of all people, or all but who is named by an office (局长王某某)."""


@dataclass(frozen=True)
class Incoming:
    """One item from a source. `text` and `title` are masked; `sealed` is the secret box around
    what masking took (None = nothing); `digest` tells whether a later record says the same;
    `accepted_at` (ms since 1970) tells which of two records is the newer; `person` stands for who wrote,
    empty where nobody knows."""

    external_id: str
    text: str
    title: str
    likes: int
    fields: Mapping[str, Any]
    digest: str
    accepted_at: int | None = None
    tags: tuple[str, ...] = ()
    sealed: bytes | None = field(default=None, repr=False)
    person: str = ""
