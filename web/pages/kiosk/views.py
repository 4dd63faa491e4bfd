"""`/h/SLUG/kiosk`: a tablet that several panelists share. Each types a one-time code, fills in the sheet
of the round that is open, and leaves; then the next one comes."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, Field

from server.actions.check_in import check_in
from server.domain.refusals import Refusal
from server.domain.rounds import TAKES_BALLOTS, entitled_seat
from server.identity.cards import KIOSK
from server.services import Services, services
from web.layout.language import language
from web.layout.page import render
from web.layout.refused import refused

router = APIRouter()
NO_STORE = {"Cache-Control": "no-store"}


class Entering(BaseModel):
    """The code that stands on the slip."""

    code: Annotated[str, Field(min_length=1, max_length=40)]


@router.get("/h/{slug}/kiosk", response_class=HTMLResponse)
async def page(slug: str, lang: str | None = None) -> HTMLResponse:
    """Where a code is typed in. It says nothing of the hearing, not even whether there is one."""
    html = render("kiosk/page.html", language(lang), page="kiosk", slug=slug)
    return HTMLResponse(html, headers=NO_STORE)


@router.post("/h/{slug}/kiosk/session")
async def enter(slug: str, body: Entering, request: Request, lang: str | None = None) -> Response:
    """Uses the code up and answers where the sheet is; whoever sat here before is signed out. A code with
    which nothing can be done now stays whole."""
    here, chosen = services(request), language(lang)
    code = "".join(body.code.split()).replace("-", "")
    try:
        here.limiter.check("kiosk", here.door.address(request))
        await _sign_in_and_check(here, slug, code)
        session = await here.cards.enter_kiosk(code)
    except Refusal as refusal:
        return refused(Refusal("kiosk_unknown") if refusal.code == "not_found" else refusal, chosen)
    address = f"/h/{quote(slug)}/panel?seat={session.label}&lang={chosen}"
    response = JSONResponse({"address": address}, headers=NO_STORE)
    await _sign_out(here, request, response)
    here.door.set_cookie(request, response, f"as_{session.label}", session.secret, days=1)
    return response


async def _sign_in_and_check(here: Services, slug: str, code: str) -> None:
    """Raises why the code cannot be used now. Whoever has one is here: it signs the seat in, so that a
    hall that has shared tablets alone needs no list of its own."""
    async with here.store.look(slug=slug) as unit:
        hearing = unit.place.ref.hearing
        panel = [
            (one, await unit.paper.seats(one.id))
            for one in await unit.rounds.all()
            if one.status in TAKES_BALLOTS and one.audience == "panel"
        ]
    card = await here.cards.kiosk_card(code, hearing)
    why = Refusal("kiosk_no_round")
    with suppress(Refusal):  # Before check-in and after the end nobody signs in.
        await check_in(here.house, slug, card.seat_id)
        why = Refusal("kiosk_signed_in")
    for one, on_paper in panel:
        try:
            entitled_seat(one, card.seat_id)
        except Refusal as refusal:
            why = refusal
            continue
        if card.seat_id not in on_paper:
            return
        why = Refusal("votes_on_paper")
    raise why


@router.post("/h/{slug}/kiosk/end")
async def leave(slug: str, request: Request) -> Response:
    """Whoever sat here is signed out."""
    response = JSONResponse({}, headers=NO_STORE)
    await _sign_out(services(request), request, response)
    return response


async def _sign_out(here: Services, request: Request, response: Response) -> None:
    """Ends every session of a shared tablet that this browser holds, however its page was left."""
    for label in here.door.seats(request):
        if label.startswith(KIOSK):
            for _, secret in here.door.sessions(request, label):
                await here.people.sign_out(secret)
            response.delete_cookie(here.door.cookie_name(request, f"as_{label}"), path="/")
