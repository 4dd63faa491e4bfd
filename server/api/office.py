"""Offices, people, grants, cards, shows: what the office page does."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import Field

from server.actions.create_hearing import create_hearing
from server.actions.perform import allowed
from server.api import answers
from server.api.common import ActorDep, Body, ServicesDep, answered
from server.domain.refusals import Refusal
from server.domain.roles import ROLES, has_right
from server.identity import office_book
from server.services import language_of
from server.shows.export import show_file_of
from server.shows.problems import ShowFileError
from server.shows.read import read_show

router = APIRouter(tags=["office"])
SESSION_DAYS = 30


class Login(Body):
    login: str
    password: str


class NewOffice(Body):
    parent: int
    name: str = Field(max_length=60)
    level: str = Field(default="county", pattern="^(province|city|county|town)$")


class NewAccount(Body):
    office: int
    login: str
    name: str
    password: str


class NewGrant(Body):
    account: int
    role: str
    office: int
    subtree: bool = False
    hearing: str | None = None


class NewCard(Body):
    seat: int | None = None
    role: str = ""


class NewToken(Body):
    name: str = Field(min_length=1, max_length=60)
    office: int


class ShowText(Body):
    text: str
    slug: str | None = Field(default=None, pattern="^[a-z0-9-]{3,40}$")


class Yaml(PlainTextResponse):
    """A show file."""

    media_type = "application/yaml"


@router.post("/sessions", status_code=201, response_model=answers.Seat)
async def sign_in(body: Login, request: Request, here: ServicesDep) -> Response:
    """Signs an account in: a session cookie."""
    async with here.limiter.guess(here.door.address(request), body.login):
        session = await here.people.sign_in(body.login, body.password)
    response = JSONResponse({"seat": session.label}, 201)
    here.door.set_cookie(request, response, f"as_{session.label}", session.secret, SESSION_DAYS)
    return response


@router.delete("/sessions", response_model=answers.Seat)
async def sign_out(request: Request, here: ServicesDep, by: ActorDep) -> Response:
    """Signs this session out; its sockets close within two seconds."""
    for label, secret in here.door.sessions(request):
        await here.people.sign_out(secret)
        response = JSONResponse({"seat": label})
        # A `__Host-` cookie is only let go of by one that is Secure as well.
        response.delete_cookie(
            here.door.cookie_name(request, f"as_{label}"),
            path="/",
            secure=here.door.scheme(request) == "https",
            httponly=True,
            samesite="lax",
        )
        return response
    raise Refusal("not_signed_in")


@router.post("/offices", status_code=201, response_model=answers.OfficeMade)
async def new_office(body: NewOffice, here: ServicesDep, by: ActorDep) -> Response:
    """An office below another."""
    node = await here.people.add_office(by, body.parent, body.name, body.level)
    return JSONResponse({"id": node.id, "name": node.name, "path": node.path}, 201)


@router.post("/accounts", status_code=201, response_model=answers.AccountMade)
async def new_account(body: NewAccount, here: ServicesDep, by: ActorDep) -> Response:
    """A person's account."""
    id_ = await here.people.add_account(by, body.office, body.login, body.name, body.password)
    return JSONResponse({"id": id_, "login": body.login, "name": body.name}, 201)


@router.post("/grants", status_code=201, response_model=answers.GrantMade)
async def new_grant(body: NewGrant, here: ServicesDep, by: ActorDep) -> Response:
    """A role for an office, its subtree, or one hearing."""
    place = None
    if body.hearing is not None:
        async with here.store.look(slug=body.hearing) as unit:
            place = unit.place
    id_ = await here.people.grant(
        by, body.account, body.role, body.office, subtree=body.subtree, hearing=place
    )
    return JSONResponse({"id": id_, "role": body.role}, 201)


@router.delete("/grants/{id_}", response_model=answers.Revoked)
async def revoke_grant(id_: int, here: ServicesDep, by: ActorDep) -> Response:
    """The role ends."""
    await here.people.revoke_grant(by, id_)
    return JSONResponse({"id": id_, "revoked": True})


