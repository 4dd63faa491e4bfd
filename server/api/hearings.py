"""Hearings: state, agenda, runs, run of show, screens, leases, notices, floor."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from server.actions import change_agenda, direct_screens, request_floor, take_over_seat
from server.actions.change_status import change_status
from server.actions.move_position import move_position
from server.actions.perform import allowed
from server.actions.start_run import start_run
from server.api import answers
from server.api.common import (
    LARGEST,
    NOT_EMPTY,
    ActorDep,
    Body,
    Id,
    Key,
    MaybeActor,
    Nothing,
    ServicesDep,
    Word,
    answered,
)
from server.domain.hearing import Place
from server.domain.refusals import Refusal
from server.domain.roles import Actor
from server.domain.view import public_state

router = APIRouter(tags=["hearings"])


class NewRun(Body):
    kind: answers.NewRunKind


class Move(Body):
    version: int
    """`state.slot.version`; 0 while the slot is null."""
    item: Word
    step: answers.StepKey


class NewStatus(Body):
    version: int
    """`state.hearing.version`."""
    status: answers.HearingStatus


class Order(Body):
    order: list[Word] = Field(max_length=500)
    """The ids of all items still to come, each once."""


class Deputy(Body):
    deputy: str = Field(max_length=40)
    """Empty takes the deputy back."""


class Cleared(Body):
    cleared: bool


class NewNotice(Body):
    text: str = Field(json_schema_extra=NOT_EMPTY)
    """1–120 characters."""


class FloorWish(Body):
    kind: answers.FloorKind = "ask"
    text: str = ""
    """What the panelist would ask: up to 500 characters."""


class FloorOutcome(Body):
    outcome: answers.FloorOutcome


After = Annotated[int, Query(ge=0, le=LARGEST, description="The `seq` to go on after.")]


def check_announced(place: Place, by: Actor | None) -> None:
    """A draft is nobody's but its office's: 404 for the public."""
    if place.status != "draft":
        return
    if by is None or not place.roles(by):
        raise Refusal("not_found")


@router.get(
    "/hearings/{slug}",
    response_model=answers.Snapshot,
    responses={
        200: {
            "headers": {"ETag": {"description": '`"EPOCH-VERSION"`', "schema": {"type": "string"}}}
        },
        304: {"description": "Nothing has changed since the ETag in `If-None-Match`."},
    },
)
async def state(slug: str, request: Request, here: ServicesDep, by: MaybeActor) -> Response:
    """The state that the socket's snapshot carries, with its epoch and version."""
    async with here.store.look(slug=slug) as unit:
        check_announced(unit.place, by)
        view = await unit.view(here.house.now())
    version = view.versions["public"]
    etag = f'"{view.hearing.epoch}-{version}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    body = {"epoch": view.hearing.epoch, "version": version, "state": public_state(view)}
    return JSONResponse(body, headers=headers)


@router.get("/hearings/{slug}/agenda", response_model=answers.Agenda)
async def agenda(slug: str, here: ServicesDep, by: MaybeActor) -> Response:
    """Items in their order, subjects in the office's."""
    async with here.store.look(slug=slug) as unit:
        check_announced(unit.place, by)
        items = await unit.hearings.items()
        subjects = await unit.people.subjects()
        head = await unit.journal.head()
    units = {s.key: s.unit for s in subjects}
    told = {
        "version": head.versions["public"],
        "items": [
            {
                "id": item.id,
                "title": item.title,
                "subject": item.subject,
                "unit": units.get(item.subject or ""),
                "steps": [step.key for step in item.steps],
                "status": item.status,
                "deputy": item.deputy or None,
            }
            for item in items
        ],
        "subjects": [{"key": s.key, "name": s.name, "unit": s.unit} for s in subjects],
    }
    return JSONResponse(told)


