"""What the bundle of a round is made from, and what comes of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.domain.journal import Entry
from server.domain.rounds import Round
from server.domain.rules import canonical_bytes


@dataclass(frozen=True)
class BundleSource:
    """A certified round with all that its bundle holds: `ballots` is the file that the result's hash is
    of, `groups` {key: (present, cast)} of a named panel round, `journal` the run's up to now."""

    round: Round
    ballots: str
    receipts: Sequence[str]
    groups: Mapping[str, tuple[int, int]]
    journal: Sequence[Entry]


@dataclass(frozen=True)
class MadeBundle:
    """The root, and both editions as zips."""

    root: str
    public: bytes
    sealed: bytes


def rules_of_round(round_: Round) -> bytes:
    """The bundle's `rules.json`: the rule set, or a public round's choices."""
    if round_.rules is not None:
        return canonical_bytes(dict(round_.rules))
    choices: list[Any] = [list(pair) for pair in round_.choices]
    return canonical_bytes({"kind": "choices", "choices": choices})
