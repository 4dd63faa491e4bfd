"""The moderators' desk: lists, and one act an address."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from server.actions import (
    claim_question,
    escalate_question,
    merge_questions,
    moderate_many,
    moderate_question,
    review_question,
)
from server.actions.edit_question import edit_question
from server.actions.find_twins import twins_of
from server.actions.name_units import name_units
from server.actions.perform import Answer, allowed
from server.actions.unmask_question import REASON_LONGEST, REASON_SHORTEST, unmask_question
from server.actions.write_question import MOST_ORDERS, write_question
from server.api import answers
from server.api.common import (
    NOT_EMPTY,
    ActorDep,
    Body,
    Id,
    Key,
    Nothing,
    Number,
    ServicesDep,
    Word,
    answered,
)
from server.domain.claims import holds
from server.domain.desk import HOUR_MS, HOURS, PAGE, Filters, cursor_of
from server.domain.orders import facts
from server.domain.questions import HIDDEN, STATES, TAGS_MOST, TEXT_LONGEST
from server.domain.refusals import Refusal
from server.domain.reviews import NOTE_LONGEST
from server.domain.topics import TOPIC_LONGEST
from server.domain.twins import twin_state
from server.domain.view import desk_question
from server.services import language_of

router = APIRouter(tags=["desk"])


class Edit(Body):
    """Null, or left out, leaves as it is."""

    version: int
    """The version that was read."""
    text: str | None = None
    """2–20,000 characters, on stage at most 600; the earlier wording is kept."""
    subject: Word | None = None
    """The key of the official it is for; empty takes it back."""
    tags: list[Annotated[str, Field(max_length=40)]] | None = Field(
        default=None, max_length=TAGS_MOST
    )
    topic: Annotated[str, Field(max_length=TOPIC_LONGEST)] | None = None
    """A topic of the office's scheme, by its path or code; empty takes it back."""


class Decision(Body):
    version: int | None = None
    """The version that was read: 409 with the question as it stands when it has changed since."""


class Rejection(Decision):
    reason: answers.RejectionReason


class Upholding(Decision):
    note: str = Field(default="", max_length=NOTE_LONGEST)
    """Why the rejection stands, in words; the author reads it."""


class Unmasking(Body):
    reason: str = Field(
        max_length=400,
        json_schema_extra={"minLength": REASON_SHORTEST, "maxLength": REASON_LONGEST},
    )
    """Why the original must be read, in words; it stands in the journal."""


class Shortlist(Decision):
    subject: Word | None = None
    """The key of the official it is for."""


class Merge(Body):
    into: Number
    """The id of the question that carries on."""


class Reply(Body):
    reply: str = Field(max_length=TEXT_LONGEST, json_schema_extra=NOT_EMPTY)
    """What the author reads."""


class Claiming(Body):
    firm: bool = True
    """Nobody else decides about it; otherwise it is only shown who has it open."""
    take_over: bool = False
    """From somebody else, who is told."""


class Verification(Decision):
    outcome: answers.VerificationOutcome
    note: str = Field(default="", max_length=NOTE_LONGEST)
    """Who was asked, and what was seen."""


class Escalating(Body):
    kind: answers.EscalationKind
    note: str = Field(default="", max_length=NOTE_LONGEST)


class Settlement(Body):
    outcome: answers.EscalationOutcome


class Writing(Body):
    text: str = Field(max_length=TEXT_LONGEST)
    """2–600 characters, in the desk's own words."""
    orders: list[Number] = Field(max_length=MOST_ORDERS, alias="from")
    """Ids of the questions it is written from; they are merged into it."""
    subject: Word | None = None
    """The key of the official it is for; null: whose matter most of them are."""
    typical: Number | None = None
    """The id of the one to look at first."""


class Bulk(Body):
    act: Literal["approve", "reject", "shortlist", "assign", "tag", "merge"]
    ids: list[Number] = Field(min_length=1, max_length=moderate_many.MOST)
    reason: str = Field(default="", max_length=40)
    """Of `reject`: a reason code."""
    subject: Word = ""
    """Of `assign` and `shortlist`: the key of an official; empty takes an assignment back, and shortlists
    without changing it."""
    tags: list[Annotated[str, Field(max_length=40)]] = Field(default=[], max_length=TAGS_MOST)
    """Of `tag`: added to those that are there."""
    into: Number | None = None
    """Of `merge`: the id of the question that carries on."""


