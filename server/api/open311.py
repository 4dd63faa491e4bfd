"""`/open311/v2/`: a city's system hands in service requests and follows them (Open311 GeoReport v2).

`jurisdiction_id` is the hearing's slug; a service is a subject. Without `api_key` is told what stands on
the public list, with the key of an `open311_offer` source what that source handed in, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from moderation.intake.normal_form import IncomingItem
from moderation.intake.open311 import item_of
from moderation.intake.refusals import FileRefused, RowRefusal
from moderation.screening.burden import MESSAGE_MOST, check_burden
from moderation.take_in import incoming
from server.actions.hand_in_request import hand_in_request, source_of_key
from server.actions.ports import Unit
from server.api.common import ServicesDep
from server.api.masking import beside
from server.api.open311_answers import HERE, told
from server.domain import open311 as rules
from server.domain.incoming import Incoming
from server.domain.refusals import Refusal
from server.domain.sources import IntakeSource
from server.services import Services, language_of

router = APIRouter(tags=["open311"])

FIELDS_MOST = 100
SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
CHANGESET = "2026-11-29T00:00:00+08:00"
NOTICE = (
    "已收到，正在审核；凭编号查询处理结果。",
    "Received and being reviewed; ask by its number what became of it.",
)
ABOUT = (
    ("请联系本场评议的主办机关。", "Ask the office that holds the hearing."),
    (
        "由主办机关在“提问来源”页为来源生成密钥。",
        "The office makes keys on its page of sources.",
    ),
)


def _both(path: str) -> Callable[[Any], Any]:
    """The route with and without the suffix that says the format."""

    def added(route: Any) -> Any:
        router.get(f"{HERE}{path}")(route)
        return router.get(f"{HERE}{path}.{{form}}")(route)

    return added


@_both("/discovery")
async def discovery(request: Request, here: ServicesDep) -> Response:
    """Where the endpoint is and what it speaks."""
    _check(request, here)
    side = 1 if language_of(request) == "en" else 0
    base = here.settings.public_url or f"{here.door.scheme(request)}://{request.url.netloc}"
    endpoint = {
        "specification": SPECIFICATION,
        "url": f"{base}{HERE}",
        "changeset": CHANGESET,
        "type": "production",
        "formats": ["application/json", "text/xml"],
    }
    document = {
        "changeset": CHANGESET,
        "contact": ABOUT[0][side],
        "key_service": ABOUT[1][side],
        "endpoints": [endpoint],
    }
    return told(request, "discovery", document)


@_both("/services")
async def services(request: Request, here: ServicesDep) -> Response:
    """The hearing's subjects, and a general service."""
    _check(request, here)
    async with here.store.look(slug=_slug(dict(request.query_params)), line=True) as unit:
        await _source(here, unit, request.query_params.get("api_key"))
        subjects, title = await unit.people.subjects(), unit.place.title
    return told(request, "services", rules.services(subjects, title, language_of(request)))


@router.get(f"{HERE}/services/{{name}}")
async def service(name: str, request: Request, here: ServicesDep) -> Response:
    """A service needs nothing more than its description."""
    _check(request, here)
    code = _without_suffix(name)
    async with here.store.look(slug=_slug(dict(request.query_params)), line=True) as unit:
        await _source(here, unit, request.query_params.get("api_key"))
        rules.subject_of(code, await unit.people.subjects())
    return told(request, "service_definition", {"service_code": code, "attributes": []})


@_both("/requests")
async def requests(request: Request, here: ServicesDep) -> Response:
    """Requests by `service_request_id`, `service_code`, `status`, `start_date`, `end_date`; newest
    first, in pages."""
    _check(request, here)
    asked = dict(request.query_params)
    async with here.store.look(slug=_slug(asked), line=True) as unit:
        source = await _source(here, unit, asked.get("api_key"))
        subjects = await unit.people.subjects()
        wanted = rules.wanted(asked, subjects, source.key if source else None)
        found = await unit.questions.requests(wanted)
    by_key = {one.key: one for one in subjects}
    lang = language_of(request)
    document = [rules.request(one, by_key, source is not None, lang) for one in found]
    return told(request, "service_requests", document)


@router.get(f"{HERE}/requests/{{code}}")
async def one_request(code: str, request: Request, here: ServicesDep) -> Response:
    """One request by its number."""
    _check(request, here)
    asked = dict(request.query_params)
    async with here.store.look(slug=_slug(asked), line=True) as unit:
        source = await _source(here, unit, asked.get("api_key"))
        subjects = {one.key: one for one in await unit.people.subjects()}
        wanted = rules.Wanted(source.key if source else None, (_without_suffix(code),))
        found = await unit.questions.requests(wanted)
    if not found:
        raise Refusal("not_found")
    document = [rules.request(found[0], subjects, source is not None, language_of(request))]
    return told(request, "service_requests", document)


