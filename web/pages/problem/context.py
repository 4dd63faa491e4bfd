"""A plain page for something that did not work: one sentence, its code, a way back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """`message` is the refusal's sentence; `back` is an address on this site."""

    message: str
    code: str
    status: int
    back: str = "/"


def problem(message: str, code: str, status: int, back: str = "/") -> Problem:
    """A way back that does not lead to another site, whatever was asked for."""
    safe = back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/"
    return Problem(message, code, status, safe)
