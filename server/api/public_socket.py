"""The public's handshake, answered without uvicorn's WebSocket: what comes of it is a `Viewer`.

Only `/h/SLUG/socket` and only a sound handshake are taken; everything else, and every fault, is left
to the plain path (`sockets.py`), which answers the same in the same words.
"""

from __future__ import annotations

import asyncio
import re
import sys
from base64 import b64encode
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha1
from time import monotonic
from typing import Any
from urllib.parse import parse_qs

if sys.platform != "win32":
    import resource

import structlog
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import Scope

from server.api.sockets import RETRY_MS, not_let_in, wait_outside, whole_number
from server.api.talk import Talk
from server.domain.refusals import Refusal
from server.live import frames
from server.live.channels import Channel, Spot, channel, check_join
from server.live.viewer import Viewer
from server.services import Services

log = structlog.get_logger()

PUBLIC = re.compile(rb"/h/([a-z0-9-]{1,60})/socket(?:\?([^#]*))?")
KEY = re.compile(rb"[A-Za-z0-9+/]{22}==")
KNOWN_S = 1.0
"""How long a hearing that was found is taken as found: it may go back to `draft` meanwhile."""
SAID = 32 * 1024
"""Characters that are kept of what one says who is not yet let in."""
AGAIN_S = 1.0
"""After which a snapshot that could not be made is tried again."""


@dataclass(eq=False)
class Audience:
    """All viewers of one channel, as a `viewer.Room`."""

    here: Services
    talk: Talk
    channel: Channel
    spot: Spot
    found: float = field(default_factory=monotonic)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    arrivals: list[Arrival] = field(default_factory=list)
    """Who waits for the snapshot that is being made: a crowd that comes at once needs one."""
    behind: dict[Viewer, tuple[str | None, int | None]] = field(default_factory=dict)
    """Who is here and waits for the same, each once, however often it asks."""

    def heard(self, viewer: Viewer, text: str) -> None:
        """It said something."""
        self.talk.hear(viewer, text)

    def drained(self, viewer: Viewer) -> None:
        """It has taken what waited."""
        self._welcome(viewer, None, None)

    def resume(self, viewer: Viewer, epoch: str, version: int) -> None:
        """It asks for the gap from where it stands."""
        self._welcome(viewer, epoch, version)

    def flooded(self, viewer: Viewer) -> None:
        """Its token is refused for a minute, wherever it comes back."""
        if viewer.viewer is not None:
            self.here.shut_out(viewer.viewer)

    def left(self, viewer: Viewer) -> None:
        """Its connection has ended."""
        self.behind.pop(viewer, None)
        self.here.hub.leave(viewer)
        self.here.pulse.stirred(self.channel.hearing)

    def tick(self) -> int:
        """The number of the next frame."""
        return self.here.hub.fan(self.channel).next

    def _welcome(self, viewer: Viewer, epoch: str | None, version: int | None) -> None:
        ready = self.here.relay.ready(self.channel, epoch, version)
        if ready is not None:
            viewer.begin(ready)
            return
        if not self.behind:
            self.later(self._catch_up())
        self.behind[viewer] = epoch, version

    async def _catch_up(self) -> None:
        """The first of those who wait has its snapshot made; the others then share it."""
        relay = self.here.relay
        while self.behind:
            viewer, stands = next(iter(self.behind.items()))
            try:
                await relay.welcome(viewer, *stands)
            except Exception as error:  # The database is away, and they wait for it.
                log.warning("catch_up_failed", error=type(error).__name__)
                await asyncio.sleep(AGAIN_S)
                continue
            self.behind.pop(viewer, None)
            for other, stands in tuple(self.behind.items()):
                ready = relay.ready(self.channel, *stands)
                if ready is not None:
                    del self.behind[other]
                    other.begin(ready)

    def later(self, work: Coroutine[None, None, None]) -> None:
        """Something that has to wait for the database."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


class Lobby:
    """Where a viewer waits until it has what it came for: what it says meanwhile is heard after."""

    channel = Channel(0, "public", "json", "zh")
    spot: Spot
    audience: Audience | None = None

    def __init__(self, here: Services) -> None:
        self.here = here
        self.said: list[str] = []

    def heard(self, viewer: Viewer, text: str) -> None:
        """Kept, as long as it is no more than a page says in so short a time: while a database hangs, many
        may wait here for long."""
        if sum(map(len, self.said)) + len(text) > SAID:
            viewer.close(1013, "later")
            return
        self.said.append(text)

    def drained(self, viewer: Viewer) -> None:
        """It is sent a snapshot anyway."""

    def resume(self, viewer: Viewer, epoch: str, version: int) -> None:
        """It is sent a snapshot anyway."""

    def flooded(self, viewer: Viewer) -> None:
        """As inside."""
        if viewer.viewer is not None:
            self.here.shut_out(viewer.viewer)

    def left(self, viewer: Viewer) -> None:
        """Nobody knew it yet."""

    def tick(self) -> int:
        """That of the channel for which it waits."""
        return self.audience.tick() if self.audience else 0


@dataclass(frozen=True)
class Wish:
    """What the address of a handshake asks for."""

    slug: str
    format: str
    lang: str
    epoch: str | None
    version: int | None


@lru_cache(256)
def asked(query: bytes) -> dict[str, str]:
    """The members of an address's query: those who come in a crowd ask for much the same."""
    return {name: values[-1] for name, values in parse_qs(query.decode("latin-1")).items()}


