"""The bell between processes: Redis pub/sub that carries no more than "hearing 7" (law 1).

Redis gone = slower, nothing else: a ring that cannot be sent is dropped, and every process looks
at the journals of its hearings twice a second anyway (`relay.py`).
"""

from __future__ import annotations

import asyncio
import contextlib

import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError

from server.live.bus_memory import Heard

CHANNEL = "pingyi:bell"
log = structlog.get_logger()


class RedisBus:
    """Rings over Redis; its own process hears itself at once, without the round trip."""

    def __init__(self, url: str) -> None:
        # Pub/sub may be silent for hours, so reading has no timeout; connecting and sending do.
        self._sender = redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
        self._reader = redis.Redis.from_url(url, socket_timeout=None, socket_connect_timeout=2)
        self._heard: list[Heard] = []
        self._task: asyncio.Task[None] | None = None

    def listen(self, heard: Heard) -> None:
        """`heard` is called for every ring."""
        self._heard.append(heard)

    async def ring(self, hearing: int) -> None:
        """The hearing's journal has grown."""
        await self._tell("hearing", str(hearing))

    async def stir(self, round_id: str) -> None:
        """A round's turnout has changed."""
        await self._tell("round", round_id)

    async def _tell(self, kind: str, id_: str) -> None:
        for heard in self._heard:
            await heard(kind, id_)
        with contextlib.suppress(RedisError, OSError, asyncio.TimeoutError):
            await self._sender.publish(CHANNEL, f"{kind} {id_}")

    async def start(self) -> None:
        """Listens from now on, and again after every loss of Redis."""
        self._task = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        """Leaves Redis."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._sender.aclose()
        await self._reader.aclose()

    async def _listen(self) -> None:
        while True:
            try:
                pubsub = self._reader.pubsub()
                async with pubsub:
                    await pubsub.subscribe(CHANNEL)
                    async for message in pubsub.listen():
                        if message["type"] == "message":
                            kind, _, id_ = message["data"].decode().partition(" ")
                            for heard in self._heard:
                                await heard(kind, id_)
            except (RedisError, OSError) as error:
                log.warning("bus_lost", error=type(error).__name__)
                await asyncio.sleep(0.5)
