"""How a session begins, whatever it begins with, and when a card may be used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from server.domain.refusals import Refusal
from server.identity.secrets import digest, long_secret
from server.store.identity import Identity

SESSION_MS = 30 * 86_400_000
_REFUSED = {
    "setup": ("setup_unknown", "setup_done", "setup_expired"),
    "join": ("card_unknown", "card_used", "card_expired"),
    "kiosk": ("kiosk_unknown", "kiosk_used", "kiosk_used"),
}
"""Kind of a card → how it is refused when it is unknown, used, expired."""


@dataclass(frozen=True)
class SignedIn:
    """A new session: the cookie's label and secret."""

    label: str
    secret: str
    slug: str | None = None
    page: str | None = None


async def start_session(
    identity: Identity,
    now: int,
    office: int,
    label: str,
    *,
    account: int | None = None,
    seat: int | None = None,
    role: str = "",
    hearing: int | None = None,
    lasts: int = SESSION_MS,
) -> SignedIn:
    """A session of an account, a seat or a device, for `lasts` milliseconds."""
    secret = long_secret()
    await identity.add_session(
        id=digest(secret),
        office_id=office,
        account_id=account,
        seat_id=seat,
        role=role,
        hearing_id=hearing,
        label=label,
        created_at=now,
        seen_at=now,
        expires_at=now + lasts,
    )
    return SignedIn(label, secret)


async def usable_card(
    identity: Identity, now: int, secret: str, kind: str, *, lock: bool = True
) -> Any:
    """The unused card of this kind, or why it cannot be used."""
    card = await identity.card(digest(secret.strip().upper()), lock=lock)
    unknown, used, expired = _REFUSED[kind]
    if card is None or card.kind != kind or card.revoked_at is not None:
        raise Refusal(unknown)
    if card.used_at is not None:
        raise Refusal(used)
    if card.expires_at < now:
        raise Refusal(expired)
    return card


async def use_card(
    identity: Identity, now: int, secret: str, kind: str, lasts: int = SESSION_MS
) -> tuple[SignedIn, Any]:
    """(the session of the card's seat or device, the card), which is used up by it."""
    card = await usable_card(identity, now, secret, kind)
    if not await identity.use_card(card.id, now):
        raise Refusal(_REFUSED[kind][1])
    session = await start_session(
        identity,
        now,
        card.office_id,
        card.label,
        seat=card.seat_id,
        role=card.role,
        hearing=card.hearing_id,
        lasts=lasts,
    )
    return session, card
