"""A tablet that nobody has signed in asks for a seat, and comes for its session once it was granted."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, Field

from server.actions.take_over_seat import ask_for_seat
from server.domain.refusals import Refusal
from server.identity.door import SESSION_DAYS
from server.identity.secrets import code, digest, long_secret
from server.services import services
from web.layout.language import language, say
from web.layout.page import render
from web.layout.refused import refused

router = APIRouter()
NO_STORE = {"Cache-Control": "no-store"}


class Asking(BaseModel):
    """Which seat."""

    seat: Annotated[int, Field(ge=1, le=999)]


class Coming(BaseModel):
    """What the tablet was given when it asked."""

    secret: Annotated[str, Field(min_length=20, max_length=100)]


def page(slug: str, lang: str) -> HTMLResponse:
    """The page of a spare tablet. It says nothing of the hearing, not even whether there is one."""
    html = render("spare/page.html", lang, page="spare", slug=slug)
    return HTMLResponse(html, 401, headers=NO_STORE)


@router.post("/h/{slug}/panel/spare")
async def ask(slug: str, body: Asking, request: Request, lang: str | None = None) -> Response:
    """The tablet asks; what it is answered it shows, and keeps to come back with."""
    here, chosen = services(request), language(lang)
    secret = long_secret()
    try:
        here.limiter.check("takeover", here.door.address(request))
        answer = await ask_for_seat(here.house, slug, body.seat, code(4), digest(secret))
    except Refusal as refusal:
        return refused(refusal, chosen)
    told = {
        "secret": secret,
        "check": answer.body["check"],
        "seat": say(chosen, "%(n)s 号席", n=body.seat),
    }
    return JSONResponse(told, 201, headers=NO_STORE)


@router.post("/h/{slug}/panel/spare/session")
async def come(slug: str, body: Coming, request: Request, lang: str | None = None) -> Response:
    """What became of it; with a granted one comes the seat's session."""
    here, chosen = services(request), language(lang)
    try:
        here.limiter.check("claim", here.door.address(request))
        status, session = await here.cards.claim(body.secret)
    except Refusal as refusal:
        return refused(refusal, chosen)
    if session is None:
        return JSONResponse({"status": status}, headers=NO_STORE)
    address = f"/h/{quote(slug)}/panel?seat={session.label}&lang={chosen}"
    response = JSONResponse({"status": status, "address": address}, headers=NO_STORE)
    here.door.set_cookie(request, response, f"as_{session.label}", session.secret, SESSION_DAYS)
    return response
