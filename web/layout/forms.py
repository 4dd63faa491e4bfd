"""Plain forms: whatever is refused, the same page comes back with the sentence and what was typed."""

from __future__ import annotations

from server.domain.refusals import OutcomeUnknown, Refusal, RolledBack

FAILED = (Refusal, OutcomeUnknown, RolledBack)
"""What an act may raise instead of being done: `except FAILED as error`, then `refusal_of(error)`."""


def refusal_of(error: Exception) -> Refusal:
    """The row of the catalogue that a person is told."""
    return error if isinstance(error, Refusal) else Refusal("outcome_unknown")


def headers_of(refusal: Refusal) -> dict[str, str]:
    """Headers of the page that tells it: never kept, and when to try again."""
    wait = refusal.detail.get("retry_after", 1 if refusal.status == 503 else None)
    retry = {"Retry-After": str(wait)} if wait is not None else {}
    return {"Cache-Control": "no-store", **retry}
