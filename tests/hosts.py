"""Several hosts on one machine: network namespaces with addresses of their own on one bridge.

As root on Linux, with `ip` from iproute2. Everything is gone when the block ends. The bridge stands in a
namespace of the calling thread's own: an interface that comes and goes on the machine's would make every
browser that runs beside drop what it is loading.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from secrets import token_hex

NETWORK = "10.77.0"
CLONE_NEWNET = 0x40000000
"""A network namespace, for unshare(2) and setns(2)."""


@dataclass(frozen=True)
class Host:
    """One namespace: its name, its address, and its end of the cable."""

    name: str
    address: str
    cable: str

    def command(self, *words: str) -> list[str]:
        """The command as it is run on this host."""
        return ["ip", "netns", "exec", self.name, *words]

    def unplug(self) -> None:
        """From now on nothing leaves or reaches it."""
        _ip("link", "set", self.cable, "down")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextlib.contextmanager
def _own_network() -> Iterator[None]:
    """The calling thread, and what it starts, in a network namespace that has only `lo`."""
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if libc.unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")
        try:
            _ip("link", "set", "lo", "up")
            yield
        finally:
            if libc.setns(before, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(before)


@contextlib.contextmanager
def hosts(*names: str) -> Iterator[dict[str, Host]]:
    """So many hosts, each by its name, and the calling thread on the same network."""
    with _own_network():
        yield from _hosts(*names)


def _hosts(*names: str) -> Iterator[dict[str, Host]]:
    tag = token_hex(2)
    bridge = f"pb{tag}"
    made: dict[str, Host] = {}
    try:
        _ip("link", "add", bridge, "type", "bridge")
        _ip("addr", "add", f"{NETWORK}.254/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for n, name in enumerate(names, 1):
            space, cable = f"pingyi-{tag}-{name}", f"pv{tag}{n}"
            host = made[name] = Host(space, f"{NETWORK}.{n}", cable)
            _ip("netns", "add", space)
            _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", space)
            _ip("link", "set", cable, "master", bridge, "up")
            for words in (
                ("addr", "add", f"{host.address}/24", "dev", "eth0"),
                ("link", "set", "eth0", "up"),
                ("link", "set", "lo", "up"),
            ):
                subprocess.run(host.command("ip", *words), check=True, capture_output=True)
        yield made
    finally:
        for host in made.values():
            subprocess.run(["ip", "netns", "del", host.name], capture_output=True)
        subprocess.run(["ip", "link", "del", bridge], capture_output=True)
