"""The moderators' desk: lists, one act an address, the queue, the stage."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from server.actions import merge_questions, moderate_question, order_queue, take_question
from server.actions.ask_reaction import ask_reaction
from server.actions.edit_question import edit_question
from server.actions.perform import allowed
from server.api import answers
from server.api.common import (
    NOT_EMPTY,
    ActorDep,
    Body,
    Cursor,
    Id,
    Key,
    Nothing,
    Number,
    ServicesDep,
    Word,
    answered,
)
from server.domain.questions import STATES, TEXT_LONGEST
from server.domain.refusals import Refusal
from server.domain.view import desk_question

router = APIRouter(tags=["desk"])


class Edit(Body):
    """Null, or left out, leaves as it is."""

    version: int
    """The version that was read."""
    text: str | None = None
    """2–20,000 characters, on stage at most 600; the earlier wording is kept."""
    subject: Word | None = None
    """The key of the official it is for; empty takes it back."""
    tags: list[Annotated[str, Field(max_length=40)]] | None = Field(default=None, max_length=20)


class Rejection(Body):
    reason: answers.RejectionReason


class Shortlist(Body):
    subject: Word | None = None
    """The key of the official it is for."""


class Merge(Body):
    into: Number
    """The id of the question that carries on."""


class Reply(Body):
    reply: str = Field(max_length=TEXT_LONGEST, json_schema_extra=NOT_EMPTY)
    """What the author reads."""


class Ending(Body):
    reason: str = Field(max_length=500, json_schema_extra=NOT_EMPTY)
    """In words; the author reads it."""


class QueueOrder(Body):
    version: int
    """The version that was read."""
    ids: list[Number] = Field(max_length=1000)
    """The whole queue. Those left out are shortlisted again."""


class Give(Body):
    seat: Number | None = None
    """The seat's number; null takes the question back."""


class Take(Body):
    question: Number | None = None
    """The id of an approved question; null: one that is asked off the cuff."""
    asker: Number | Annotated[str, Field(max_length=60)] | None = None
    """A seat's number, or a name; null: the seat it was given to, else its source."""
    text: str | None = None
    """What is asked off the cuff, up to 600 characters; it may be typed later."""


class Reaction(Body):
    kind: answers.ReactionKind
    """`mood`: cards; `answer`: settled, partly, evaded."""
    audience: Literal["panel", "public"]


class Phase(Body):
    phase: answers.QuestionPhase


class Pull(Body):
    outcome: answers.StageOutcome = "deferred"


DESK = "/hearings/{slug}/desk/questions"


@router.get(DESK, response_model=answers.DeskPage)
async def desk(
    slug: str,
    here: ServicesDep,
    by: ActorDep,
    status: Annotated[str | None, Query(description="Several are joined by commas.")] = None,
    source: Annotated[Word | None, Query(description="A kind, or which of them.")] = None,
    tag: Word | None = None,
    subject: Word | None = None,
    q: Annotated[Word | None, Query(description="Any part of text, title or number.")] = None,
    cursor: Cursor = None,
) -> Response:
    """A list by state, source, tag, subject or words (also two characters)."""
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "page:desk")
        wanted = tuple(status.split(",")) if status else ()
        if not set(wanted) <= set(STATES):
            raise Refusal("malformed", place="status")
        page = await unit.questions.desk_page(
            status=wanted,
            source=source,
            tag=tag,
            subject=subject,
            search=q,
            cursor=cursor,
        )
        counts = await unit.questions.counts()
    told = {
        "items": [desk_question(one) for one in page],
        "cursor": page[-1].id if len(page) == 50 else None,
        "counts": counts,
    }
    return JSONResponse(told)


@router.get(DESK + "/{id}", response_model=answers.DeskQuestionWhole)
async def one(slug: str, id_: Id, here: ServicesDep, by: ActorDep) -> Response:
    """One question, with every earlier wording and its author's appeal."""
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "page:desk")
        question = await unit.questions.get(id_)
        if question is None:
            raise Refusal("not_found")
        wordings = await unit.questions.wordings(id_)
        appeal = await unit.questions.appeal(id_)
    told = {
        **desk_question(question),
        "wordings": [{"version": v, "text": t} for v, t in wordings],
        "appeal": appeal,
    }
    return JSONResponse(told)


