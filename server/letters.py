"""Visits to a mailbox: its new letters become questions, and their senders get the code.

The connection stays open where the server says by itself that a letter came. Whatever waits for the
network or takes a while has a thread; the loop waits for the socket itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, ParamSpec, TypeVar, cast

import structlog

from moderation.intake.acknowledgement import acknowledgement
from moderation.intake.mail import LETTER_LARGEST, Letter, number_of, read_letter
from moderation.intake.mailbox import Lost, Mailbox
from moderation.intake.postbox import Postbox
from moderation.take_in import letter_in, packed
from server.actions.import_questions import writers_secret
from server.actions.take_letters import Due, HeldBack, next_due, take_letters
from server.domain.incoming import Incoming
from server.domain.refusals import Refusal
from server.visit import Visit

log = structlog.get_logger()
Said = ParamSpec("Said")
Given = TypeVar("Given")

PIECE_MOST: Final = 50
PIECE_BYTES: Final = 2 * 1024 * 1024
"""Letters, and bytes of them, that are taken in together; a larger one comes in by itself."""
IDLE_MOST_S: Final = 9 * 60.0
"""How long a server is left alone: many end a connection after half an hour, some firewalls after ten
minutes."""
STAYED_S: Final = 30.0
"""A connection that is lost after so long is made again at once: that is what servers do at night."""
TRIES: Final = 2
"""How often a letter is fetched at which the connection is lost; then it is left where it is."""
YOUNG: Final = timedelta(days=2)
"""Whose letter came earlier is not told now that it came: a mailbox that is taken in for the first time
may hold years."""
KEPT_APART: Final = 1024 * 1024
"""Bytes of a message that is kept apart whole; of a larger one its beginning, the rest is in the
mailbox."""

_reading = threading.Lock()
"""One letter is read at a time: it takes a while, and memory."""


async def _in_thread(work: Callable[Said, Given], *args: Said.args, **named: Said.kwargs) -> Given:
    """What it gives or raises, from a thread of its own: a pool would be full of servers that are
    silent, and a process that ends would wait for them."""
    loop = asyncio.get_running_loop()
    came: asyncio.Future[Given] = loop.create_future()

    def tell(given: Given | None, error: BaseException | None) -> None:
        if came.done():  # nobody waits any more
            return
        if error is not None:
            came.set_exception(error)
        else:
            came.set_result(cast(Given, given))

    def run() -> None:
        given, failed = None, None
        try:
            given = work(*args, **named)
        except Exception as error:
            failed = error
        with contextlib.suppress(RuntimeError):  # the process has ended meanwhile
            loop.call_soon_threadsafe(tell, given, failed)

    threading.Thread(target=run, name="mail", daemon=True).start()
    return await came


async def poll_mailbox(visit: Visit) -> None:
    """Takes in what is new; stays for as long as the server tells of more. Refused with what is wrong
    with the mailbox."""
    rounds = _Rounds(visit)
    loop = asyncio.get_running_loop()
    while True:
        box = Mailbox(visit.source.settings, visit.secrets.get("password", ""))
        opened = 0.0
        try:
            await _in_thread(box.open)
            opened = loop.time()
            await rounds.all(box)
            await _in_thread(box.close)
            return
        except Lost:
            if rounds.stuck or (opened and loop.time() - opened > STAYED_S):
                continue
            raise Refusal("mailbox_unreachable") from None
        finally:
            box.drop()


class _Rounds:
    """The rounds of one visit. `stuck` = a letter at which the connection was just lost."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        told = visit.source.settings
        place = f"{told['user']}@{told['host']}:{told['port']}/{told['folder']}"
        self._place = hashlib.sha256(place.encode()).hexdigest()[:16]
        stood = visit.source.state
        self._validity, self._uid = 0, 0
        if stood.get("place") == self._place:
            self._validity, self._uid = stood.get("uidvalidity", 0), stood.get("uid", 0)
        self._waits = bool(stood.get("waiting"))
        self._lost_at: dict[int, int] = {}
        self.stuck = False

    async def all(self, box: Mailbox) -> None:
        """One round, or as many as the server tells of."""
        if box.validity != self._validity:
            self._validity, self._uid, self._lost_at = box.validity, 0, {}
        while True:
            self.stuck = False
            await self._take(box)
            await self._visit.done(await self._answer())
            if not box.idles:
                return
            await self._news(box)

    async def _news(self, box: Mailbox) -> None:
        """Until a letter came, or it is time to look."""
        if not await _in_thread(box.idle):
            loop, stirred, descriptor = asyncio.get_running_loop(), asyncio.Event(), box.descriptor
            loop.add_reader(descriptor, stirred.set)
            waits = [asyncio.create_task(one.wait()) for one in (stirred, self._visit.due)]
            try:
                await asyncio.wait(waits, timeout=IDLE_MOST_S, return_when=asyncio.FIRST_COMPLETED)
            finally:
                loop.remove_reader(descriptor)
                for one in waits:
                    one.cancel()
        await _in_thread(box.done)

    # ── Letters ──

    async def _take(self, box: Mailbox) -> None:
        found = await _in_thread(box.newer_than, self._uid)
        for piece in _pieces(found):
            taken = _Piece()
            for uid, size in piece:
                await self._one(box, uid, size, taken)
            await self._taken(piece[-1][0], taken)

    async def _one(self, box: Mailbox, uid: int, size: int, taken: _Piece) -> None:
        house, settings = self._visit.house, self._visit.source.settings
        if self._lost_at.get(uid, 0) >= TRIES:
            name = f"{self._validity}.{uid}"
            taken.apart.append(
                HeldBack(name, "letter_unfetched", house.seal({"uid": uid, "bytes": size}))
            )
            return
        large = size > LETTER_LARGEST
        self.stuck = True
        try:
            fetched = await _in_thread(box.fetch, uid, head=large)
        except Lost:
            self._lost_at[uid] = self._lost_at.get(uid, 0) + 1
            raise
        self.stuck = False
        if fetched is None:  # somebody took it away meanwhile
            return
        raw, arrived = fetched
        await _in_thread(_read, raw, arrived, size if large else 0, settings, house, taken)

    async def _taken(self, uid: int, taken: _Piece) -> None:
        stood = {"place": self._place, "uidvalidity": self._validity, "uid": uid}
        visit = self._visit
        await take_letters(
            visit.house,
            visit.hearing,
            visit.source.key,
            tuple(taken.items.values()),
            taken.apart,
            stood,
            taken.answers,
        )
        self._uid = uid
        self._waits = self._waits or bool(taken.answers)

    # ── Acknowledgements ──

    async def _answer(self) -> str:
        """Sends what is due; "" or the code of why it cannot be sent."""
        settings = self._visit.source.settings
        if not self._waits or not settings.get("acknowledge"):
            return ""
        post = Postbox(settings, self._visit.secrets.get("password", ""))
        try:
            await _in_thread(post.open)
            self._waits = await self._send_all(post)
        except Refusal as refusal:
            return refusal.code
        finally:
            await _in_thread(post.close)
        return "mailbox_answers" if self._waits else ""

    async def _send_all(self, post: Postbox) -> bool:
        """Whether one has to wait."""
        visit = self._visit
        due: Due | None = None
        out = True
        while True:
            due = await next_due(visit.house, visit.hearing, visit.source.key, due, out)
            if due is None:
                return not out
            out = await _in_thread(post.send, self._acknowledgement(due))

    def _acknowledgement(self, due: Due) -> Any:
        visit = self._visit
        to = visit.house.unseal(due.box)
        link = f"{visit.public_url}/q/{due.code}" if visit.public_url else ""
        at = datetime.fromtimestamp(visit.house.now() / 1000, UTC)
        sender = visit.source.settings["from"]
        secret = writers_secret(visit.house, due.code)
        return acknowledgement(due.code, secret, link, sender, to["to"], to["message_id"], at)


