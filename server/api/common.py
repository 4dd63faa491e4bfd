"""What every API route shares: who asks, keys, strict bodies, the one error shape."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from server.actions.perform import Answer
from server.domain.refusals import Refusal
from server.domain.roles import Actor
from server.services import Services, services


class Body(BaseModel):
    """A request body: unknown fields are an error, not ignored. The text under a field is its
    description."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _can_be_kept(cls, data: Any) -> Any:
        """JSON may escape half a surrogate pair, which is no character, and NUL, which PostgreSQL
        keeps nowhere. Neither is ever typed. To JSON `12.0` is the integer 12."""
        for place, text in _texts(data):
            if "\0" in text or (not text.isascii() and _HALF.search(text)):
                raise PydanticCustomError("no_text", "no text", {"place": place})
        return {k: whole(v) for k, v in data.items()} if isinstance(data, dict) else data


def whole(value: Any) -> Any:
    """The integer where a JSON number is one, however it is written; also of a list's numbers."""
    if isinstance(value, list):
        return [whole(one) if isinstance(one, float) else one for one in value]
    # Beyond 2**53 a float names no one integer.
    exact = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
    return int(value) if exact else value


_HALF = re.compile("[\ud800-\udfff]")


def _texts(data: Any) -> Iterator[tuple[str, str]]:
    """Every text in a JSON value, keys too, with the name of the member that it is in or names.
    Without recursion: JSON may be nested more deeply than Python calls."""
    waiting = [("body", data)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, str):
            yield place, value
        elif isinstance(value, dict):
            for key, one in value.items():
                yield place, key
                waiting.append((key, one))
        elif isinstance(value, list):
            waiting.extend((place, one) for one in value)


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


Who = list[dict[str, list[str]]]
PERSON: Who = [{"token": []}, {"session": []}]
VIEWER: Who = [{"viewer": []}, {"viewer_cookie": []}]
"""Who may ask, for the description: the schemes are those of `openapi.py`."""
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

LARGEST = 2**31 - 1
"""What an integer column of PostgreSQL holds: a larger number is no id and no position."""
Id = Annotated[int, Path(alias="id", ge=1, le=LARGEST)]
RoundId = Annotated[str, Path(alias="id")]
Number = Annotated[int, Field(ge=0, le=LARGEST)]
"""The id of something, or a seat's number, in a body or a query."""
Cursor = Annotated[
    int | None, Query(ge=0, le=LARGEST, description="The `cursor` of the page before.")
]
NOT_EMPTY: dict[str, Any] = {"minLength": 1}
"""For the description: that something must remain once a text was cleaned, the actions check."""
Word = Annotated[str, Field(max_length=200)]
"""A key, a code, or one of the words that the rules know."""


def answered(answer: Answer) -> JSONResponse:
    """An act's answer."""
    return JSONResponse(answer.body, answer.status)


def error_response(refusal: Refusal, lang: str) -> JSONResponse:
    """The one error shape, with `Retry-After` where waiting helps."""
    detail = refusal.detail_in(lang)
    headers = {}
    if refusal.status in {429, 503}:
        headers["Retry-After"] = str(detail.get("retry_after", 1))
    return JSONResponse(
        {"error": {"code": refusal.code, "message": refusal.message(lang), "detail": detail}},
        refusal.status,
        headers,
    )


_NO_PLACE = {"body", "query", "path", "constrained-int", "constrained-str"}
"""Parts of pydantic's places that name no field: where it is sent, and the kinds of a union."""


def refusal_of_validation(errors: Sequence[Mapping[str, Any]]) -> Refusal:
    """The first thing wrong with a request, as a row of the catalogue."""
    first = errors[0]
    kind, told = first["type"], first.get("ctx", {})
    place = ".".join(str(part) for part in first["loc"] if part not in _NO_PLACE)
    place = shown(str(told["place"]) if kind == "no_text" else place)
    if kind == "json_invalid":
        return Refusal("bad_json")
    if kind == "extra_forbidden":
        return Refusal("unknown_field", field=place)
    if place == "version" and (kind == "missing" or first.get("input", 0) is None):
        return Refusal("version_missing")
    if kind == "string_too_long":
        return Refusal("text_too_long", most=told["max_length"], place=place)
    if kind == "string_too_short":
        return Refusal("text_too_short", least=told["min_length"], place=place)
    return Refusal("malformed", place=place or "body")


def shown(place: str) -> str:
    """A name that the sender chose, fit to be shown in a sentence."""
    return "".join(char if char.isprintable() else "\ufffd" for char in place)[:80]
