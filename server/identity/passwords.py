"""Passwords: argon2id, in a thread because one hash takes a tenth of a second."""

from __future__ import annotations

import asyncio

from pwdlib import PasswordHash

from server.domain.refusals import Refusal

LEAST = 10
_hasher = PasswordHash.recommended()
_NOBODY = _hasher.hash("nobody has this password")
"""Checked when there is no such account, so that the time taken tells nothing."""


def check_strength(password: str) -> None:
    """`password_weak` below `LEAST` characters; no rules of composition (ASVS 2.1)."""
    if len(password) < LEAST:
        raise Refusal("password_weak", least=LEAST)


async def hashed(password: str) -> str:
    """The hash to store."""
    return await asyncio.to_thread(_hasher.hash, password)


async def matches(password: str, stored: str | None) -> bool:
    """Whether the password is the stored one."""
    found = await asyncio.to_thread(_hasher.verify, password, stored or _NOBODY)
    return found and bool(stored)
