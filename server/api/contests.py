"""复核: a published result is contested and decided on."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from server.actions.contest_round import (
    add_contest_file,
    contest_round,
    contest_state,
    decide_contest,
)
from server.actions.hold_again import hold_again
from server.actions.perform import allowed
from server.actions.ports import Unit
from server.api import answers
from server.api.common import (
    LARGEST,
    NOT_EMPTY,
    ActorDep,
    Body,
    Key,
    RoundId,
    ServicesDep,
    Word,
    answered,
)
from server.domain.contests import LONGEST_GROUNDS, LONGEST_REASON
from server.domain.refusals import Refusal
from server.domain.roles import has_right
from server.domain.rounds import may_see_result

router = APIRouter(tags=["rounds"])
FileNumber = Annotated[int, Path(alias="number", ge=1, le=LARGEST)]


class Contesting(Body):
    grounds: str = Field(max_length=2 * LONGEST_GROUNDS, json_schema_extra=NOT_EMPTY)
    """In words, 10 characters at least."""


class HoldAgain(Body):
    title: str | None = Field(default=None, min_length=1, max_length=80)
    """Tells the new round from the contested one; null: the same title."""


class Decision(Body):
    outcome: answers.ContestOutcome
    reason: str = Field(max_length=2 * LONGEST_REASON, json_schema_extra=NOT_EMPTY)
    """In words; whoever may see the result sees it."""
    round: Word | None = None
    """With `corrected`: the certified round that was held to replace this one."""


class File(Response):
    """A file as it was handed in."""

    media_type = "application/octet-stream"


@router.post("/rounds/{id}/contest", status_code=201, response_model=answers.ContestOne)
async def contest(
    id_: RoundId, body: Contesting, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """A published result is contested, within the days that the show sets."""
    return answered(await contest_round(here.house, by, id_, body.grounds, key))


@router.get("/rounds/{id}/contests", response_model=answers.ContestList)
async def contests(id_: RoundId, here: ServicesDep, by: ActorDep) -> Response:
    """What was contested and decided, oldest first; for those who may contest or see the result
    internally."""
    async with here.store.look(round=id_) as unit:
        await check_may_read(unit, unit.place.roles(by), id_)
        found = await unit.contests.of(id_)
    return JSONResponse({"items": [contest_state(one) for one in found]})


@router.post(
    "/rounds/{id}/contest/files",
    status_code=201,
    response_model=answers.ContestOne,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
            },
        }
    },
)
async def add_file(
    id_: RoundId,
    request: Request,
    here: ServicesDep,
    by: ActorDep,
    name: Annotated[str, Query(max_length=200, description="Its name, with an ending.")] = "",
    key: Key = None,
) -> Response:
    """A file for the open contest, by whom it was handed in: the bytes, five files of 5 MB at most."""
    async with here.store.look(round=id_) as unit:
        allowed(unit.place, by, "contest")
    content = await request.body()
    return answered(await add_contest_file(here.house, by, id_, name, content, key))


@router.get("/rounds/{id}/contests/{contest}/files/{number}", response_class=File)
async def file(
    id_: RoundId,
    contest: Annotated[int, Path(alias="contest", ge=1, le=LARGEST)],
    number: FileNumber,
    here: ServicesDep,
    by: ActorDep,
) -> Response:
    """A file that was handed in."""
    async with here.store.look(round=id_) as unit:
        await check_may_read(unit, unit.place.roles(by), id_)
        if all(one.id != contest for one in await unit.contests.of(id_)):
            raise Refusal("not_found")
        found = await unit.contests.file(contest, number)
    if found is None:
        raise Refusal("not_found")
    name, content = found
    ending = PurePath(name).suffix.lower()
    headers = {"Content-Disposition": f'attachment; filename="{id_}-{contest}-{number}{ending}"'}
    return File(content, headers=headers)


@router.post("/rounds/{id}/again", status_code=201, response_model=answers.StateRound)
async def again(
    id_: RoundId, here: ServicesDep, by: ActorDep, body: HoldAgain | None = None, key: Key = None
) -> Response:
    """A contested round is held again, so that its result may be corrected."""
    return answered(await hold_again(here.house, by, id_, body.title if body else None, key))


@router.post("/rounds/{id}/contest/decision", response_model=answers.StateRound)
async def decide(
    id_: RoundId, body: Decision, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """维持 or 更正, by whoever publishes and has not contested it himself."""
    done = await decide_contest(here.house, by, id_, body.outcome, body.reason, body.round, key)
    return answered(done)


async def check_may_read(unit: Unit, roles: tuple[str, ...], round_id: str) -> None:
    """Grounds and files speak of figures: who may not see the result yet does not read them."""
    round_ = await unit.rounds.get(round_id)
    if not roles or round_ is None:
        raise Refusal("not_found")
    sees_all = has_right(roles, "see_internal_result")
    if not (sees_all or (has_right(roles, "contest") and may_see_result(round_, roles))):
        raise Refusal("not_allowed")
