"""The public's questions: the list, asking, the fate of a question by code, an appeal."""

from __future__ import annotations

import hashlib
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from server.actions.appeal_question import appeal_question
from server.actions.perform import check_key
from server.api.common import (
    Body,
    Key,
    MaybeActor,
    ServicesDep,
    ViewerDep,
    answered,
)
from server.api.hearings import check_announced
from server.domain.journal import canonical
from server.domain.public_acts import Ask, Done
from server.domain.questions import REJECTION_REASONS, Question
from server.domain.refusals import Refusal
from server.services import Services, language_of

router = APIRouter(tags=["questions"])
SHORTEST, LONGEST = 2, 500


class NewQuestion(Body):
    text: str
    subject: str | None = None
    contact: str | None = None


class Appeal(Body):
    secret: str
    text: str


class Supporting(Body):
    on: bool = True


@router.get("/hearings/{slug}/questions")
async def questions(
    slug: str, here: ServicesDep, by: MaybeActor, cursor: int | None = None
) -> dict[str, Any]:
    """Everything that was approved and not withdrawn or closed, newest first."""
    async with here.store.look(slug=slug) as unit:
        check_announced(unit.place, by)
        page = await unit.questions.public_page(cursor)
    return {
        "items": [
            {
                "code": q.code,
                "text": q.text,
                "subject": q.subject,
                "support": q.support,
                "status": q.status,
            }
            for q in page
        ],
        "cursor": page[-1].id if len(page) == 50 else None,
    }


@router.post("/hearings/{slug}/questions", status_code=201)
async def ask_question(
    slug: str,
    body: NewQuestion,
    request: Request,
    here: ServicesDep,
    viewer: ViewerDep,
    key: Key = None,
) -> Response:
    """A question from the public → `{code, secret, status}`."""
    await here.limiter.check("ask", here.door.address(request), viewer)
    done = await ask(here, viewer, key, slug, body.text, body.subject, body.contact)
    return JSONResponse(dict(done.answer), 201)


async def ask(
    here: Services,
    viewer: str,
    key: str | None,
    slug: str,
    text: str,
    subject: str | None,
    contact: str | None = None,
) -> Done:
    """Cleans, checks and masks a question, and puts it into the ballot box."""
    check_key(key, needed=True)
    cleaned = here.house.clean(text)
    if len(cleaned) < SHORTEST:
        raise Refusal("text_too_short", least=SHORTEST)
    if len(cleaned) > LONGEST:
        raise Refusal("text_too_long", most=LONGEST)
    masked = here.house.mask(cleaned)
    sealed: dict[str, Any] = dict(masked.sealed)
    if contact:
        sealed["contact"] = contact[:200]
    done = await here.box.put(
        Ask(
            viewer=viewer,
            key=key or "",
            slug=slug,
            text=masked.text,
            subject=subject or None,
            code=here.house.code(),
            secret=here.keys.question_secret(viewer, f"{slug}:{key}"),
            digest=hashlib.sha256(canonical([text, subject, contact])).hexdigest(),
            sealed=here.house.seal(sealed) if sealed else None,
            at=here.house.now(),
        )
    )
    await here.screened(slug)
    return done


@router.get("/questions/{code}")
async def fate(code: str, request: Request, here: ServicesDep) -> dict[str, Any]:
    """What became of a question; nobody's text."""
    async with here.store.look(code=code) as unit:
        question = await unit.questions.by_code(code)
    if question is None:
        raise Refusal("not_found")
    return fate_of(question, language_of(request))


def fate_of(question: Question, lang: str) -> dict[str, Any]:
    """The answer of `GET /questions/CODE`."""
    told: dict[str, Any] = {"code": question.code, "status": question.status}
    if question.status == "rejected" and question.reason and question.reason in REJECTION_REASONS:
        zh, en = REJECTION_REASONS[question.reason]
        told["reason"] = question.reason
        told["reason_text"] = en if lang == "en" else zh
    if question.status == "closed" and question.reason:
        told["reason"] = question.reason
    if question.merged_into:
        told["merged_into"] = question.merged_into
    if question.answered_at:
        told["answered_at"] = question.answered_at
    if question.reply:
        told["reply"] = question.reply
    told["appealed"] = question.appealed
    return told


@router.post("/questions/{code}/appeal", status_code=201)
async def appeal(code: str, body: Appeal, here: ServicesDep) -> Response:
    """The author asks for another look, once."""
    return answered(await appeal_question(here.house, code, body.secret, body.text))
