"""`/office/hearings/SLUG/sources`: where a hearing's questions come from."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from server.actions.manage_sources import sources_with_keys
from server.domain.refusals import Refusal
from web.pages.office import sources_context
from web.pages.office.entry import enter
from web.pages.office.examples import examples_page

router = APIRouter()


@router.get("/office/hearings/{slug}/sources", response_class=HTMLResponse)
async def sources(slug: str, request: Request, lang: str | None = None) -> Response:
    """Every source with its last run, and a form for each kind of new one; acts go to the API."""
    here = await enter(request, lang)
    if isinstance(here, Response):
        return here
    place, _ = await here.place(slug, "manage_sources")
    async with here.services.store.look(slug=slug) as unit:
        found = await sources_with_keys(here.services.house, unit)
        apart = {one.key: await unit.sources.held_back(one.id) for one, _ in found}
    f = sources_context.sources_page(place, found, here.services.house.now(), here.lang, apart)
    return here.page("sources", f"/office/hearings/{slug}/sources", f=f)


@router.get("/office/hearings/{slug}/sources/{key}/examples", response_class=HTMLResponse)
async def examples(slug: str, key: str, request: Request, lang: str | None = None) -> Response:
    """How another system signs and pushes to this source; never its key."""
    here = await enter(request, lang)
    if isinstance(here, Response):
        return here
    await here.place(slug, "manage_sources")
    async with here.services.store.look(slug=slug) as unit:
        source = await unit.sources.get(key)
    if source is None or source.connector != "push":
        raise Refusal("not_found")
    f = examples_page(slug, source, here.base(request))
    return here.page("examples", f"/office/hearings/{slug}/sources/{key}/examples", f=f)
