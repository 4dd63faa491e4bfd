"""The public's questions: the list, asking, the fate of a question by code, an appeal."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from server.actions import ask_question as asking
from server.actions.appeal_question import appeal_question
from server.actions.ask_question import SHORTEST
from server.actions.find_twins import similar_to
from server.actions.rate_answer import rate_answer
from server.actions.way import way_of
from server.api import answers
from server.api.common import (
    Body,
    Cursor,
    MaybeActor,
    NeededKey,
    ServicesDep,
    ViewerDep,
    Word,
    answered,
)
from server.api.hearings import check_announced
from server.domain.questions import REJECTION_REASONS, TOLD, Question
from server.domain.refusals import Refusal
from server.domain.work import NONCE_LONGEST
from server.services import language_of

router = APIRouter(tags=["questions"])


class NewQuestion(Body):
    text: str
    """2–500 characters after trimming."""
    subject: Word | None = None
    """The key of the official it is for."""
    contact: str | None = Field(default=None, max_length=200)
    """How the author may be reached; sealed, shown to nobody."""
    epoch: Word | None = None
    """Of the run that it is meant for; another run refuses it (`run_changed`)."""
    work: str | None = Field(default=None, max_length=NONCE_LONGEST)
    """The nonce that was looked for, where `work_needed` asked for it."""


class Typed(Body):
    text: str = Field(max_length=500)
    """What somebody is typing: two characters at least."""


class Rating(Body):
    secret: Word
    """What asking answered."""
    rating: answers.AnswerRating


class Appeal(Body):
    secret: Word
    """What asking was answered with."""
    text: str
    """2–500 characters after trimming."""


@router.get("/hearings/{slug}/questions", response_model=answers.QuestionPage)
async def questions(
    slug: str, here: ServicesDep, by: MaybeActor, cursor: Cursor = None
) -> Response:
    """Everything that was approved and not withdrawn or closed, newest first."""
    async with here.store.look(slug=slug) as unit:
        check_announced(unit.place, by)
        page = await unit.questions.public_page(cursor)
    items = [
        {
            "code": q.code,
            "text": q.text,
            "subject": q.subject,
            "support": q.support,
            "status": TOLD[q.status],
        }
        for q in page
    ]
    return JSONResponse({"items": items, "cursor": page[-1].id if len(page) == 50 else None})


@router.post("/hearings/{slug}/questions/similar", response_model=answers.Similar)
async def similar(
    slug: str, body: Typed, request: Request, here: ServicesDep, by: MaybeActor
) -> Response:
    """Questions on the public list that ask what this text asks, at most three: whoever is about to send
    it may support one of them instead. Nothing is kept; the text is in no address, which logs keep."""
    here.limiter.check("similar", here.door.address(request))
    async with here.store.look(slug=slug) as unit:
        check_announced(unit.place, by)
        if len(body.text.strip()) < SHORTEST:
            raise Refusal("text_too_short", least=SHORTEST, place="text")
        found = await similar_to(here.house, unit, body.text)
    items = [
        {
            "code": one.question.code,
            "text": one.question.text,
            "support": one.question.support,
            "askers": one.question.askers + one.question.support,
        }
        for one in found
    ]
    return JSONResponse({"items": items}, headers={"Cache-Control": "no-store"})


@router.post("/hearings/{slug}/questions", status_code=201, response_model=answers.Asked)
async def ask_question(
    slug: str,
    body: NewQuestion,
    request: Request,
    here: ServicesDep,
    viewer: ViewerDep,
    key: NeededKey = None,
) -> Response:
    """A question from the public → `{code, secret, status}`."""
    here.limiter.check("ask", here.door.address(request), viewer, key)
    done = await asking.ask_question(
        here.house,
        viewer,
        key,
        slug,
        body.text,
        body.subject,
        body.contact,
        body.epoch,
        body.work,
    )
    return JSONResponse(dict(done.answer), 201)


@router.get("/questions/{code}", response_model=answers.Fate)
async def fate(code: str, request: Request, here: ServicesDep, by: MaybeActor) -> Response:
    """What became of a question; nobody's text."""
    async with here.store.look(code=code) as unit:
        check_announced(unit.place, by)
        question = await unit.questions.by_code(code)
        if question is None:
            raise Refusal("not_found")
        *_, end = await way_of(unit, question.id)
    return JSONResponse(fate_of(question, end, language_of(request)))


def fate_of(question: Question, end: Question, lang: str) -> dict[str, Any]:
    """The answer of `GET /questions/CODE`; `end` is what it went into at last, or itself."""
    told: dict[str, Any] = {"code": question.code, "status": TOLD[question.status]}
    if question.status == "rejected" and question.reason and question.reason in REJECTION_REASONS:
        zh, en = REJECTION_REASONS[question.reason]
        told["reason"] = question.reason
        told["reason_text"] = en if lang == "en" else zh
    if question.status == "closed" and question.reason:
        told["reason"] = question.reason
    if question.merged_into:
        told["merged_into"] = question.merged_into
        told["followed"] = {"code": end.code, "status": TOLD[end.status]}
        if end.answered_at:
            told["followed"]["answered_at"] = end.answered_at
    if question.answered_at:
        told["answered_at"] = question.answered_at
    if question.reply:
        told["reply"] = question.reply
    told["appealed"] = question.appealed
    if question.appeal_outcome:
        told["appeal_outcome"] = question.appeal_outcome
    if question.appeal_note:
        told["appeal_note"] = question.appeal_note
    if question.rating is not None:
        told["rating"] = question.rating
    return told


@router.put("/questions/{code}/rating", response_model=answers.Rated)
async def rate(code: str, body: Rating, request: Request, here: ServicesDep) -> Response:
    """The author says whether the answer settled the question."""
    here.limiter.check("ask", here.door.address(request), f"rating {code}")
    return answered(await rate_answer(here.house, code, body.secret, body.rating))


@router.post("/questions/{code}/appeal", status_code=201, response_model=answers.Appealed)
async def appeal(code: str, body: Appeal, request: Request, here: ServicesDep) -> Response:
    """The author asks for another look, once."""
    here.limiter.check("ask", here.door.address(request), f"appeal {code}")
    return answered(await appeal_question(here.house, code, body.secret, body.text))
