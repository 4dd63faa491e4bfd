"""What a tablet fetches for itself: the sheet of a running panel round, and what its seat wrote."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from server.actions.perform import allowed
from server.domain.refusals import Refusal
from server.domain.rounds import entitled_seat, refusal_of
from server.services import language_of, services
from web.layout.assets import TYPES, asset_url, assets
from web.layout.language import html_language, language, say
from web.layout.page import render
from web.pages.panel import context

router = APIRouter()
LABEL = r"^[a-z0-9-]{0,40}$"
"""The name of a session, as a page's address says it."""


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
    own = entitled_seat(round_, by.seat).own
    html = _rendered(context.sheet(view, round_, lang, own), lang)
    return HTMLResponse(html, headers={"Cache-Control": "no-store"})


@router.get("/h/{slug}/panel/worker.js")
async def worker(slug: str) -> Response:
    """The page's service worker: for this page alone (`Service-Worker-Allowed` is as far as it may
    reach), under one name, so that browsers find a newer one."""
    headers = {"Cache-Control": "no-cache", "Service-Worker-Allowed": f"/h/{quote(slug)}/panel"}
    script = assets()["pages/panel/worker.js"]
    return Response(script.plain, media_type=script.type, headers=headers)


@router.get("/h/{slug}/panel/app.webmanifest")
async def manifest(
    slug: str, lang: str | None = None, seat: Annotated[str, Query(pattern=LABEL)] = ""
) -> Response:
    """What an installed tablet opens: this seat's page, without the browser's bars."""
    chosen, page = language(lang), f"/h/{quote(slug)}/panel"
    told = {
        "name": say(chosen, "评议"),
        "id": page,
        "start_url": f"{page}?lang={chosen}" + (f"&seat={seat}" if seat else ""),
        "scope": page,
        "lang": html_language(chosen),
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#15508f",
        "icons": [
            {"src": asset_url("icon.svg"), "sizes": "any", "type": "image/svg+xml"},
            {"src": asset_url("icon-192.png"), "sizes": "192x192", "type": "image/png"},
            {"src": asset_url("icon-512.png"), "sizes": "512x512", "type": "image/png"},
        ],
    }
    return JSONResponse(told, media_type=TYPES[".webmanifest"])


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
