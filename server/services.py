"""Everything that `app.py` joined, as routes, sockets and pages get it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from fastapi import Request
from starlette.requests import HTTPConnection

from server.actions.ports import House
from server.parts import Part

if TYPE_CHECKING:
    from server.identity.cards import CardDesk
    from server.identity.door import Door
    from server.identity.limits import Limiter
    from server.identity.people import PeopleDesk
    from server.identity.secrets import Keys
    from server.live.ballot_box import BallotBox
    from server.live.hub import Hub
    from server.live.pulse import Pulse
    from server.live.relay import Relay
    from server.live.tablets import Tablets
    from server.settings import Settings
    from server.store.transaction import Database
    from server.store.unit import HearingStore


class Bus(Protocol):
    """The bell, as far as it is looked at."""

    @property
    def up(self) -> bool: ...


@dataclass(frozen=True)
class Services:
    """Everything `app.py` joined, for routes, sockets and pages."""

    settings: Settings
    keys: Keys
    database: Database
    store: HearingStore
    house: House
    door: Door
    people: PeopleDesk
    cards: CardDesk
    limiter: Limiter
    box: BallotBox
    hub: Hub
    relay: Relay
    pulse: Pulse
    tablets: Tablets
    bus: Bus
    part: Part
    shut_out: Callable[[str], None]
    """A viewer that flooded is refused for a minute, by every process."""


def services(request: Request) -> Services:
    """The application's services, for a route."""
    return services_of(request)


def services_of(connection: HTTPConnection) -> Services:
    """The application's services, for a route or a socket."""
    found: Services = connection.app.state.services
    return found


def language_of(request: Any) -> str:
    """`?lang=`, else Accept-Language, else Chinese."""
    wanted = request.query_params.get("lang")
    if wanted in {"zh", "en"}:
        return str(wanted)
    accepted = request.headers.get("accept-language", "").lower()
    english, chinese = accepted.find("en"), accepted.find("zh")
    return "en" if english >= 0 and (chinese < 0 or english < chinese) else "zh"