@router.put("/hearings/{slug}/agenda", response_model=answers.AgendaOrder)
async def reorder(
    slug: str, body: Order, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """The items still to come, in a new order."""
    return answered(await change_agenda.reorder_agenda(here.house, by, slug, body.order, key))


@router.patch("/hearings/{slug}/agenda/{item}", response_model=answers.ItemDeputy)
async def deputy(
    slug: str, item: str, body: Deputy, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """A deputy speaks in the official's place."""
    name = here.house.clean(body.deputy)
    return answered(await change_agenda.name_deputy(here.house, by, slug, item, name, key))


@router.post("/hearings/{slug}/runs", status_code=201, response_model=answers.RunStarted)
async def new_run(
    slug: str, body: NewRun, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """A rehearsal or the real run begins, with check-in."""
    return answered(await start_run(here.house, by, slug, body.kind, key))


@router.put("/hearings/{slug}/position", response_model=answers.Moved)
async def position(
    slug: str, body: Move, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """The show goes to a step of an item."""
    return answered(
        await move_position(here.house, by, slug, body.item, body.step, body.version, key)
    )


@router.put("/hearings/{slug}/status", response_model=answers.StatusChanged)
async def status(
    slug: str, body: NewStatus, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """The hearing goes to another status."""
    return answered(await change_status(here.house, by, slug, body.status, body.version, key))


@router.put("/hearings/{slug}/screens", response_model=answers.ScreensState)
async def screens(
    slug: str, body: Cleared, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """垫片 on every public screen, or off again."""
    return answered(await direct_screens.clear_screens(here.house, by, slug, body.cleared, key))


@router.put("/hearings/{slug}/leases/{kind}", response_model=answers.LeaseTaken)
async def lease(
    slug: str,
    kind: str,
    here: ServicesDep,
    by: ActorDep,
    body: Nothing | None = None,
    key: Key = None,
) -> Response:
    """This console takes a control over."""
    return answered(await direct_screens.take_lease(here.house, by, slug, kind, key))


@router.post("/hearings/{slug}/notices", status_code=201, response_model=answers.NoticeSent)
async def notice(
    slug: str, body: NewNotice, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """A message to the podium."""
    return answered(await direct_screens.send_notice(here.house, by, slug, body.text, key))


@router.post("/hearings/{slug}/notices/{id}/acknowledgement", response_model=answers.NoticeSeen)
async def acknowledge(
    slug: str,
    id_: Id,
    here: ServicesDep,
    by: ActorDep,
    body: Nothing | None = None,
    key: Key = None,
) -> Response:
    """The podium has read the message."""
    return answered(await direct_screens.acknowledge_notice(here.house, by, slug, id_, key))


@router.post("/hearings/{slug}/floor", status_code=201, response_model=answers.FloorRequested)
async def floor(
    slug: str, body: FloorWish, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """A panelist asks for the floor."""
    return answered(
        await request_floor.request_floor(here.house, by, slug, body.kind, body.text, key)
    )


@router.post("/hearings/{slug}/floor/{id}/outcome", response_model=answers.FloorSettled)
async def settle(
    slug: str, id_: Id, body: FloorOutcome, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """The host grants or declines it."""
    return answered(await request_floor.settle_floor(here.house, by, slug, id_, body.outcome, key))


@router.post("/hearings/{slug}/takeovers/{id}/outcome", response_model=answers.TakeoverSettled)
async def settle_takeover(
    slug: str, id_: Id, body: FloorOutcome, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """A spare tablet gets the seat that it asks for, or does not; the seat's other tablet is out."""
    return answered(
        await take_over_seat.settle_takeover(here.house, by, slug, id_, body.outcome, key)
    )


@router.get("/hearings/{slug}/journal", response_model=answers.JournalPage)
async def journal(slug: str, here: ServicesDep, by: ActorDep, after: After = 0) -> Response:
    """The run's journal, 256 entries at a time."""
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "see_journal")
        entries = await unit.entries(after)
    told = [
        {
            "seq": e.seq,
            "at": e.at,
            "event": e.event,
            "actor": e.actor,
            "role": e.role,
            "body": dict(e.body),
            "rooms": dict(e.rooms),
            "prev": e.prev,
            "hash": e.hash,
        }
        for e in entries
    ]
    return JSONResponse({"entries": told})