@router.post(f"{HERE}/requests")
@router.post(f"{HERE}/requests.{{form}}")
async def hand_in(request: Request, here: ServicesDep) -> Response:
    """A request becomes a question. With an `Idempotency-Key` the same again gets the same number."""
    _check(request, here)
    said = await _form(request)
    slug = _slug(said)
    async with here.store.look(slug=slug, line=True) as unit:
        source = await _source(here, unit, said.pop("api_key", None))
        subjects = await unit.people.subjects()
    if source is None:
        raise Refusal("open311_key")
    for needed in ("service_code", "description"):
        if not said.get(needed, "").strip():
            raise Refusal("open311_missing", place=needed)
    subject = rules.subject_of(said["service_code"], subjects)
    # The number is its sender's nowhere: a question has its own.
    number = here.house.code()
    item = item_of(1, {**_content(said), **_numbered(number, here.house.now())})
    if isinstance(item, RowRefusal):
        raise Refusal("open311_not_taken", place=(item.zh, item.en))
    try:
        taken = await beside(_masked, item, here)
    except FileRefused as error:
        raise Refusal("open311_not_taken", place=(error.zh, error.en)) from None
    key = request.headers.get("idempotency-key")
    answer = await hand_in_request(here.house, slug, source.key, taken, subject, said, key)
    side = 1 if language_of(request) == "en" else 0
    document = [
        {
            "service_request_id": answer.body["code"],
            "service_notice": NOTICE[side],
            "account_id": None,
        }
    ]
    return told(request, "service_requests", document, answer.status)


def _masked(item: IncomingItem, here: Services) -> Incoming:
    check_burden([item], MESSAGE_MOST)
    (taken,) = incoming([item], here.keys, here.house.masked_names)
    return taken


def _check(request: Request, here: Services) -> None:
    here.limiter.check("open311", here.door.address(request))
    if request.path_params.get("form", "json") not in {"json", "xml"}:
        raise Refusal("not_found")


def _slug(asked: dict[str, str]) -> str:
    slug = asked.get("jurisdiction_id", "").strip()
    if not slug:
        raise Refusal("open311_missing", place="jurisdiction_id")
    return slug


async def _source(here: Services, unit: Unit, api_key: str | None) -> IntakeSource | None:
    """Whose key was shown, None without one. To whoever has none, a draft is not there."""
    source = await source_of_key(here.house, unit, api_key) if api_key else None
    if source is None and unit.place.status == "draft":
        raise Refusal("not_found")
    if source is None and api_key:
        raise Refusal("open311_key")
    return source


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form; `jurisdiction_id` and `api_key` may stand in the address."""
    kind, _, more = request.headers.get("content-type", "").lower().partition(";")
    try:
        if kind.strip() == "application/x-www-form-urlencoded":
            said = _urlencoded(await request.body(), more)
        else:
            async with request.form(max_files=0, max_fields=FIELDS_MOST) as form:
                said = {name: value for name, value in form.items() if isinstance(value, str)}
    except HTTPException as error:
        if error.status_code == 413:
            raise
        raise Refusal("open311_wrong", place="form") from None
    except (ValueError, LookupError):
        raise Refusal("open311_wrong", place="form") from None
    for name in ("jurisdiction_id", "api_key"):
        if name in request.query_params:
            said.setdefault(name, request.query_params[name])
    if len(said) > FIELDS_MOST or any("\0" in part for one in said.items() for part in one):
        raise Refusal("open311_wrong", place="form")
    return said


def _urlencoded(body: bytes, more: str) -> dict[str, str]:
    """A form's fields in UTF-8, or in the charset of GBK's family that its header names. Raises `ValueError`
    for bytes that are none of it, and for other charsets: a citizen's words are not guessed."""
    named = re.search(r"charset=\"?([\w-]+)", more)
    charset = named[1] if named else "utf-8"
    if charset in {"gbk", "gb2312", "gb18030"}:
        charset = "gb18030"
    elif charset not in {"utf-8", "utf8"}:
        raise ValueError(charset)
    return dict(
        parse_qsl(
            body.decode(charset),
            keep_blank_values=True,
            encoding=charset,
            errors="strict",
            max_num_fields=FIELDS_MOST,
        )
    )


def _content(said: dict[str, str]) -> dict[str, Any]:
    ours = {"jurisdiction_id", "service_request_id", "requested_datetime", "service_name", "status"}
    return {name: value for name, value in said.items() if name not in ours}


def _numbered(number: str, at: int) -> dict[str, str]:
    return {"service_request_id": number, "requested_datetime": rules.written(at)}


def _without_suffix(name: str) -> str:
    stem, dot, form = name.rpartition(".")
    return stem if dot and form in {"json", "xml"} else name
