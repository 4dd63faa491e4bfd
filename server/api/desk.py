"""The moderators' desk: lists, one act an address, the queue, the stage."""

from __future__ import annotations

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from server.actions import merge_questions, moderate_question, order_queue, take_question
from server.actions.edit_question import edit_question
from server.actions.perform import allowed
from server.api import answers
from server.api.common import ActorDep, Body, Key, Nothing, ServicesDep, answered
from server.domain.refusals import Refusal
from server.domain.view import desk_question

router = APIRouter(tags=["desk"])


class Edit(Body):
    version: int | None = None
    text: str | None = None
    subject: str | None = None
    tags: list[str] | None = None


class Reason(Body):
    reason: str


class Shortlist(Body):
    subject: str | None = None


class Merge(Body):
    into: int


class Reply(Body):
    reply: str


class QueueOrder(Body):
    version: int | None = None
    ids: list[int]


class Give(Body):
    seat: int | None = None


class Take(Body):
    question: int | None = None
    asker: int | str | None = None
    text: str | None = None


class Phase(Body):
    phase: str


class Pull(Body):
    outcome: str = "deferred"


DESK = "/hearings/{slug}/desk/questions"


@router.get(DESK, response_model=answers.DeskPage)
async def desk(
    slug: str,
    here: ServicesDep,
    by: ActorDep,
    status: str | None = None,
    source: str | None = None,
    tag: str | None = None,
    subject: str | None = None,
    q: str | None = Query(default=None, max_length=200),
    cursor: int | None = None,
) -> Response:
    """A list by state, source, tag, subject or words (also two characters)."""
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "page:desk")
        page = await unit.questions.desk_page(
            status=tuple(status.split(",")) if status else (),
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


@router.get(DESK + "/{id_}", response_model=answers.DeskQuestionWhole)
async def one(slug: str, id_: int, here: ServicesDep, by: ActorDep) -> Response:
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


@router.patch(DESK + "/{id_}", response_model=answers.DeskQuestion)
async def edit(
    slug: str, id_: int, body: Edit, here: ServicesDep, by: ActorDep, key: Key = None
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


@router.post(DESK + "/{id_}/approval", response_model=answers.DeskQuestion)
async def approve(
    slug: str,
    id_: int,
    here: ServicesDep,
    by: ActorDep,
    body: Nothing | None = None,
    key: Key = None,
) -> Response:
    """The question goes on the public list."""
    return answered(await moderate_question.approve_question(here.house, by, slug, id_, key))


@router.post(DESK + "/{id_}/rejection", response_model=answers.DeskQuestion)
async def reject(
    slug: str, id_: int, body: Reason, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """Rejected with a reason code."""
    return answered(
        await moderate_question.reject_question(here.house, by, slug, id_, body.reason, key)
    )


@router.delete(DESK + "/{id_}/rejection", response_model=answers.DeskQuestion)
async def unreject(
    slug: str, id_: int, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """The rejection is taken back."""
    return answered(await moderate_question.unreject_question(here.house, by, slug, id_, key))


@router.post(DESK + "/{id_}/shortlisting", response_model=answers.DeskQuestion)
async def shortlist(
    slug: str,
    id_: int,
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


@router.delete(DESK + "/{id_}/shortlisting", response_model=answers.DeskQuestion)
async def unshortlist(
    slug: str, id_: int, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """Back to approved."""
    return answered(await moderate_question.unshortlist_question(here.house, by, slug, id_, key))


@router.post(DESK + "/{id_}/merging", response_model=answers.DeskQuestion)
async def merge(
    slug: str, id_: int, body: Merge, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """Merged into another question."""
    return answered(await merge_questions.merge_question(here.house, by, slug, id_, body.into, key))


@router.delete(DESK + "/{id_}/merging", response_model=answers.DeskQuestion)
async def unmerge(
    slug: str, id_: int, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """The merge is taken back."""
    return answered(await merge_questions.unmerge_question(here.house, by, slug, id_, key))


@router.post(DESK + "/{id_}/reply", response_model=answers.DeskQuestion)
async def reply(
    slug: str, id_: int, body: Reply, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """Answered in writing."""
    text = here.house.clean(body.reply)
    return answered(await moderate_question.reply_in_writing(here.house, by, slug, id_, text, key))


@router.post(DESK + "/{id_}/closing", response_model=answers.DeskQuestion)
async def close(
    slug: str, id_: int, body: Reason, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """Closed with a reason in words."""
    return answered(
        await moderate_question.close_question(here.house, by, slug, id_, body.reason, key)
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


@router.put("/hearings/{slug}/queue/{id_}/asker", response_model=answers.Queue)
async def give(
    slug: str, id_: int, body: Give, here: ServicesDep, by: ActorDep, key: Key = None
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
    outcome: str | None = None,
    key: Key = None,
) -> Response:
    """Off the stage: answered, deferred or withdrawn (`outcome` in the body or the query)."""
    chosen = outcome or (body.outcome if body else "deferred")
    return answered(await take_question.pull_question(here.house, by, slug, chosen, key))
