"""`/setup/CODE`: the first administrator, once. GET shows the form and changes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from server.domain.refusals import Refusal
from server.identity.door import SESSION_DAYS
from server.identity.office_book import check_setup
from server.services import services
from web.layout.forms import FAILED, headers_of, refusal_of
from web.layout.language import language, say
from web.layout.page import render
from web.pages.setup import context

router = APIRouter()
Field = Annotated[str, Form()]
OF_THE_LINK = frozenset({"setup_unknown", "setup_expired", "setup_done"})
"""Refusals after which the form is of no more use."""


@router.get("/setup/{code}", response_class=HTMLResponse)
async def setup_page(code: str, request: Request, lang: str | None = None) -> Response:
    """The form, while the link holds."""
    here = services(request)
    here.limiter.check("join", here.door.address(request))
    await check_setup(here.database, code, here.house.now())
    return _page(context.Setup(code), language(lang), 200)


@router.post("/setup/{code}", response_class=HTMLResponse)
async def set_up(
    code: str,
    request: Request,
    lang: str | None = None,
    office: Field = "",
    level: Field = "city",
    login: Field = "",
    name: Field = "",
    password: Field = "",
    again: Field = "",
) -> Response:
    """The root office and its administrator, signed in; or the form again with the sentence."""
    here, chosen = services(request), language(lang)
    typed = context.Setup(code, office[:60], level, login[:40], name[:40])
    if level not in {key for key, _, _ in context.LEVELS}:
        level = "city"
    try:
        here.limiter.check("join", here.door.address(request))
        await check_setup(here.database, code, here.house.now())
        if password != again:
            said = say(chosen, "两次输入的密码不一样。")
            return _page(replace(typed, said=said, wrong="again"), chosen, 422)
        session = await here.people.set_up(
            code, office.strip()[:60], level, login.strip().lower(), name.strip()[:40], password
        )
    except FAILED as error:
        refused = refusal_of(error)
        if refused.code in OF_THE_LINK:
            raise refused from error
        wrong = _field_of(refused)
        said = (
            say(chosen, "登录名须为 3–40 个小写字母、数字、点、下划线或连字符。")
            if wrong == "login"
            else refused.message(chosen)
        )
        page = _page(replace(typed, said=said, wrong=wrong), chosen, refused.status)
        page.headers.update(headers_of(refused))
        return page
    target = f"/office?seat={session.label}&lang={chosen}"
    response = RedirectResponse(target, 303)
    here.door.set_cookie(request, response, f"as_{session.label}", session.secret, SESSION_DAYS)
    return response


def _field_of(refusal: Refusal) -> str:
    """The field that a refusal is about, or "" when it is about none."""
    if refusal.code == "password_weak":
        return "password"
    return str(refusal.detail["place"]) if refusal.code == "malformed" else ""


def _page(f: context.Setup, lang: str, status: int) -> HTMLResponse:
    html = render("setup/page.html", lang, page="setup", f=f)
    return HTMLResponse(html, status, headers={"Cache-Control": "no-store"})
