"""Paper ballots: seats that vote on paper, and forms keyed in by two people."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from server.actions.key_paper import form_state, forms, key_paper, set_paper
from server.actions.perform import allowed
from server.api import answers
from server.api.common import LARGEST, ActorDep, Body, Key, RoundId, ServicesDep, Word, answered

router = APIRouter(tags=["rounds"])
Number = Annotated[int, Path(ge=1, le=LARGEST)]


class PaperSeat(Body):
    paper: bool


class PaperForm(Body):
    marks: dict[Word, dict[Word, Any]]
    """As in a panelist's ballot: subject → dimension → value."""
    recused: list[Word] = Field(default_factory=list, max_length=200)


@router.put("/rounds/{id}/seats/{number}/paper", response_model=answers.PaperSeatState)
async def seat(
    id_: RoundId, number: Number, body: PaperSeat, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """The seat votes on paper in this round, or on its tablet again."""
    return answered(await set_paper(here.house, by, id_, number, body.paper, key))


@router.get("/rounds/{id}/paper", response_model=answers.PaperForms)
async def listed(id_: RoundId, here: ServicesDep, by: ActorDep) -> Response:
    """Every form of the round and where it stands; never a mark."""
    async with here.store.look(round=id_) as unit:
        allowed(unit.place, by, "key_paper")
        round_ = await unit.rounds.get(id_)
        assert round_ is not None
        found = await forms(unit, round_)
    return JSONResponse({"forms": [form_state(one) for one in found]})


@router.put("/rounds/{id}/paper/{form}", response_model=answers.PaperFormState)
async def keyed(
    id_: RoundId,
    form: Annotated[int, Path(ge=1, le=LARGEST)],
    body: PaperForm,
    here: ServicesDep,
    by: ActorDep,
    key: Key = None,
) -> Response:
    """What one person read on the form; the second who reads the same makes it a ballot."""
    return answered(await key_paper(here.house, by, id_, form, body.marks, body.recused, key))
