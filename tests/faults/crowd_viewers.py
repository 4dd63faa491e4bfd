"""The crowd of the fault experiments: thousands of the public's sockets in one process, one epoll loop.

Each viewer does what web/static/live.js does with its socket: it comes back after a random time
between 0 and base, doubled with each try up to cap (both as the snapshot names them), not before the
time that a `wait` or a close with 1012 gave, and with the epoch and the version where it stands.
Nothing is judged here. What they saw is kept as JSON lines for checker.py, how they came and went in
another file; `t` is the monotonic clock in nanoseconds:

    views/crowd.jsonl   {"t","kind":"snapshot","viewer","epoch","version"}
                        {"t","kind":"cue","viewer","version"}
    comings.jsonl       {"t","kind":"try","viewer"}         connecting begins
                        {"t","kind":"here","viewer"}        the first frame that says something
                        {"t","kind":"wait","viewer","ms"}   told to come back later
                        {"t","kind":"gone","viewer","how"}  `cut`, `lost`, `refused`, a close code
                        {"t","kind":"stands","viewer","epoch","version","cleared"}    at the end

    python -m tests.faults.crowd_viewers PORT PATH VIEWERS FOLDER [--seed N] [--lockstep]

The process is driven through its standard input and answers each word with a line of JSON: `cut`
resets every connection, `tell` says how many are here, `measure` begins to measure how long frames
take, `figures` says what it measured since, `end` writes everything out and ends.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import gzip
import heapq
import json
import os
import random
import re
import select
import shutil
import socket
import struct
import subprocess
import sys
import time
from array import array
from pathlib import Path
from typing import Any

from tests.faults.experiment import ROOT, percentile

AWAY, CONNECTING, SHAKING, JOINED = range(4)
SOURCES = 16
"""Source addresses 127.0.0.2 … are used in turn: one has only some 28,000 ports."""
WINDOW = 256
"""How many may be connecting at once when all come for the first time."""
BIND_LATER = 24
"""IP_BIND_ADDRESS_NO_PORT: the port is chosen when it is known where to."""
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER for a connection that ends with a reset."""
EPOCH = re.compile(rb'"epoch":"([^"]*)"')
VERSION = re.compile(rb'"version":(\d+)')
RETRY = re.compile(rb'"base_ms":(\d+),"cap_ms":(\d+)')
AT = re.compile(rb'"at":(\d+)')
SCREEN = b'"event":"screen_'
"""What changes the one thing that is looked at in the end: whether the screens are covered."""
SNAPSHOT, CUE, PULSE, WAIT = (
    b'{"type":"%s"' % kind for kind in (b"snapshot", b"cue", b"pulse", b"wait")
)


class Viewer:
    """One page, with what it remembers between its connections."""

    __slots__ = (
        "cleared",
        "epoch",
        "here",
        "n",
        "not_before",
        "rest",
        "sock",
        "state",
        "tries",
        "version",
    )

    def __init__(self, n: int) -> None:
        self.n, self.state, self.tries, self.not_before = n, AWAY, 0, 0.0
        self.sock: socket.socket | None = None
        self.rest, self.epoch, self.version = b"", "", -1
        self.here = self.cleared = False