@router.patch(DESK + "/{id}", response_model=answers.DeskQuestion)
async def edit(
    slug: str, id_: Id, body: Edit, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """Rewrites, assigns or tags; 409 with the present text when somebody else was first."""
    return answered(
        await edit_question(
            here.house,
            by,
            slug,
            id_,
            body.version,
            text=body.text,
            subject=body.subject,
            tags=body.tags,
            key=key,
        )
    )


@router.post(DESK + "/{id}/approval", response_model=answers.DeskQuestion)
async def approve(
    slug: str,
    id_: Id,
    here: ServicesDep,
    by: ActorDep,
    body: Nothing | None = None,
    key: Key = None,
) -> Response:
    """The question goes on the public list."""
    return answered(await moderate_question.approve_question(here.house, by, slug, id_, key))


@router.post(DESK + "/{id}/rejection", response_model=answers.DeskQuestion)
async def reject(
    slug: str, id_: Id, body: Rejection, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """Rejected with a reason code."""
    return answered(
        await moderate_question.reject_question(here.house, by, slug, id_, body.reason, key)
    )


@router.delete(DESK + "/{id}/rejection", response_model=answers.DeskQuestion)
async def unreject(
    slug: str, id_: Id, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """The rejection is taken back."""
    return answered(await moderate_question.unreject_question(here.house, by, slug, id_, key))


@router.post(DESK + "/{id}/shortlisting", response_model=answers.DeskQuestion)
async def shortlist(
    slug: str,
    id_: Id,
    here: ServicesDep,
    by: ActorDep,
    body: Shortlist | None = None,
    key: Key = None,
) -> Response:
    """Shortlisted, for a subject when one is named."""
    subject = body.subject if body else None
    return answered(
        await moderate_question.shortlist_question(here.house, by, slug, id_, subject, key)
    )


@router.delete(DESK + "/{id}/shortlisting", response_model=answers.DeskQuestion)
async def unshortlist(
    slug: str, id_: Id, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """Back to approved."""
    return answered(await moderate_question.unshortlist_question(here.house, by, slug, id_, key))


@router.post(DESK + "/{id}/merging", response_model=answers.DeskQuestion)
async def merge(
    slug: str, id_: Id, body: Merge, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """Merged into another question."""
    return answered(await merge_questions.merge_question(here.house, by, slug, id_, body.into, key))


@router.delete(DESK + "/{id}/merging", response_model=answers.DeskQuestion)
async def unmerge(slug: str, id_: Id, here: ServicesDep, by: ActorDep, key: Key = None) -> Response:
    """The merge is taken back."""
    return answered(await merge_questions.unmerge_question(here.house, by, slug, id_, key))


@router.post(DESK + "/{id}/reply", response_model=answers.DeskQuestion)
async def reply(
    slug: str, id_: Id, body: Reply, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """Answered in writing."""
    text = here.house.clean(body.reply)
    return answered(await moderate_question.reply_in_writing(here.house, by, slug, id_, text, key))


@router.post(DESK + "/{id}/closing", response_model=answers.DeskQuestion)
async def close(
    slug: str, id_: Id, body: Ending, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """Closed with a reason in words."""
    return answered(
        await moderate_question.close_question(
            here.house, by, slug, id_, here.house.clean(body.reason), key
        )
    )


@router.get("/hearings/{slug}/queue", response_model=answers.Queue)
async def queue(slug: str, here: ServicesDep, by: ActorDep) -> Response:
    """The queue with Now and Next."""
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "order_queue")
        return JSONResponse(await order_queue.read_queue(unit))


@router.put("/hearings/{slug}/queue", response_model=answers.Queue)
async def put_queue(
    slug: str, body: QueueOrder, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """The whole queue in its new order."""
    return answered(
        await order_queue.order_queue(here.house, by, slug, body.ids, body.version, key)
    )


@router.put("/hearings/{slug}/queue/{id}/asker", response_model=answers.Queue)
async def give(
    slug: str, id_: Id, body: Give, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """A queued question is given to a panelist."""
    return answered(await order_queue.give_question(here.house, by, slug, id_, body.seat, key))


@router.put("/hearings/{slug}/stage", response_model=answers.Taken)
async def take(slug: str, body: Take, here: ServicesDep, by: ActorDep, key: Key = None) -> Response:
    """A question goes on stage: a listed one by id, or one asked off the cuff."""
    if body.question is not None:
        if body.text is not None:
            raise Refusal("malformed", place="text")
        return answered(
            await take_question.take_question(here.house, by, slug, body.question, body.asker, key)
        )
    return answered(
        await take_question.ask_off_the_cuff(here.house, by, slug, body.asker, body.text, key)
    )


@router.post("/hearings/{slug}/stage/reaction", status_code=201, response_model=answers.StateRound)
async def reaction(
    slug: str, body: Reaction, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """The public or the panel is asked about the answer on stage, for a minute."""
    return answered(await ask_reaction(here.house, by, slug, body.kind, body.audience, key))


@router.patch("/hearings/{slug}/stage", response_model=answers.Stage)
async def phase(
    slug: str, body: Phase, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """asking → answering → follow_up → done."""
    return answered(await take_question.change_phase(here.house, by, slug, body.phase, key))


@router.delete("/hearings/{slug}/stage", response_model=answers.Pulled)
async def pull(
    slug: str,
    here: ServicesDep,
    by: ActorDep,
    body: Pull | None = None,
    outcome: answers.StageOutcome | None = None,
    key: Key = None,
) -> Response:
    """Off the stage: answered, deferred or withdrawn (`outcome` in the body or the query)."""
    chosen = outcome or (body.outcome if body else "deferred")
    return answered(await take_question.pull_question(here.house, by, slug, chosen, key))
