"""The public's socket as one small object: no task, queue or parser of its own (law 10).

uvicorn's WebSocket connection takes 31 KB, and 16,000 of them half a gigabyte; this one takes a tenth
of that. It takes over the transport after the handshake (`api/public_socket.py`) and speaks RFC 6455:
a whole, final, masked text frame is unmasked in place; anything else is handed frame by frame to
websockets' own sans-I/O protocol, made for it and dropped when the message has ended.

A viewer that reads too slowly is told by its transport: what it has not been sent then is dropped,
and when it has taken what waits it gets one snapshot. Any other ASGI server, and every staff page,
uses the plain path of `hub.Listener`, with the same frames.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import monotonic

from websockets.frames import CloseCode, Frame, Opcode, apply_mask  # type: ignore[attr-defined]
from websockets.protocol import Protocol as Frames
from websockets.protocol import Side, State

from server.live.channels import Channel, Spot
from server.live.fan import write_to_all
from server.live.frames import encoded, kept
from server.live.room import Room

LARGEST = 16 * 1024
"""Bytes of a message; a longer one ends in 1009."""
GOODBYE_S = 1.5
"""How long a viewer that was told goodbye may take to answer."""
RATE, BURST = 20.0, 60.0
"""Messages a second, and at once; who sends more ends in 1008."""
NEVER = 1 << 62
_QUICK = {0x89, 0x8A}


def descriptor(transport: asyncio.Transport) -> int:
    """Where a plain connection of uvloop's is written to; -1 for any other transport."""
    plain = (
        type(transport).__module__ == "uvloop.loop" and type(transport).__name__ == "TCPTransport"
    )
    return int(transport.get_extra_info("socket").fileno()) if plain else -1


