"""The queue, and the stage to which it leads."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from server.actions import order_queue, take_question
from server.actions.ask_reaction import ask_reaction
from server.actions.perform import allowed
from server.api import answers
from server.api.common import ActorDep, Body, Id, Key, Number, ServicesDep, answered
from server.domain.refusals import Refusal

router = APIRouter(tags=["desk"])


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
    override: str = Field(default="", max_length=200)
    """Why it goes on stage without the review that the hearing asks for; it stands in the journal."""


class Reaction(Body):
    kind: answers.ReactionKind
    """`mood`: cards; `answer`: settled, partly, evaded."""
    audience: Literal["panel", "public"]


class Phase(Body):
    phase: answers.QuestionPhase


class Pull(Body):
    outcome: answers.StageOutcome = "deferred"


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
            await take_question.take_question(
                here.house, by, slug, body.question, body.asker, body.override, key
            )
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
