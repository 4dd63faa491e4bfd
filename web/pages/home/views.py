"""`GET /`: the hearings that were announced."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from server.identity import office_book
from server.services import services
from web.layout.language import language
from web.layout.page import render
from web.pages.home import context

router = APIRouter()


@router.get("/", response_class=HTMLResponse)
async def home(request: Request, lang: str | None = None) -> HTMLResponse:
    """Public, the same for everyone."""
    chosen = language(lang)
    listed = [
        context.Listed(p.slug, p.title, office, p.status, p.kind)
        for p, office in await office_book.announced(services(request).database)
    ]
    html = render("home/page.html", chosen, page="home", f=context.home(listed, chosen))
    return HTMLResponse(html, headers={"Cache-Control": "public, max-age=5"})
