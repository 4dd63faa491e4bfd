"""What all viewers of one channel share, as a viewer sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from server.live.channels import Channel, Spot

if TYPE_CHECKING:
    from server.live.viewer import Viewer


class Room(Protocol):
    """What all viewers of one channel share."""

    channel: Channel
    spot: Spot

    def heard(self, viewer: Viewer, text: str) -> None:
        """It said something."""

    def drained(self, viewer: Viewer) -> None:
        """It had fallen behind and has taken what waited: it needs a snapshot."""

    def resume(self, viewer: Viewer, epoch: str, version: int) -> None:
        """It asks for the gap from where it stands."""

    def flooded(self, viewer: Viewer) -> None:
        """It said more than it may, and goes."""

    def left(self, viewer: Viewer) -> None:
        """Its connection has ended."""

    def tick(self) -> int:
        """The number of the next frame to the channel."""
