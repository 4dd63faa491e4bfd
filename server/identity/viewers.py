"""A viewer's token: minted at the first act, not on arrival, and kept in the browser's cookie."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from server.identity.door import Door
from server.identity.limits import Limiter

VIEWER_DAYS = 400
"""How long the cookie lasts; browsers keep none for longer."""


async def viewer_token(door: Door, limiter: Limiter, request: HTTPConnection) -> str:
    """The token in this browser's cookie, or a new one."""
    token = request.cookies.get(door.cookie_name(request, "viewer"))
    if token is not None and door.keys.viewer_of(token) is not None:
        return token
    limiter.check("viewers", door.address(request))
    return door.keys.viewer_token()
