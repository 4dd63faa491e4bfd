"""Topics: the office's scheme, and which of it a question may have. A person chooses (`PATCH` of the
question)."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from server.actions.moderate_question import seen
from server.actions.perform import allowed
from server.actions.suggest_topics import scheme_of, suggested
from server.api import answers
from server.api.common import ActorDep, Id, ServicesDep
from server.domain.topics import scheme_state, suggestion_state

router = APIRouter(tags=["desk"])


@router.get("/hearings/{slug}/desk/topics", response_model=answers.TopicScheme)
async def scheme(slug: str, here: ServicesDep, by: ActorDep) -> Response:
    """The present scheme of the hearing's office, each topic after the one above it."""
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "page:desk")
        found = await scheme_of(here.house, unit)
    return JSONResponse(scheme_state(found))


@router.get("/hearings/{slug}/desk/questions/{id}/topics", response_model=answers.TopicSuggestions)
async def suggestions(slug: str, id_: Id, here: ServicesDep, by: ActorDep) -> Response:
    """Up to three topics that the question may have, the likeliest first: by keywords of the scheme that
    stand in it (`words`), and by what people chose before (`chosen` = how often that topic)."""
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "page:desk")
        question = await seen(unit, by, id_)
        found = await suggested(here.house, unit, question)
    return JSONResponse({"items": [suggestion_state(one) for one in found]})
