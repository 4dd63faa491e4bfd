"""`/api/v1/openapi.json`: what FastAPI says of the routes, and what holds for all of them.

The routes name their models (`answers.py`); who may ask, the errors, the language and the titles
are written into the description here, once, because checking them again would cost every request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from server.api.answers import Error
from server.api.common import NEEDED, PERSON, VIEWER, Who, actor, maybe_actor, viewer_needed
from server.domain.refusals import CATALOGUE

ABOUT = """\
The JSON API of a hearing. Everything that an outside program may rely on stands here; the live
sockets (`/h/SLUG/socket?as=json`) cannot be said in OpenAPI and stand in `docs/api.md`.

**Who asks.** A person sends an API token (`Authorization: Bearer pgy_…`) or a session's cookie, a
viewer the token of `POST /viewers`. A browser's unsafe request from another site is refused.

**Keys.** With an `Idempotency-Key` an act may be sent again as often as needed: the first answer
comes back (with an `at` of its own) and nothing is done twice. 503 `outcome_unknown` asks for just
that. The same key with another body is refused with `key_reused`.

**Versions.** An edit carries the `version` of the thing edited. A stale one is answered 409 with
the thing as it stands now in `detail.current`.

**Errors** have one shape and change nothing. Programs go by `code`; people read `message`, in
Chinese or English by `?lang=` or `Accept-Language`. A body with a field that is not known here is
refused, so that a typing mistake is not silently half an act.

Members may be added to answers; they are not taken away. Times are milliseconds since 1970, UTC.
Marks and weights are decimals written as text. Where an integer is meant, `12.0` is 12.
"""
TAGS: Mapping[str, str] = {
    "hearings": "A hearing's state, agenda, runs, run of show, screens and journal.",
    "questions": "The public's questions.",
    "viewers": "People who watch, without a login.",
    "desk": "Moderators: one act, one address; the queue; the stage.",
    "sources": "Where questions come from: files, mailboxes, other systems.",
    "intake": "What other systems push, signed.",
    "rounds": "Rounds of evaluation: ballots, results.",
    "brief": "What an official's office reads in advance, and the replies that it proposes.",
    "exports": "Documents of rounds and hearings: XLSX, DOCX, PDF.",
    "office": "Offices, people, cards, tokens, show files.",
    "health": "This process, for whoever runs it.",
}
ERRORS: Mapping[int, str] = {
    401: "Nobody is known, or the token does not hold.",
    403: "Known, but not allowed.",
    404: "Absent, or not yours to see.",
    409: "The version is stale, or the state does not allow it.",
    413: "Larger than is taken here.",
    422: "Malformed, or a field is missing, wrong or not known.",
    429: "Too many at once: wait as `Retry-After` says.",
    503: "`outcome_unknown`: committed or not, send it again with the same key; `cannot_print`: this"
    " machine has nothing to make PDF with.",
}
SCHEMES: Mapping[str, Mapping[str, str]] = {
    "token": {"type": "http", "scheme": "bearer", "description": "An API token of a person."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "pingyi_as_SEAT",
        "description": "A signed-in browser; over https the name begins with `__Host-`.",
    },
    "viewer": {"type": "http", "scheme": "bearer", "description": "The token of `POST /viewers`."},
    "viewer_cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "pingyi_viewer",
        "description": "The same in a browser; over https the name begins with `__Host-`.",
    },
}
WHO: Mapping[Callable[..., Any], Who] = {
    actor: PERSON,
    maybe_actor: [{}, *PERSON],
    viewer_needed: VIEWER,
}
"""What a route depends on → who may ask; a route that takes several says so itself."""
LANGUAGE = {
    "name": "lang",
    "in": "query",
    "description": "The reader's language, `zh` or `en`; without it, `Accept-Language` is asked.",
    "schema": {"type": "string"},
}


def operation_id(route: APIRoute) -> str:
    """`rounds_close`: the name that a generated client gives the call."""
    return "_".join([*map(str, route.tags), route.name.rstrip("_")])


def describe(app: FastAPI, routers: Iterable[APIRouter]) -> dict[str, Any]:
    """The whole description of `app`, whose API is `routers`."""
    spec = get_openapi(
        title=app.title,
        version=app.version,
        description=ABOUT,
        routes=app.routes,
        tags=[{"name": name, "description": text} for name, text in TAGS.items()],
    )
    routes = [r for router in routers for r in router.routes if isinstance(r, APIRoute)]
    by_id = {operation_id(route): route for route in routes}
    for path in spec["paths"].values():
        for operation in path.values():
            _complete(operation, by_id[operation["operationId"]])
    components = spec["components"]
    components["securitySchemes"] = dict(SCHEMES)
    components["responses"] = {str(status): _error(status) for status in ERRORS}
    components["schemas"].update(_error_schemas())
    for fastapis_own in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(fastapis_own, None)
    return spec


def methods_at(spec: Mapping[str, Any], path: str) -> list[str]:
    """The methods that the description knows at this address, for `Allow`."""
    return sorted(
        method.upper()
        for template, item in spec["paths"].items()
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path)
        for method in item
    )


def _complete(operation: dict[str, Any], route: APIRoute) -> None:
    title, _, more = operation.pop("description").partition("\n\n")
    operation["summary"] = " ".join(title.split())
    if more:
        operation["description"] = more
    for parameter in operation.setdefault("parameters", []):
        if parameter["schema"].pop(NEEDED, False):
            parameter["required"] = True
    operation["parameters"].append(LANGUAGE)
    who = [WHO[call] for call in _calls(route.dependant) if call in WHO]
    operation.setdefault("security", who[0] if who else [])
    for status in ERRORS:
        operation["responses"][str(status)] = {"$ref": f"#/components/responses/{status}"}


def _calls(dependant: Dependant) -> Iterable[Any]:
    for one in dependant.dependencies:
        yield one.call
        yield from _calls(one)


def _error(status: int) -> dict[str, Any]:
    codes = [f"- `{code}` {row.en}" for code, row in CATALOGUE.items() if row.status == status]
    described: dict[str, Any] = {
        "description": "\n".join([ERRORS[status], "", *codes]),
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    if status in {429, 503}:
        described["headers"] = {
            "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}
        }
    return described


def _error_schemas() -> dict[str, Any]:
    schema = Error.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs"), "Error": schema}