class Reviews(Body):
    second: bool
    """Nothing goes on stage that a second person has not seconded."""
    verification: bool
    """Nothing goes on stage whose facts nobody has verified."""


class Aliases(Body):
    names: list[Annotated[str, Field(max_length=60)]] = Field(max_length=50)
    """Other names under which work orders know the official's unit."""


class Ending(Body):
    reason: str = Field(max_length=500, json_schema_extra=NOT_EMPTY)
    """In words; the author reads it."""


DESK = "/hearings/{slug}/desk/questions"


@router.get(DESK, response_model=answers.DeskPage)
async def desk(
    slug: str,
    here: ServicesDep,
    by: ActorDep,
    status: Annotated[str | None, Query(description="Several are joined by commas.")] = None,
    source: Annotated[Word | None, Query(description="A kind, or which of them.")] = None,
    tag: Word | None = None,
    topic: Annotated[
        str | None, Query(max_length=TOPIC_LONGEST, description="With everything below it.")
    ] = None,
    subject: Annotated[Word | None, Query(description="Of an official, or `-`: of nobody.")] = None,
    district: Word | None = None,
    cluster: Annotated[Number | None, Query(description="Those that ask alike.")] = None,
    heat: Annotated[Number, Query(description="At least so many people.")] = 0,
    fresh: Annotated[int, Query(ge=0, le=HOURS, description="At most so many hours old.")] = 0,
    old: Annotated[int, Query(ge=0, le=HOURS, description="At least so many hours old.")] = 0,
    flagged: Annotated[bool, Query(description="Words of the operator's lists.")] = False,
    unsolved: Annotated[bool, Query(description="Not settled, says the source.")] = False,
    appealed: Annotated[bool, Query(description="Their authors' appeals wait.")] = False,
    mine: Annotated[bool, Query(description="Those that I work on.")] = False,
    q: Annotated[Word | None, Query(description="Any part of text, title or number.")] = None,
    sort: answers.DeskSort = "newest",
    cursor: Annotated[int | None, Query(ge=0, le=2**53 - 1)] = None,
) -> Response:
    """A list by state, source, topic, district, official, people, age or words (also two characters)."""
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "page:desk")
        wanted = tuple(status.split(",")) if status else ()
        if not set(wanted) <= set(STATES):
            raise Refusal("malformed", place="status")
        now = here.house.now()
        filters = Filters(
            status=wanted,
            source=source or "",
            tag=tag or "",
            topic=topic or "",
            subject=subject or "",
            district=district or "",
            cluster=cluster,
            heat=heat,
            fresh=now - fresh * HOUR_MS if fresh else 0,
            old=now - old * HOUR_MS if old else 0,
            flagged=flagged,
            unsolved=unsolved,
            appealed=appealed,
            mine=by.id if mine else "",
            search=(q or "").strip(),
            sort=sort,
            cursor=cursor,
            hidden=moderate_question.sees_escalated(unit, by),
        )
        page = await unit.desk.page(filters)
        counts = await unit.questions.counts()
        if not filters.hidden:
            counts = {state: n for state, n in counts.items() if state not in HIDDEN}
    told = {
        "items": [desk_question(one) for one in page],
        "cursor": cursor_of(page[-1], sort) if len(page) == PAGE else None,
        "counts": counts,
    }
    return JSONResponse(told)


@router.get("/hearings/{slug}/desk/groups", response_model=answers.Groups)
async def groups(
    slug: str, here: ServicesDep, by: ActorDep, subject: Word | None = None
) -> Response:
    """Questions on their way that ask alike, official by official: first what several people ask and the
    source has not settled, then by how many people (people, not messages) stand behind them."""
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "page:desk")
        found = await unit.desk.groups(subject or "")
    return JSONResponse({"items": [{**vars(one), "repeated": one.repeated} for one in found]})


