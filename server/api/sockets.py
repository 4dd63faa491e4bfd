"""The sockets: `/h/SLUG/socket` for the public, `/h/SLUG/PAGE/socket` for staff pages.

The right to join is checked before the handshake is answered for the Origin (403), and right after
it for the person (4401, 4403), because a browser cannot read a refused handshake.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Mapping
from typing import Any

import orjson
import structlog
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from server.actions.ask_question import ask_question
from server.actions.cast_vote import cast_vote
from server.actions.check_in import check_in
from server.actions.perform import check_key
from server.actions.support_question import support_question
from server.api.common import shown, whole
from server.domain.events import ROOMS
from server.domain.hearing import Place
from server.domain.refusals import OutcomeUnknown, Refusal, RolledBack
from server.domain.roles import Actor
from server.identity.limits import Bucket
from server.live import frames
from server.live.channels import channel, check_join
from server.live.hub import Listener
from server.services import Services, services_of

router = APIRouter()
log = structlog.get_logger()

LARGEST = 16 * 1024
NOT_ALLOWED = 4403
_CLOSE = {"not_signed_in": 4401, "bad_token": 4401}
_FIELDS: Mapping[str, Mapping[str, type | tuple[type, ...]]] = {
    "viewer": {"viewer": str},
    "vote": {"round": str, "choice": str, "key": str},
    "ask": {"text": str, "key": str},
    "support": {"question": str, "on": bool, "key": str},
    "like": {"n": int},
    "clock": {"behind_ms": (int, float)},
    "resume": {"epoch": str, "version": int},
}
_OPTIONAL: Mapping[str, Mapping[str, type | tuple[type, ...]]] = {
    "vote": {"epoch": str},
    "ask": {"subject": (str, type(None)), "epoch": str},
    "support": {"epoch": str},
    "like": {"epoch": str},
}
"""`epoch` = of the run that the act is meant for: pages say it, a program may."""
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
    try:
        await _Session(here, websocket, slug, room, lang).run()
    except Refusal as refusal:
        with contextlib.suppress(Exception):
            await websocket.send_text(
                frames.refusal(here.house.now(), None, refusal.code, refusal.message(lang))
            )
            await websocket.close(_CLOSE.get(refusal.code, NOT_ALLOWED), refusal.code)
    except (WebSocketDisconnect, asyncio.CancelledError, RuntimeError):
        pass


class _Session:
    """One socket from handshake to close."""

    def __init__(
        self, here: Services, websocket: WebSocket, slug: str, room: str, lang: str
    ) -> None:
        self.here, self.websocket, self.slug, self.room = here, websocket, slug, room
        self.lang = lang
        self.viewer = here.door.viewer(websocket, websocket.query_params.get("viewer"))
        self.bucket = Bucket()
        self.acts: set[asyncio.Task[None]] = set()
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
        chosen = channel(self.place, self.room, query.get("as", "json"), self.lang)
        self.listener = Listener(self.websocket, chosen, here.relay.catch_up_with)
        await here.relay.welcome(
            self.listener, query.get("epoch"), _whole_number(query.get("version"))
        )
        # A page's countdown runs on the server's clock: every socket is told the time at once.
        self.listener.put(frames.pulse(here.house.now()))
        with here.hub.joined(self.listener):
            here.pulse.stirred(self.place.ref.hearing)
            tasks = [asyncio.create_task(self.listener.write())]
            tasks.append(asyncio.create_task(self._read()))
            if by is not None:
                tasks.append(asyncio.create_task(self._guard(by)))
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (*tasks, *self.acts):
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(Exception):
            await self.websocket.close()

    async def _guard(self, by: Actor) -> None:
        """A session that is revoked loses its sockets; one that holds makes its seat present."""
        while True:
            await self._show_itself(by)
            await asyncio.sleep(GUARD_S)
            found = await self.here.door.maybe_actor(self.websocket)
            try:
                check_join(self.place, self.room, found)
            except Refusal as refusal:
                self.listener.close(_CLOSE.get(refusal.code, NOT_ALLOWED), refusal.code)
                return

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
                self.listener.close(1008, "flood")
                await asyncio.sleep(1)
                return
            await self._take(text)

    async def _take(self, text: str) -> None:
        key: str | None = None
        try:
            try:
                frame = orjson.loads(text)
            except orjson.JSONDecodeError:
                raise Refusal("bad_json") from None
            if not isinstance(frame, dict):
                raise Refusal("bad_json")
            raw = frame.get("key")
            key = raw if isinstance(raw, str) and len(raw) <= 64 else None
            kind = _checked(frame)
            if kind == "viewer":
                self._become(frame["viewer"])
            elif kind == "like":
                self._like(frame["n"], frame.get("epoch"))
            elif kind == "resume":
                await self.here.relay.welcome(self.listener, frame["epoch"], frame["version"])
            elif kind in {"vote", "ask", "support"}:
                check_key(frame["key"])
                # An act waits for its commit; the next frame need not wait for the act.
                task = asyncio.create_task(self._act(kind, frame))
                self.acts.add(task)
                task.add_done_callback(self.acts.discard)
        except Refusal as refusal:
            self._refuse(key, refusal)

    def _become(self, token: str) -> None:
        viewer = self.here.keys.viewer_of(token)
        if viewer is None:
            raise Refusal("viewer_needed")
        self.viewer = viewer

    def _like(self, n: int, epoch: str | None) -> None:
        if epoch not in (None, self.here.relay.epoch(self.place.ref.hearing)):
            return  # Applause that was kept without a network, for a run that is over.
        if self.room == "public" and 1 <= n <= 10:
            self.here.pulse.like(self.place.ref.hearing, self.place.ref.run, n)

    async def _act(self, kind: str, frame: dict[str, Any]) -> None:
        here, key = self.here, frame["key"]
        try:
            if self.viewer is None:
                raise Refusal("viewer_needed")
            epoch = frame.get("epoch")
            address = here.door.address(self.websocket)
            if kind == "ask":
                await here.limiter.check("ask", address, self.viewer, key)
                done = await ask_question(
                    here.house,
                    self.viewer,
                    key,
                    self.slug,
                    frame["text"],
                    frame.get("subject"),
                    epoch=epoch,
                )
            else:
                await here.limiter.check("public_act", address, self.viewer, key)
                if kind == "vote":
                    done = await cast_vote(
                        here.house, self.viewer, key, frame["round"], frame["choice"], epoch
                    )
                else:
                    done = await support_question(
                        here.house,
                        self.viewer,
                        key,
                        self.slug,
                        frame["question"],
                        frame["on"],
                        epoch,
                    )
            self.listener.put(frames.ack(here.house.now(), key, done.answer))
        except Refusal as refusal:
            self._refuse(key, refusal)
        except OutcomeUnknown:
            self.listener.put(frames.unknown(here.house.now(), key))
        except Exception as error:  # the sender is told, and the log holds none of his words
            log.error("act_failed", kind=kind, error=type(error).__name__)
            self._refuse(key, Refusal("server_error"))

    def _refuse(self, key: str | None, refusal: Refusal) -> None:
        self.listener.put(
            frames.refusal(self.here.house.now(), key, refusal.code, refusal.message(self.lang))
        )


def _checked(frame: dict[str, Any]) -> str:
    """The frame's type, if it has exactly the fields of that type; else a refusal."""
    kind = frame.get("type")
    if not isinstance(kind, str) or kind not in _FIELDS:
        raise Refusal("malformed", place="type")
    needed, optional = _FIELDS[kind], _OPTIONAL.get(kind, {})
    for name in frame:
        if name != "type" and name not in needed and name not in optional:
            raise Refusal("unknown_field", field=shown(name)[:40])
    for name, wanted in needed.items():
        if name == "key" and name not in frame:
            raise Refusal("key_missing")
        value = frame[name] = whole(frame.get(name))
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            raise Refusal("malformed", place=name)
    for name, wanted in optional.items():
        if name in frame and not isinstance(frame[name], wanted):
            raise Refusal("malformed", place=name)
    for name, value in frame.items():
        if isinstance(value, str) and "\0" in value:  # PostgreSQL keeps it nowhere
            raise Refusal("malformed", place=name)
    return kind


def _whole_number(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch("[0-9]{1,18}", text) else None
