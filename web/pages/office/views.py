"""`/office` and below: what an office prepares. Simple acts go from the page to the JSON API; cards,
imports and show files, which carry files or answer with a picture, are plain forms to these routes.
"""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, HTMLResponse

from moderation.intake.workbook import COLUMNS_MAX
from server.actions.create_hearing import create_hearing
from server.actions.import_questions import Source
from server.actions.key_paper import forms
from server.actions.perform import allowed
from server.actions.review_comment import comments_to_review
from server.domain.comments import takes_texts
from server.domain.hearing import Place
from server.domain.refusals import Refusal
from server.domain.rounds import may_see_ballots
from server.domain.sources import USUAL
from server.domain.view import HearingView, SeatView
from server.identity import office_book
from server.identity.passwords import check_strength
from server.shows.example import EXAMPLES
from server.shows.problems import ShowFileError
from server.shows.read import SLUG, read_show
from web.layout.forms import FAILED, headers_of, refusal_of
from web.layout.language import say
from web.layout.qr import qr_svg
from web.layout.texts import Texts, side
from web.pages.office import (
    comments_context,
    context,
    files_context,
    paper_context,
    people_context,
    rounds_context,
)
from web.pages.office.entry import Here, enter
from web.pages.office.imports import AT_ONCE_S, Imports, Stand
from web.pages.office.noticed import noticed
from web.pages.office.uploads import Uploads, file_of

router = APIRouter()

LARGEST_FILE = 64 * 1024 * 1024
LARGEST_SHOW = 1_000_000


# ── hearings ──


@router.get("/office", response_class=HTMLResponse)
async def hearings(request: Request, lang: str | None = None) -> Response:
    """The hearings that the person has something to do with."""
    here = await enter(request, lang)
    if isinstance(here, Response):
        return here
    found = await office_book.hearings(here.services.database, here.by)
    takes_on = "" if found else context.takes_on(here.by, here.reached)
    rows = context.hearing_rows(found, here.lang)
    return here.page("page", "/office", f=rows, takes_on=takes_on)


@router.get("/office/hearings/{slug}", response_class=HTMLResponse)
async def hearing(slug: str, request: Request, lang: str | None = None) -> Response:
    """One hearing as its office prepares it."""
    here = await enter(request, lang)
    if isinstance(here, Response):
        return here
    return await _hearing(here, slug)


async def _hearing(
    here: Here, slug: str, said: str = "", status: int = 200, source: str = ""
) -> Response:
    """The hearing's page; with what was refused, `source` as it was typed."""
    place, roles = await here.place(slug)
    async with here.services.store.look(slug=slug) as unit:
        now = here.services.house.now()
        view = await unit.view(now)
        cards = await office_book.seat_cards(unit, now)
        show = (await unit.hearings.settings())["show"]
    async with here.services.store.look(slug=slug, line=True) as unit:
        counts = await unit.questions.counts(), await unit.questions.source_counts()
    rehearsal_allowed = bool(show.get("rehearsal_allowed", True))
    f = context.hearing_page(
        place, view, roles, cards, counts, rehearsal_allowed, here.lang, show.get("reviews", {})
    )
    source = source or next(iter(USUAL))
    return here.page("hearing", f"/office/hearings/{slug}", status, f=f, said=said, source=source)


@router.get("/office/hearings/{slug}/rounds", response_class=HTMLResponse)
async def rounds(slug: str, request: Request, lang: str | None = None) -> Response:
    """The hearing's rounds for those who sign, publish and supervise: its buttons go to the API."""
    here = await enter(request, lang, slug)
    if isinstance(here, Response):
        return here
    _, roles = await here.place(slug, context.OPENS_ROUNDS)
    async with here.services.store.look(slug=slug) as unit:
        now = here.services.house.now()
        view, contests = await unit.view(now), await unit.contests.all()
        notices = {
            one.id: await noticed(unit, one)
            for one in view.rounds
            if one.rules and one.result is not None and may_see_ballots(one, roles)
        }
    f = rounds_context.rounds_page(view, roles, here.lang, contests, here.by.id, now, notices)
    return here.page("rounds", f"/office/hearings/{slug}/rounds", f=f)


