"""`/login` and `/logout`: plain forms, no script needed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from server.identity.door import SESSION_DAYS
from server.services import Services, services
from web.layout.forms import FAILED, headers_of, refusal_of
from web.layout.language import language
from web.layout.page import render
from web.pages.login import context

router = APIRouter()
Field = Annotated[str, Form()]


@router.get("/login", response_class=HTMLResponse)
async def login_page(request: Request, lang: str | None = None, next: str = "") -> Response:
    """The form, and who this browser already is."""
    chosen = language(lang)
    known = await _known(services(request), request, next, chosen)
    return _page(context.Login("", context.local_path(next), "", known), chosen, 200)


async def _known(
    here: Services, request: Request, next: str, lang: str
) -> tuple[context.SignedIn, ...]:
    found = []
    for label in here.door.seats(request):
        by = await here.door.maybe_actor(request, label)
        if by is not None and by.id.startswith("account:"):
            found.append(context.SignedIn(label, by.name, context.landing(next, label, lang)))
    return tuple(found)


@router.post("/login", response_class=HTMLResponse)
async def sign_in(
    request: Request,
    lang: str | None = None,
    login: Field = "",
    password: Field = "",
    next: Field = "",
) -> Response:
    """A session, or the form again with the sentence."""
    here, chosen = services(request), language(lang)
    name = login.strip()[:60]
    try:
        async with here.limiter.guess(here.door.address(request), name):
            session = await here.people.sign_in(name, password)
    except FAILED as error:
        refused = refusal_of(error)
        known = await _known(here, request, next, chosen)
        f = context.Login(name, context.local_path(next), refused.message(chosen), known)
        page = _page(f, chosen, refused.status)
        page.headers.update(headers_of(refused))
        return page
    response = RedirectResponse(context.landing(next, session.label, chosen), 303)
    here.door.set_cookie(request, response, f"as_{session.label}", session.secret, SESSION_DAYS)
    return response


@router.post("/logout")
async def sign_out(request: Request, seat: str = "", lang: str | None = None) -> Response:
    """Ends the named session; its sockets close within two seconds."""
    here = services(request)
    response = RedirectResponse(f"/login?lang={language(lang)}", 303)
    for label, secret in here.door.sessions(request, seat or None):
        await here.people.sign_out(secret)
        # Written as it was set: over https a browser ignores a `__Host-` cookie without Secure.
        here.door.set_cookie(request, response, f"as_{label}", "", 0)
        break
    return response


def _page(f: context.Login, lang: str, status: int) -> HTMLResponse:
    html = render("login/page.html", lang, page="login", f=f)
    return HTMLResponse(html, status, headers={"Cache-Control": "no-store"})