def most_viewers() -> int:
    """How many sockets this process may hold: 18,000, or what its descriptors allow, of which a tenth
    and more is kept for requests, files and the database."""
    if sys.platform == "win32":
        return 18_000
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(18_000, max(100, soft * 9 // 10 - 100))


def accept(key: bytes) -> bytes:
    """The answer to a handshake with this `Sec-WebSocket-Key` (RFC 6455, 4.2.2)."""
    digest = sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", usedforsecurity=False).digest()
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + b64encode(digest) + b"\r\n\r\n"
    )


Arrival = tuple[Viewer, Wish, Lobby]


class Head(Headers):
    """A head whose fields are put into a table once, not looked for one by one."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(raw=scope["headers"])
        self._first = {n.decode("latin-1"): v for n, v in reversed(scope["headers"])}

    def get(self, key: str, default: Any = None) -> Any:
        """The first field of this name, which is in lower case here."""
        value = self._first.get(key)
        return default if value is None else value.decode("latin-1")


class Handshake(HTTPConnection):
    """A request that asks for a socket."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._headers = Head(scope)


class Reception:
    """Takes the public in, as long as there is room."""

    def __init__(self, here: Services, most: int) -> None:
        self._here, self._talk, self._most = here, Talk(here), most
        self.full: Callable[[], None] = lambda: None
        """Called when there is no room for another: whoever listens may stop to."""
        self._audiences: dict[tuple[str, str, str], Audience] = {}
        self._arrivals: dict[tuple[str, str, str], list[Arrival]] = {}
        """Who waits for a hearing that is being looked up."""
        self._tasks: set[asyncio.Task[None]] = set()

    def admit(self, scope: Scope, url: bytes, transport: asyncio.Transport) -> bool:
        """Whether the handshake is taken; then the transport is the viewer's."""
        here, matched, connection = self._here, PUBLIC.fullmatch(url), Handshake(scope)
        headers = connection.headers
        key = headers.get("sec-websocket-key", "").encode()
        if (
            matched is None
            or connection.scope["method"] != "GET"
            or headers.get("sec-websocket-version") != "13"
            or not KEY.fullmatch(key)
        ):
            return False
        try:
            here.door.check_origin(connection, socket=True)
        except Refusal:
            return False
        query = asked(matched[2] or b"")
        wish = Wish(
            matched[1].decode(),
            query.get("as", "json"),
            "en" if query.get("lang") == "en" else "zh",
            query.get("epoch"),
            whole_number(query.get("version")),
        )
        lobby = Lobby(here)
        viewer = Viewer(
            transport,
            lobby,
            here.door.viewer(connection, query.get("viewer")),
            here.door.address(connection),
        )
        transport.set_protocol(viewer)
        out = here.limiter.shut_out_for(viewer.viewer)
        if out:
            frame = wait_outside(here.house.now(), wish.lang, out)
            viewer.begin(frame, accept(key))
            viewer.close(1008, "flood")
            return True
        if self._present() >= self._most:
            self.full()
            # A browser cannot read a refused handshake, so it is told inside.
            viewer.begin([frames.wait(here.house.now(), RETRY_MS)], accept(key))
            viewer.close(1013, "full")
            return True
        audience = self._audiences.get((wish.slug, wish.format, wish.lang))
        if audience is not None and monotonic() - audience.found < KNOWN_S:
            self._seat(audience, viewer, wish, lobby, accept(key))
        else:
            transport.write(accept(key))
            waiting = self._arrivals.setdefault((wish.slug, wish.format, wish.lang), [])
            waiting.append((viewer, wish, lobby))
            if len(waiting) == 1:
                task = asyncio.create_task(self._find(wish))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        return True

    @property
    def has_room(self) -> bool:
        """Whether it is worth listening again: for more than one."""
        return self._present() < self._most * 0.98

    def _present(self) -> int:
        """Who is here, and who waits to be."""
        waiting = sum(map(len, self._arrivals.values()))
        waiting += sum(len(one.arrivals) for one in self._audiences.values())
        return self._here.hub.total() + waiting

    async def _find(self, wish: Wish) -> None:
        """The hearing is looked up, or is not there; whoever has come for it meanwhile is told."""
        here, name = self._here, (wish.slug, wish.format, wish.lang)
        try:
            async with here.store.look(slug=wish.slug) as unit:
                place = unit.place
            check_join(place, "public", None)
            chosen = channel(place, "public", wish.format, wish.lang)
        except Exception as error:
            self._refuse(self._arrivals.pop(name), error)
            return
        audience = self._audiences.get(name)
        if audience is None or audience.spot.place.ref != place.ref:
            audience = Audience(here, self._talk, chosen, Spot(place, "public", wish.lang))
            self._audiences[name] = audience
        audience.found = monotonic()
        for viewer, wish, lobby in self._arrivals.pop(name):
            self._seat(audience, viewer, wish, lobby, b"")

    def _seat(
        self, audience: Audience, viewer: Viewer, wish: Wish, lobby: Lobby, head: bytes
    ) -> None:
        """The viewer gets what it came for, and every frame from then on."""
        here = self._here
        ready = here.relay.ready(audience.channel, wish.epoch, wish.version)
        if ready is not None:
            viewer.room = audience
            # A page's countdown runs on the server's clock: every socket is told the time at once.
            viewer.begin([*ready, frames.pulse(here.house.now())], head)
            self._join(audience, viewer, lobby)
            return
        if head:
            viewer.transport.write(head)
        audience.arrivals.append((viewer, wish, lobby))
        if len(audience.arrivals) == 1:
            audience.later(self._welcome(audience))

    def _join(self, audience: Audience, viewer: Viewer, lobby: Lobby) -> None:
        self._here.hub.join(viewer)
        self._here.pulse.stirred(audience.channel.hearing)
        for text in lobby.said:
            audience.heard(viewer, text)

    async def _welcome(self, audience: Audience) -> None:
        """The first of those who wait has its snapshot made; the others then share it."""
        here, (viewer, wish, lobby) = self._here, audience.arrivals[0]
        lobby.audience, lobby.channel = audience, audience.channel
        try:
            await here.relay.welcome(viewer, wish.epoch, wish.version)
        except Exception as error:
            arrivals, audience.arrivals = audience.arrivals, []
            self._refuse(arrivals, error)
            return
        viewer.room = audience
        viewer.put(frames.pulse(here.house.now()))
        self._join(audience, viewer, lobby)
        arrivals, audience.arrivals = audience.arrivals[1:], []
        for viewer, wish, lobby in arrivals:
            self._seat(audience, viewer, wish, lobby, b"")

    def _refuse(self, arrivals: list[Arrival], error: Exception) -> None:
        """All of them are told why, or to come back, and go."""
        if not isinstance(error, Refusal):
            log.error("arrivals_failed", arrivals=len(arrivals), error=type(error).__name__)
        now = self._here.house.now()
        for viewer, wish, _ in arrivals:
            frame, code, reason = not_let_in(now, wish.lang, error)
            viewer.put(frame)
            viewer.close(code, reason)
