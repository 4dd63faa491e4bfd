"""The bell between processes: Redis pub/sub that carries no more than "hearing 7" (law 1).

Redis gone = slower, nothing else: a ring that cannot be sent is dropped, and every process looks
at the journals of its hearings twice a second anyway (`relay.py`).
"""

from __future__ import annotations

import asyncio
from secrets import token_hex

import redis.asyncio as redis
import structlog
from redis.exceptions import (
    AuthenticationError,
    ConnectionError,
    RedisError,
    TimeoutError,
)

from server.domain.refusals import Refusal
from server.live.bus_memory import Heard

CHANNEL = "pingyi:bell"
LISTEN_S = 0.5
"""How long it listens before it looks whether it should still."""
log = structlog.get_logger()


class RedisBus:
    """Rings over Redis; its own process hears itself at once, without the round trip.

    No act waits for Redis: what is to be rung is written down and sent by a task of its own, once
    however often it was rung meanwhile.
    """

    def __init__(self, url: str) -> None:
        # Pub/sub may be silent for hours, so reading has no timeout; connecting and sending do.
        try:
            self._sender = redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
            self._reader = redis.Redis.from_url(url, socket_timeout=None, socket_connect_timeout=2)
        except ValueError:
            raise Refusal("redis_wrong") from None
        self._me = token_hex(4)
        self._heard: list[Heard] = []
        self._rung: dict[str, None] = {}
        self._ringing = asyncio.Event()
        self._stopped = False
        self._listens, self._sends = False, True
        self._tasks: list[asyncio.Task[None]] = []

    def listen(self, heard: Heard) -> None:
        """`heard` is called for every ring."""
        self._heard.append(heard)

    @property
    def up(self) -> bool:
        """Whether the bell is heard, and the last ring was taken. A Redis that is frozen keeps its
        connections: only who rings notices."""
        return self._listens and self._sends

    async def ring(self, hearing: int) -> None:
        """The hearing's journal has grown."""
        await self._tell("hearing", str(hearing))

    async def stir(self, round_id: str) -> None:
        """A round's turnout has changed."""
        await self._tell("round", round_id)

    async def shut_out(self, viewer: str) -> None:
        """A viewer flooded: it is refused by every process."""
        await self._tell("flooder", viewer)

    async def check(self) -> None:
        """Raises `redis_wrong` where something else answers, or Redis does not let this process in.
        One that is away is no fault: the bell rings when it comes back."""
        try:
            await self._sender.ping()
        except AuthenticationError:
            raise Refusal("redis_wrong") from None
        except (ConnectionError, TimeoutError, OSError) as error:
            log.warning("bus_lost", error=type(error).__name__)
        except RedisError:
            raise Refusal("redis_wrong") from None

    async def start(self) -> None:
        """Rings and listens from now on, and again after every loss of Redis."""
        self._tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._listen())]

    async def stop(self) -> None:
        """Leaves Redis. Nothing is cancelled: redis-py goes on as if it were not when that happens
        while it connects, and leaves the connection open. A last message wakes its own listener."""
        self._stopped = True
        self._rung[f"{self._me} left -"] = None
        self._ringing.set()
        await asyncio.gather(*self._tasks)
        await self._sender.aclose()
        await self._reader.aclose()

    async def _tell(self, kind: str, id_: str) -> None:
        self._rung[f"{self._me} {kind} {id_}"] = None
        self._ringing.set()
        await self._hear(kind, id_)

    async def _hear(self, kind: str, id_: str) -> None:
        for heard in self._heard:
            await heard(kind, id_)

    async def _send(self) -> None:
        while not self._stopped:
            await self._ringing.wait()
            self._ringing.clear()
            rung, self._rung = self._rung, {}
            # A connection that was kept may have ended meanwhile: the second try has a new one. A ring
            # that cannot be sent is dropped: whoever missed it looks by himself.
            for _ in range(2):
                try:
                    async with self._sender.pipeline(transaction=False) as pipeline:
                        for message in rung:
                            pipeline.publish(CHANNEL, message)
                        if not rung:
                            pipeline.ping()
                        await pipeline.execute()
                    self._sends = True
                    break
                except Exception as error:
                    if self._sends:  # Said once, until it is rung again.
                        log.warning("bus_not_rung", error=type(error).__name__)
                    self._sends = False

    async def _listen(self) -> None:
        while not self._stopped:
            try:
                async with self._reader.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await pubsub.subscribe(CHANNEL)
                    self._listens = True
                    while not self._stopped:
                        message = await pubsub.get_message(timeout=LISTEN_S)
                        if message is not None:
                            await self._received(message["data"])
                        if not self._sends:
                            self._ringing.set()  # Is it there again? Nobody may ring for long.
            except Exception as error:  # it must listen on, whatever was sent or whoever failed
                self._listens = False
                log.warning("bus_lost", error=type(error).__name__)
                await asyncio.sleep(LISTEN_S)

    async def _received(self, data: bytes) -> None:
        match data.decode(errors="replace").split(" "):
            case [ringer, kind, id_] if ringer != self._me:  # Its own was heard at once.
                try:
                    await self._hear(kind, id_)
                except Exception as error:  # Whatever was said: Redis itself is there.
                    log.warning("ring_not_heard", error=type(error).__name__)