@router.post(DESK, status_code=201, response_model=answers.DeskQuestion)
async def write(
    slug: str, body: Writing, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """A question in the desk's own words, from orders that ask alike; they are merged into it."""
    return answered(
        await write_question(
            here.house, by, slug, body.text, body.orders,
            subject=body.subject, typical=body.typical, key=key,
        )
    )  # fmt: skip


@router.post("/hearings/{slug}/desk/bulk", response_model=answers.BulkDone)
async def bulk(
    slug: str, body: Bulk, here: ServicesDep, by: ActorDep, request: Request, key: Key = None
) -> Response:
    """One decision about many: done wherever it is allowed, told why where it is not."""
    asked = moderate_many.Bulk(
        body.act, tuple(body.ids), body.reason, body.subject, tuple(body.tags), body.into
    )
    answer = await moderate_many.moderate_many(here.house, by, slug, asked, key)
    return _bulk(answer, language_of(request))


@router.delete("/hearings/{slug}/desk/bulk/{id}", response_model=answers.BulkDone)
async def undo_bulk(
    slug: str, id_: Id, here: ServicesDep, by: ActorDep, request: Request, key: Key = None
) -> Response:
    """The whole of it taken back, but for what somebody has worked on since."""
    answer = await moderate_many.undo_many(here.house, by, slug, id_, key)
    return _bulk(answer, language_of(request))


def _bulk(answer: Answer, lang: str) -> Response:
    """With a sentence for each question that was left alone."""
    refused = [
        {
            "id": one["id"],
            "code": one["code"],
            "message": Refusal(one["code"], **one["detail"]).message(lang),
        }
        for one in answer.body["refused"]
    ]
    return JSONResponse({**answer.body, "refused": refused})


@router.get(DESK + "/{id}", response_model=answers.DeskQuestionWhole)
async def one(slug: str, id_: Id, here: ServicesDep, by: ActorDep) -> Response:
    """One question, with every earlier wording, what its source knows of it, its author's appeal and who
    works on it."""
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "page:desk")
        question = await moderate_question.seen(unit, by, id_)
        wordings = await unit.questions.wordings(id_)
        appeal = await unit.questions.appeal(id_)
        fields = await unit.questions.fields(id_)
        claim = await unit.claims.of(id_)
    told: dict[str, Any] = {
        **desk_question(question),
        "wordings": [{"version": v, "text": t} for v, t in wordings],
        "appeal": appeal,
        "appeal_outcome": question.appeal_outcome,
        "appeal_note": question.appeal_note,
        "facts": [{"name": name, "value": value} for name, value in facts(fields)],
        **claim_question.claim_state(claim, by),
    }
    told["held"] = holds(claim, by.id, here.house.now())
    return JSONResponse(told)


@router.get(DESK + "/{id}/history", response_model=answers.History)
async def history(slug: str, id_: Id, here: ServicesDep, by: ActorDep) -> Response:
    """Everything that was done to a question, the oldest first."""
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "page:desk")
        await moderate_question.seen(unit, by, id_)
        done = await unit.desk.history(id_)
    items = [
        {
            "at": one.at,
            "event": one.event,
            "act": one.body.get("act"),
            "name": one.name,
            "role": one.role,
        }
        for one in done
    ]
    return JSONResponse({"items": items})


@router.put(DESK + "/{id}/claim", response_model=answers.Claimed)
async def claim(
    slug: str,
    id_: Id,
    here: ServicesDep,
    by: ActorDep,
    body: Claiming | None = None,
    key: Key = None,
) -> Response:
    """I work on it: nobody else decides about it meanwhile, or only sees that I have it open."""
    asked = body or Claiming()
    return answered(
        await claim_question.claim_question(
            here.house, by, slug, id_, asked.firm, asked.take_over, key
        )
    )


@router.delete(DESK + "/{id}/claim", response_model=answers.Claimed)
async def let_go(slug: str, id_: Id, here: ServicesDep, by: ActorDep, key: Key = None) -> Response:
    """I do not work on it any more."""
    return answered(await claim_question.let_go_of_question(here.house, by, slug, id_, key))


