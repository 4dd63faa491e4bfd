"""What an official's office reads in advance: the desk's preview and sending, and the office's own reading."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from server.actions import send_brief
from server.actions.perform import allowed
from server.api import answers
from server.api.common import (
    NOT_EMPTY,
    ActorDep,
    Body,
    Key,
    Nothing,
    Number,
    ServicesDep,
    Word,
    answered,
)
from server.api.exports import Workbook
from server.domain.brief import WORDS_LONGEST
from server.domain.refusals import Refusal

router = APIRouter(tags=["brief"])

BRIEF = "/hearings/{slug}/brief"
Of = Annotated[str, Path(max_length=60)]


class Switch(Body):
    in_advance: bool
    """Whether officials' offices read the shortlist before the session."""


class Sending(Body):
    hash: Word
    """Of the preview that was read: nothing else is sent."""


class Words(Body):
    text: str = Field(max_length=WORDS_LONGEST, json_schema_extra=NOT_EMPTY)


@router.get(BRIEF, response_model=answers.BriefRead)
async def read(slug: str, here: ServicesDep, by: ActorDep) -> Response:
    """What the office of the official reads whose card was used to come in; `sent` is null where nothing
    was sent, or is read in advance."""
    async with here.store.look(slug=slug, line=True) as unit:
        subject, sent = await send_brief.read_brief(unit, by)
    told = {"subject": subject, "sent": None if sent is None else send_brief.sent_state(sent)}
    return JSONResponse(told, headers={"Cache-Control": "no-store"})


@router.put(BRIEF, response_model=answers.BriefSwitch)
async def switch(
    slug: str, body: Switch, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """Whether this hearing lets offices read the shortlist in advance; off in a new hearing."""
    return answered(await send_brief.switch_brief(here.house, by, slug, body.in_advance, key))


@router.get(BRIEF + "/{subject}", response_model=answers.BriefPreview)
async def preview(slug: str, subject: Of, here: ServicesDep, by: ActorDep) -> Response:
    """Exactly what would be read there, and the questions that keep it back."""
    async with here.store.look(slug=slug, line=True) as unit:
        allowed(unit.place, by, "brief")
        told = await send_brief.preview(unit, subject)
    return JSONResponse(told, headers={"Cache-Control": "no-store"})


@router.post(BRIEF + "/{subject}", status_code=201, response_model=answers.BriefPreview)
async def send(
    slug: str, subject: Of, body: Sending, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """Sends what was previewed; 409 with what it is now when it has changed since."""
    return answered(await send_brief.send_brief(here.house, by, slug, subject, body.hash, key))


@router.delete(BRIEF + "/{subject}", response_model=answers.BriefPreview)
async def take_back(
    slug: str,
    subject: Of,
    here: ServicesDep,
    by: ActorDep,
    body: Nothing | None = None,
    key: Key = None,
) -> Response:
    """Nothing is read there any more."""
    return answered(await send_brief.take_brief_back(here.house, by, slug, subject, key))


@router.get(BRIEF + "/{subject}/workbook.xlsx", response_class=Workbook)
async def workbook(slug: str, subject: Of, here: ServicesDep, by: ActorDep) -> Response:
    """The preview as a workbook: the same lines and nothing else."""
    async with here.store.look(slug=slug, line=True) as unit:
        allowed(unit.place, by, "brief")
        named = next((s for s in await unit.people.subjects() if s.key == subject), None)
        if named is None:
            raise Refusal("subject_unknown", subject=subject)
        now = await unit.briefs.now(subject)
    from server.reports.brief import brief_workbook

    data = brief_workbook(unit.place.title, named.unit, now.lines)
    headers = {"Content-Disposition": 'attachment; filename="brief.xlsx"'}
    return Workbook(data, headers={**headers, "Cache-Control": "no-store"})


@router.put(BRIEF + "/replies/{number}", response_model=answers.ReplyProposed)
async def propose(
    slug: str,
    number: Number,
    body: Words,
    here: ServicesDep,
    by: ActorDep,
    key: Key = None,
) -> Response:
    """The office's words for a line: a moderator replies in writing with them, or with others."""
    return answered(await send_brief.propose_reply(here.house, by, slug, number, body.text, key))
