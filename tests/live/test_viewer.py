"""The lean viewer: whatever pieces the bytes come in, it hears what was said, and ends as RFC 6455
says; what it is sent can be read by anybody; slow or gone, it is in nobody's way."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import Protocol, Side

from server.api.public_socket import accept
from server.live.channels import Channel
from server.live.fan import Fan
from server.live.frames import encoded
from server.live.hub import Hub
from server.live.viewer import LARGEST, NEVER, Viewer

pytestmark = pytest.mark.anyio
CHANNEL = Channel(1, "public", "json", "zh")


class Transport:
    """What the viewer sees of a connection."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self.over = self.aborted = self.eof = False

    def write(self, data: bytes) -> None:
        assert not self.over
        self.sent += data

    def is_closing(self) -> bool:
        return self.over

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.eof = True

    def close(self) -> None:
        self.over = True

    def abort(self) -> None:
        self.over = self.aborted = True


class Room:
    """A room that notes what happens."""

    channel = CHANNEL
    spot: Any = None

    def __init__(self) -> None:
        self.said: list[str] = []
        self.fell_behind = self.gone = self.floods = 0
        self.next = 0

    def heard(self, viewer: Viewer, text: str) -> None:
        self.said.append(text)

    def drained(self, viewer: Viewer) -> None:
        self.fell_behind += 1

    def resume(self, viewer: Viewer, epoch: str, version: int) -> None:
        raise AssertionError

    def flooded(self, viewer: Viewer) -> None:
        self.floods += 1

    def left(self, viewer: Viewer) -> None:
        self.gone += 1

    def tick(self) -> int:
        return self.next


class Eager(Viewer):
    """Not limited in how much it says."""

    __slots__ = ()
    rate = burst = 1e9


def viewer() -> tuple[Viewer, Transport, Room]:
    transport, room = Transport(), Room()
    return Eager(transport, room, None, "127.0.0.1"), transport, room  # type: ignore[arg-type]


def masked(*frames: Frame) -> bytes:
    return b"".join(frame.serialize(mask=True) for frame in frames)


