"""Rate limits: per person where a person is known, per address only as a far fence.

A hall of hundreds shares one address, so a limit per address is wide, and networks named in
`PINGYI_TRUSTED_NETS` have none; what one viewer or one socket may do is narrow.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from time import monotonic, time

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from server.domain.refusals import Refusal
from server.settings import Settings

PER_ADDRESS: Mapping[str, RateLimitItem] = {
    "viewers": parse("3000/minute"),
    "ask": parse("300/minute"),
    "public_act": parse("6000/minute"),
    "join": parse("120/minute"),
    "login": parse("60/minute"),
}
PER_PERSON: Mapping[str, RateLimitItem] = {
    "ask": parse("6/minute"),
    "public_act": parse("120/minute"),
    "login": parse("5/15minute"),
}


class Limiter:
    """Counts in this process."""

    def __init__(self, settings: Settings) -> None:
        self._windows = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._trusted = [ipaddress.ip_network(n, strict=False) for n in settings.trusted_nets]

    async def check(self, what: str, address: str, person: str | None = None) -> None:
        """`too_many`, with the seconds to wait, when the limit is reached."""
        if person is not None and what in PER_PERSON:
            await self._hit(PER_PERSON[what], what, "person", person)
        if what in PER_ADDRESS and not self._is_trusted(address):
            await self._hit(PER_ADDRESS[what], what, "address", address)

    async def _hit(self, limit: RateLimitItem, *names: str) -> None:
        if not await self._windows.hit(limit, *names):
            stats = await self._windows.get_window_stats(limit, *names)
            raise Refusal("too_many", retry_after=max(1, int(stats.reset_time - time()) + 1))

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._trusted)


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
