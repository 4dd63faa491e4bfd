"""Connections of those who mean no good, or cannot help it: plain sockets, without any library."""

from __future__ import annotations

import random
import socket
import struct
import time

GREETING = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def dialled(port: int, n: int, *, room: int = 0) -> socket.socket:
    """Connected from an address of its own kind, 127.0.1.x; with a receive buffer of so many bytes,
    if given."""
    sock = socket.socket()
    if room:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    sock.bind((f"127.0.1.{1 + n % 250}", 0))
    sock.settimeout(10)
    sock.connect(("127.0.0.1", port))
    return sock


def greeting(port: int, path: str) -> bytes:
    """A sound handshake."""
    return GREETING.format(path=path, port=port).encode()


def said(payload: bytes, opcode: int = 1, *, final: bool = True) -> bytes:
    """One frame as a client sends it."""
    mask = random.randbytes(4)
    first = (0x80 if final else 0) | opcode
    n = len(payload)
    if n < 126:
        head = struct.pack("!BB", first, 0x80 | n)
    elif n < 65536:
        head = struct.pack("!BBH", first, 0x80 | 126, n)
    else:
        head = struct.pack("!BBQ", first, 0x80 | 127, n)
    key = (mask * (n // 4 + 1))[:n]
    body = (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(n, "big")
    return head + mask + body


class Pace:
    """So many a second, by deadline."""

    def __init__(self, rate: float) -> None:
        self._rate, self._began, self._done = rate, time.monotonic(), 0

    def due(self) -> int:
        """How many are due now; they count as done."""
        n = int((time.monotonic() - self._began) * self._rate) - self._done
        self._done += n
        return n