class Viewer(asyncio.Protocol):
    """One viewer. `viewer` is the id of its token, `since` the number of the first frame that is
    newer than what it has begun with."""

    __slots__ = (
        "_closing",
        "_descriptor",
        "_kept",
        "_left",
        "_message",
        "_rest",
        "_told",
        "address",
        "behind",
        "direct",
        "missed",
        "numbers_due",
        "room",
        "since",
        "transport",
        "viewer",
    )
    largest = LARGEST
    rate, burst = RATE, BURST

    def __init__(
        self, transport: asyncio.Transport, room: Room, viewer: str | None, address: str
    ) -> None:
        self.transport, self.room, self.viewer, self.address = transport, room, viewer, address
        self._descriptor, self.direct = descriptor(transport), -1
        """`direct`: the descriptor while nothing is on its way through the transport, otherwise -1."""
        self.since = NEVER
        self.behind: float | None = None
        """Since when it has taken nothing of what waits for it."""
        self.missed = False
        """A frame has passed it meanwhile."""
        self.numbers_due = True
        self._closing, self._kept = False, NEVER
        self._rest: bytes | None = None
        self._message: _Message | None = None
        self._left, self._told = self.burst, monotonic()

    @property
    def open(self) -> bool:
        """Whether it is there and was not told goodbye."""
        return not self._closing

    @property
    def channel(self) -> Channel:
        """The channel whose frames it gets."""
        return self.room.channel

    @property
    def spot(self) -> Spot:
        """The hearing, the room and the language that it came for."""
        return self.room.spot

    def resume(self, epoch: str, version: int) -> None:
        """The gap from where it stands, or a snapshot; who is behind gets one anyway."""
        if self.behind is None:
            self.room.resume(self, epoch, version)

    # ── to the viewer ──

    def give(self, data: bytes) -> None:
        """Through the transport: what comes next goes the same way until this has been taken."""
        self.direct = -1
        if not self.transport.is_closing():
            self.transport.write(data)

    def held_back(self) -> bool:
        """Whether the transport still holds what it was given: then what follows goes there too."""
        if self._descriptor >= 0 and not self.transport.get_write_buffer_size():
            self.direct = self._descriptor
        return self.direct < 0

    def begin(self, frames: Sequence[str], head: bytes = b"") -> None:
        """The gap or the snapshot from which the next frame follows; `head` goes before it."""
        if self._closing or self.behind is not None:
            return  # Who has fallen behind once more gets the next one.
        self.since, self.numbers_due = self.room.tick(), True
        write_to_all((self,), NEVER, head + b"".join(map(kept, frames)))

    def put(self, frame: str) -> None:
        """An answer to what it said, also while it is behind: it says at most `RATE` a second."""
        if not self._closing:
            write_to_all((self,), NEVER, encoded(frame))

    def put_numbers(self, frames: Sequence[str]) -> None:
        """All numbers, for one that has missed some."""
        if self.behind is None and not self._closing:
            write_to_all((self,), NEVER, b"".join(map(encoded, frames)))
            self.numbers_due = False

    def close(self, code: int, reason: str = "") -> None:
        """Says why, and goes when the viewer has answered or does not."""
        if not self._closing:
            payload = code.to_bytes(2, "big") + reason.encode()[:120]
            self._leave()
            self.give(b"\x88%c" % len(payload) + payload)

    def _end(self, last: bytes, *, answered: bool) -> None:
        """The last words to one that said goodbye itself, or what cannot be read on from."""
        self._leave()
        self.give(last)
        if answered:
            self.transport.close()
        elif self.transport.can_write_eof():
            self.transport.write_eof()

    def _leave(self) -> None:
        """Whatever still waits to be written, it is gone within two seconds."""
        self._closing, self.since, self._rest, self._message = True, NEVER, None, None
        asyncio.get_running_loop().call_later(GOODBYE_S, self.transport.abort)

    # ── from the transport ──

    def pause_writing(self) -> None:
        """It reads slower than it is sent."""
        self.behind, self.missed = monotonic(), False
        self._kept, self.since = self.since, NEVER

    def resume_writing(self) -> None:
        """It has taken what waited: it needs a snapshot, unless nothing has passed it."""
        self.behind = None
        if self._closing:
            return
        if self.missed or self._kept == NEVER:
            self.numbers_due = True
            self.room.drained(self)
        else:
            self.since = self._kept

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._closing, self.since, self._descriptor, self.direct = True, NEVER, -1, -1
        self.room.left(self)

    def eof_received(self) -> bool:
        """It will say nothing more, and goes."""
        if not self._closing:
            self._leave()
        return False

    def data_received(self, data: bytes) -> None:
        """Bytes of one or more frames, or of a part of one. Who was told goodbye is read on until the
        answer comes: a proxy that sees only our end cuts a client off that still sends."""
        if self._rest is not None:
            data, self._rest = self._rest + data, None
        at, end = 0, len(data)
        while end - at >= 2:
            length, head = data[at + 1] & 0x7F, 2
            if length == 126:
                head = 4
                length = int.from_bytes(data[at + 2 : at + 4], "big") if end - at >= 4 else 0
            elif length == 127:
                head = 10
                length = int.from_bytes(data[at + 2 : at + 10], "big") if end - at >= 10 else 0
            if data[at + 1] < 0x80 or length > self.largest:  # Unmasked, too long: no use waiting.
                if not self._closing:
                    self._handed_over(data[at:])
                return
            after = at + head + 4 + length
            if after > end:
                break
            if self._closing:
                if data[at] == 0x88:
                    self.transport.close()
                    return
            elif not self._may_speak():
                pass
            elif data[at] in _QUICK and head == 2:
                # A ping is answered unless that would wait; a pong is only heard.
                if data[at] == 0x89 and self.behind is None:
                    payload = apply_mask(data[at + 6 : after], data[at + 2 : at + 6])
                    self.give(b"\x8a%c" % length + payload)
            elif data[at] == 0x81 and self._message is None:
                payload = data[at + head + 4 : after]
                self._said(apply_mask(payload, data[at + head : at + head + 4]))
            else:
                self._handed_over(data[at:after])
            at = after
        if at < end:
            self._rest = data[at:]

    def _may_speak(self) -> bool:
        """Every frame counts, also one that says nothing."""
        now = monotonic()
        left = self._left + (now - self._told) * self.rate
        self._left, self._told = (left if left < self.burst else self.burst) - 1, now
        if self._left < 0:
            self.room.flooded(self)
            self.close(1008, "flood")
        return self._left >= 0

    def _said(self, payload: bytes | bytearray) -> None:
        try:
            text = str(payload, "utf-8")
        except UnicodeDecodeError:
            self.close(CloseCode.INVALID_DATA, "no UTF-8")
            return
        self.room.heard(self, text)

    def _handed_over(self, data: bytes) -> None:
        """Anything but a whole text frame: control frames, fragments, what is wrong."""
        # A goodbye may come between the fragments of a message: it ends that one too.
        kept = None if data[0] & 0x0F == Opcode.CLOSE else self._message
        message = kept or _Message(self.largest)
        payload, answer, ended = message.take(data)
        if answer:
            if ended:
                self._end(answer, answered=message.closed)
                return
            self.give(answer)
        if message.binary:
            self.close(CloseCode.UNSUPPORTED_DATA, "binary")
            return
        self._message = message if message.under_way else None
        if payload is not None:
            self._said(payload)


class _Message:
    """A message in fragments, and the control frames between them, as websockets reads them."""

    def __init__(self, largest: int) -> None:
        self._protocol = Frames(Side.SERVER, state=State.OPEN, max_size=largest)
        self._parts: list[bytes] = []
        self.under_way = self.binary = self.closed = False

    def take(self, data: bytes) -> tuple[bytes | None, bytes, bool]:
        """(the payload of a message that has ended, bytes to answer, whether it is over)."""
        protocol, payload = self._protocol, None
        protocol.receive_data(data)
        for frame in protocol.events_received():
            if isinstance(frame, Frame) and (said := self._frame(frame)) is not None:
                payload = said
        answer = b"".join(protocol.data_to_send())
        return payload, answer, protocol.state is not State.OPEN

    def _frame(self, frame: Frame) -> bytes | None:
        if frame.opcode is Opcode.BINARY:
            self.binary = True
        self.closed |= frame.opcode is Opcode.CLOSE
        if frame.opcode not in {Opcode.TEXT, Opcode.CONT, Opcode.BINARY}:
            return None
        self.under_way = not frame.fin
        if frame.data:
            self._parts.append(bytes(frame.data))
        if self.under_way:
            return None
        payload, self._parts = b"".join(self._parts), []
        return payload
