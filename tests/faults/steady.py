"""Ballots that come all the time, each sent with its key until somebody knows; and what they took."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.faults.clients import AT_ONCE, Http, send_ballot, send_votes, settle
from tests.faults.hall import secret_sheet, sheet, votes
from tests.faults.history import Act, History
from tests.faults.installation import Installation

AGAIN_S = 0.3
"""How long whoever does not know waits before asking again."""
MOST = AT_ONCE // 2
"""Votes in one piece, each perhaps another viewer's."""
PATIENCE_S = 3.0
"""How long a client waits for an answer before it comes again, while the first may be under way."""


@dataclass
class Steady:
    """`sockets` clients of the public, `seats` tablets; processes take turns."""

    here: Installation
    history: History
    chance: random.Random
    web: str
    panel: str
    secret: str = ""
    """A secret round, which gets every second sheet where there is one."""
    sockets: int = 3
    seats: int = 5
    pause_s: float = 0.1
    took: list[tuple[float, float]] = field(default_factory=list)
    """(when it was sent, seconds until it was acknowledged) of everything that was answered."""
    unknown_s: list[float] = field(default_factory=list)
    """From the first moment in which nobody knew until somebody did."""
    last_ok: float = 0.0
    errors: int = 0
    """Ballots that were answered 500: not a lie, but not the contract's word for it either."""
    _since: dict[str, float] = field(default_factory=dict)
    _left: list[Act] = field(default_factory=list)

    async def run(self, until: asyncio.Event) -> None:
        """Until the event; then everybody asks until he knows."""
        seats = list(self.here.hall.seats)[: self.seats]
        await asyncio.gather(
            *(self._votes(n, until) for n in range(self.sockets)),
            *(self._sheets(seat, until) for seat in seats),
        )
        self._known(set(self._since) - {act.key for act in await self._settled()})

    async def _settled(self) -> Sequence[Act]:
        return await settle(self.history, self.here.port, self.here.hall, self._left)

    def _port(self) -> int:
        return self.chance.choice(self.here.servers).port

    async def _votes(self, n: int, until: asyncio.Event) -> None:
        unknown: list[Act] = []
        while not until.is_set():
            # Whoever does not know asks first, who has waited longest before the others.
            acts, unknown = unknown[:MOST], unknown[MOST:]
            if len(acts) < MOST // 2:
                acts += votes(self.here.hall, self.chance, self.web, 4, 2)
            left = await send_votes(
                self.history,
                f"socket-{n}",
                self._port(),
                self.here.hall.slug,
                self.here.hall.tokens,
                acts,
                patience=PATIENCE_S,
                told=self._told,
            )
            unknown += left
            self._asked(acts, left)
            await asyncio.sleep(AGAIN_S if left else self.pause_s)
        self._left += unknown

    def _told(self, act: Act, took_ns: int) -> None:
        self._took(took_ns)

    def _took(self, took_ns: int) -> None:
        now, seconds = time.monotonic(), took_ns / 1e9
        self.last_ok = now
        self.took.append((now - seconds, seconds))

    def _asked(self, acts: Sequence[Act], left: Sequence[Act]) -> None:
        """Of what was sent, this is not known yet."""
        now, unknown = time.monotonic(), {act.key for act in left}
        for key in unknown:
            self._since.setdefault(key, now)
        self._known({act.key for act in acts} - unknown)

    def _known(self, keys: set[str]) -> None:
        now = time.monotonic()
        for key in keys & self._since.keys():
            self.unknown_s.append(now - self._since.pop(key))

    async def _sheets(self, seat: str, until: asyncio.Event) -> None:
        act = None
        http = Http(self._port(), PATIENCE_S)
        while not until.is_set():
            act = act or self._sheet(seat)
            told, took = await send_ballot(
                self.history, seat, http, act, self.here.hall.seats[seat]
            )
            self._asked([act], [act] if told == "info" else [])
            if told == "info":
                self.errors += http.status == 500
                await asyncio.sleep(AGAIN_S)
                continue
            if told == "ok":
                self._took(took)
            act = None
            await asyncio.sleep(self.pause_s * 2)
        http.close()
        self._left += [act] if act is not None else []

    def _sheet(self, seat: str) -> Act:
        if self.secret and self.chance.random() < 0.5:
            return secret_sheet(self.here.hall, self.chance, self.secret, seat)
        return sheet(self.chance, self.panel, seat)

    async def answered_after(self, moment: float, seconds: float = 30.0) -> float:
        """Waits until a ballot is acknowledged after this moment; the seconds that it took."""
        while self.last_ok <= moment:
            if time.monotonic() > moment + seconds:
                return seconds
            await asyncio.sleep(0.01)
        return self.last_ok - moment
