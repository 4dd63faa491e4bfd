"""`/h/SLUG/brief`, where an official's office reads what it was sent, and `/h/SLUG/desk/brief/SUBJECT`, where the
desk sees exactly that before it is sent."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from server.actions.send_brief import in_advance, read_brief
from server.domain.refusals import Refusal
from server.services import services
from web.layout.language import language
from web.layout.page import render
from web.layout.session import session_for
from web.pages.brief import context

router = APIRouter()
_NO_STORE = {"Cache-Control": "no-store"}


@router.get("/h/{slug}/brief")
async def reading(slug: str, request: Request, lang: str | None = None) -> Response:
    """For the office of the official whose card was used to come in."""
    here, chosen = services(request), language(lang)
    try:
        async with here.store.look(slug=slug) as unit:
            place = unit.place
            found = await session_for(here, request, place, "read_brief")
            if found is None:
                return _sign_in(f"/h/{slug}/brief", chosen)
            by, seat = found
        async with here.store.look(slug=slug, line=True) as unit:
            key, sent = await read_brief(unit, by)
            subject = next(one for one in await unit.people.subjects() if one.key == key)
    except Refusal as refusal:
        if refusal.code == "not_found" and await here.door.maybe_actor(request) is None:
            return _sign_in(f"/h/{slug}/brief", chosen)
        raise
    f = context.reading(
        slug, place.title, subject, sent, chosen, rehearsal=place.kind == "rehearsal"
    )
    html = render("brief/page.html", chosen, page="brief", f=f, seat=seat)
    return HTMLResponse(html, headers=_NO_STORE)


@router.get("/h/{slug}/desk/brief/{subject}")
async def preview(slug: str, subject: str, request: Request, lang: str | None = None) -> Response:
    """What the office of this official would read, what keeps it back, and what it proposes to reply."""
    here, chosen = services(request), language(lang)
    path = f"/h/{slug}/desk/brief/{subject}"
    try:
        async with here.store.look(slug=slug) as unit:
            place = unit.place
            found = await session_for(here, request, place, "brief")
            if found is None:
                return _sign_in(path, chosen)
            subjects = await unit.people.subjects()
            named = next((one for one in subjects if one.key == subject), None)
            if named is None:
                raise Refusal("not_found")
        async with here.store.look(slug=slug, line=True) as unit:
            now, sent = await unit.briefs.now(subject), await unit.briefs.sent(subject)
            asked = await unit.questions.by_ids(sent.ids if sent else ())
            on = await in_advance(unit)
    except Refusal as refusal:
        if refusal.code == "not_found" and await here.door.maybe_actor(request) is None:
            return _sign_in(path, chosen)
        raise
    states = {id_: one.status for id_, one in asked.items()}
    f = context.preview(
        slug,
        place.title,
        subjects,
        named,
        on,
        now,
        sent,
        states,
        chosen,
        rehearsal=place.kind == "rehearsal",
    )
    html = render("brief/preview.html", chosen, page="brief", f=f, seat=found[1])
    return HTMLResponse(html, headers=_NO_STORE)


def _sign_in(path: str, lang: str) -> Response:
    return RedirectResponse(f"/login?next={quote(path)}&lang={lang}", 303)
