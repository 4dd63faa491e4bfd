"""The sockets: `/h/SLUG/socket` for the public, `/h/SLUG/PAGE/socket` for staff pages.

The right to join is checked before the handshake is answered for the Origin (403), and right after
it for the person (4401, 4403), because a browser cannot read a refused handshake. Only the rules
keep anybody out: whoever comes while the database is away is told to come back.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterator

import structlog
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from server.actions.check_in import check_in
from server.api.talk import Talk
from server.domain.events import ROOMS
from server.domain.hearing import Place
from server.domain.refusals import OutcomeUnknown, Refusal, RolledBack
from server.domain.roles import Actor
from server.identity.cards import KIOSK
from server.identity.limits import Bucket
from server.live import frames
from server.live.channels import Spot, channel, check_join
from server.live.hub import Listener
from server.services import Services, services_of

router = APIRouter()
log = structlog.get_logger()

LARGEST = 16 * 1024
NOT_ALLOWED = 4403
CLOSE = {"not_signed_in": 4401, "bad_token": 4401}
RETRY_MS = 4000
"""When to come back to a process that is full, or that could not read the database."""
GUARD_S = 1.0
"""How often a staff socket asks whether its session still holds (revoked means out in ≤ 2 s), and a
tablet's whether another run is shown."""


@router.websocket("/h/{slug}/socket")
async def public_socket(websocket: WebSocket, slug: str) -> None:
    """The public's socket."""
    await _serve(websocket, slug, "public")


@router.websocket("/h/{slug}/{page}/socket")
async def staff_socket(websocket: WebSocket, slug: str, page: str) -> None:
    """A staff page's socket."""
    await _serve(websocket, slug, page)


async def _serve(websocket: WebSocket, slug: str, room: str) -> None:
    here = services_of(websocket)
    try:
        here.door.check_origin(websocket, socket=True)
    except Refusal:
        await websocket.close(NOT_ALLOWED)  # before accept: the handshake is answered 403
        return
    await websocket.accept()
    lang = "en" if websocket.query_params.get("lang") == "en" else "zh"
    session = _Session(here, websocket, slug, room, lang)
    out = here.limiter.shut_out_for(session.viewer) if room == "public" else 0
    try:
        if out:
            for frame in wait_outside(here.house.now(), lang, out):
                await websocket.send_text(frame)
            await websocket.close(1008, "flood")
            return
        await session.run()
    except (WebSocketDisconnect, asyncio.CancelledError):
        pass
    except Exception as error:
        if not isinstance(error, Refusal):
            log.error("arrival_failed", room=room, error=type(error).__name__)
        frame, code, reason = not_let_in(here.house.now(), lang, error)
        with contextlib.suppress(Exception):
            await websocket.send_text(frame)
            await websocket.close(code, reason)