@dataclass
class _Piece:
    """Letters that were read and are to be taken in together."""

    items: dict[str, Incoming] = field(default_factory=dict)
    apart: list[HeldBack] = field(default_factory=list)
    answers: dict[str, Due] = field(default_factory=dict)


def _pieces(found: Sequence[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    piece: list[tuple[int, int]] = []
    size = 0
    for one in found:
        if piece and (len(piece) >= PIECE_MOST or size + one[1] > PIECE_BYTES):
            yield piece
            piece, size = [], 0
        piece.append(one)
        size += min(one[1], LETTER_LARGEST)
    if piece:
        yield piece


def _read(
    raw: bytes,
    arrived: datetime | None,
    too_large: int,
    settings: Mapping[str, Any],
    house: Any,
    taken: _Piece,
) -> None:
    """One letter, masked and sealed, or kept apart. `too_large`: its size, of which this is the
    beginning."""
    with _reading:
        _read_alone(raw, arrived, too_large, settings, house, taken)


def _read_alone(
    raw: bytes,
    arrived: datetime | None,
    too_large: int,
    settings: Mapping[str, Any],
    house: Any,
    taken: _Piece,
) -> None:
    if too_large:
        box = house.seal({"bytes": too_large, "beginning": packed(raw)})
        taken.apart.append(HeldBack(number_of(raw), "letter_large", box))
        return
    found = read_letter(raw, arrived=arrived, own=settings.get("from", ""))
    if not isinstance(found, Letter):
        box = house.seal({"bytes": len(raw), "letter": packed(raw[:KEPT_APART])})
        taken.apart.append(HeldBack(found.external_id, found.code, box))
        return
    item = letter_in(found, raw, house, house.masked_names)
    taken.items[item.external_id] = item
    if settings.get("acknowledge") and found.answer_to and _is_young(arrived, house.now()):
        box = house.seal({"to": found.answer_to, "message_id": found.message_id})
        who = house.author_secret("mailbox", found.answer_to.lower())
        taken.answers[item.external_id] = Due(box, who=who)


def _is_young(arrived: datetime | None, now: int) -> bool:
    moment = datetime.fromtimestamp(now / 1000, UTC)
    return arrived is None or moment - arrived < YOUNG