def text(words: str, parts: int = 1) -> list[Frame]:
    """A message, whole or in fragments."""
    data = words.encode()
    cuts = [len(data) * n // parts for n in range(parts + 1)]
    return [
        Frame(
            Opcode.TEXT if n == 0 else Opcode.CONT, data[cuts[n] : cuts[n + 1]], fin=n == parts - 1
        )
        for n in range(parts)
    ]


def received(transport: Transport) -> list[Frame]:
    """What a client reads of it."""
    client = Protocol(Side.CLIENT, max_size=None)
    client.receive_data(bytes(transport.sent))
    return [frame for frame in client.events_received() if isinstance(frame, Frame)]


@given(
    st.lists(st.tuples(st.text(max_size=300), st.integers(1, 4), st.booleans()), max_size=6),
    st.lists(st.integers(1, 200), min_size=1, max_size=40),
)
def test_in_whatever_pieces_the_bytes_come(
    said: list[tuple[str, int, bool]], pieces: list[int]
) -> None:
    one, transport, room = viewer()
    data = b""
    for words, parts, ping in said:
        frames = text(words, parts)
        if ping:
            frames.insert(len(frames) // 2, Frame(Opcode.PING, b"?"))
        data += masked(*frames)
    at = n = 0
    while at < len(data):
        one.data_received(data[at : at + pieces[n % len(pieces)]])
        at, n = at + pieces[n % len(pieces)], n + 1
    assert room.said == [words for words, _, _ in said]
    pongs = [frame for frame in received(transport) if frame.opcode is Opcode.PONG]
    assert len(pongs) == sum(ping for _, _, ping in said)


WRONG = {
    "unmasked": (Frame(Opcode.TEXT, b"hello").serialize(mask=False), 1002),
    "no UTF-8": (masked(Frame(Opcode.TEXT, b"\xff\xfe")), 1007),
    "no opcode": (b"\x83" + masked(*text("x"))[1:], 1002),
    "reserved bit": (b"\xc1" + masked(*text("x"))[1:], 1002),
    "continues nothing": (masked(Frame(Opcode.CONT, b"x")), 1002),
    "binary": (masked(Frame(Opcode.BINARY, b"x")), 1003),
    "binary in parts": (masked(Frame(Opcode.BINARY, b"x", fin=False)), 1003),
    "too long": (masked(Frame(Opcode.TEXT, b"x" * (LARGEST + 1))), 1009),
    "too long in parts": (masked(*text("x" * (LARGEST + 1), 3)), 1009),
    "endless": (b"\x81\xff" + (1 << 62).to_bytes(8, "big"), 1009),
    "goodbye": (masked(Frame(Opcode.CLOSE, Close(1000, "bye").serialize())), 1000),
    "goodbye in the middle": (
        masked(
            Frame(Opcode.TEXT, b"a", fin=False), Frame(Opcode.CLOSE, Close(1000, "").serialize())
        ),
        1000,
    ),
    "two at once": (
        masked(Frame(Opcode.TEXT, b"a", fin=False), Frame(Opcode.TEXT, b"b")),
        1002,
    ),
}
"""What is wrong → bytes, close code."""


@pytest.mark.parametrize("name", WRONG)
async def test_what_is_wrong_ends_it(name: str) -> None:
    data, code = WRONG[name]
    one, transport, room = viewer()
    for piece in (data[:1], data[1:]):
        one.data_received(piece)
    one.data_received(masked(*text("after")))  # Nothing is heard any more.
    last = received(transport)[-1]
    assert last.opcode is Opcode.CLOSE
    assert Close.parse(bytes(last.data)).code == code
    assert room.said == []
    assert not one.open
    assert transport.over == (code == 1000)
    one.data_received(masked(Frame(Opcode.CLOSE, code.to_bytes(2, "big"))))
    assert transport.over or transport.eof


async def test_a_ping_in_a_longer_form_than_it_needs_shifts_nothing() -> None:
    one, transport, _ = viewer()
    key, payload = b"mask", b"hello"
    hidden = bytes(a ^ b for a, b in zip(payload, key * 2, strict=False))
    one.data_received(b"\x89\xfe" + len(payload).to_bytes(2, "big") + key + hidden)
    one.put("after")
    assert [bytes(f.data) for f in received(transport)] == [b"hello", b"after"]


async def test_what_it_is_sent_can_be_read() -> None:
    one, transport, room = viewer()
    frames = ["短", "x" * 125, "x" * 126, "中" * 30_000]
    one.begin(frames)
    one.put("ack")
    assert [bytes(f.data).decode() for f in received(transport)] == [*frames, "ack"]
    assert accept(b"dGhlIHNhbXBsZSBub25jZQ==").endswith(b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
    one.connection_lost(None)
    assert room.gone == 1
    one.put("ack")
    one.begin(["late"])
    assert one.since == NEVER


async def test_who_is_behind_gets_answers_and_then_a_snapshot_alone() -> None:
    hub = Hub()
    one, transport, room = viewer()
    other, others, _ = viewer()
    for each in (one, other):
        each.begin(["snapshot"])
        hub.join(each)
    one.pause_writing()
    for n in range(3):
        hub.send(CHANNEL, f"cue {n}")
    one.put("ack")
    await asyncio.sleep(0)
    assert [bytes(f.data) for f in received(others)][1:] == [b"cue 0", b"cue 1", b"cue 2"]
    assert [bytes(f.data) for f in received(transport)][1:] == [b"ack"]
    one.resume("e", 1)  # It gets its snapshot when it has drained, and not before.
    one.data_received(masked(Frame(Opcode.PING, b"?")))
    one.begin(["too early"])
    assert [bytes(f.data) for f in received(transport)][1:] == [b"ack"]
    assert one.behind is not None
    one.resume_writing()
    assert room.fell_behind == 1
    assert one.numbers_due
    room.next = hub.fan(CHANNEL).next
    one.begin(["newer"])
    hub.send(CHANNEL, "cue 3")
    assert [bytes(f.data) for f in received(transport)][2:] == [b"newer", b"cue 3"]
    hub.leave(one)
    hub.leave(other)
    assert hub.channels() == ()


async def test_frames_go_out_in_slices_in_order_and_to_nobody_twice() -> None:
    fan, viewers = Fan(), [viewer() for _ in range(600)]
    for one, _, _ in viewers:
        one.begin([])
    everyone = tuple(one for one, _, _ in viewers)
    fan.send(encoded("cue 1"), everyone)
    fan.send(encoded("cue 2"), everyone)
    assert fan.waiting == 2  # Whoever else waits for the loop is served in between.
    late, transport, room = viewers[599]
    room.next = fan.next
    late.begin(["snapshot that knows of both"])
    while fan.waiting:
        await asyncio.sleep(0)
    for _, each, _ in viewers[:599]:
        assert bytes(each.sent) == encoded("cue 1") + encoded("cue 2")
    assert bytes(transport.sent) == encoded("snapshot that knows of both")


async def test_who_was_paused_and_missed_nothing_goes_on_where_it_was() -> None:
    hub = Hub()
    one, transport, room = viewer()
    one.begin(["a long snapshot"])
    hub.join(one)
    one.pause_writing()
    one.resume_writing()
    hub.send(CHANNEL, "cue 1")
    assert room.fell_behind == 0
    assert [bytes(f.data) for f in received(transport)][1:] == [b"cue 1"]


@pytest.mark.parametrize(
    "frame",
    [Frame(Opcode.PING, b""), Frame(Opcode.PONG, b""), Frame(Opcode.CONT, b"", fin=False)],
    ids=["ping", "pong", "fragment"],
)
async def test_a_flood_of_frames_that_say_nothing_ends_it(frame: Frame) -> None:
    transport, room = Transport(), Room()
    one = Viewer(transport, room, None, "127.0.0.1")  # type: ignore[arg-type]
    one.data_received(masked(Frame(Opcode.TEXT, b"", fin=False), *[frame] * 100))
    last = received(transport)[-1]
    assert (last.opcode, Close.parse(bytes(last.data)).code) == (Opcode.CLOSE, 1008)
    assert room.floods == 1


@pytest.mark.parametrize("how", ["half-closed", "goodbye", "told to go"])
async def test_who_goes_is_gone_soon_whatever_still_waits(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.live.viewer.GOODBYE_S", 0.05)
    one, transport, _ = viewer()
    if how == "half-closed":
        one.eof_received()
    elif how == "goodbye":
        one.data_received(masked(Frame(Opcode.CLOSE, Close(1000, "").serialize())))
    else:
        one.close(4408, "too slow")
    assert not one.open
    await asyncio.sleep(0.1)
    assert transport.aborted
