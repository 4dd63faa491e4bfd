"""Every room of a hearing and who may join it: nowhere else is a room's name put together."""

from __future__ import annotations

from dataclasses import dataclass

from server.domain.events import ROOMS
from server.domain.hearing import Place
from server.domain.refusals import Refusal
from server.domain.roles import Actor, has_right

FORMATS = ("json", "html")


@dataclass(frozen=True)
class Channel:
    """One stream of frames: a hearing's room, in one format and, for HTML, one language."""

    hearing: int
    room: str
    format: str
    lang: str


@dataclass(frozen=True)
class Spot:
    """Where a socket belongs: the hearing as it was found, the room, and the reader's language."""

    place: Place
    room: str
    lang: str


def channel(place: Place, room: str, format: str, lang: str) -> Channel:
    """The channel of a room; JSON has no language, so that all its readers share one."""
    if room not in ROOMS:
        raise Refusal("not_found")
    if format not in FORMATS:
        raise Refusal("malformed", place="as")
    return Channel(place.ref.hearing, room, format, lang if format == "html" else "zh")


def check_join(place: Place, room: str, by: Actor | None) -> None:
    """Anybody may watch the public room once the hearing is announced; the others need a role.

    Raises `not_signed_in` (closes with 4401) or `not_allowed` (4403); `not_found` (4403) for whoever
    has no role at a draft, as for a hearing that is not.
    """
    if room == "public":
        if place.status == "draft":
            raise Refusal("not_found")
        return
    if by is None:
        raise Refusal("not_signed_in")
    roles = place.roles(by)
    if place.status == "draft" and not roles:
        raise Refusal("not_found")
    if not has_right(roles, f"page:{room}"):
        raise Refusal("not_allowed")
