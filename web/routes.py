"""The pages' own addresses: public pages cached as bytes, staff pages behind their session."""

from __future__ import annotations

import gzip
import hashlib
from collections import OrderedDict
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from server.domain.hearing import Place
from server.domain.refusals import Refusal
from server.domain.roles import Actor, has_right
from server.domain.rounds import may_see_result
from server.domain.view import HearingView
from server.services import services
from web.layout.language import language
from web.layout.page import STAFF, render
from web.layout.qr import qr_svg
from web.layout.session import session_for
from web.pages import results
from web.pages.brief import views as brief
from web.pages.desk import views as desk
from web.pages.home import views as home
from web.pages.host import views as host
from web.pages.join import views as join
from web.pages.kiosk import views as kiosk
from web.pages.login import views as login
from web.pages.office import sources_views as office_sources
from web.pages.office import topics_views as office_topics
from web.pages.office import views as office
from web.pages.panel import views as panel
from web.pages.problem import context as problem_page
from web.pages.question import views as question
from web.pages.setup import views as setup
from web.pages.spare import views as spare
from web.renderer import PAGES

router = APIRouter()
ROUTERS = (
    *(
        views.router
        for views in (
            brief,
            desk,
            home,
            host,
            join,
            kiosk,
            login,
            office,
            office_sources,
            office_topics,
            panel,
            question,
            setup,
            spare,
        )
    ),
    router,
)
"""Every page's addresses; the last are the live pages' own, `/h/SLUG/PAGE` being the widest."""
KEPT = 64
FRESH_MS = 5_000
"""How long a page may be given out whose numbers have moved since: a browser without scripts has no other."""
_kept: OrderedDict[tuple[str, str, str, int], tuple[bytes, bytes, int, int]] = OrderedDict()
"""Public pages, plain and gzipped, where the journal stood and when they were made, by (slug, language,
epoch, version): made once, sent to everyone."""


@router.get("/h/{slug}")
async def public_page(slug: str, request: Request, lang: str | None = None) -> Response:
    """The public live page: bytes made once for each (language, version), with an ETag."""
    here, chosen = services(request), language(lang)
    async with here.store.look(slug=slug) as unit:
        if unit.place.status == "draft":
            raise Refusal("not_found")
        request.scope["hearing"] = unit.place.ref.hearing  # for `api/front.py`
        head, now = await unit.journal.head(), here.house.now()
        version = head.versions["public"]
        epoch = unit.place.epoch
        key = (slug, chosen, epoch, version)
        body = _kept.get(key)
        if body is None or (body[2] != head.seq and now - body[3] > FRESH_MS):
            view = await unit.view(now)
            html = PAGES["public"].html(
                view, chosen, socket=f"/h/{slug}/socket", seat="", slug=slug
            )
            plain = html.encode()
            body = _kept[key] = plain, gzip.compress(plain, 9, mtime=0), head.seq, now
            while len(_kept) > KEPT:
                _kept.popitem(last=False)
    # Numbers on the page (likes, viewers, what became of questions) move without a version; a page
    # that is the same but for them is put right by the first pulse.
    plain, gzipped, _, _ = body
    etag = f'"{epoch}-{version}-{chosen}-{hashlib.sha256(plain).hexdigest()[:8]}"'
    headers = {
        "ETag": etag,
        "Cache-Control": "public, max-age=0, must-revalidate",
        "Vary": "Accept-Encoding",
    }
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return HTMLResponse(gzipped, headers={**headers, "Content-Encoding": "gzip"})
    return HTMLResponse(plain, headers=headers)


@router.get("/h/{slug}/qr.svg")
async def qr(slug: str, request: Request) -> Response:
    """The public page's address as a QR code."""
    here = services(request)
    async with here.store.look(slug=slug) as unit:
        if unit.place.status == "draft":
            raise Refusal("not_found")
    base = here.settings.public_url or f"{here.door.scheme(request)}://{request.url.netloc}"
    return Response(qr_svg(f"{base}/h/{slug}"), media_type="image/svg+xml")


@router.get("/h/{slug}/{page}")
async def staff_page(
    slug: str, page: str, request: Request, lang: str | None = None, preview: str = ""
) -> Response:
    """A staff page, for a session that holds the page's right. `preview` is ROUND:STEP: the hall screen
    as it would show this step of the reveal, standing still, for who directs the screens."""
    if page not in STAFF:
        raise Refusal("not_found")
    here, chosen = services(request), language(lang)
    # A tablet has no account to sign in with: it may ask for a seat.
    sign_in: Response = (
        spare.page(slug, chosen)
        if page == "panel"
        else RedirectResponse(f"/login?next=/h/{quote(slug)}/{page}&lang={chosen}", 303)
    )
    try:
        async with here.store.look(slug=slug) as unit:
            place = unit.place
            found = await session_for(here, request, place, f"page:{page}")
            if found is None:
                return sign_in
            by, seat = found
            view = await unit.view(here.house.now())
    except Refusal as refusal:
        # Whoever is not signed in learns nothing: a draft's address answers as one that is not.
        if refusal.code == "not_found" and await here.door.maybe_actor(request) is None:
            return sign_in
        raise
    if preview and page == "stage":
        return _preview(view, place, by, chosen, preview)
    me = next((s for s in view.seats if s.id == by.seat), None)
    if page == "panel" and me is None:
        raise Refusal("not_allowed")
    html = PAGES[page].html(
        view,
        chosen,
        socket=f"/h/{slug}/{page}/socket",
        seat=seat,
        slug=slug,
        me=me,
        by=by,
        roles=place.roles(by),
    )
    return HTMLResponse(html, headers={"Cache-Control": "no-store"})


def _preview(view: HearingView, place: Place, by: Actor, lang: str, wanted: str) -> Response:
    roles = place.roles(by)
    id_, _, step = wanted.partition(":")
    round_ = next((one for one in view.rounds if one.id == id_), None)
    if round_ is None or not step.isdigit() or len(step) > 4:
        raise Refusal("not_found")
    if not has_right(roles, "screens") or round_.result is None:
        raise Refusal("not_allowed")
    if not may_see_result(round_, roles):
        raise Refusal("not_published")
    there = results.as_revealed(view, round_, int(step))
    html = PAGES["stage"].html(there, lang, still=True, slug=view.hearing.slug)
    return HTMLResponse(html, headers={"Cache-Control": "no-store"})


def problem(refusal: Refusal, lang: str, **extra: Any) -> Response:
    """A refusal as a page for people."""
    told = problem_page.problem(
        refusal.message(lang), refusal.code, refusal.status, f"/?lang={lang}"
    )
    return HTMLResponse(render("problem/page.html", lang, f=told, **extra), refusal.status)
