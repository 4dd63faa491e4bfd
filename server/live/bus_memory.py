"""The bell inside one process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

Heard = Callable[[str, str], Awaitable[None]]
"""Called with (kind, id): ("hearing", "7"), ("round", "ABC") or ("flooder", a viewer's id)."""


class MemoryBus:
    """Rings straight through to whoever listens in this process."""

    up = True
    """Whether the bell is heard."""

    def __init__(self) -> None:
        self._heard: list[Heard] = []

    def listen(self, heard: Heard) -> None:
        """`heard` is called for every ring."""
        self._heard.append(heard)

    async def ring(self, hearing: int) -> None:
        """The hearing's journal has grown."""
        for heard in self._heard:
            await heard("hearing", str(hearing))

    async def stir(self, round_id: str) -> None:
        """A round's turnout has changed."""
        for heard in self._heard:
            await heard("round", round_id)

    async def shut_out(self, viewer: str) -> None:
        """A viewer flooded: it is refused by every process."""
        for heard in self._heard:
            await heard("flooder", viewer)

    async def check(self) -> None:
        """There is nothing that could be wrong."""

    async def start(self) -> None:
        """Nothing to connect to."""

    async def stop(self) -> None:
        """Nothing to leave."""