@router.get("/office/hearings/{slug}/rounds/{id_}/paper", response_class=HTMLResponse)
async def paper(slug: str, id_: str, request: Request, lang: str | None = None) -> Response:
    """Paper ballots of a panel round: who votes on paper, and the forms as two people key them in."""
    here = await enter(request, lang, slug)
    if isinstance(here, Response):
        return here
    _, roles = await here.place(slug, context.OPENS_ROUNDS)
    async with here.services.store.look(round=id_) as unit:
        if unit.place.slug != slug:
            raise Refusal("not_found")
        view = await unit.view(here.services.house.now())
        round_ = await unit.rounds.get(id_)
        if round_ is None or round_.audience != "panel":
            raise Refusal("not_found")
        cast, _begun = await unit.rounds.progress(id_)
        seats, found = await unit.paper.seats(id_), await forms(unit, round_)
    f = paper_context.paper_page(view, round_, roles, here.lang, seats, cast, found)
    return here.page("paper", f"/office/hearings/{slug}/rounds/{id_}/paper", f=f)


@router.get("/office/hearings/{slug}/rounds/{id_}/comments", response_class=HTMLResponse)
async def comments(slug: str, id_: str, request: Request, lang: str | None = None) -> Response:
    """What panelists wrote in a round that has closed, for those who review it."""
    here = await enter(request, lang, slug)
    if isinstance(here, Response):
        return here
    await here.place(slug, context.OPENS_ROUNDS)
    async with here.services.store.look(round=id_) as unit:
        if unit.place.slug != slug:
            raise Refusal("not_found")
        allowed(unit.place, here.by, "review_comments")
        view, round_ = await unit.view(here.services.house.now()), await unit.rounds.get(id_)
        if round_ is None or not takes_texts(round_):
            raise Refusal("not_found")
        sealed = comments_context.is_sealed(round_)
        found = () if sealed else await comments_to_review(unit, here.by, id_)
    f = comments_context.comments_page(view, round_, here.lang, found)
    return here.page("comments", f"/office/hearings/{slug}/rounds/{id_}/comments", f=f)


# ── join cards ──


