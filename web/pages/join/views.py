"""`/join/CODE`: a one-time card. GET shows it, its button POSTs it into a session."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from server.actions.check_in import check_in
from server.domain.refusals import Refusal
from server.domain.roles import has_right
from server.identity.cards import OF_SUBJECT
from server.identity.door import SESSION_DAYS
from server.services import Services, services
from web.layout.language import language
from web.layout.page import STAFF, render
from web.pages.join import context

router = APIRouter()

STATUS = {"open": 200, "used": 409, "expired": 409, "early": 409, "unknown": 404}
OPEN_TO_SEATS = frozenset({"check_in", "live", "paused"})
OVER = frozenset({"ended", "certified", "archived"})


@router.get("/join/{code}", response_class=HTMLResponse)
async def show(code: str, request: Request, lang: str | None = None) -> Response:
    """Whose card it is. Looking uses nothing up."""
    here, chosen = services(request), language(lang)
    card, state = await _found(here, request, code)
    return _page(card, state, chosen, 404 if state == "unknown" else 200)


@router.post("/join/{code}", response_class=HTMLResponse)
async def use(code: str, request: Request, lang: str | None = None) -> Response:
    """Uses the card up and leads to its page; a card that cannot be used yet stays whole."""
    here, chosen = services(request), language(lang)
    card, state = await _found(here, request, code)
    if state != "open":
        return _page(card, state, chosen, STATUS[state])
    try:
        session, row = await here.cards.join(code)
    except Refusal:  # Somebody else was quicker.
        card, state = await _found(here, request, code)
        return _page(card, state, chosen, STATUS[state])
    if row.seat_id is not None:
        with suppress(Refusal):  # The hearing ended between the look and the use.
            await check_in(here.house, row.slug, row.seat_id)
    opens = "panel" if row.seat_id is not None else _first_page(row.role)
    if session.label.startswith(f"{OF_SUBJECT}-"):
        opens = "brief"
    target = f"/h/{row.slug}" + (f"/{opens}?seat={session.label}&" if opens else "?")
    response = RedirectResponse(f"{target}lang={chosen}", 303)
    here.door.set_cookie(request, response, f"as_{session.label}", session.secret, SESSION_DAYS)
    return response


def _first_page(role: str) -> str | None:
    """The first staff page that a device's role opens; a commentator has only the public page."""
    return next((p for p in STAFF if p != "panel" and has_right([role], f"page:{p}")), None)


async def _found(here: Services, request: Request, code: str) -> tuple[context.Card | None, str]:
    """The card and its state, as `context.join` wants them. Only codes that do not exist are
    counted against an address: a whole panel enters from one."""
    try:
        row = await here.cards.card(code)
    except Refusal:
        here.limiter.check("join", here.door.address(request))
        return None, "unknown"
    async with here.store.look(slug=row.slug) as unit:
        view = await unit.view(here.house.now())
    seat = next((s for s in view.seats if s.id == row.seat_id), None)
    card = context.Card(
        code=code.strip().upper(),
        hearing=row.title,
        office=view.office_name,
        role=row.role,
        rehearsal=view.rehearsal,
    )
    if seat is not None:
        card = replace(card, name=seat.name, group=seat.group_name, seat=seat.number)
    return card, _state(row, view.hearing.status, here.house.now())


def _state(row: Any, status: str, now: int) -> str:
    if row.used_at is not None:
        return "used"
    if row.expires_at < now or status in OVER:
        return "expired"
    if row.seat_id is not None and status not in OPEN_TO_SEATS:
        return "early"
    return "open"


def _page(card: context.Card | None, state: str, lang: str, status: int) -> HTMLResponse:
    html = render("join/page.html", lang, page="join", f=context.join(card, state, lang))
    return HTMLResponse(html, status, headers={"Cache-Control": "no-store"})
