"""`/h/SLUG/kiosk`: a tablet that several panelists share. Each types a one-time code, fills in the sheet
of the round that is open, and leaves; then the next one comes."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, Field

from server.domain.refusals import Refusal
from server.domain.rounds import TAKES_BALLOTS, entitled_seat
from server.services import Services, services
from web.layout.language import language
from web.layout.page import render
from web.layout.refused import refused

router = APIRouter()
NO_STORE = {"Cache-Control": "no-store"}


class Entering(BaseModel):
    """The code that stands on the slip."""

    code: Annotated[str, Field(min_length=1, max_length=40)]


class Leaving(BaseModel):
    """The label of the session that ends."""

    seat: Annotated[str, Field(pattern=r"^kiosk-[0-9]{1,3}$")]


@router.get("/h/{slug}/kiosk", response_class=HTMLResponse)
async def page(slug: str, lang: str | None = None) -> HTMLResponse:
    """Where a code is typed in. It says nothing of the hearing, not even whether there is one."""
    html = render("kiosk/page.html", language(lang), page="kiosk", slug=slug)
    return HTMLResponse(html, headers=NO_STORE)


@router.post("/h/{slug}/kiosk/session")
async def enter(slug: str, body: Entering, request: Request, lang: str | None = None) -> Response:
    """Uses the code up and answers where the sheet is. A code with which nothing can be done now stays
    whole, and only codes that do not exist are counted against an address."""
    here, chosen = services(request), language(lang)
    code = "".join(body.code.split()).replace("-", "")
    try:
        await _check(here, slug, code)
        session = await here.people.enter_kiosk(code)
    except Refusal as refusal:
        if refusal.code in {"kiosk_unknown", "not_found"}:
            try:
                here.limiter.check("join", here.door.address(request))
            except Refusal as too_many:
                return refused(too_many, chosen)
            refusal = Refusal("kiosk_unknown")
        return refused(refusal, chosen)
    address = f"/h/{quote(slug)}/panel?seat={session.label}&lang={chosen}"
    response = JSONResponse({"address": address}, headers=NO_STORE)
    here.door.set_cookie(request, response, f"as_{session.label}", session.secret, days=1)
    return response


async def _check(here: Services, slug: str, code: str) -> None:
    """Raises why the code cannot be used now."""
    async with here.store.look(slug=slug) as unit:
        hearing = unit.place.ref.hearing
        running = [one for one in await unit.rounds.all() if one.status in TAKES_BALLOTS]
    card = await here.people.kiosk_card(code, hearing)
    panel = [one for one in running if one.audience == "panel"]
    if not panel:
        raise Refusal("kiosk_no_round")
    for one in panel:
        try:
            entitled_seat(one, card.seat_id)
        except Refusal as refusal:
            why = refusal
        else:
            return
    raise why


@router.post("/h/{slug}/kiosk/end")
async def leave(slug: str, body: Leaving, request: Request) -> Response:
    """The session of whoever sat here ends."""
    here = services(request)
    for _, secret in here.door.sessions(request, body.seat):
        await here.people.sign_out(secret)
    response = JSONResponse({}, headers=NO_STORE)
    response.delete_cookie(here.door.cookie_name(request, f"as_{body.seat}"), path="/")
    return response
