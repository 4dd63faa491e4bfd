"""How a tablet or a device comes to its seat: by a join card, by a code at a shared tablet, or by taking
over a seat with the console's consent.

Each is one transaction with its line in the audit. Secrets are returned once and stored hashed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.domain.hearing import Place
from server.domain.refusals import Refusal
from server.domain.roles import Actor, has_right
from server.identity.secrets import code, digest
from server.identity.sessions import SignedIn, start_session, usable_card, use_card
from server.store.identity import Identity
from server.store.transaction import Database

CARD_MS = 72 * 3_600_000
"""How long a join card can be used, once: cards are printed before a weekend for the Monday, and
a sheet that is left in the hall is soon worth nothing."""
CLAIM_MS = 600_000
"""How long a tablet that was granted a seat may come for its session."""
CLAIMABLE = frozenset({"granted", "used"})
"""Statuses of a request that lead to a session."""
OF_SUBJECT = "subject"
"""What the label of a card, and of its session, begins with that is for one official's office; the row of
the official follows."""
KIOSK = "kiosk-"
"""What the label of a session at a shared tablet begins with."""
KIOSK_MS = 15 * 60_000
"""How long somebody may stay at a shared tablet."""


class CardDesk:
    """Cards, codes and requests for seats."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database, self._now = database, now

    async def issue_card(
        self,
        by: Actor,
        place: Place,
        *,
        seat_number: int | None = None,
        role: str = "",
        kiosk: bool = False,
        subject: str | None = None,
    ) -> dict[str, Any]:
        """A one-time join card for a seat, or for a device (`screen`, `card` …) of the hearing. With the
        key of a `subject` it is for that official's office, which reads what it is sent in advance.

        A new card for a seat ends the seat's unused ones and its sessions: the newest tablet sits. With
        `kiosk` it is a code for shared tablets: it ends the seat's unused code, and nothing else.
        """
        if kiosk and seat_number is None:
            raise Refusal("malformed", place="seat")
        async with self._database.write() as connection:
            identity, now = Identity(connection), self._now()
            roles = place.roles(by)
            if not has_right(roles, "manage_cards"):
                raise Refusal("not_allowed" if roles else "not_found")
            seat, label = None, role
            if seat_number is not None:
                rows = await identity.seats_of(place.ref.hearing, place.ref.office)
                found = next((s for s in rows if s.number == seat_number), None)
                if found is None:
                    raise Refusal("seat_unknown", seat=seat_number)
                seat, role, label = found.id, "panelist", f"panel-{seat_number:02d}"
                await identity.lock_seat(seat)
                await identity.revoke_cards(now, seat=seat, kind="kiosk" if kiosk else "join")
                if kiosk:
                    label = f"{KIOSK}{seat_number:02d}"
                else:
                    await identity.revoke_sessions_of(now, seat=seat)
                    await identity.end_takeovers(seat)
            elif role not in {"screen", "card", "commentator", "subject"}:
                raise Refusal("malformed", place="role")
            if subject is not None:
                of = await identity.subject_id(place.ref.hearing, subject)
                if role != "subject" or of is None:
                    raise Refusal("subject_unknown", subject=subject)
                label = f"{OF_SUBJECT}-{of}"
            secret = code(8) if kiosk else code(10)
            await identity.add_card(
                hash=digest(secret),
                kind="kiosk" if kiosk else "join",
                office_id=place.ref.office,
                hearing_id=place.ref.hearing,
                seat_id=seat,
                role=role,
                label=label,
                created_by=by.id,
                created_at=now,
                expires_at=now + CARD_MS,
            )
            await identity.note(now, by.id, "issue_card", place.ref.office, label=label)
        return {"code": secret, "label": label, "expires_at": now + CARD_MS}

    async def card(self, secret: str) -> Any:
        """The card as its page shows it: `.name`, `.number`, `.title`, `.slug`, `.used_at` …"""
        async with self._database.read() as connection:
            card = await Identity(connection).card(digest(secret.strip().upper()))
        if card is None or card.kind != "join" or card.revoked_at is not None:
            raise Refusal("card_unknown")
        return card

    async def join(self, secret: str) -> tuple[SignedIn, Any]:
        """Uses the card: a session for its seat or device."""
        async with self._database.write() as connection:
            identity, now = Identity(connection), self._now()
            session, card = await use_card(identity, now, secret, "join")
            await identity.note(now, f"card:{card.id}", "join", card.office_id, label=card.label)
            return session, card

    # ── shared tablets ──

    async def kiosk_card(self, secret: str, hearing: int) -> Any:
        """The unused code of this hearing, or its refusal. Nothing is used up."""
        async with self._database.read() as connection:
            card = await usable_card(Identity(connection), self._now(), secret, "kiosk", lock=False)
        if card.hearing_id != hearing:
            raise Refusal("kiosk_unknown")
        return card

    async def enter_kiosk(self, secret: str) -> SignedIn:
        """Uses the code: a session for its seat that ends by itself soon, and in whose place no other
        session of the seat at a shared tablet stays."""
        async with self._database.write() as connection:
            identity, now = Identity(connection), self._now()
            card = await usable_card(identity, now, secret, "kiosk")
            await identity.revoke_sessions_of(now, seat=card.seat_id, label=card.label)
            session, card = await use_card(identity, now, secret, "kiosk", KIOSK_MS)
            await identity.note(
                now, f"card:{card.id}", "enter_kiosk", card.office_id, label=card.label
            )
            return session

    # ── spare tablets ──

    async def claim(self, secret: str) -> tuple[str, SignedIn | None]:
        """(what became of the request, the seat's session once it was granted). A tablet that has not
        heard the answer asks again and gets another session in the place of the first, while no
        other tablet was given the seat."""
        known = digest(secret)
        # A tablet asks every few seconds for as long as it waits: only a granted seat needs the writer.
        async with self._database.read() as connection:
            found = await Identity(connection).takeover(known)
        if found is None:
            raise Refusal("takeover_unknown")
        if found.status not in CLAIMABLE:
            return found.status, None
        async with self._database.write() as connection:
            identity, now = Identity(connection), self._now()
            await identity.lock_seat(found.seat_id)
            found = await identity.takeover(known)
            if found is None or found.status not in CLAIMABLE:
                return "past", None
            if now > found.decided_at + CLAIM_MS:
                return "past", None
            label = f"panel-{found.number:02d}"
            await identity.revoke_sessions_of(now, seat=found.seat_id)
            await identity.takeover_is(found.id, "used")
            session = await start_session(
                identity,
                now,
                found.office_id,
                label,
                seat=found.seat_id,
                role="panelist",
                hearing=found.hearing_id,
            )
            await identity.note(
                now, f"seat:{found.seat_id}", "take_over", found.office_id, label=label
            )
            return "granted", session
