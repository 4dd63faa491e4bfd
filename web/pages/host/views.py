"""`GET /h/SLUG/host/turnout`: who has cast and who has begun, for a console that was just opened.

Pulses carry only what changed; a console that comes late would show an empty seat map until then.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from server.actions.perform import allowed
from server.services import services

router = APIRouter()


@router.get("/h/{slug}/host/turnout")
async def turnout(slug: str, request: Request) -> JSONResponse:
    """The member `turnout` of a pulse, whole: never a value."""
    here = services(request)
    by = await here.door.actor(request)
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "page:host")
        numbers = await unit.numbers(here.house.now())
    return JSONResponse(
        {
            id_: {"cast": cast, "begun": begun, "due": due, "seats": seats}
            for id_, (cast, begun, due, seats) in numbers.turnout.items()
        },
        headers={"Cache-Control": "no-store"},
    )
