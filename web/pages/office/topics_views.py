"""`/office/hearings/SLUG/topics`: the office's scheme of topics, and its replacement by a file."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from moderation.intake.refusals import FileRefused
from moderation.topics.scheme_file import BYTES_MOST, BadRow, read_scheme
from server.actions.manage_topics import Replaced, replace_topics
from server.actions.suggest_topics import scheme_of
from server.domain.refusals import Refusal
from web.layout.language import say
from web.layout.texts import side
from web.pages.office.entry import Here, enter
from web.pages.office.topics_context import topics_page
from web.pages.office.uploads import file_of, reading

router = APIRouter()


@router.get("/office/hearings/{slug}/topics", response_class=HTMLResponse)
async def topics(slug: str, request: Request, lang: str | None = None) -> Response:
    """The present scheme, and the form that replaces it."""
    here = await enter(request, lang)
    if isinstance(here, Response):
        return here
    return await _page(here, slug)


@router.post("/office/hearings/{slug}/topics", response_class=HTMLResponse)
async def replace(slug: str, request: Request, lang: str | None = None) -> Response:
    """The uploaded file becomes the scheme, or is told row by row why not."""
    here = await enter(request, lang)
    if isinstance(here, Response):
        return here
    await here.place(slug, "manage_topics")
    async with request.form(max_files=1, max_fields=2) as form:
        try:
            name, content = await file_of(form, BYTES_MOST)
        except Refusal as refusal:
            return await _page(here, slug, refusal.message(here.lang), status=refusal.status)
    if not content:
        return await _page(here, slug, say(here.lang, "请选择要导入的文件。"), status=422)
    try:
        async with reading:
            read = await asyncio.to_thread(read_scheme, content)
    except FileRefused as error:
        told = Refusal("topics_refused", place=side((error.zh, error.en), here.lang))
        return await _page(here, slug, told.message(here.lang), status=told.status)
    if read.bad:
        return await _page(here, slug, bad=read.bad, status=422)
    done = await replace_topics(here.services.house, here.by, slug, read.topics, name)
    return await _page(here, slug, done=done)


async def _page(
    here: Here,
    slug: str,
    said: str = "",
    bad: Sequence[BadRow] = (),
    done: Replaced | None = None,
    status: int = 200,
) -> Response:
    place, _ = await here.place(slug, "manage_topics")
    async with here.services.store.look(slug=slug) as unit:
        scheme = await scheme_of(here.services.house, unit)
        kept, in_use = await unit.topics.kept(), await unit.topics.in_use()
        trained = await unit.topics.trained()
    about = (kept[2], kept[3]) if kept else ("", 0)
    f = topics_page(place, scheme, about, in_use, trained, here.lang, said, bad, done)
    return here.page("topics", f"/office/hearings/{slug}/topics", status, f=f)
