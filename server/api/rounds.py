"""Rounds: making, opening, ballots, closing, certifying, publishing, voiding, results."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import Field

from server.actions import certify_round as certifying
from server.actions import publish_round as publishing
from server.actions.cast_ballot import begin_draft, cast_ballot
from server.actions.cast_vote import cast_vote
from server.actions.close_round import LONGEST_CLOSING, close_round
from server.actions.create_round import NewRound, create_round
from server.actions.open_round import open_round
from server.actions.perform import allowed
from server.actions.review_comment import comments_to_review, review_comment
from server.actions.tally_round import ballots_csv
from server.actions.void_round import void_round
from server.api import answers
from server.api.common import (
    NOT_EMPTY,
    PERSON,
    VIEWER,
    ActorDep,
    Body,
    Key,
    MaybeActor,
    NeededKey,
    Nothing,
    Number,
    RoundId,
    ServicesDep,
    Word,
    answered,
)
from server.api.hearings import check_announced
from server.domain.hearing import Place
from server.domain.refusals import Refusal
from server.domain.roles import Actor, has_right
from server.domain.rounds import Round, may_see_ballots, may_see_result
from server.domain.rule_file import parse_rules
from server.domain.rules_in_words import rules_in_words
from server.domain.secrecy import who_sees
from server.domain.view import round_state

router = APIRouter(tags=["rounds"])


class Choice(Body):
    key: str = Field(pattern=r"^[a-z0-9_-]{1,40}$")
    label: str = Field(min_length=1, max_length=60)


class RoundBody(Body):
    title: str = Field(min_length=1, max_length=80)
    audience: Literal["panel", "public"]
    secrecy: Literal["named", "secret"] = "named"
    replacing: Literal["first", "last"] = "last"
    """Whether a voter's first or last ballot holds."""
    comments: bool = False
    """Panel rounds: something may be written of each official beside the marks."""
    reason_below: str | None = Field(default=None, max_length=20)
    """Panel rounds: below this total of a sheet, of what is marked, a reason must be written."""
    unsent: Literal["discard", "send"] = "discard"
    """Panel rounds: whether a tablet sends a whole sheet by itself when the countdown to the closing
    ends, or whether what was not sent is left out. It is told on the sheet."""
    subjects: list[Word] = Field(default_factory=list, max_length=200)
    """Keys of officials; a panel round needs one at least."""
    rules: dict[str, Any] | None = None
    """Panel rounds: the rule set, as `pingyi tally` takes it."""
    choices: list[Choice] = Field(default_factory=list, max_length=12)
    """Public rounds: what may be chosen."""
    labels: dict[Word, Word] = Field(default_factory=dict, max_length=200)
    """Panel rounds: words for the keys of dimensions and grades."""
    show_live: bool = False
    """Public rounds: counts are shown while it is open."""
    item: Word | None = None
    """The agenda item that it belongs to."""
    replaces: Word | None = None
    """The id of the voided round that is held again."""


class Closing(Body):
    seconds: int = Field(default=0, alias="in", ge=0, le=LONGEST_CLOSING)
    """Seconds for which ballots are still taken."""


class Certification(Body):
    instead: answers.Role | None = None
    """The signer who is missing."""
    reason: str = Field(default="", max_length=600)
    """Why, with `instead`; it stands in the journal and on the tally sheet."""


class Publication(Body):
    audience: answers.PublicationAudience = "internal"
    """A wider one includes the narrower."""


class Voiding(Body):
    reason: str = Field(max_length=500, json_schema_extra=NOT_EMPTY)
    """In words; it stays in the journal."""


class Reveal(Body):
    step: Number
    """0 hides; 1 the turnout; then one subject or choice each."""


class Ballot(Body):
    marks: dict[Word, dict[Word, Any]] | None = None
    """A panelist's: subject → dimension → value (a number, a label's key, `abstain`, `dont_know`).
    A ballot is the whole of what the seat says in the round."""
    recused: list[Word] = Field(default_factory=list, max_length=200)
    """A panelist's: keys of the subjects that the seat does not mark."""
    comments: dict[Word, Annotated[str, Field(max_length=2000)]] = Field(
        default_factory=dict, max_length=200
    )
    """A panelist's: subject → text, 300 characters at most, where the round takes any."""
    choice: Word | None = None
    """A viewer's, instead of marks."""


