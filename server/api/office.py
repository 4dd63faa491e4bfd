"""Offices, people, grants, cards, shows: what the office page does."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import Field

from server.actions.check_in import note_presence
from server.actions.create_hearing import create_hearing
from server.actions.perform import allowed
from server.api import answers
from server.api.common import LARGEST, ActorDep, Body, Id, Key, Number, ServicesDep, Word, answered
from server.domain.refusals import Refusal
from server.domain.roles import ROLES, has_right
from server.identity import office_book
from server.identity.passwords import check_strength
from server.services import language_of
from server.shows.export import show_file_of
from server.shows.problems import ShowFileError
from server.shows.read import read_show

router = APIRouter(tags=["office"])
SESSION_DAYS = 30
OfficeId = Annotated[int, Path(ge=1, le=LARGEST)]


class Login(Body):
    login: Word
    password: Word


class NewOffice(Body):
    parent: Number
    """The id of the office above."""
    name: str = Field(max_length=60)
    level: Literal["province", "city", "county", "town"] = "county"


class NewAccount(Body):
    office: Number
    login: Word
    """3–40 of a–z, 0–9, `.`, `_` and `-`."""
    name: str = Field(max_length=40)
    password: Word


class NewPassword(Body):
    password: Word


class Disabled(Body):
    disabled: bool


class OwnPassword(Body):
    old: Word
    """The present one."""
    new: Word


class NewGrant(Body):
    account: Number
    role: answers.Role
    office: Number
    subtree: bool = False
    """Also for the offices below."""
    hearing: Word | None = None
    """The slug of the one hearing that it is for; null: all of the office's."""


class Presence(Body):
    present: bool


class NewCard(Body):
    seat: Number | None = None
    """The number of a panelist's seat."""
    role: Word = ""
    """For a device instead: `screen`, `card`, `commentator` or `subject`."""
    subject: Word | None = None
    """The key of the official whose office the card is for, with the role `subject`."""
    kiosk: bool = False
    """A code that the seat's panelist types in on a shared tablet, instead of a card."""


class NewToken(Body):
    name: str = Field(min_length=1, max_length=60)
    office: Number


class ShowText(Body):
    text: str
    """A show file (YAML)."""
    slug: str | None = Field(default=None, pattern="^[a-z0-9-]{3,40}$")
    """The hearing's address; null: the one in the file."""


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
    node = await here.people.add_office(by, body.parent, here.house.clean(body.name), body.level)
    return JSONResponse({"id": node.id, "name": node.name, "path": node.path}, 201)


@router.post("/accounts", status_code=201, response_model=answers.AccountMade)
async def new_account(body: NewAccount, here: ServicesDep, by: ActorDep) -> Response:
    """A person's account."""
    name = here.house.clean(body.name)
    id_ = await here.people.add_account(by, body.office, body.login, name, body.password)
    return JSONResponse({"id": id_, "login": body.login, "name": name}, 201)


@router.put("/accounts/{id}/password", response_model=answers.AccountChanged)
async def reset_password(id_: Id, body: NewPassword, here: ServicesDep, by: ActorDep) -> Response:
    """Another initial password for somebody who forgot his; the account's sessions and tokens end."""
    one = await here.people.reset_password(by, id_, body.password)
    return JSONResponse(
        {"id": one.id, "login": one.login, "name": one.name, "disabled": one.disabled}
    )


@router.put("/accounts/{id}/disabled", response_model=answers.AccountChanged)
async def disable_account(id_: Id, body: Disabled, here: ServicesDep, by: ActorDep) -> Response:
    """Nobody signs in as the account any more, or again; its sessions and tokens end at once."""
    one = await here.people.set_disabled(by, id_, body.disabled)
    return JSONResponse(
        {"id": one.id, "login": one.login, "name": one.name, "disabled": one.disabled}
    )


@router.put("/account/password", response_model=answers.PasswordChanged)
async def change_password(
    body: OwnPassword, request: Request, here: ServicesDep, by: ActorDep
) -> Response:
    """One's own password; one's other sessions end. Tries count like those of signing in."""
    account = await here.people.own_account(by)
    check_strength(body.new)  # Here already: a new one that is too short is no guess at the old.
    async with here.limiter.guess(here.door.address(request), account.login):
        await here.people.change_password(by, body.old, body.new)
    return JSONResponse({"login": account.login, "changed": True})


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


@router.delete("/grants/{id}", response_model=answers.Revoked)
async def revoke_grant(id_: Id, here: ServicesDep, by: ActorDep) -> Response:
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
    card = await here.cards.issue_card(
        by,
        place,
        seat_number=body.seat,
        role=body.role,
        kiosk=body.kiosk,
        subject=body.subject,
    )
    base = here.settings.public_url or f"{here.door.scheme(request)}://{request.url.netloc}"
    opens = f"h/{slug}/kiosk" if body.kiosk else f"join/{card['code']}"
    return JSONResponse({**card, "url": f"{base}/{opens}"}, 201)


@router.post("/tokens", status_code=201, response_model=answers.TokenMade)
async def new_token(body: NewToken, here: ServicesDep, by: ActorDep) -> Response:
    """An API token that stands for the account which makes it."""
    account = by.id.removeprefix("account:")
    if not account.isdigit():
        raise Refusal("not_allowed")
    node = await office_book.office(here.database, by, body.office)
    name = here.house.clean(body.name)
    if not name:
        raise Refusal("text_too_short", least=1)
    id_, secret = await here.people.add_token(by, node.id, name, account=int(account))
    return JSONResponse({"id": id_, "name": name, "token": secret}, 201)


@router.delete("/tokens/{id}", response_model=answers.Revoked)
async def revoke_token(id_: Id, here: ServicesDep, by: ActorDep) -> Response:
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
async def new_hearing(
    office: OfficeId, body: ShowText, here: ServicesDep, by: ActorDep
) -> Response:
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
    """The hearing as a show file, with its real questions even while a rehearsal is shown."""
    async with here.store.look(slug=slug, line=True) as unit:
        allowed(unit.place, by, "manage_hearings")
        text = await show_file_of(unit)
    named = {"Content-Disposition": f'attachment; filename="{slug}.yaml"'}
    return Yaml(text, headers=named)


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


@router.put("/hearings/{slug}/seats/{number}/presence", response_model=answers.SeatPresence)
async def presence(
    slug: str,
    number: Annotated[int, Path(ge=1, le=LARGEST)],
    body: Presence,
    here: ServicesDep,
    by: ActorDep,
    key: Key = None,
) -> Response:
    """Signed in by hand, or gone early; counts from the next round."""
    return answered(await note_presence(here.house, by, slug, number, body.present, key))


@router.get("/roles", response_model=answers.Roles)
async def roles(here: ServicesDep, by: ActorDep) -> Response:
    """Every role with its words."""
    told = [{"key": key, "zh": zh, "en": en} for key, (zh, en) in ROLES.items()]
    return JSONResponse({"roles": told})
