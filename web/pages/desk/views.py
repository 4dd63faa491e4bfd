"""The desk's own addresses: lists, groups, one question and what belongs to it, as HTML for its session
only."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse

from server.actions import send_brief
from server.actions.escalate_question import waiting
from server.actions.find_twins import twins_of
from server.actions.moderate_question import in_sight, seen, sees_escalated
from server.actions.perform import allowed
from server.actions.suggest_topics import scheme_of, suggested
from server.actions.write_question import MOST_ORDERS
from server.domain.desk import HOUR_MS, HOURS, ON_THE_WAY, PAGE, Filters, cursor_of, people_behind
from server.domain.questions import NEXT
from server.domain.refusals import Refusal
from server.services import language_of, services
from web.layout.page import render
from web.pages.desk import context

router = APIRouter()
_NO_STORE = {"Cache-Control": "no-store"}
ASKED_ABOUT = 200
"""Questions that a page asks about at once; as in sight.js."""
LARGEST_ID = 2**31 - 1
"""What an integer column of PostgreSQL holds: a larger number is no question's."""
QuestionId = Annotated[int, Path(ge=1, le=LARGEST_ID)]
Word = Annotated[str, Query(max_length=200)]
Hours = Annotated[int, Query(ge=0, le=HOURS)]
Number = Annotated[int, Query(ge=0, le=LARGEST_ID)]


@router.get("/h/{slug}/desk/list", response_class=HTMLResponse)
async def listing(
    slug: str,
    request: Request,
    status: Word = "",
    source: Word = "",
    subject: Word = "",
    district: Word = "",
    tag: Word = "",
    topic: Word = "",
    into: Word = "",
    q: Word = "",
    cluster: Number | None = None,
    same: Number | None = None,
    heat: Number = 0,
    fresh: Hours = 0,
    old: Hours = 0,
    flagged: bool = False,
    unsolved: bool = False,
    appealed: bool = False,
    mine: bool = False,
    sort: Word = "newest",
    cursor: Annotated[int | None, Query(ge=0, le=2**53 - 1)] = None,
) -> HTMLResponse:
    """One page of questions; its last row loads the next. `into` is the code of the question that they
    were merged into, `same` the id of another one of the same person's."""
    here = services(request)
    by = await here.door.actor(request)
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "page:desk")
        now = here.house.now()
        asker = ""
        if same is not None:
            await seen(unit, by, same)
            asker = (await unit.questions.stands_for([same]))[same]
        wanted = Filters(
            status=tuple(status.split(",")) if status else (),
            source=source,
            subject=subject,
            district=district,
            tag=tag,
            topic=topic,
            merged_into=into,
            asker=asker if same is None else asker or "-",
            search=q.strip(),
            cluster=cluster,
            heat=heat,
            fresh=now - fresh * HOUR_MS if fresh else 0,
            old=now - old * HOUR_MS if old else 0,
            flagged=flagged,
            unsolved=unsolved,
            appealed=appealed,
            mine=by.id if mine else "",
            sort=sort,
            cursor=cursor,
            hidden=sees_escalated(unit, by),
        )
        page = await unit.desk.page(wanted)
        subjects = await unit.people.subjects()
    lang, more = language_of(request), ""
    if len(page) == PAGE:
        asked = dict(request.query_params) | {"cursor": str(cursor_of(page[-1], sort))}
        more = f"/h/{slug}/desk/list?" + urlencode(asked)
    found = context.listing(page, subjects, more, now, lang)
    return _html("list", lang, found)


@router.get("/h/{slug}/desk/groups", response_class=HTMLResponse)
async def groups(slug: str, request: Request, subject: Word = "") -> HTMLResponse:
    """Questions that ask alike, official by official; of one official all of them."""
    here = services(request)
    by = await here.door.actor(request)
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "page:desk")
        found = await unit.desk.groups(subject)
        subjects = await unit.people.subjects()
    lang = language_of(request)
    return _html("groups", lang, context.grouped(found, subjects, bool(subject), lang))


@router.get("/h/{slug}/desk/districts", response_class=HTMLResponse)
async def districts(slug: str, request: Request) -> HTMLResponse:
    """The districts that the filter offers."""
    here = services(request)
    by = await here.door.actor(request)
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "page:desk")
        found = await unit.desk.districts()
    return _html("districts", language_of(request), found)


