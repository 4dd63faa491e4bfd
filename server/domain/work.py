"""Work that a browser does before it asks, so that a flood costs its sender more than it costs us. Pure.

A limit by address would lock out a hall behind one address; work is owed by each question alone. A browser
looks for a nonce such that SHA-256 over `viewer:window:key:nonce` begins with so many zero bits: the viewer
and the key make it good for one question of one person, the window (ten minutes) makes it stale. So nothing
is kept of it (docs/decisions/0026-work-before-asking.md).
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

WINDOW_MS = 600_000
NONCE_LONGEST = 20


class Owed(NamedTuple):
    """What is to be done: zero bits, the window's number, and the viewer's id."""

    bits: int
    window: int
    viewer: str


def window_of(now: int) -> int:
    """The number of the ten minutes that `now` (ms since 1970) lies in."""
    return now // WINDOW_MS


def owed(bits: int, viewer: str, key: str, nonce: str | None, now: int) -> Owed | None:
    """What is still owed for a question, or None: work of this window and of the one before is taken."""
    window = window_of(now)
    if not bits or (
        nonce is not None
        and len(nonce) <= NONCE_LONGEST
        and any(zero_bits(viewer, one, key, nonce) >= bits for one in (window, window - 1))
    ):
        return None
    return Owed(bits, window, viewer)


def zero_bits(viewer: str, window: int, key: str, nonce: str) -> int:
    """How many zero bits the hash begins with."""
    digest = hashlib.sha256(f"{viewer}:{window}:{key}:{nonce}".encode()).digest()
    return 256 - int.from_bytes(digest, "big").bit_length()
