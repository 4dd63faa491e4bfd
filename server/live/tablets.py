"""The panel's tablets as their sockets tell: who is connected, when each was heard last, its battery.

It is for the console in the hall and for this moment only: it lives in the memory of the process that
holds the sockets, and stands in no journal and no database.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

SILENT_MS = 40_000
"""A tablet says something every 15 s; one that has not for so long is silent, though its socket stands."""


@dataclass(frozen=True)
class Tablet:
    """One seat's. `battery` is in percent; None where the browser does not tell."""

    connected: bool
    seen: int
    battery: int | None = None
    charging: bool | None = None

    def state(self, now: int) -> str:
        """`up`, `silent` or `gone`."""
        if not self.connected:
            return "gone"
        return "silent" if now - self.seen > SILENT_MS else "up"


class Tablets:
    """By seat, of every hearing. `who` is a socket, by its `id()` while it stands."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._who: dict[int, tuple[int, int]] = {}
        self._seats: dict[tuple[int, int], Tablet] = {}

    def came(self, who: int, hearing: int, seat: int) -> None:
        """A tablet's socket is there."""
        self._who[who] = hearing, seat
        self._seats[hearing, seat] = Tablet(True, self._now())

    def went(self, who: int) -> None:
        """It has ended; another one of the seat may still be there."""
        place = self._who.pop(who, None)
        if place is not None and place not in self._who.values():
            self._seats[place] = replace(self._seats[place], connected=False, seen=self._now())

    def beat(self, who: int, battery: int | None, charging: bool | None) -> None:
        """It says how it is. Whoever is no tablet is not listened to."""
        place = self._who.get(who)
        if place is not None:
            self._seats[place] = Tablet(True, self._now(), battery, charging)

    def of(self, hearing: int) -> dict[int, Tablet]:
        """Seat's id → its tablet, of seats that have had one since this process began."""
        return {seat: one for (where, seat), one in self._seats.items() if where == hearing}
