"""The Autobahn cases against the public's own socket, `server/live/viewer.py` (RFC 6455, R10).

kosoku drives them from a process of its own. Here stands an echo around the product's class, on the
loop that serves in production. With caps at 32 MiB and no limit on how often one may speak, all 301
cases without compression (1 to 7, 9, 10) must pass; the class as it is must end each of the large
cases, 9.*, with the code that the contract names.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from server.api.public_socket import accept
from server.live.channels import Channel
from server.live.viewer import Viewer, _Message
from tests.faults.experiment import Experiment, Report

ALL = ("1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*")
LARGE = ("9.*",)
KEY = re.compile(rb"\r\nsec-websocket-key: *([^\r]+)", re.IGNORECASE)
PASSED = {"OK", "NON-STRICT", "INFORMATIONAL"}


@dataclass(frozen=True)
class Verdict:
    """What kosoku says of one case."""

    case: str
    behavior: str
    closing: str
    code: int | None
    ms: int

    @property
    def passed(self) -> bool:
        """Both the exchange and its end were as the case asks."""
        return {self.behavior, self.closing} <= PASSED


class Echo:
    """A `viewer.Room` in which everybody hears himself."""

    channel = Channel(0, "public", "json", "zh")
    spot: Any = None

    def heard(self, viewer: Viewer, text: str) -> None:
        """It is told what it said."""
        viewer.put(text)

    def drained(self, viewer: Viewer) -> None:
        """An echo is never left out, so that there is nothing to make up for."""

    def resume(self, viewer: Viewer, epoch: str, version: int) -> None:
        """Nothing to resume."""

    def flooded(self, viewer: Viewer) -> None:
        """Nobody is told."""

    def left(self, viewer: Viewer) -> None:
        """It is gone."""

    def tick(self) -> int:
        """Nothing is told to all."""
        return 0


class _Either(_Message):
    """A message that may be binary, which the product's may not."""

    was_binary = False

    @property
    def binary(self) -> bool:
        """Never a reason to end it."""
        return False

    @binary.setter
    def binary(self, value: bool) -> None:
        self.was_binary |= value


class Unlimited(Viewer):
    """The product's class without its limits. Binary is echoed too; it takes the same road as a text
    in fragments, and only its end differs."""

    __slots__ = ("_binary",)
    largest = 32 * 1024 * 1024
    rate = burst = 1e12

    def _handed_over(self, data: bytes) -> None:
        message = self._message = self._message or _Either(self.largest)
        assert isinstance(message, _Either)
        self._binary = message
        super()._handed_over(data)
        del self._binary

    def _said(self, payload: bytes | bytearray) -> None:
        if getattr(self, "_binary", None) is None or not self._binary.was_binary:
            super()._said(payload)
            return
        length = len(payload)
        short = length if length < 126 else 126 if length < 65536 else 127
        more = b"" if length < 126 else length.to_bytes(2 if length < 65536 else 8, "big")
        self.transport.write(b"\x82%c" % short + more + payload)


class Entrance(asyncio.Protocol):
    """Answers a handshake and hands the connection to the class under test."""

    def __init__(self, kind: type[Viewer]) -> None:
        self._kind, self._head = kind, b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A head is awaited."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """The head is read to its end; what follows is for the socket."""
        self._head += data
        head, ended, rest = self._head.partition(b"\r\n\r\n")
        key = KEY.search(head)
        if not ended or key is None:
            return
        viewer = self._kind(self._transport, Echo(), None, "127.0.0.1")
        self._transport.set_protocol(viewer)
        self._transport.write(accept(key[1].strip()))
        if rest:
            viewer.data_received(rest)


async def _trial(kind: type[Viewer], cases: tuple[str, ...], folder: Path) -> list[Verdict]:
    server = await asyncio.get_running_loop().create_server(lambda: Entrance(kind), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        chosen = [word for case in cases for word in ("--include", case)]
        kosoku = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("kosoku")), "--parallelism", "4",
            "--outdir", str(folder), *chosen, f"ws://127.0.0.1:{port}/",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, said = await kosoku.communicate()
    finally:
        server.close()
    index = folder / "index.json"
    if not index.exists():
        raise RuntimeError(said.decode()[-1000:])
    (agent,) = json.loads(index.read_text()).values()
    return [
        Verdict(
            case, told["behavior"], told["behaviorClose"], told["remoteCloseCode"], told["duration"]
        )
        for case, told in agent.items()
    ]


def trial(kind: type[Viewer], cases: tuple[str, ...]) -> list[Verdict]:
    """kosoku's verdict on each of the cases."""
    with (
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(_trial(kind, cases, Path(folder)))


FLOODS = ("9.3.1", "9.7.")
"""Small fragments, and many messages: the limit on how often comes before the one on how large."""
EITHER = ("9.3.2",)
"""Its 61st fragment is too many and its 65th too large: a slow reader may see the second first."""
BINARY = ("9.4.1", "9.4.2", "9.4.3", "9.4.4", "9.4.5", "9.8.")
"""Binary frames that are not too large by themselves."""


def ending(case: str) -> set[int]:
    """The close codes with which the class as it is may end a large case."""
    if case.startswith(EITHER):
        return {1008, 1009}
    if case.startswith(FLOODS):
        return {1008}
    return {1003} if case.startswith(BINARY) else {1009}


class Boundless(Viewer):
    """Whatever the size of a frame, it is waited for."""

    __slots__ = ()
    largest = 1 << 40


class Deaf(Unlimited):
    """What is no UTF-8 is heard all the same."""

    __slots__ = ()

    def _said(self, payload: bytes | bytearray) -> None:
        self.room.heard(self, str(payload, "utf-8", "replace"))


def run(folder: Path, seed: int, size: str, plant: str) -> Report:
    """Every case, and the large ones at the product's own caps; with a plant those that show it."""
    del folder, seed, size  # kosoku draws nothing, and all of it takes ten seconds.
    report = Report()
    if plant != Boundless.__name__:
        verdicts = trial(Deaf, ("6.3.*",)) if plant else trial(Unlimited, ALL)
        report.counted["cases"] += len(verdicts)
        report.faults += [f"not as RFC 6455 asks: {one}" for one in verdicts if not one.passed]
    if plant != Deaf.__name__:
        verdicts = trial(Boundless, ("9.1.1", "9.3.4")) if plant else trial(Viewer, LARGE)
        report.counted["large cases at the product's caps"] += len(verdicts)
        report.faults += [
            f"it should end with {ending(one.case)}: {one}"
            for one in verdicts
            if one.code not in ending(one.case)
        ]
    return report


EXPERIMENTS = (
    Experiment(
        "autobahn",
        "The public's socket speaks RFC 6455 as the Autobahn cases ask, and says which cap was passed.",
        "cases",
        run,
        {kind.__name__: (kind.__doc__ or "").strip() for kind in (Boundless, Deaf)},
    ),
)
