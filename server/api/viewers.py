"""Viewers: a token at the first act, what this viewer has done, 同问 over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from server.actions.support_question import support_question
from server.api import answers
from server.api.common import Body, NeededKey, Nothing, ServicesDep, ViewerDep, Word
from server.api.hearings import check_announced
from server.identity.viewers import VIEWER_DAYS, viewer_token

router = APIRouter(tags=["viewers"])


class Supporting(Body):
    on: bool = True
    """False takes it back."""
    epoch: Word | None = None
    """Of the run that it is meant for; another run refuses it (`run_changed`)."""


@router.post("/viewers", status_code=201, response_model=answers.ViewerToken)
async def new_viewer(request: Request, here: ServicesDep, body: Nothing | None = None) -> Response:
    """A viewer token, and the cookie that carries it."""
    token = await viewer_token(here.door, here.limiter, request)
    response = JSONResponse({"viewer": token}, 201)
    here.door.set_cookie(request, response, "viewer", token, VIEWER_DAYS)
    return response


@router.get("/viewers/me", response_model=answers.ViewerActs)
async def me(
    hearing: Annotated[str, Query(description="The hearing's slug.")],
    request: Request,
    here: ServicesDep,
) -> Response:
    """What this viewer has done in the hearing: votes, supports, questions asked."""
    viewer = here.door.viewer(request)
    async with here.store.look(slug=hearing) as unit:
        check_announced(unit.place, None)
        votes, supports, questions = await unit.done_by(viewer) if viewer else ({}, [], [])
    told = {
        "viewer": viewer is not None,
        "votes": votes,
        "supports": supports,
        "questions": questions,
    }
    return JSONResponse(told, headers={"Cache-Control": "no-store"})


@router.put("/hearings/{slug}/questions/{code}/support", response_model=answers.Supported)
async def put_support(
    slug: str,
    code: str,
    body: Supporting,
    request: Request,
    here: ServicesDep,
    viewer: ViewerDep,
    key: NeededKey = None,
) -> Response:
    """同问, on or off."""
    here.limiter.check("public_act", here.door.address(request), viewer, key)
    done = await support_question(here.house, viewer, key, slug, code, body.on, body.epoch)
    return JSONResponse(dict(done.answer))
