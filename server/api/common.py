"""What every API route shares: who asks, keys, strict bodies, the one error shape."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from server.actions.perform import Answer
from server.domain.refusals import Refusal
from server.domain.roles import Actor
from server.services import Services, services


class Body(BaseModel):
    """A request body: unknown fields are an error, not ignored."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Nothing(Body):
    """An act that needs no more than its address."""


class ErrorDetail(BaseModel):
    """The inside of every error."""

    code: str
    message: str
    detail: dict[str, Any]


class Error(BaseModel):
    """The one error shape."""

    error: ErrorDetail


ServicesDep = Annotated[Services, Depends(services)]


async def actor(request: Request, here: ServicesDep) -> Actor:
    """Who acts; 401 when nobody is known."""
    return await here.door.actor(request)


async def maybe_actor(request: Request, here: ServicesDep) -> Actor | None:
    """Who acts, or None for the public."""
    return await here.door.maybe_actor(request)


def viewer_needed(request: Request, here: ServicesDep) -> str:
    """The viewer's id; `viewer_needed` without a token."""
    viewer = here.door.viewer(request)
    if viewer is None:
        raise Refusal("viewer_needed")
    return viewer


ActorDep = Annotated[Actor, Depends(actor)]
MaybeActor = Annotated[Actor | None, Depends(maybe_actor)]
ViewerDep = Annotated[str, Depends(viewer_needed)]
Key = Annotated[str | None, Header(alias="Idempotency-Key")]


def answered(answer: Answer) -> JSONResponse:
    """An act's answer."""
    return JSONResponse(answer.body, answer.status)


def error_response(refusal: Refusal, lang: str) -> JSONResponse:
    """The one error shape, with `Retry-After` where waiting helps."""
    detail = refusal.detail_in(lang)
    headers = {}
    if "retry_after" in detail:
        headers["Retry-After"] = str(detail["retry_after"])
    return JSONResponse(
        {"error": {"code": refusal.code, "message": refusal.message(lang), "detail": detail}},
        refusal.status,
        headers,
    )


ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": Error} for status in (401, 403, 404, 409, 413, 422, 429, 503)
}
"""Documented on every route."""