@router.post("/hearings/{slug}/cards", status_code=201, response_model=answers.CardMade)
async def new_card(
    slug: str, body: NewCard, request: Request, here: ServicesDep, by: ActorDep
) -> Response:
    """A one-time join card for a seat or a device; its code is shown this once."""
    async with here.store.look(slug=slug) as unit:
        place = unit.place
    card = await here.people.issue_card(by, place, seat_number=body.seat, role=body.role)
    base = here.settings.public_url or f"{here.door.scheme(request)}://{request.url.netloc}"
    return JSONResponse({**card, "url": f"{base}/join/{card['code']}"}, 201)


@router.post("/tokens", status_code=201, response_model=answers.TokenMade)
async def new_token(body: NewToken, here: ServicesDep, by: ActorDep) -> Response:
    """An API token that stands for the account which makes it."""
    account = by.id.removeprefix("account:")
    if not account.isdigit():
        raise Refusal("not_allowed")
    node = await office_book.office(here.database, by, body.office)
    secret = await here.people.add_token(by, node.id, body.name, account=int(account))
    return JSONResponse({"name": body.name, "token": secret}, 201)


@router.delete("/tokens/{id_}", response_model=answers.Revoked)
async def revoke_token(id_: int, here: ServicesDep, by: ActorDep) -> Response:
    """The token holds no longer."""
    await here.people.revoke_token(by, id_)
    return JSONResponse({"id": id_, "revoked": True})


@router.post("/shows/check", response_model=answers.ShowRight | answers.ShowWrong)
async def check_show(body: ShowText, request: Request, here: ServicesDep, by: ActorDep) -> Response:
    """Dry run of a show file: what it holds, or everything wrong with it by line and key."""
    if not any(has_right([g.role], "manage_hearings") for g in by.grants):
        raise Refusal("not_allowed")
    lang = language_of(request)
    try:
        show = read_show(body.text, "en" if lang == "en" else "zh")
    except ShowFileError as error:
        problems = [
            {
                "line": p.line,
                "key": p.key,
                "code": p.code,
                "message": p.en if lang == "en" else p.zh,
            }
            for p in error.problems
        ]
        return JSONResponse({"ok": False, "problems": problems, "more": error.more})
    told = {
        "ok": True,
        "title": show.title,
        "slug": show.slug,
        "subjects": len(show.subjects),
        "items": len(show.items),
        "seats": len(show.seats),
        "rounds": len(show.rounds),
        "questions": len(show.questions),
    }
    return JSONResponse(told)


@router.post("/offices/{office}/hearings", status_code=201, response_model=answers.HearingMade)
async def new_hearing(office: int, body: ShowText, here: ServicesDep, by: ActorDep) -> Response:
    """A hearing from a show file, in `draft`."""
    node = await office_book.office(here.database, by, office)
    try:
        show = read_show(body.text)
    except ShowFileError as error:
        raise Refusal(
            "show_invalid",
            line=error.line,
            key=error.key,
            problem=error.code,
            place=(error.problems[0].sentence("zh"), error.problems[0].sentence("en")),
        ) from error
    return answered(await create_hearing(here.house, by, node.id, node.path, show, slug=body.slug))


@router.get("/hearings/{slug}/show", response_class=Yaml)
async def export_show(slug: str, here: ServicesDep, by: ActorDep) -> Response:
    """The hearing as a show file."""
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "manage_hearings")
        text = await show_file_of(unit)
    return Yaml(text)


@router.get("/hearings/{slug}/people", response_model=answers.Seats)
async def people(slug: str, here: ServicesDep, by: ActorDep) -> Response:
    """The hearing's seats with their presence."""
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "manage_cards")
        seats = await unit.people.seats()
    told = [
        {"number": s.number, "name": s.name, "group": s.group, "present": s.present} for s in seats
    ]
    return JSONResponse({"seats": told})


@router.get("/roles", response_model=answers.Roles)
async def roles(here: ServicesDep, by: ActorDep) -> Response:
    """Every role with its words."""
    told = [{"key": key, "zh": zh, "en": en} for key, (zh, en) in ROLES.items()]
    return JSONResponse({"roles": told})
