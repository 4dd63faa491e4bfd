"""What every API route shares: who asks, keys, strict bodies, the one error shape."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, WithJsonSchema

from server.actions.perform import Answer
from server.domain.refusals import Refusal
from server.domain.roles import Actor
from server.services import Services, services


class Body(BaseModel):
    """A request body: unknown fields are an error, not ignored. The text under a field is its
    description."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)


class Nothing(Body):
    """An act that needs no more than its address."""


async def _services(request: Request) -> Services:
    # FastAPI runs a plain function in a thread, which costs more than most acts' own statements.
    return services(request)


NEEDED = "x-needed"
"""Marks in a schema what a request must have although its absence is refused only by the action."""

ServicesDep = Annotated[Services, Depends(_services)]


async def actor(request: Request, here: ServicesDep) -> Actor:
    """Who acts; 401 when nobody is known."""
    return await here.door.actor(request)


async def maybe_actor(request: Request, here: ServicesDep) -> Actor | None:
    """Who acts, or None for the public."""
    return await here.door.maybe_actor(request)


async def viewer_needed(request: Request, here: ServicesDep) -> str:
    """The viewer's id; `viewer_needed` without a token."""
    viewer = here.door.viewer(request)
    if viewer is None:
        raise Refusal("viewer_needed")
    return viewer


ActorDep = Annotated[Actor, Depends(actor)]
MaybeActor = Annotated[Actor | None, Depends(maybe_actor)]
ViewerDep = Annotated[str, Depends(viewer_needed)]

_KEY: dict[str, Any] = {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"}
_KEY_HEADER = Header(
    alias="Idempotency-Key",
    description="Made by the sender, anew for each act: sent again, it gets the first answer.",
)
# The actions check keys, in their own words. For FastAPI both are optional; `openapi.py` writes
# what is needed into the description.
Key = Annotated[str | None, WithJsonSchema(_KEY), _KEY_HEADER]
NeededKey = Annotated[str | None, WithJsonSchema({**_KEY, NEEDED: True}), _KEY_HEADER]


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