class Review(Body):
    outcome: Literal["released", "withheld"]


class Zip(Response):
    """A bundle."""

    media_type = "application/zip"


class Ballots(PlainTextResponse):
    """BALLOTS.csv: `subject,rater,group,dimension,value`."""

    media_type = "text/csv"


@router.post("/hearings/{slug}/rounds", status_code=201, response_model=answers.StateRound)
async def create(
    slug: str, body: RoundBody, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """A round is added, `ready`."""
    new = NewRound(
        title=here.house.clean(body.title),
        audience=body.audience,
        secrecy=body.secrecy,
        replacing=body.replacing,
        unsent=body.unsent,
        comments=body.comments,
        reason_below=body.reason_below,
        subjects=tuple(body.subjects),
        rules=body.rules,
        choices=tuple((c.key, here.house.clean(c.label)) for c in body.choices),
        labels={key: here.house.clean(label) for key, label in body.labels.items()},
        show_live=body.show_live,
        item=body.item,
        replaces=body.replaces,
    )
    return answered(await create_round(here.house, by, slug, new, key))


@router.get("/rounds/{id}", response_model=answers.RoundWhole)
async def one(id_: RoundId, here: ServicesDep, by: MaybeActor) -> Response:
    """The round with its choices, or its dimensions, grades, subjects and rules."""
    async with here.store.look(round=id_) as unit:
        check_announced(unit.place, by)
        round_ = await unit.rounds.get(id_)
        subjects = {s.key: s for s in await unit.people.subjects()}
    assert round_ is not None
    told = {
        **round_state(round_),
        "secrecy": round_.secrecy,
        "replacing": round_.replacing,
        "unsent": round_.unsent,
        "comments": round_.comments,
        "reason_below": round_.reason_below,
        "subjects": [
            {"key": k, "name": subjects[k].name, "unit": subjects[k].unit}
            for k in round_.subjects
            if k in subjects
        ],
        "opened_at": round_.opened_at,
        "closed_at": round_.closed_at,
        "rules_hash": round_.rules_hash,
    }
    rules = parse_rules(dict(round_.rules)) if round_.rules is not None else None
    told["secrecy_in_words"] = who_sees(round_, rules.needs_together if rules else None)
    if rules is not None and round_.rules is not None:
        told["rules"] = dict(round_.rules)
        told["in_words"] = {"zh": rules_in_words(rules, "zh"), "en": rules_in_words(rules, "en")}
        told["dimensions"] = [
            {"key": d.key, "label": round_.labels.get(d.key, d.key)} for d in rules.dimensions
        ]
        told["grades"] = (round_.rules.get("scale") or {}).get("labels", [])
    return JSONResponse(told)


@router.post("/rounds/{id}/opening", response_model=answers.StateRound)
async def open_(
    id_: RoundId, here: ServicesDep, by: ActorDep, body: Nothing | None = None, key: Key = None
) -> Response:
    """Ballots are taken from now on."""
    return answered(await open_round(here.house, by, id_, key))


@router.post("/rounds/{id}/closing", response_model=answers.StateRound)
async def close(
    id_: RoundId, here: ServicesDep, by: ActorDep, body: Closing | None = None, key: Key = None
) -> Response:
    """Closed at once, or `in` seconds."""
    return answered(await close_round(here.house, by, id_, body.seconds if body else 0, key))


@router.post("/rounds/{id}/certification", response_model=answers.RoundSigned)
async def certify(
    id_: RoundId,
    here: ServicesDep,
    by: ActorDep,
    body: Certification | None = None,
    key: Key = None,
) -> Response:
    """One signer signs; or whoever may override signs `instead` of one who is missing."""
    if body is not None and body.instead is not None:
        done = certifying.certify_instead(here.house, by, id_, body.instead, body.reason, key)
        return answered(await done)
    return answered(await certifying.certify_round(here.house, by, id_, key))


@router.post("/rounds/{id}/publication", response_model=answers.RoundPublished)
async def publish(
    id_: RoundId,
    here: ServicesDep,
    by: ActorDep,
    body: Publication | None = None,
    key: Key = None,
) -> Response:
    """Published to an audience; internal by default."""
    audience = body.audience if body else "internal"
    return answered(await publishing.publish_round(here.house, by, id_, audience, key))


@router.put("/rounds/{id}/reveal", response_model=answers.Revealed)
async def reveal(
    id_: RoundId, body: Reveal, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """What the hall screen shows of a published result."""
    return answered(await publishing.reveal_next(here.house, by, id_, body.step, key))


@router.post("/rounds/{id}/voiding", response_model=answers.RoundVoided)
async def void(
    id_: RoundId, body: Voiding, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """Voided; a new round is linked."""
    return answered(await void_round(here.house, by, id_, here.house.clean(body.reason), key))


@router.put(
    "/rounds/{id}/ballot",
    response_model=answers.BallotTaken | answers.VoteTaken,
    openapi_extra={"security": [*PERSON, *VIEWER]},
)
async def ballot(
    id_: RoundId, body: Ballot, request: Request, here: ServicesDep, key: NeededKey = None
) -> Response:
    """A panelist's sheet (`marks`) or a viewer's choice (`choice`)."""
    if (body.choice is None) == (body.marks is None and not body.recused):
        raise Refusal("malformed", place="marks")
    if body.choice is not None:
        viewer = here.door.viewer(request)
        if viewer is None:
            raise Refusal("viewer_needed")
        here.limiter.check("public_act", here.door.address(request), viewer, key)
        done = await cast_vote(here.house, viewer, key, id_, body.choice)
        return JSONResponse({**done.answer, "at": here.house.now()})
    by = await here.door.actor(request)
    return answered(
        await cast_ballot(here.house, by, id_, body.marks or {}, body.recused, key, body.comments)
    )


@router.put("/rounds/{id}/draft", response_model=answers.DraftBegun)
async def draft(
    id_: RoundId, here: ServicesDep, by: ActorDep, body: Nothing | None = None
) -> Response:
    """The tablet's sheet is begun."""
    return answered(await begin_draft(here.house, by, id_))


@router.get("/rounds/{id}/ballot", response_model=answers.OwnBallot)
async def my_ballot(id_: RoundId, here: ServicesDep, by: ActorDep) -> Response:
    """What this seat has cast in the round, for its own tablet; of a secret round only that it has."""
    async with here.store.look(round=id_) as unit:
        allowed(unit.place, by, "cast_ballot")
        if by.seat is None:
            raise Refusal("not_allowed")
        sealed = await unit.sealed.cast(id_, by.seat)
        cast = await unit.rounds.ballot(id_, by.seat)
    if sealed is not None:
        return JSONResponse({"round": id_, "receipt": sealed.receipt, "at": sealed.at})
    if cast is None:
        return JSONResponse({"round": id_, "receipt": None})
    told = {
        "round": id_,
        "receipt": cast.receipt,
        "at": cast.at,
        "marks": {s: dict(m) for s, m in cast.marks.items()},
        "recused": list(cast.recused),
        "comments": dict(cast.comments),
    }
    return JSONResponse(told)


@router.get("/rounds/{id}/comments", response_model=answers.Comments)
async def comments(id_: RoundId, here: ServicesDep, by: ActorDep) -> Response:
    """What panelists wrote, for who reviews it; only after the closing."""
    async with here.store.look(round=id_) as unit:
        found = await comments_to_review(unit, by, id_)
    told = [
        {"id": c.id, "subject": c.subject, "text": c.text, "seat": c.seat, "status": c.status}
        for c in found
    ]
    return JSONResponse({"comments": told})


@router.put("/rounds/{id}/comments/{comment}", response_model=answers.CommentReviewed)
async def review(
    id_: RoundId, comment: Word, body: Review, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """A text is released, or withheld."""
    return answered(await review_comment(here.house, by, id_, comment, body.outcome, key))


@router.get("/rounds/{id}/turnout", response_model=answers.Turnout)
async def turnout(id_: RoundId, here: ServicesDep, by: MaybeActor) -> Response:
    """How many are due, present and have cast: never a value."""
    async with here.store.look(round=id_) as unit:
        round_ = await unit.rounds.get(id_)
        assert round_ is not None
        if round_.audience == "public":
            check_announced(unit.place, by)
            viewers = await unit.viewers(here.house.now())
            return JSONResponse({"due": None, "present": viewers, "cast": round_.cast})
        if by is None:
            raise Refusal("not_signed_in")
        check_may_see(round_, unit.place, by, "see_turnout")
        seats = await unit.people.seats()
    due = round_.entitled
    told = {
        "due": len(due) if due else len(seats),
        "present": sum(e.present for e in due) if due else sum(s.present for s in seats),
        "cast": round_.cast,
    }
    return JSONResponse(told)


def check_may_see(round_: Round, place: Place, by: Actor, right: str) -> None:
    """Whoever is known here and lacks the right is told `not_published` until the result is public."""
    roles = place.roles(by)
    if roles and not has_right(roles, right) and not round_.published_for("public"):
        raise Refusal("not_published")
    allowed(place, by, right)


def to_save(round_: Round, name: str) -> dict[str, str]:
    """A browser keeps the answer as a file; its name tells the round."""
    return {"Content-Disposition": f'attachment; filename="{round_.id}-{name}"'}


@router.get("/rounds/{id}/result", response_model=answers.PanelResult | answers.PublicResult)
async def result(id_: RoundId, here: ServicesDep, by: MaybeActor) -> Response:
    """The result with its trace, for those who may see it."""
    async with here.store.look(round=id_) as unit:
        check_announced(unit.place, by)
        round_ = await unit.rounds.get(id_)
        assert round_ is not None
        if round_.result is None or not may_see_result(round_, unit.place.roles(by)):
            raise Refusal("not_published")
    return JSONResponse(dict(round_.result), headers=to_save(round_, "result.json"))


@router.get("/rounds/{id}/bundle", response_class=Zip)
async def bundle(
    id_: RoundId,
    here: ServicesDep,
    by: MaybeActor,
    edition: Literal["public", "sealed"] = "public",
) -> Response:
    """All that is needed to check the result without this program (docs/bundle.md): the public edition for
    whoever may see the result, the sealed one for those who may read the ballots."""
    async with here.store.look(round=id_) as unit:
        check_announced(unit.place, by)
        round_ = await unit.rounds.get(id_)
        assert round_ is not None
        roles = unit.place.roles(by)
        if edition == "sealed":
            if by is None:
                raise Refusal("not_signed_in")
            check_may_see(round_, unit.place, by, "see_ballots")
        sees = round_.result is not None and may_see_result(round_, roles)
        data = await unit.bundles.edition(id_, edition) if sees or edition == "sealed" else None
        if data is None:
            raise Refusal("not_published")
    return Zip(data, headers=to_save(round_, f"{edition}.zip"))


@router.get("/rounds/{id}/ballots.csv", response_class=Ballots)
async def ballots(id_: RoundId, here: ServicesDep, by: ActorDep) -> Response:
    """What anybody allowed recomputes the result from; only after closing."""
    async with here.store.look(round=id_) as unit:
        round_ = await unit.rounds.get(id_)
        assert round_ is not None
        check_may_see(round_, unit.place, by, "see_ballots")
        if not may_see_ballots(round_, unit.place.roles(by)):
            raise Refusal("not_published")
        text = await ballots_csv(unit, round_)
    return Ballots(text, headers=to_save(round_, "ballots.csv"))


@router.get("/rounds/{id}/rules.json", response_model=answers.RuleSet)
async def rules_json(id_: RoundId, here: ServicesDep, by: MaybeActor) -> Response:
    """The frozen rules in canonical form, whose hash is on the result."""
    async with here.store.look(round=id_) as unit:
        check_announced(unit.place, by)
        round_ = await unit.rounds.get(id_)
    if round_ is None or round_.rules is None:
        raise Refusal("not_found")
    data = parse_rules(dict(round_.rules)).canonical
    saved = to_save(round_, "rules.json")
    return Response(data, media_type="application/json", headers=saved)
