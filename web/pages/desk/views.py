"""The desk's own addresses: a page of the list and one question, as HTML for its session only."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse

from server.actions.perform import allowed
from server.domain.refusals import Refusal
from server.services import language_of, services
from web.layout.page import render
from web.pages.desk import context

router = APIRouter()
_NO_STORE = {"Cache-Control": "no-store"}
PAGE = 50
"""Questions in one page of the list."""
LARGEST_ID = 2**31 - 1
"""What an integer column of PostgreSQL holds: a larger number is no question's."""


@router.get("/h/{slug}/desk/list", response_class=HTMLResponse)
async def listing(
    slug: str,
    request: Request,
    status: str | None = None,
    source: str | None = None,
    subject: str | None = None,
    tag: str | None = Query(default=None, max_length=60),
    q: str | None = Query(default=None, max_length=200),
    cursor: int | None = Query(default=None, ge=0, le=LARGEST_ID),
) -> HTMLResponse:
    """One page of questions, newest first; its last row loads the next."""
    here = services(request)
    by = await here.door.actor(request)
    filters: dict[str, Any] = {
        "status": status,
        "source": source,
        "subject": subject,
        "tag": tag,
        "q": (q or "").strip(),
    }
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "page:desk")
        page = await unit.questions.desk_page(
            status=tuple(status.split(",")) if status else (),
            source=source or None,
            tag=tag or None,
            subject=subject or None,
            search=filters["q"] or None,
            cursor=cursor,
            size=PAGE,
        )
        subjects = await unit.people.subjects()
    lang, more = language_of(request), ""
    if len(page) == PAGE:
        seat = request.query_params.get("seat")
        asked = {**filters, "cursor": page[-1].id, "lang": lang, "seat": seat}
        more = f"/h/{slug}/desk/list?" + urlencode({k: v for k, v in asked.items() if v})
    found = context.listing(page, subjects, more, here.house.now(), lang)
    return HTMLResponse(render("desk/_list.html", lang, f=found), headers=_NO_STORE)


@router.get("/h/{slug}/desk/question/{id_}", response_class=HTMLResponse)
async def question(
    slug: str, request: Request, id_: int = Path(ge=1, le=LARGEST_ID)
) -> HTMLResponse:
    """One question with its earlier wordings and every act that its state allows."""
    here = services(request)
    by = await here.door.actor(request)
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "page:desk")
        found = await unit.questions.get(id_)
        if found is None:
            raise Refusal("not_found")
        wordings = await unit.questions.wordings(id_)
        appeal = await unit.questions.appeal(id_)
        subjects = await unit.people.subjects()
    lang = language_of(request)
    pane = context.pane(slug, found, subjects, wordings, appeal, lang)
    return HTMLResponse(render("desk/_question.html", lang, f=pane), headers=_NO_STORE)
