"""A one-time entry card (入场卡): whose it is, and one button."""

from __future__ import annotations

from dataclasses import dataclass

from server.domain.roles import ROLES

STATES = ("open", "used", "expired", "early", "unknown")


@dataclass(frozen=True)
class Card:
    """What the server knows of a card. `role` is a key of `ROLES`; `seat` is set for a panelist."""

    code: str
    hearing: str
    office: str
    role: str
    name: str = ""
    group: str = ""
    seat: int | None = None
    rehearsal: bool = False


@dataclass(frozen=True)
class Join:
    """The page. `state` is one of `STATES`; only `open` has the button."""

    code: str
    state: str
    hearing: str
    office: str
    role: str
    name: str
    group: str
    seat: int | None
    rehearsal: bool


def join(card: Card | None, state: str, lang: str) -> Join:
    """`state` as the server found it; an unknown code shows nothing but that."""
    if card is None:
        return Join("", "unknown", "", "", "", "", "", None, False)
    names = ROLES.get(card.role, (card.role, card.role))
    return Join(
        code=card.code,
        state=state if state in STATES else "unknown",
        hearing=card.hearing,
        office=card.office,
        role=names[1] if lang == "en" else names[0],
        name=card.name,
        group=card.group,
        seat=card.seat,
        rehearsal=card.rehearsal,
    )
