"""Rate limits: per person where a person is known, per address only as a far fence.

A hall of hundreds shares one address, so a limit per address is wide, and networks named in
`PINGYI_TRUSTED_NETS` have none; what one viewer or one socket may do is narrow. Signing in is
counted only where it fails: two hundred people who know their passwords are no attack.
"""

from __future__ import annotations

import asyncio
import ipaddress
import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from time import monotonic, time

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from server.domain.refusals import Refusal
from server.settings import Settings

PER_ADDRESS: Mapping[str, int] = {
    "viewers": 3000,
    "ask": 300,
    "public_act": 6000,
    "join": 120,
    "takeover": 12,
    "claim": 3000,
    "kiosk": 120,
    "push": 1200,
    "open311": 1200,
    "similar": 3000,
}
PER_PERSON: Mapping[str, int] = {"ask": 6, "public_act": 120}
"""How much an address and a person may do in a minute."""
PER_KEY = 30
"""One act sent again and again in a minute. It was counted once; its repeats only have this limit."""
WRONG_HERE = parse("5/15minute")
"""Wrong passwords for one account from one address."""
WRONG_ANYWHERE = parse("100/hour")
"""Wrong passwords for one account from all addresses together (ASVS 2.2.1). It is wide, so that
nobody far away keeps a host from signing in by guessing a little."""
WRONG_FROM = parse("60/minute")
"""Wrong passwords from one address, whatever the accounts."""
REMEMBERED = 100_000
"""Addresses of which it is remembered whether they are trusted."""
OUT_S = 60.0
"""How long the token of a socket that flooded is refused."""
AT_ONCE = 4
"""Passwords that are looked at together: a burst of guesses gets no further ahead of the count of
its own failures than this."""


class Limiter:
    """Counts in this process."""

    def __init__(self, settings: Settings) -> None:
        self._windows = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._trusted = [ipaddress.ip_network(n, strict=False) for n in settings.trusted_nets]
        self._guesses = asyncio.Semaphore(AT_ONCE)
        self._minute = Minute()
        self._known: dict[str, bool] = {}
        self._out: dict[str, float] = {}

    def check(
        self, what: str, address: str, person: str | None = None, key: str | None = None
    ) -> None:
        """`too_many`, with the seconds to wait, when the limit is reached.

        With the key of the act, a repeat does not count as another act of this person: whoever has
        heard no answer is to get the first one, also after he has reached his limit.
        """
        minute = self._minute
        if self._out and (left := self.shut_out_for(person)):
            raise Refusal("too_many", retry_after=left)
        if person is not None and what in PER_PERSON:
            if key is None or not minute.has((person, key)):
                minute.count((what, person), PER_PERSON[what])
            if key is not None:
                minute.count((person, key), PER_KEY)
        if what in PER_ADDRESS and not self._is_trusted(address):
            minute.count((what, "address", address), PER_ADDRESS[what])

    def shut_out(self, viewer: str) -> None:
        """A viewer whose socket flooded is let in again after `OUT_S`."""
        now = monotonic()
        self._out = {one: until for one, until in self._out.items() if until > now}
        self._out[viewer] = now + OUT_S

    def shut_out_for(self, viewer: str | None) -> int:
        """Seconds until the viewer is let in again; 0 = now."""
        until = self._out.get(viewer, 0.0) if viewer is not None else 0.0
        return max(0, math.ceil(until - monotonic())) if until else 0

    @asynccontextmanager
    async def guess(self, address: str, login: str) -> AsyncIterator[None]:
        """Around a try to sign in: refused with `too_many` after too many that failed. Only a
        `Refusal` from inside is counted, never a success."""
        login = login.strip().lower()
        limits = [
            (WRONG_HERE, ("login here", login, address)),
            (WRONG_ANYWHERE, ("login anywhere", login)),
        ]
        if not self._is_trusted(address):
            limits.append((WRONG_FROM, ("login from", address)))
        async with self._guesses:
            for limit, names in limits:
                if not await self._windows.test(limit, *names):
                    raise await self._too_many(limit, *names)
            try:
                yield
            except Refusal:
                for limit, names in limits:
                    await self._windows.hit(limit, *names)
                raise

    async def _too_many(self, limit: RateLimitItem, *names: str) -> Refusal:
        stats = await self._windows.get_window_stats(limit, *names)
        return Refusal("too_many", retry_after=max(1, int(stats.reset_time - time()) + 1))

    def _is_trusted(self, address: str) -> bool:
        known = self._known.get(address)
        if known is None:
            if len(self._known) > REMEMBERED:
                self._known.clear()
            known = self._known[address] = self._looked_up(address)
        return known

    def _looked_up(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._trusted)


class Minute:
    """Counts of the present minute, all forgotten when it is over. It is asked for every act of the
    public, 40,000 times a second, where a sliding window costs more than the act itself. Of a name it
    keeps the hash: the names themselves, millions in a minute like that, would take three times as much."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._ends = 0.0

    def has(self, name: tuple[str, ...]) -> bool:
        """Whether it was counted in this minute."""
        return monotonic() < self._ends and hash(name) in self._counts

    def count(self, name: tuple[str, ...], most: int) -> None:
        """One more; `too_many` when there have been `most`."""
        now, number = monotonic(), hash(name)
        if now >= self._ends:
            self._counts, self._ends = {}, now + 60
        n = self._counts.get(number, 0)
        if n >= most:
            raise Refusal("too_many", retry_after=int(self._ends - now) + 1)
        self._counts[number] = n + 1


class Bucket:
    """A token bucket for one socket: `rate` a second, `burst` at once."""

    def __init__(self, rate: float = 20.0, burst: float = 60.0) -> None:
        self._rate, self._burst, self._left, self._at = rate, burst, burst, monotonic()

    def take(self) -> bool:
        """Whether one more frame is taken; False = flood."""
        now = monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