@router.get("/h/{slug}/desk/group/{cluster}", response_class=HTMLResponse)
async def group(
    slug: str, request: Request, cluster: QuestionId, subject: Word = ""
) -> HTMLResponse:
    """What a question may be written from: the orders of one group, the newest first."""
    here = services(request)
    by = await here.door.actor(request)
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "page:desk")
        wanted = Filters(status=ON_THE_WAY, cluster=cluster, subject=subject, size=MOST_ORDERS)
        orders = await unit.desk.page(wanted)
        askers = await unit.questions.stands_for([one.id for one in orders])
        subjects = await unit.people.subjects()
    if not orders:
        raise Refusal("not_found")
    people = people_behind(orders, askers)
    lang, now = language_of(request), here.house.now()
    chosen = "" if subject == "-" else subject
    found = context.to_write(slug, cluster, chosen, orders, people, subjects, now, lang)
    return _html("group", lang, found)


@router.get("/h/{slug}/desk/question/{id_}", response_class=HTMLResponse)
async def question(slug: str, request: Request, id_: QuestionId) -> HTMLResponse:
    """One question with its earlier wordings, what its source knows, and every act that its state
    allows."""
    here = services(request)
    by = await here.door.actor(request)
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "page:desk")
        found = await seen(unit, by, id_)
        wordings = await unit.questions.wordings(id_)
        appeal = await unit.questions.appeal(id_)
        subjects = await unit.people.subjects()
        mergeable = found.status in {"received", *NEXT["merge"]}
        twins = await twins_of(here.house, unit, id_) if mergeable else ()
        asker = (await unit.questions.stands_for([id_]))[id_]
        beside = context.Beside(
            await unit.questions.fields(id_),
            await unit.desk.of_same_asker(asker, id_),
            await unit.desk.merged_into(found.code),
        )
        scheme = await scheme_of(here.house, unit)
        topics = () if found.topic else await suggested(here.house, unit, found)
    lang = language_of(request)
    pane = context.pane(
        slug, found, subjects, wordings, appeal, lang, twins, beside, topics, bool(scheme.topics)
    )
    return _html("question", lang, pane)


@router.get("/h/{slug}/desk/history/{id_}", response_class=HTMLResponse)
async def history(slug: str, request: Request, id_: QuestionId) -> HTMLResponse:
    """Everything that was done to a question."""
    here = services(request)
    by = await here.door.actor(request)
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "page:desk")
        await seen(unit, by, id_)
        done = await unit.desk.history(id_)
    lang = language_of(request)
    return _html("history", lang, context.past(done, lang))


@router.get("/h/{slug}/desk/unseen")
async def unseen(
    slug: str,
    request: Request,
    ids: Annotated[list[Number] | None, Query(alias="id", max_length=ASKED_ABOUT)] = None,
) -> JSONResponse:
    """Which of the questions on somebody's screen are not for this person's eyes any more."""
    here = services(request)
    by = await here.door.actor(request)
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "page:desk")
        found = await unit.questions.by_ids(ids or ())
        gone = [id_ for id_, one in sorted(found.items()) if not await in_sight(unit, by, one)]
    return JSONResponse({"ids": gone}, headers=_NO_STORE)


@router.get("/h/{slug}/desk/drafts")
async def drafts(slug: str, request: Request) -> JSONResponse:
    """The replies that officials' offices propose and nobody has given yet, by question."""
    here = services(request)
    by = await here.door.actor(request)
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "page:desk")
        found = await send_brief.drafts(unit, by)
    items = [{"id": id_, "text": text} for id_, text in sorted(found.items())]
    return JSONResponse({"items": items}, headers=_NO_STORE)


@router.get("/h/{slug}/desk/duty", response_class=HTMLResponse)
async def duty(slug: str, request: Request) -> HTMLResponse:
    """What waits for the duty person."""
    here = services(request)
    by = await here.door.actor(request)
    found = await waiting(here.house, by, slug)
    lang = language_of(request)
    return _html("duty", lang, context.on_duty(slug, found, lang))


def _html(name: str, lang: str, found: Any) -> HTMLResponse:
    return HTMLResponse(render(f"desk/_{name}.html", lang, f=found), headers=_NO_STORE)
