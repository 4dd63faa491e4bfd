"""Frames as bytes: compact JSON, keys `type` and `at` first (CONTRACT "Socket")."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

RETRY = {"base_ms": 500, "cap_ms": 30_000}
"""What a page is told about coming back: full jitter from base, doubling to cap."""
TOO_MANY_MS = 4000
"""After which an act is sent again that was refused with `too_many`, where nobody knows better."""


def frame(type_: str, at: int, **members: Any) -> str:
    """One text frame."""
    return orjson.dumps({"type": type_, "at": at, **members}).decode()


def encoded(frame: str) -> bytes:
    """A text frame as bytes, as a server sends it: final, unmasked (RFC 6455, 5.2)."""
    payload = frame.encode()
    n = len(payload)
    if n < 126:
        return b"\x81%c" % n + payload
    if n < 65536:
        return b"\x81\x7e" + n.to_bytes(2, "big") + payload
    return b"\x81\x7f" + n.to_bytes(8, "big") + payload


@lru_cache(8)
def kept(frame: str) -> bytes:
    """`encoded`, for frames that many begin with: who comes in a crowd gets the same snapshot."""
    return encoded(frame)


def snapshot(at: int, epoch: str, version: int, **members: Any) -> str:
    """The whole state (`state`, or `content` for pages) at a version."""
    return frame("snapshot", at, epoch=epoch, version=version, retry=RETRY, **members)


@lru_cache(8)
def stamped(frame: str, at: int) -> str:
    """The same frame, told now."""
    head, stamp, rest = frame.partition('"at":')
    return f"{head}{stamp}{at}{rest[rest.index(',') :]}"


def cue(at: int, version: int, event: str, **members: Any) -> str:
    """One act, with what it changed (`data`, or `content` and `say`)."""
    return frame("cue", at, version=version, event=event, **members)


def pulse(at: int, **numbers: Any) -> str:
    """Numbers that flood, at most four times a second."""
    return frame("pulse", at, **numbers)


def ack(at: int, key: str, answer: Mapping[str, Any]) -> str:
    """The act is committed."""
    told = {"type": "ack", "at": at, "key": key, **answer}
    told["at"], told["key"] = at, key  # An answer that is told again has those of its first time.
    return orjson.dumps(told).decode()


def refusal(
    at: int,
    key: str | None,
    code: str,
    message: str,
    retry_ms: int = TOO_MANY_MS,
    work: Mapping[str, Any] | None = None,
) -> str:
    """The act was refused and nothing changed. `too_many` tells when to send it again, `work_needed`
    what to do first."""
    more: dict[str, Any] = {"retry_ms": retry_ms} if code == "too_many" else {}
    if work is not None:
        more["work"] = work
    return frame("refusal", at, key=key, code=code, message=message, **more)


def unknown(at: int, key: str, retry_ms: int = 800) -> str:
    """Committed or not: send it again with the same key (law 2)."""
    return frame("unknown", at, key=key, retry_ms=retry_ms)


def wait(at: int, retry_ms: int) -> str:
    """This process is full, or cannot read the database now: come back."""
    return frame("wait", at, retry_ms=retry_ms)