@router.put(DESK + "/{id}/verification", response_model=answers.DeskQuestion)
async def verify(
    slug: str, id_: Id, body: Verification, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """The facts were looked into (核实)."""
    return answered(
        await review_question.verify_question(
            here.house, by, slug, id_, body.outcome, body.note, key, version=body.version
        )
    )


@router.post(DESK + "/{id}/seconding", response_model=answers.DeskQuestion)
async def second(
    slug: str,
    id_: Id,
    here: ServicesDep,
    by: ActorDep,
    body: Decision | None = None,
    key: Key = None,
) -> Response:
    """A second pair of eyes (复核): not whoever approved or rewrote it."""
    version = body.version if body else None
    return answered(
        await review_question.second_question(here.house, by, slug, id_, key, version=version)
    )


@router.post(DESK + "/{id}/escalation", status_code=201, response_model=answers.Escalated)
async def escalate(
    slug: str, id_: Id, body: Escalating, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """To the duty person, and out of everybody else's sight."""
    return answered(
        await escalate_question.escalate_question(
            here.house, by, slug, id_, body.kind, body.note, key
        )
    )


@router.get("/hearings/{slug}/escalations", response_model=answers.Escalations)
async def escalations(slug: str, here: ServicesDep, by: ActorDep) -> Response:
    """What waits for the duty person, with its text."""
    found = await escalate_question.waiting(here.house, by, slug)
    items = [
        {
            "id": one.id,
            "kind": one.kind,
            "note": one.note,
            "at": one.at,
            "seen_at": one.seen_at,
            "question": desk_question(question),
        }
        for one, question in found
    ]
    return JSONResponse({"items": items}, headers={"Cache-Control": "no-store"})


@router.post(
    "/hearings/{slug}/escalations/{id}/acknowledgement", response_model=answers.EscalationSeen
)
async def acknowledge(
    slug: str,
    id_: Id,
    here: ServicesDep,
    by: ActorDep,
    body: Nothing | None = None,
    key: Key = None,
) -> Response:
    """The duty person has seen it."""
    return answered(await escalate_question.acknowledge_escalation(here.house, by, slug, id_, key))


@router.post("/hearings/{slug}/escalations/{id}/outcome", response_model=answers.EscalationSettled)
async def settle(
    slug: str, id_: Id, body: Settlement, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """It goes back to the desk, or it is closed here because it was handed over."""
    return answered(
        await escalate_question.settle_escalation(here.house, by, slug, id_, body.outcome, key)
    )


@router.put("/hearings/{slug}/reviews", response_model=answers.ReviewsAsked)
async def reviews(
    slug: str, body: Reviews, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """What a question needs before it may go on stage."""
    return answered(
        await review_question.ask_for_reviews(
            here.house, by, slug, body.second, body.verification, key
        )
    )


@router.put("/hearings/{slug}/subjects/{subject}/aliases", response_model=answers.Named)
async def aliases(
    slug: str, subject: Word, body: Aliases, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """Other names of an official's unit: orders that name one are proposed for him."""
    return answered(await name_units(here.house, by, slug, subject, body.names, key))


@router.get(DESK + "/{id}/duplicates", response_model=answers.Twins)
async def duplicates(slug: str, id_: Id, here: ServicesDep, by: ActorDep) -> Response:
    """The likeliest twins of a question, at most ten; `proposed` where a merge is right in nearly every
    case, with the reason; `marks` are the places of its text that both have, from the
    first on for 200 characters."""
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "page:desk")
        await moderate_question.seen(unit, by, id_)
        found = await twins_of(here.house, unit, id_)
    return JSONResponse({"items": [twin_state(one) for one in found]})


@router.patch(DESK + "/{id}", response_model=answers.DeskQuestion)
async def edit(
    slug: str, id_: Id, body: Edit, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """Rewrites, assigns, tags or says the topic; 409 with the present text when somebody else was first."""
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
            topic=body.topic,
            key=key,
        )
    )


@router.post(DESK + "/{id}/unmasking", response_model=answers.Unmasked)
async def unmask(slug: str, id_: Id, body: Unmasking, here: ServicesDep, by: ActorDep) -> Response:
    """The original is read, with a reason that is journalled. It takes no idempotency key: the answer is
    kept nowhere, and each reading is an entry of its own."""
    answer = answered(await unmask_question(here.house, by, slug, id_, body.reason))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.post(DESK + "/{id}/approval", response_model=answers.DeskQuestion)
async def approve(
    slug: str,
    id_: Id,
    here: ServicesDep,
    by: ActorDep,
    body: Decision | None = None,
    key: Key = None,
) -> Response:
    """The question goes on the public list."""
    version = body.version if body else None
    return answered(
        await moderate_question.approve_question(here.house, by, slug, id_, key, version=version)
    )


@router.post(DESK + "/{id}/rejection", response_model=answers.DeskQuestion)
async def reject(
    slug: str, id_: Id, body: Rejection, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """Rejected with a reason code."""
    return answered(
        await moderate_question.reject_question(
            here.house, by, slug, id_, body.reason, key, version=body.version
        )
    )


@router.delete(DESK + "/{id}/approval", response_model=answers.DeskQuestion)
async def unapprove(
    slug: str,
    id_: Id,
    here: ServicesDep,
    by: ActorDep,
    body: Decision | None = None,
    key: Key = None,
) -> Response:
    """Off the public list again, to be looked at anew."""
    version = body.version if body else None
    return answered(
        await moderate_question.unapprove_question(here.house, by, slug, id_, key, version=version)
    )


@router.delete(DESK + "/{id}/rejection", response_model=answers.DeskQuestion)
async def unreject(
    slug: str,
    id_: Id,
    here: ServicesDep,
    by: ActorDep,
    body: Decision | None = None,
    key: Key = None,
) -> Response:
    """The rejection is taken back; where its author appealed, that grants the appeal."""
    version = body.version if body else None
    return answered(
        await moderate_question.unreject_question(here.house, by, slug, id_, key, version=version)
    )


@router.post(DESK + "/{id}/upholding", response_model=answers.DeskQuestion)
async def uphold(
    slug: str,
    id_: Id,
    here: ServicesDep,
    by: ActorDep,
    body: Upholding | None = None,
    key: Key = None,
) -> Response:
    """The author's appeal is answered: the rejection stands."""
    asked = body or Upholding()
    return answered(
        await moderate_question.uphold_rejection(
            here.house, by, slug, id_, asked.note, key, version=asked.version
        )
    )


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
    asked = body or Shortlist()
    return answered(
        await moderate_question.shortlist_question(
            here.house, by, slug, id_, asked.subject, key, version=asked.version
        )
    )


@router.delete(DESK + "/{id}/shortlisting", response_model=answers.DeskQuestion)
async def unshortlist(
    slug: str,
    id_: Id,
    here: ServicesDep,
    by: ActorDep,
    body: Decision | None = None,
    key: Key = None,
) -> Response:
    """Back to approved."""
    version = body.version if body else None
    return answered(
        await moderate_question.unshortlist_question(
            here.house, by, slug, id_, key, version=version
        )
    )


@router.post(DESK + "/{id}/merging", response_model=answers.DeskQuestion)
async def merge(
    slug: str, id_: Id, body: Merge, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """Merged into another question."""
    return answered(await merge_questions.merge_question(here.house, by, slug, id_, body.into, key))


@router.delete(DESK + "/{id}/merging", response_model=answers.DeskQuestion)
async def unmerge(
    slug: str,
    id_: Id,
    here: ServicesDep,
    by: ActorDep,
    body: Decision | None = None,
    key: Key = None,
) -> Response:
    """The merge is taken back."""
    version = body.version if body else None
    return answered(
        await merge_questions.unmerge_question(here.house, by, slug, id_, key, version=version)
    )


@router.post(DESK + "/{id}/reply", response_model=answers.DeskQuestion)
async def reply(
    slug: str, id_: Id, body: Reply, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """Answered in writing."""
    return answered(
        await moderate_question.reply_in_writing(here.house, by, slug, id_, body.reply, key)
    )


@router.post(DESK + "/{id}/closing", response_model=answers.DeskQuestion)
async def close(
    slug: str, id_: Id, body: Ending, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """Closed with a reason in words."""
    return answered(
        await moderate_question.close_question(here.house, by, slug, id_, body.reason, key)
    )
