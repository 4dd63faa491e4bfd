"""What the console asks for beside its fragments: `GET /h/SLUG/host/numbers`, who has cast and who has begun
and how loaded the installation is, for one that was just opened; the panel's tablets; and the chart of
what was asked beside what was received, while somebody looks at it.

Pulses carry only what changed; a console that comes late would show an empty seat map until then.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse

from server.actions.perform import allowed
from server.services import language_of, services
from web.layout.page import render
from web.pages.host import context

router = APIRouter()


@router.get("/h/{slug}/host/numbers")
async def numbers(slug: str, request: Request) -> JSONResponse:
    """What a pulse tells the console alone, whole: never a value."""
    here = services(request)
    by = await here.door.actor(request)
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "page:host")
        found = await unit.numbers(here.house.now())
    turnout = {
        id_: {"cast": cast, "begun": begun, "due": due, "seats": seats}
        for id_, (cast, begun, due, seats) in found.turnout.items()
    }
    return JSONResponse(
        {"turnout": turnout, "load": found.load}, headers={"Cache-Control": "no-store"}
    )


@router.get("/h/{slug}/host/fairness", response_class=HTMLResponse)
async def fairness(slug: str, request: Request) -> HTMLResponse:
    """How what was asked compares with what was received: numbers alone, nobody's text."""
    here = services(request)
    by = await here.door.actor(request)
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "page:host")
        compared = await unit.questions.compared()
        subjects = await unit.people.subjects()
    lang = language_of(request)
    html = render("host/_fairness.html", lang, f=context.fairness(compared, subjects, lang))
    return HTMLResponse(html, headers={"Cache-Control": "no-store"})


@router.get("/h/{slug}/host/tablets")
async def tablets(slug: str, request: Request) -> JSONResponse:
    """{seat's number: how its tablet is}: `up`, `silent`, `gone`, or `never` since the server began."""
    here = services(request)
    by = await here.door.actor(request)
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "page:host")
        seats = await unit.people.seats()
    now, found = here.house.now(), here.tablets.of(unit.place.ref.hearing)
    told: dict[str, dict[str, Any]] = {}
    for seat in seats:
        one = found.get(seat.id)
        told[str(seat.number)] = (
            {"state": "never"}
            if one is None
            else {
                "state": one.state(now),
                "seen": one.seen,
                "battery": one.battery,
                "charging": one.charging,
            }
        )
    return JSONResponse(told, headers={"Cache-Control": "no-store"})
