"""What a tablet fetches for itself: the sheet of a running panel round, and what its seat wrote."""

from __future__ import annotations

from functools import lru_cache

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse

from server.actions.perform import allowed
from server.domain.refusals import Refusal
from server.domain.rounds import entitled_seat, refusal_of
from server.services import language_of, services
from web.layout.page import render
from web.pages.panel import context

router = APIRouter()


@router.get("/h/{slug}/panel/sheet/{round_id}", response_class=HTMLResponse)
async def sheet(slug: str, round_id: str, request: Request) -> HTMLResponse:
    """The empty sheet: nobody's marks are in it, so that a tablet's draft is the only one. Who may
    not cast is told before anything is filled in."""
    here = services(request)
    by = await here.door.actor(request)
    lang = language_of(request)
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "page:panel")
        view = await unit.view(here.house.now())
    round_ = next((r for r in view.rounds if r.id == round_id and r.audience == "panel"), None)
    if round_ is None:
        raise Refusal("not_found")
    refusal = refusal_of(round_)
    if refusal is not None:
        raise refusal
    if by.seat is None:
        raise Refusal("not_allowed")
    entitled_seat(round_, by.seat)
    return HTMLResponse(
        _rendered(context.sheet(view, round_, lang), lang), headers={"Cache-Control": "no-store"}
    )


@lru_cache(maxsize=16)
def _rendered(sheet: context.Sheet, lang: str) -> str:
    """All seats fetch the same sheet in the moment in which the round opens."""
    return render("panel/_sheet.html", lang, f=sheet)


@router.get("/h/{slug}/panel/floor")
async def written(slug: str, request: Request) -> JSONResponse:
    """{request's id: text} of this seat's own requests for the floor. The page's fragments are the
    same on every tablet and hold nobody's words; these are shown, and asked again, on this one."""
    here = services(request)
    by = await here.door.actor(request)
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "page:panel")
        seats = {seat.number: seat.id for seat in await unit.people.seats()}
        requests = await unit.floor.requests()
    return JSONResponse(
        {str(one.id): one.text for one in requests if seats[one.seat] == by.seat},
        headers={"Cache-Control": "no-store"},
    )