class _Session:
    """One socket from handshake to close."""

    def __init__(
        self, here: Services, websocket: WebSocket, slug: str, room: str, lang: str
    ) -> None:
        self.here, self.websocket, self.slug, self.room = here, websocket, slug, room
        self.lang = lang
        self.viewer = here.door.viewer(websocket, websocket.query_params.get("viewer"))
        self.address = here.door.address(websocket)
        self.bucket = Bucket()
        self.talk = Talk(here)
        self.resuming: asyncio.Task[None] | None = None
        self.shown_in: int | None = None
        """The run in which this tablet has shown itself."""

    async def run(self) -> None:
        here, query = self.here, self.websocket.query_params
        if self.room not in ROOMS:
            raise Refusal("not_found")
        # Who it is comes first: whoever is not signed in learns of no hearing whether there is one.
        by = None if self.room == "public" else await here.door.actor(self.websocket)
        async with here.store.look(slug=self.slug) as unit:
            self.place: Place = unit.place
        check_join(self.place, self.room, by)
        self.spot = Spot(self.place, self.room, self.lang)
        chosen = channel(self.place, self.room, query.get("as", "json"), self.lang)
        self.listener = Listener(self.websocket, chosen, here.relay.catch_up_with)
        await here.relay.welcome(
            self.listener, query.get("epoch"), whole_number(query.get("version"))
        )
        # A page's countdown runs on the server's clock: every socket is told the time at once.
        self.listener.put(frames.pulse(here.house.now()))
        with here.hub.joined(self.listener), self._at_its_seat(by):
            here.pulse.stirred(self.place.ref.hearing)
            tasks = [asyncio.create_task(self.listener.write())]
            tasks.append(asyncio.create_task(self._read()))
            if by is not None:
                tasks.append(asyncio.create_task(self._guard(by)))
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (*tasks, self.resuming):
                    if task is not None:
                        task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(Exception):
            await self.websocket.close()

    @contextlib.contextmanager
    def _at_its_seat(self, by: Actor | None) -> Iterator[None]:
        """The console sees whose tablets are connected. A shared one is nobody's."""
        if self.websocket.query_params.get("seat", "").startswith(KIOSK):
            yield
            return
        if self.room != "panel" or by is None or by.seat is None:
            yield
            return
        self.here.tablets.came(id(self), self.place.ref.hearing, by.seat)
        try:
            yield
        finally:
            self.here.tablets.went(id(self))

    def put(self, frame: str) -> None:
        """An answer to what it said."""
        self.listener.answer(frame)

    def resume(self, epoch: str, version: int) -> None:
        """The gap from where it stands, or a snapshot."""
        self.resuming = asyncio.create_task(self.here.relay.welcome(self.listener, epoch, version))

    async def _guard(self, by: Actor) -> None:
        """A session that is revoked loses its sockets; one that holds makes its seat present. While
        the database cannot tell, what it told last holds."""
        while True:
            with self._database_may_be_away():
                await self._show_itself(by)
            await asyncio.sleep(GUARD_S)
            with self._database_may_be_away():
                found = await self.here.door.maybe_actor(self.websocket)
                try:
                    check_join(self.place, self.room, found)
                except Refusal as refusal:
                    self.listener.close(CLOSE.get(refusal.code, NOT_ALLOWED), refusal.code)
                    return

    @contextlib.contextmanager
    def _database_may_be_away(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            log.warning("guard_not_answered", room=self.room, error=type(error).__name__)

    async def _show_itself(self, by: Actor) -> None:
        """A seat is present in a run when its tablet has shown itself there. The card was used
        once, perhaps for the rehearsal; this is how the tablet is present in the real run too."""
        if self.room != "panel" or by.seat is None:
            return
        async with self.here.store.look(slug=self.slug) as unit:
            run = unit.place.ref.run
        if run == self.shown_in:
            return
        try:
            await check_in(self.here.house, self.slug, by.seat)
        except (OutcomeUnknown, RolledBack):
            return  # The next look tries again.
        except Refusal:
            pass  # Check-in has not begun in this run, or is over.
        self.shown_in = run

    async def _read(self) -> None:
        while True:
            message = await self.websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            if text is None:
                self.listener.close(1003, "binary")
                await asyncio.sleep(1)
                return
            if len(text.encode()) > LARGEST:
                self.listener.close(1009, "too large")
                await asyncio.sleep(1)
                return
            if not self.bucket.take():
                if self.room == "public" and self.viewer is not None:
                    self.here.shut_out(self.viewer)
                self.listener.close(1008, "flood")
                await asyncio.sleep(1)
                return
            self.talk.hear(self, text)


def wait_outside(now: int, lang: str, seconds: int) -> list[str]:
    """What a viewer is told that flooded: why, and when it may come back."""
    refusal = Refusal("too_many", retry_after=seconds)
    told = frames.refusal(now, None, refusal.code, refusal.message(lang), seconds * 1000)
    return [told, frames.wait(now, seconds * 1000)]


def not_let_in(now: int, lang: str, error: Exception) -> tuple[str, int, str]:
    """The frame, the code and the reason with which somebody who came is sent away.

    A page that is told 4401 or 4403 never comes back, so only a refusal by the rules may say so.
    Whatever else went wrong is over soon, the database being away above all: come back.
    """
    refusal = error if isinstance(error, Refusal) else Refusal("server_error")
    if refusal.status == 429 or refusal.status >= 500:
        return frames.wait(now, RETRY_MS), 1013, refusal.code
    told = frames.refusal(now, None, refusal.code, refusal.message(lang))
    return told, CLOSE.get(refusal.code, NOT_ALLOWED), refusal.code


def whole_number(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch("[0-9]{1,18}", text) else None