class Crowd:
    """All of them."""

    def __init__(
        self, port: int, path: str, viewers: int, folder: Path, seed: int, *, jitter: bool
    ) -> None:
        self._port, self._path, self._jitter = port, path, jitter
        self._chance = random.Random(seed)
        self._viewers = [Viewer(n) for n in range(viewers)]
        self._of: dict[int, Viewer] = {}
        """By descriptor."""
        self._epoll = select.epoll()
        self._due: list[tuple[float, int]] = []
        self._joining, self._base, self._cap = 0, 0.5, 30.0
        (folder / "views").mkdir(parents=True, exist_ok=True)
        self._views = (folder / "views" / "crowd.jsonl").open("w", buffering=1 << 20)
        self._comings = (folder / "comings.jsonl").open("w", buffering=1 << 20)
        self._measured: dict[str, array[float]] | None = None

    def run(self) -> None:
        """Until it is told to end."""
        self._epoll.register(0, select.EPOLLIN)
        coming = iter(self._viewers)
        while True:
            while self._joining < WINDOW and (one := next(coming, None)) is not None:
                self._come(one)
            now = time.monotonic()
            while self._due and self._due[0][0] <= now:
                self._come(self._viewers[heapq.heappop(self._due)[1]])
            wait = min(0.05, self._due[0][0] - now) if self._due else 0.05
            for fd, events in self._epoll.poll(max(0.0, wait), 1024):
                if fd == 0:
                    if not self._told(os.read(0, 100).decode().split()):
                        return
                    break  # The other events may be of sockets that were just cut.
                self._stirred(self._of[fd], events)

    # ── coming and going ──

    def _note(self, kind: str, one: Viewer, more: str = "") -> None:
        self._comings.write(
            f'{{"t":{time.monotonic_ns()},"kind":"{kind}","viewer":{one.n}{more}}}\n'
        )

    def _come(self, one: Viewer) -> None:
        sock = one.sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_IP, BIND_LATER, 1)
        sock.bind((f"127.0.0.{2 + one.n % SOURCES}", 0))
        one.state, one.here, one.rest = CONNECTING, False, b""
        self._joining += 1
        self._of[sock.fileno()] = one
        self._note("try", one)
        self._epoll.register(sock, select.EPOLLOUT)
        if sock.connect_ex(("127.0.0.1", self._port)) not in {0, errno.EINPROGRESS}:
            self._gone(one, "refused")

    def _gone(self, one: Viewer, how: str) -> None:
        assert one.sock is not None
        self._joining -= one.state in {CONNECTING, SHAKING}
        self._note("gone", one, f',"how":"{how}"')
        del self._of[one.sock.fileno()]
        one.sock.close()
        one.state, one.here = AWAY, False
        # live.js, again()
        cap = min(self._cap, self._base * 2 ** min(one.tries, 20))
        one.tries += 1
        now = time.monotonic()
        wait = self._chance.random() * cap if self._jitter else cap
        heapq.heappush(self._due, (max(now, one.not_before) + wait, one.n))

    def _shake(self, one: Viewer) -> None:
        stands = f"&epoch={one.epoch}&version={one.version}" if one.epoch else ""
        head = (
            f"GET {self._path}{stands} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            f"Origin: http://127.0.0.1:{self._port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert one.sock is not None
        one.sock.send(head.encode())
        one.state = SHAKING
        self._epoll.modify(one.sock, select.EPOLLIN)

    def _stirred(self, one: Viewer, events: int) -> None:
        assert one.sock is not None
        try:
            if one.state == CONNECTING:
                if events & (select.EPOLLERR | select.EPOLLHUP):
                    self._gone(one, "refused")
                else:
                    self._shake(one)
                return
            data = one.sock.recv(262144)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._gone(one, "lost")
        elif one.state == JOINED:
            self._take(one, data)
        else:
            self._welcomed(one, one.rest + data)

    def _welcomed(self, one: Viewer, data: bytes) -> None:
        head, ended, frames = data.partition(b"\r\n\r\n")
        if not ended:
            one.rest = data
        elif not head.startswith(b"HTTP/1.1 101"):
            self._gone(one, "refused")
        else:
            one.state, one.rest = JOINED, b""
            self._joining -= 1
            self._take(one, frames)

    # ── frames ──

    def _take(self, one: Viewer, data: bytes) -> None:
        if one.rest:
            data, one.rest = one.rest + data, b""
        at, end = 0, len(data)
        while end - at >= 2:
            length, head = data[at + 1] & 127, 2
            if length >= 126:
                head = 4 if length == 126 else 10
                if end - at < head:
                    break
                length = int.from_bytes(data[at + 2 : at + head], "big")
            after = at + head + length
            if after > end:
                break
            self._frame(one, data[at] & 15, data, at + head, after)
            if one.state != JOINED:
                return
            at = after
        one.rest = data[at:]

    def _frame(self, one: Viewer, opcode: int, data: bytes, at: int, after: int) -> None:
        if opcode == 8:
            code, reason = data[at : at + 2], data[at + 2 : after]
            if code == b"\x03\xf4" and reason.isdigit():  # 1012, and when to come back
                one.not_before = time.monotonic() + int(reason) / 1000
            self._gone(one, str(int.from_bytes(code, "big") or 1005))
            return
        if opcode != 1:
            return
        if data.startswith(WAIT, at):
            ms = int(data[at:after].rpartition(b":")[2].rstrip(b"}"))
            one.not_before = time.monotonic() + ms / 1000
            self._note("wait", one, f',"ms":{ms}')
            return
        if not one.here:
            one.here = True
            self._note("here", one)
        pulse = data.startswith(PULSE, at)
        if self._measured is not None and (not pulse or one.n % 8 == 0):
            self._late("pulse" if pulse else "cue", data, at)
        if not pulse:
            self._moved(one, data[at:after])

    def _moved(self, one: Viewer, frame: bytes) -> None:
        """A cue or a snapshot: it stands elsewhere now."""
        snapshot, version = frame.startswith(SNAPSHOT), VERSION.search(frame, 0, 120)
        if version is None or not (snapshot or frame.startswith(CUE)):
            return
        one.tries, one.version = 0, int(version[1])
        if snapshot or SCREEN in frame[:120]:
            one.cleared = b'"cleared":true' in frame
        more = ""
        if snapshot:
            epoch, retry = EPOCH.search(frame), RETRY.search(frame)
            assert epoch is not None
            one.epoch = epoch[1].decode()
            if retry is not None:
                self._base, self._cap = int(retry[1]) / 1000, int(retry[2]) / 1000
            more = f'"epoch":"{one.epoch}",'
        self._views.write(
            f'{{"t":{time.monotonic_ns()},"kind":"{"snapshot" if snapshot else "cue"}",'
            f'"viewer":{one.n},{more}"version":{one.version}}}\n'
        )

    def _late(self, kind: str, data: bytes, at: int) -> None:
        found = AT.search(data, at, at + 60)
        if found is not None and self._measured is not None:
            self._measured[kind].append(time.time() * 1000 - int(found[1]))

    # ── what it is told ──

    def _told(self, words: list[str]) -> bool:
        for word in words or ["end"]:
            answer: dict[str, Any] = {}
            if word == "cut":
                self._cut()
            elif word == "measure":
                self._measured = {"pulse": array("d"), "cue": array("d")}
            elif word == "figures":
                answer, self._measured = self._figures(), None
            elif word == "end":
                self._end()
            print(json.dumps({**answer, **self._tell()}), flush=True)
            if word == "end":
                return False
        return True

    def _cut(self) -> None:
        for one in self._viewers:
            if one.sock is not None and one.state != AWAY:
                one.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                self._gone(one, "cut")

    def _tell(self) -> dict[str, Any]:
        here = sum(one.here for one in self._viewers)
        return {"here": here, "joining": self._joining, "cpu_s": time.process_time()}

    def _figures(self) -> dict[str, Any]:
        return {
            kind: {"n": len(all_), "p50": percentile(all_, "p50"), "p99": percentile(all_, "p99")}
            for kind, all_ in (self._measured or {}).items()
            if all_
        }

    def _end(self) -> None:
        for one in self._viewers:
            cleared = json.dumps(one.cleared)
            more = f',"epoch":"{one.epoch}","version":{one.version},"cleared":{cleared}'
            self._note("stands", one, more)
        self._views.close()
        self._comings.close()


class Viewers:
    """The crowd's process."""

    def __init__(
        self,
        url: str,
        slug: str,
        viewers: int,
        folder: Path,
        seed: int = 1,
        *,
        lockstep: bool = False,
    ) -> None:
        port, path = url.rsplit(":", 1)[1], f"/h/{slug}/socket?as=json"
        command = [sys.executable, "-m", "tests.faults.crowd_viewers", port, path, str(viewers)]
        command += [str(folder), "--seed", str(seed), *(["--lockstep"] if lockstep else [])]
        self.n = viewers
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def say(self, word: str) -> dict[str, Any]:
        """What it answers to a word."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def until_here(self, seconds: float) -> int:
        """Waits until all are here, at most so long; gives how many are."""
        deadline = time.monotonic() + seconds
        while (here := int(self.say("tell")["here"])) < self.n and time.monotonic() < deadline:
            time.sleep(0.1)
        return here

    def end(self) -> None:
        """Everything is written, and the process has ended."""
        with contextlib.suppress(OSError, ValueError):
            self.say("end")
        self._process.wait(30)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


def pack_views(folder: Path) -> None:
    """What the crowd wrote, as `.gz`, which the checker reads as well."""
    for path in [*folder.glob("views/*.jsonl"), *folder.glob("comings.jsonl")]:
        with path.open("rb") as plain, gzip.open(f"{path}.gz", "wb", 5) as packed:
            shutil.copyfileobj(plain, packed)
        path.unlink()


def main() -> None:
    """A crowd as the command line asks."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("viewers", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lockstep", action="store_true", help="planted: all wait the same time")
    wish = parser.parse_args()
    Crowd(
        wish.port, wish.path, wish.viewers, wish.folder, wish.seed, jitter=not wish.lockstep
    ).run()


if __name__ == "__main__":
    main()
