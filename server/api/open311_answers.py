"""How Open311 is answered: JSON or XML as asked, errors in the specification's own shape."""

from __future__ import annotations

import re
from typing import Any, Final

from fastapi import Request, Response

from moderation.intake.open311_text import written_json, written_xml
from server.domain.refusals import Refusal
from server.services import language_of

HERE: Final = "/open311/v2"
TYPES: Final = {"json": "application/json; charset=utf-8", "xml": "text/xml; charset=utf-8"}
_SUFFIX: Final = re.compile(r"[^/]\.(json|xml)$")
STATUSES: Final = {401: 403, 409: 400, 422: 400}
"""Statuses that the specification does not have → those that it has instead."""


def is_open311(path: str) -> bool:
    """Whether this is an address of Open311."""
    return path.startswith("/open311/")


def form_of(request: Request) -> str:
    """`json` or `xml`: by the address, else by `Accept`, else JSON."""
    suffix = _SUFFIX.search(request.url.path)
    if suffix:
        return suffix[1]
    accepted = request.headers.get("accept", "").lower()
    xml, json = accepted.find("xml"), accepted.find("json")
    return "xml" if xml >= 0 and (json < 0 or xml < json) else "json"


def told(request: Request, root: str, document: Any, status: int = 200) -> Response:
    """The document as it was asked for; `root` is its name in XML."""
    form = form_of(request)
    body = written_json(document) if form == "json" else written_xml(root, document)
    headers = {"Content-Type": TYPES[form], "Vary": "Accept, Accept-Language"}
    return Response(body, status, {**headers, "Cache-Control": "no-store"})


def error_told(request: Request, refusal: Refusal) -> Response:
    """`[{"code", "description"}]` with the code as the status, as the specification has it."""
    status = STATUSES.get(refusal.status, refusal.status)
    lang = language_of(request)
    response = told(
        request, "errors", [{"code": status, "description": refusal.message(lang)}], status
    )
    if status in {429, 503}:
        response.headers["Retry-After"] = str(refusal.detail_in(lang).get("retry_after", 1))
    return response
