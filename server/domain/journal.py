"""The run's journal: hash-chained entries that nothing can be edited out of (laws 1 and 12).

Pure: an entry's hash is SHA-256 over the previous hash and the entry's canonical JSON, so that
one changed byte anywhere breaks every hash after it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

GENESIS = "0" * 64
"""What the first entry of a run chains to."""


@dataclass(frozen=True)
class Entry:
    """One act as it stands in the journal.

    `seq` counts 1, 2, 3 … within the run; `rooms` gives, for each room that may see the act, the
    number that the room's version rose to; `at` is milliseconds since 1970 (a label, never used
    to decide anything); `body` is the act itself (ids, reasons), free of personal data;
    `public` is what the public cue carried, or None when the public does not see the act.
    """

    seq: int
    at: int
    event: str
    actor: str
    role: str
    body: Mapping[str, Any]
    rooms: Mapping[str, int]
    public: Mapping[str, Any] | None
    prev: str
    hash: str


def canonical(value: Any) -> bytes:
    """Canonical JSON: sorted keys, no spaces, UTF-8. The only form that is ever hashed."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def entry_hash(
    prev: str,
    seq: int,
    at: int,
    event: str,
    actor: str,
    role: str,
    body: Mapping[str, Any],
    rooms: Mapping[str, int],
) -> str:
    """Hash of one entry, chained to `prev` (64 lower-case hex digits)."""
    content = [prev, seq, at, event, actor, role, dict(body), dict(rooms)]
    return hashlib.sha256(canonical(content)).hexdigest()


def first_break(entries: Iterable[Entry]) -> int | None:
    """The `seq` of the first entry that does not chain to the one before it, or None."""
    prev, expected = GENESIS, 1
    for e in entries:
        right = entry_hash(prev, e.seq, e.at, e.event, e.actor, e.role, e.body, e.rooms)
        if e.seq != expected or e.prev != prev or e.hash != right:
            return e.seq
        prev, expected = e.hash, expected + 1
    return None