@router.post("/office/hearings/{slug}/cards", response_class=HTMLResponse)
async def issue_cards(slug: str, request: Request, lang: str | None = None) -> Response:
    """Issues the card of one seat (`seat_number`), of every seat that no tablet has taken yet
    (`all`), or of a device (`role`), and shows what is shown this once. With `kiosk` they are codes
    for shared tablets, `all` of every seat."""
    here = await enter(request, lang)
    if isinstance(here, Response):
        return here
    async with request.form(max_files=0, max_fields=4) as form:
        number, role, all_, kiosk, subject = (
            str(form.get(name) or "") for name in ("seat_number", "role", "all", "kiosk", "subject")
        )
    await here.place(slug)
    async with here.services.store.look(slug=slug) as unit:
        place = unit.place
        allowed(place, here.by, "manage_cards")
        now = here.services.house.now()
        view = await unit.view(now)
        issued_before = await office_book.seat_cards(unit, now)
    wanted: list[SeatView | None]
    if role:
        wanted = [None]
    elif kiosk == "all":
        wanted = list(view.seats)
    elif all_:
        taken = {seat for seat, card in issued_before.items() if card.state == "used"}
        wanted = [s for s in view.seats if s.id not in taken and not s.present]
    else:
        wanted = [s for s in view.seats if str(s.number) == number]
        if not wanted:
            raise Refusal("seat_unknown", seat=number)
    # Cards of unnamed seats are drawn: neither their order nor a number may tell one from another.
    random.SystemRandom().shuffle(unnamed := [seat for seat in wanted if seat and not seat.name])
    wanted = [*(seat for seat in wanted if seat is None or seat.name), *unnamed]
    base = here.base(request)
    cards = []
    for seat in wanted:
        issued = await here.services.cards.issue_card(
            here.by,
            place,
            seat_number=seat.number if seat else None,
            role=role,
            kiosk=bool(kiosk),
            subject=subject or None,
        )
        texts, until, code = Texts(here.lang), issued["expires_at"], issued["code"]
        url = f"{base}/h/{slug}/kiosk" if kiosk else f"{base}/join/{code}"
        qr = b"" if kiosk else base64.b64encode(qr_svg(url))
        cards.append(
            context.IssuedCard(
                halves=(code[: len(code) // 2], code[len(code) // 2 :]),
                who=_whose(seat, texts) if seat else texts.role(role),
                name=seat.name if seat else _unit(view, subject),
                detail=_detail(seat, here.lang)
                if seat
                else say(here.lang, "述法人办公室，读会前送阅")
                if subject
                else side(context.DEVICES.get(role, ("", "")), here.lang),
                url=url,
                qr=f"data:image/svg+xml;base64,{qr.decode()}" if qr else "",
                until=f"{texts.day(until)} {texts.clock(until)}",
            )
        )
    f = context.Cards(
        slug, place.title, view.office_name, view.rehearsal, bool(kiosk), tuple(cards)
    )
    return here.page("cards", f"/office/hearings/{slug}", f=f)


def _unit(view: HearingView, subject: str) -> str:
    """The unit whose office a card is for; empty for a device's."""
    found = view.subject(subject)
    return found.unit if found else ""


def _whose(seat: SeatView, texts: Texts) -> str:
    """What stands large on a seat's card: its number, or of an unnamed seat its group alone."""
    return say(texts.lang, "%(n)s 号席", n=seat.number) if seat.name else seat.group_name


def _detail(seat: SeatView, lang: str) -> str:
    return seat.group_name if seat.name else say(lang, "无名卡：当场抽取，不记录谁持有")


# ── import of a hotline file ──


@router.get("/office/hearings/{slug}/import", response_class=HTMLResponse)
async def choose_file(slug: str, request: Request, lang: str | None = None) -> Response:
    """Whoever opens the address of the form's answer again chooses a file."""
    here = await enter(request, lang)
    if isinstance(here, Response):
        return here
    place, _ = await here.place(slug)
    allowed(place, here.by, "import")
    return here.to(f"/office/hearings/{slug}")


@router.post("/office/hearings/{slug}/import", response_class=HTMLResponse)
async def preview_import(slug: str, request: Request, lang: str | None = None) -> Response:
    """Reads an uploaded file and says what it would do; nothing is taken in yet."""
    here = await enter(request, lang)
    if isinstance(here, Response):
        return here
    place, _ = await here.place(slug)
    allowed(place, here.by, "import")
    async with request.form(max_files=1, max_fields=4) as form:
        source = str(form.get("source") or "").strip()[:80]
        try:
            name, content = await file_of(form, LARGEST_FILE)
            named = Source(source, name)
        except Refusal as refusal:
            said = refusal.message(here.lang)
            return await _hearing(here, slug, said, refusal.status, source)
    if not content:
        return await _hearing(here, slug, say(here.lang, "请选择要导入的文件。"), 422, source)
    uploads, owner = Uploads(here.services.settings.data), _owner(here, slug)
    id_ = await asyncio.to_thread(uploads.keep, content, owner)
    here.services.house.later(uploads.expire(id_, owner))
    del content
    return await _read(here, place, id_, named)


@router.get("/office/hearings/{slug}/import/{upload}", response_class=HTMLResponse)
async def watch_import(
    slug: str, upload: str, request: Request, lang: str | None = None
) -> Response:
    """How far a file is: its rows so far, what it would do, or what it did."""
    here = await enter(request, lang)
    if isinstance(here, Response):
        return here
    place, _ = await here.place(slug)
    allowed(place, here.by, "import")
    stand = _imports(here).stand(upload, _owner(here, slug))
    if stand is None:
        return await _hearing(here, slug, say(here.lang, "文件已过期，请重新上传。"), 409)
    return await _told(here, place, upload, stand)


@router.post("/office/hearings/{slug}/import/{upload}", response_class=HTMLResponse)
async def do_import(slug: str, upload: str, request: Request, lang: str | None = None) -> Response:
    """The second press: what was previewed is taken in (`act` = `import`), read again with the meanings
    that were chosen (`columns`), or told by its refused rows (`refused`)."""
    here = await enter(request, lang)
    if isinstance(here, Response):
        return here
    place, _ = await here.place(slug)
    allowed(place, here.by, "import")
    async with request.form(max_files=0, max_fields=COLUMNS_MAX + 4) as form:
        source = str(form.get("source") or "")
        act = str(form.get("act") or "import")
        chosen = {key[4:]: str(form[key])[:40] for key in form if key.startswith("map.")}
    owner, imports = _owner(here, slug), _imports(here)
    stand = imports.stand(upload, owner)
    if stand is not None and stand.source == source and stand.phase == "done" and act == "import":
        return await _told(here, place, upload, stand)  # Pressed again, or by a second tab.
    if stand is None or stand.source != source or (act != "refused" and stand.phase == "done"):
        return await _hearing(here, slug, say(here.lang, "文件已过期，请重新上传。"), 409, source)
    if act == "refused" and stand.head is not None:
        told = files_context.refused_rows(stand.head, here.lang)
        headers = {"Content-Disposition": 'attachment; filename="refused.csv"'}
        return Response(told, 200, headers | {"Cache-Control": "no-store"}, "text/csv")
    if stand.moving and not stand.stuck:
        return await _told(here, place, upload, stand)
    mapping = {header: meaning or None for header, meaning in chosen.items()}
    as_read = stand.head is not None and mapping.items() <= stand.head.mapping.items()
    if act == "columns" or not as_read:
        named = Source(source, stand.name)
        return await _read(here, place, upload, named, mapping or None, take=act == "import")
    if not await asyncio.to_thread(imports.begin_taking, upload, owner, stand):
        return await _told(here, place, upload, imports.stand(upload, owner) or stand)
    return await _followed(here, place, upload, imports.take(here.by, slug, upload, owner, stand))


async def _read(
    here: Here,
    place: Place,
    upload: str,
    named: Source,
    mapping: Mapping[str, str | None] | None = None,
    *,
    take: bool = False,
) -> Response:
    """Reads it, and takes it in too when the person said so."""
    async with here.services.store.look(slug=place.slug) as unit:
        known = await unit.sources.get(named.key)
    owner = _owner(here, place.slug)
    imports = _imports(here)
    work = (imports.read_and_take if take else imports.read)(
        here.by, place.slug, upload, owner, named, mapping, known.mapping if known else {}
    )
    return await _followed(here, place, upload, work)


async def _followed(
    here: Here, place: Place, upload: str, work: Coroutine[Any, Any, Stand]
) -> Response:
    """The page of what came of it when that is soon, else the page that shows how far it is. The work goes
    on whoever waits."""
    came: asyncio.Future[Stand] = asyncio.get_running_loop().create_future()

    async def tell() -> None:
        try:
            stand = await work
        except BaseException as error:
            if not came.done():
                came.set_exception(error)
            raise
        if not came.done():
            came.set_result(stand)

    here.services.house.later(tell())
    try:
        stand = await asyncio.wait_for(came, AT_ONCE_S)
    except TimeoutError:
        return here.to(f"/office/hearings/{place.slug}/import/{upload}")
    return await _told(here, place, upload, stand)


async def _told(here: Here, place: Place, upload: str, stand: Stand) -> Response:
    if stand.phase == "refused" and not stand.columns:
        said = side(stand.said, here.lang)
        return await _hearing(here, place.slug, said, stand.status, stand.source)
    f = files_context.preview(place, upload, stand, here.lang)
    status = 422 if stand.phase == "refused" else 200
    return here.page("import", f"/office/hearings/{place.slug}/import/{upload}", status, f=f)


def _imports(here: Here) -> Imports:
    services = here.services
    return Imports(services.house, services.settings.data, services.keys)


def _owner(here: Here, slug: str) -> str:
    return f"{here.by.id} {here.seat} {slug}"


# ── people, offices, tokens ──


@router.get("/office/people", response_class=HTMLResponse)
async def people(request: Request, lang: str | None = None) -> Response:
    """Accounts with their roles, and the tree of offices."""
    here = await enter(request, lang)
    if isinstance(here, Response):
        return here
    here.offices_with("manage_people")
    found = await office_book.people(here.services.database, here.by)
    held = await office_book.hearings(here.services.database, here.by)
    f = people_context.people_page(here.by, here.reached, found, held, here.lang)
    return here.page("people", "/office/people", f=f)


@router.get("/office/tokens", response_class=HTMLResponse)
async def tokens(request: Request, lang: str | None = None) -> Response:
    """API tokens: made and shown once, then only listed."""
    here = await enter(request, lang)
    if isinstance(here, Response):
        return here
    if not here.reached:  # A role in one hearing alone makes no tokens.
        raise Refusal("not_allowed")
    found = await office_book.tokens(here.services.database, here.by)
    f = people_context.tokens_page(here.by, here.reached, found)
    return here.page("tokens", "/office/tokens", f=f)


@router.get("/office/password", response_class=HTMLResponse)
async def password(request: Request, lang: str | None = None) -> Response:
    """One's own password."""
    here = await enter(request, lang)
    if isinstance(here, Response):
        return here
    account = await here.services.people.own_account(here.by)
    return here.page("password", "/office/password", f=people_context.Password(account.login))


@router.post("/office/password", response_class=HTMLResponse)
async def change_password(request: Request, lang: str | None = None) -> Response:
    """Changes it, or shows the form again with the sentence; wrong tries count like those of
    signing in."""
    here = await enter(request, lang)
    if isinstance(here, Response):
        return here
    desk, door = here.services.people, here.services.door
    account = await desk.own_account(here.by)
    f = people_context.Password(account.login)
    async with request.form(max_files=0, max_fields=6) as form:
        old, new, again = (str(form.get(name) or "") for name in ("old", "new", "again"))
    if new != again:
        f = replace(f, said=say(here.lang, "两次输入的密码不一样。"), wrong="again")
        return here.page("password", "/office/password", 422, f=f)
    try:
        check_strength(new)
        async with here.services.limiter.guess(door.address(request), account.login):
            await desk.change_password(here.by, old, new)
    except FAILED as error:
        refused = refusal_of(error)
        wrong = {"password_wrong": "old", "password_weak": "new"}.get(refused.code, "")
        f = replace(f, said=refused.message(here.lang), wrong=wrong)
        page = here.page("password", "/office/password", refused.status, f=f)
        page.headers.update(headers_of(refused))
        return page
    return here.page("password", "/office/password", f=replace(f, done=True))


# ── a new hearing ──


@router.get("/office/new", response_class=HTMLResponse)
async def new_hearing(request: Request, lang: str | None = None) -> Response:
    """A show file is pasted or chosen."""
    here = await enter(request, lang)
    if isinstance(here, Response):
        return here
    return here.page("new", "/office/new", f=files_context.NewHearing(_homes(here)))


@router.get("/office/new/example")
async def example_show(request: Request, lang: str | None = None) -> Response:
    """A whole show file to begin from, in the reader's language."""
    here = await enter(request, lang)
    if isinstance(here, Response):
        return here
    here.offices_with("manage_hearings")
    return FileResponse(
        EXAMPLES["en" if here.lang == "en" else "zh"],
        media_type="application/yaml",
        filename="show.yaml",
        headers={"Cache-Control": "no-store"},
    )


@router.post("/office/new", response_class=HTMLResponse)
async def make_hearing(request: Request, lang: str | None = None) -> Response:
    """Checks the show file; with `act=create` the hearing is made, in `draft`."""
    here = await enter(request, lang)
    if isinstance(here, Response):
        return here
    typed = files_context.NewHearing(_homes(here))
    # The whole body is at most 2 MB (server/app.py): what is too large is read and shown again.
    async with request.form(max_files=1, max_fields=6, max_part_size=2 * LARGEST_SHOW) as form:
        _, content = await file_of(form, 2 * LARGEST_SHOW)
        sent: Mapping[str, str] = {
            name: str(form.get(name) or "") for name in ("text", "office", "slug", "act")
        }
    text: str | bytes = content or sent["text"]
    typed = replace(
        typed,
        office=sent["office"],
        slug=sent["slug"].strip(),
        text=content.decode("utf-8", "replace") if content else sent["text"],
    )
    if len(text.encode() if isinstance(text, str) else text) > LARGEST_SHOW:
        refusal = Refusal("too_large")
        f = replace(typed, said=refusal.message(here.lang))
        return here.page("new", "/office/new", refusal.status, f=f)
    if typed.slug and not SLUG.fullmatch(typed.slug):
        said = say(here.lang, "网址简称须为 3–40 个小写字母、数字或连字符。")
        return here.page("new", "/office/new", 422, f=replace(typed, said=said))
    try:
        show = read_show(text)
    except ShowFileError as error:
        problems = files_context.show_problems(error, here.lang)
        f = replace(typed, problems=problems, more=error.more)
        return here.page("new", "/office/new", 422, f=f)
    if sent["act"] != "create":
        f = replace(typed, summary=files_context.summary(show, typed.slug, here.lang))
        return here.page("new", "/office/new", f=f)
    node = next((o.node for o in here.reached if str(o.node.id) == typed.office), None)
    try:
        if node is None:
            raise Refusal("not_found")
        made = await create_hearing(
            here.services.house, here.by, node.id, node.path, show, slug=typed.slug or None
        )
    except Refusal as refusal:
        f = replace(typed, said=refusal.message(here.lang))
        return here.page("new", "/office/new", refusal.status, f=f)
    return here.to(f"/office/hearings/{made.body['slug']}")


def _homes(here: Here) -> tuple[context.Choice, ...]:
    found = here.offices_with("manage_hearings")
    return tuple(context.Choice(str(one.node.id), one.node.name) for one in found)
