"""The abusers' process: floods, frames that are too large or never end, heads that never end.

    python -m tests.faults.crowd_abusers PORT PATH HEADS SEED PATIENCE < TOKENS

One abuser for each token, a line each. Every one of them goes on sending after he was told to go,
until nobody takes it any more; only then is he gone, or when PATIENCE seconds are over. Prints one line of JSON: how long each could go
on, how long each head that never ends was waited for, and how many came back with their token.
"""

from __future__ import annotations

import contextlib
import json
import random
import selectors
import socket
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.faults.crowd_raw import Pace, dialled, greeting, said

RATE = 1000.0
"""Messages a second of each."""
GOODBYE = (1008).to_bytes(2, "big") + b"flood"
TURN_S = 0.02
"""How often what is due is sent."""


@dataclass(frozen=True)
class Kind:
    """What an abuser sends: once, and then a thousand times a second. A `flood` is told from a frame
    that is too large."""

    name: str
    then: bytes
    once: bytes = b""
    flood: bool = True


KINDS = (
    Kind("likes", said(b'{"type":"like","n":10}')),
    Kind("nonsense", said(b'{"type":"vote","round":' + b"[" * 50)),
    Kind("votes", said(b'{"type":"vote","round":"ABCDEFGH","choice":"x","key":"0123456789"}')),
    Kind("resumes", said(b'{"type":"resume","epoch":"none","version":1}')),
    Kind("pings", said(b"?", 9)),
    Kind("fragments", said(b"", 0, final=False), said(b"", 1, final=False)),
    Kind("huge", bytes(1024), b"\x81\xff" + (16 << 20).to_bytes(8, "big") + b"mask", flood=False),
    Kind("endless", bytes(1024), b"\x81\xff" + (1 << 62).to_bytes(8, "big") + b"mask", flood=False),
)


@dataclass
class Abuser:
    """One connection: it sends until nobody takes it any more, whatever it is told."""

    sock: socket.socket
    token: str
    kind: Kind
    pace: Pace | None = None
    gone: float | None = None
    waiting: bytes = b""
    """What the kernel did not take yet."""

    def send(self) -> None:
        """What is due now; `gone` when it can send no more."""
        if self.pace is None:
            self.pace, self.waiting = Pace(RATE), self.kind.once
        due = self.pace.due()
        if not self.waiting:
            self.waiting = self.kind.then * due
        try:
            with contextlib.suppress(BlockingIOError):
                while self.sock.recv(65536):
                    pass
            with contextlib.suppress(BlockingIOError):
                self.waiting = self.waiting[self.sock.send(self.waiting) :]
        except OSError:
            self.gone = time.monotonic()


class Abusers:
    """All of them, driven by one thread."""

    def __init__(
        self, port: int, path: str, tokens: Sequence[str], chance: random.Random, patience: float
    ) -> None:
        self._port, self._path, self._patience = port, path, patience
        self.all = [
            Abuser(self._come(n, token), token, KINDS[n % len(KINDS)])
            for n, token in enumerate(tokens)
        ]
        for one in self.all:
            one.sock.recv(12)  # It was let in; what is said before that is heard by nobody.
            one.sock.setblocking(False)
        chance.shuffle(self.all)

    def _come(self, n: int, token: str) -> socket.socket:
        sock = dialled(self._port, n)
        sock.sendall(greeting(self._port, f"{self._path}?as=json&viewer={token}"))
        return sock

    def attack(self) -> None:
        """Until nobody takes anything from any of them, or for too long."""
        self.began = time.monotonic()
        there = self.all
        while there and time.monotonic() < self.began + self._patience:
            for one in there:
                one.send()
            there = [one for one in there if one.gone is None]
            time.sleep(TURN_S)

    def gone(self) -> list[tuple[str, float]]:
        """How long each could go on, by what he did."""
        return [
            (one.kind.name, 1e6 if one.gone is None else one.gone - self.began) for one in self.all
        ]

    def let_in_again(self) -> int:
        """How many of those who flooded come back with their token and are not refused."""
        return sum(not self._refused(n, one) for n, one in enumerate(self.all) if one.kind.flood)

    def _refused(self, n: int, one: Abuser) -> bool:
        """Whether it is told to go, or ends, without the snapshot that everybody else gets."""
        with contextlib.closing(self._come(n, one.token)) as sock:
            sock.settimeout(2)
            heard = b""
            try:
                while b'"snapshot"' not in heard:
                    data = sock.recv(65536)
                    heard += data
                    if not data or GOODBYE in heard:
                        return True
            except TimeoutError:
                return False
            except OSError:
                return True
            return False


class Heads:
    """Connections whose head never ends: silent ones, half ones, and some that add a byte a second."""

    def __init__(self, port: int, path: str, n: int, patience: float) -> None:
        self.gone: list[float] = []
        self._patience = patience
        self._thread = threading.Thread(target=self._run, args=(port, path, n))
        self._thread.start()

    def _run(self, port: int, path: str, n: int) -> None:
        begun = (
            b"",
            b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
            greeting(port, path)[:-2],
        )
        there: dict[socket.socket, float] = {}
        dripping: set[socket.socket] = set()
        with selectors.DefaultSelector() as selector:
            for i in range(n):
                sock = dialled(port, i)
                sock.sendall(begun[i % 3])
                sock.setblocking(False)
                there[sock] = time.monotonic()
                if i % 3 == 1:
                    dripping.add(sock)
                selector.register(sock, selectors.EVENT_READ, sock)
            drip, deadline = time.monotonic(), time.monotonic() + self._patience
            while there and time.monotonic() < deadline:
                for key, _ in selector.select(0.05):
                    one = key.data
                    with contextlib.suppress(OSError):
                        one.recv(4096)
                    self.gone.append(time.monotonic() - there.pop(one))
                    selector.unregister(one)
                    dripping.discard(one)
                    one.close()
                if time.monotonic() > drip + 1:
                    drip += 1
                    for sock in dripping:
                        with contextlib.suppress(OSError):
                            sock.send(b"a")
            for sock in there:
                self.gone.append(1e6)
                sock.close()

    def end(self) -> None:
        """Waits until they are gone."""
        self._thread.join(40)


def main() -> None:
    """All of it at once; whoever flooded comes back when everybody is gone."""
    port, path, heads, seed, patience = sys.argv[1:6]
    tokens, chance = sys.stdin.read().split(), random.Random(int(seed))
    abusers = Abusers(int(port), path, tokens, chance, float(patience))
    slow = Heads(int(port), path, int(heads), float(patience))
    abusers.attack()
    again = abusers.let_in_again()
    slow.end()
    print(json.dumps({"abusers": abusers.gone(), "heads": slow.gone, "again": again}))


if __name__ == "__main__":
    main()
