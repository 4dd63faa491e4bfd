"""Which of the people that a browser is signed in as opens a page."""

from __future__ import annotations

from fastapi import Request

from server.domain.hearing import Place
from server.domain.refusals import Refusal
from server.domain.roles import Actor, has_right
from server.services import Services


async def session_for(
    here: Services, request: Request, place: Place, right: str
) -> tuple[Actor, str] | None:
    """(who, label) of the first session of this browser that holds the right at the place; the
    label is what the page's script sends back, so that it stays this person."""
    known, somebody = False, False
    wanted = request.query_params.get("seat")
    for label in (wanted,) if wanted else here.door.seats(request):
        by = await here.door.maybe_actor(request, label)
        if by is None:
            continue
        known = True
        roles = place.roles(by)
        somebody = somebody or bool(roles)
        if has_right(roles, right):
            return by, label
    if known:  # Where he is nobody he learns nothing of the hearing, as in the API.
        raise Refusal("not_allowed" if somebody else "not_found")
    return None
