"""What the public does, as the ballot box carries it: votes, supports, questions. Pure shapes.

`viewer` is the viewer token's id, `key` the idempotency key that the browser made before sending,
`epoch` that of the run which the act is meant for, where the sender said it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Vote:
    """A choice in a public round (网络评价)."""

    viewer: str
    key: str
    round: str
    choice: str
    at: int
    epoch: str | None = None


@dataclass(frozen=True)
class Support:
    """同问, put on or taken back. `slug` is the hearing's."""

    viewer: str
    key: str
    slug: str
    code: str
    on: bool
    at: int
    epoch: str | None = None


@dataclass(frozen=True)
class Ask:
    """A question from the public, already cleaned and masked; `sealed` is what masking took."""

    viewer: str
    key: str
    slug: str
    text: str
    subject: str | None
    code: str
    secret: str
    digest: str
    """SHA-256 of what was sent, to tell a repeat of the key from another question under it."""
    sealed: bytes | None
    at: int
    epoch: str | None = None


PublicAct = Vote | Support | Ask


@dataclass(frozen=True)
class Done:
    """The act is committed; `answer` is what its ack says. The next pulse of `hearing` shows it;
    with an `entry` in the journal its bell rings as well."""

    answer: Mapping[str, Any]
    hearing: int
    entry: bool = False
