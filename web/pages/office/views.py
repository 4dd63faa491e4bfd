"""`/office` and below: what an office prepares. Simple acts go from the page to the JSON API; cards,
imports and show files, which carry files or answer with a picture, are plain forms to these routes.
"""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from starlette.datastructures import FormData, UploadFile

from moderation.intake.hotline_file import HotlineFile, read_hotline_bytes
from moderation.intake.refusals import FileRefused
from moderation.take_in import incoming
from server.actions.create_hearing import create_hearing
from server.actions.import_questions import Source, import_questions
from server.actions.key_paper import forms
from server.actions.perform import allowed
from server.actions.review_comment import comments_to_review
from server.domain.comments import takes_texts
from server.domain.hearing import Place
from server.domain.incoming import Incoming
from server.domain.refusals import Refusal
from server.domain.roles import Actor, has_right
from server.domain.rounds import may_see_ballots
from server.domain.view import SeatView
from server.identity import office_book
from server.identity.office_book import Reached
from server.services import Services, services
from server.shows.example import EXAMPLES
from server.shows.problems import ShowFileError
from server.shows.read import SLUG, read_show
from web.layout.language import language, say
from web.layout.page import render
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
from web.pages.office.noticed import noticed
from web.pages.office.uploads import Uploads

router = APIRouter()

LARGEST_FILE = 64 * 1024 * 1024
LARGEST_SHOW = 1_000_000
_reading = asyncio.Semaphore(1)
"""One file is read at a time: a workbook may take two gigabytes while it is opened."""


# ── who is here ──


@dataclass(frozen=True)
class Here:
    """The request's services, language and person. `reached` are the offices he has roles for."""

    services: Services
    lang: str
    by: Actor
    seat: str
    reached: tuple[Reached, ...]

    def page(self, template: str, path: str, status: int = 200, **values: Any) -> HTMLResponse:
        """One of the office's pages; never kept by a browser."""
        html = render(
            f"office/{template}.html",
            self.lang,
            page="office",
            seat=self.seat,
            frame=context.frame(self.by, self.seat, self.reached, path, self.lang),
            **values,
        )
        return HTMLResponse(html, status, headers={"Cache-Control": "no-store"})

    def to(self, path: str) -> RedirectResponse:
        """On to another page, as the same person."""
        query = urlencode({"seat": self.seat, "lang": self.lang})
        return RedirectResponse(f"{path}?{query}", 303)

    def offices_with(self, right: str) -> tuple[Reached, ...]:
        """The offices where the person holds the right; `not_allowed` without any."""
        found = tuple(one for one in self.reached if one.may(right))
        if not found:
            raise Refusal("not_allowed")
        return found

    async def place(self, slug: str, right: str = "") -> tuple[Place, tuple[str, ...]]:
        """The hearing and the roles held there, which hold the right or one of those that prepare
        it; of another office's hearing not even that."""
        async with self.services.store.look(slug=slug) as unit:
            place = unit.place
        roles = place.roles(self.by)
        if not roles:
            raise Refusal("not_found")
        if not (has_right(roles, right) if right else context.may_manage(roles)):
            raise Refusal("not_allowed")
        return place, roles


async def _enter(request: Request, lang: str | None, rounds_of: str = "") -> Here | Response:
    """The person of `?seat=`, else of the first account of this browser; else the way to sign in.

    An account comes in with any role (its hearings are listed); a device needs `page:office`, or for
    the rounds of a hearing the right there that opens them.
    """
    here, chosen = services(request), language(lang)
    wanted = request.query_params.get("seat")
    known = False
    for label in (wanted,) if wanted else here.door.seats(request):
        by = await here.door.maybe_actor(request, label)
        if by is None:
            continue
        known = True
        reached = await office_book.offices(here.database, by)
        if (
            by.id.startswith("account:")
            or any(one.may("page:office") for one in reached)
            or (rounds_of and await _opens_rounds(here, by, rounds_of))
        ):
            return Here(here, chosen, by, label, reached)
    if known:
        raise Refusal("not_allowed")
    path = request.url.path if request.method == "GET" else "/office"
    return RedirectResponse(f"/login?next={quote(path)}&lang={chosen}", 303)


async def _opens_rounds(here: Services, by: Actor, slug: str) -> bool:
    """Whether a device paired for this hearing opens its rounds."""
    async with here.store.look(slug=slug) as unit:
        place = unit.place
    roles = place.roles(by)
    return has_right(roles, context.OPENS_ROUNDS)


# ── hearings ──


@router.get("/office", response_class=HTMLResponse)
async def hearings(request: Request, lang: str | None = None) -> Response:
    """The hearings that the person has something to do with."""
    here = await _enter(request, lang)
    if isinstance(here, Response):
        return here
    found = await office_book.hearings(here.services.database, here.by)
    takes_on = "" if found else context.takes_on(here.by, here.reached)
    rows = context.hearing_rows(found, here.lang)
    return here.page("page", "/office", f=rows, takes_on=takes_on)


@router.get("/office/hearings/{slug}", response_class=HTMLResponse)
async def hearing(slug: str, request: Request, lang: str | None = None) -> Response:
    """One hearing as its office prepares it."""
    here = await _enter(request, lang)
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
    f = context.hearing_page(place, view, roles, cards, counts, rehearsal_allowed, here.lang)
    source = source or context.SOURCES[0][0]
    return here.page("hearing", f"/office/hearings/{slug}", status, f=f, said=said, source=source)


@router.get("/office/hearings/{slug}/rounds", response_class=HTMLResponse)
async def rounds(slug: str, request: Request, lang: str | None = None) -> Response:
    """The hearing's rounds for those who sign, publish and supervise: its buttons go to the API."""
    here = await _enter(request, lang, slug)
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
    here = await _enter(request, lang, slug)
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
    here = await _enter(request, lang, slug)
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
    here = await _enter(request, lang)
    if isinstance(here, Response):
        return here
    async with request.form(max_files=0, max_fields=4) as form:
        number, role, all_, kiosk = (
            str(form.get(name) or "") for name in ("seat_number", "role", "all", "kiosk")
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
    door = here.services.door
    base = here.services.settings.public_url or f"{door.scheme(request)}://{request.url.netloc}"
    cards = []
    for seat in wanted:
        issued = await here.services.cards.issue_card(
            here.by,
            place,
            seat_number=seat.number if seat else None,
            role=role,
            kiosk=bool(kiosk),
        )
        texts, until, code = Texts(here.lang), issued["expires_at"], issued["code"]
        url = f"{base}/h/{slug}/kiosk" if kiosk else f"{base}/join/{code}"
        qr = b"" if kiosk else base64.b64encode(qr_svg(url))
        cards.append(
            context.IssuedCard(
                halves=(code[: len(code) // 2], code[len(code) // 2 :]),
                who=_whose(seat, texts) if seat else texts.role(role),
                name=seat.name if seat else "",
                detail=_detail(seat, here.lang)
                if seat
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


def _whose(seat: SeatView, texts: Texts) -> str:
    """What stands large on a seat's card: its number, or of an unnamed seat its group alone."""
    return say(texts.lang, "%(n)s 号席", n=seat.number) if seat.name else seat.group_name


def _detail(seat: SeatView, lang: str) -> str:
    return seat.group_name if seat.name else say(lang, "无名卡：当场抽取，不记录谁持有")


# ── import of a hotline file ──


@router.post("/office/hearings/{slug}/import", response_class=HTMLResponse)
async def preview_import(slug: str, request: Request, lang: str | None = None) -> Response:
    """Reads an uploaded file and says what it would do; nothing is taken in yet."""
    here = await _enter(request, lang)
    if isinstance(here, Response):
        return here
    place, _ = await here.place(slug)
    allowed(place, here.by, "import")
    async with request.form(max_files=1, max_fields=4) as form:
        source = str(form.get("source") or "").strip()[:80]
        try:
            name, content = await _file_of(form, LARGEST_FILE)
            named = Source(source, name)
        except Refusal as refusal:
            said = refusal.message(here.lang)
            return await _hearing(here, slug, said, refusal.status, source)
    if not content:
        return await _hearing(here, slug, say(here.lang, "请选择要导入的文件。"), 422, source)
    try:
        read, items = await _read(here, content)
    except FileRefused as error:
        said = Refusal("file_refused", place=(error.zh, error.en)).message(here.lang)
        return await _hearing(here, slug, said, 422, source)
    house = here.services.house
    counted = await import_questions(house, here.by, slug, named, items, dry_run=True)
    uploads, owner = Uploads(here.services.settings.data), _owner(here, slug, source)
    id_ = await asyncio.to_thread(uploads.keep, content, owner)
    house.later(uploads.expire(id_, owner))
    f = files_context.preview(place, id_, name, source, read, counted, here.lang)
    return here.page("import", f"/office/hearings/{slug}", f=f)


@router.post("/office/hearings/{slug}/import/{upload}", response_class=HTMLResponse)
async def do_import(slug: str, upload: str, request: Request, lang: str | None = None) -> Response:
    """The second press: the very bytes that were previewed are taken in."""
    here = await _enter(request, lang)
    if isinstance(here, Response):
        return here
    place, _ = await here.place(slug)
    allowed(place, here.by, "import")
    async with request.form(max_files=0, max_fields=4) as form:
        source, name = str(form.get("source") or ""), str(form.get("name") or "")[:120]
    uploads, owner = Uploads(here.services.settings.data), _owner(here, slug, source)
    content = await asyncio.to_thread(uploads.read, upload, owner)
    if content is None:
        return await _hearing(here, slug, say(here.lang, "文件已过期，请重新上传。"), 409, source)
    read, items = await _read(here, content)
    named = Source(source, name)
    counted = await import_questions(here.services.house, here.by, slug, named, items)
    await asyncio.to_thread(uploads.drop, upload, owner)
    f = files_context.preview(place, "", name, source, read, counted, here.lang)
    return here.page("import", f"/office/hearings/{slug}", f=f)


async def _read(here: Here, content: bytes) -> tuple[HotlineFile, list[Incoming]]:
    """The file read and masked, beside the event loop."""
    async with _reading:
        read = await asyncio.to_thread(read_hotline_bytes, content)
        return read, await asyncio.to_thread(incoming, read, here.services.keys.seal)


def _owner(here: Here, slug: str, source: str) -> str:
    return f"{here.by.id} {here.seat} {slug} {source}"


async def _file_of(form: FormData, most: int) -> tuple[str, bytes]:
    """The uploaded file's name and bytes, read in pieces; `too_large` beyond `most`."""
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        return "", b""
    pieces, size = [], 0
    while piece := await file.read(1 << 20):
        size += len(piece)
        if size > most:
            raise Refusal("too_large")
        pieces.append(piece)
    return file.filename.replace("\\", "/").rsplit("/", 1)[-1][:120], b"".join(pieces)


# ── people, offices, tokens ──


@router.get("/office/people", response_class=HTMLResponse)
async def people(request: Request, lang: str | None = None) -> Response:
    """Accounts with their roles, and the tree of offices."""
    here = await _enter(request, lang)
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
    here = await _enter(request, lang)
    if isinstance(here, Response):
        return here
    if not here.reached:  # A role in one hearing alone makes no tokens.
        raise Refusal("not_allowed")
    found = await office_book.tokens(here.services.database, here.by)
    f = people_context.tokens_page(here.by, here.reached, found)
    return here.page("tokens", "/office/tokens", f=f)


# ── a new hearing ──


@router.get("/office/new", response_class=HTMLResponse)
async def new_hearing(request: Request, lang: str | None = None) -> Response:
    """A show file is pasted or chosen."""
    here = await _enter(request, lang)
    if isinstance(here, Response):
        return here
    return here.page("new", "/office/new", f=files_context.NewHearing(_homes(here)))


@router.get("/office/new/example")
async def example_show(request: Request, lang: str | None = None) -> Response:
    """A whole show file to begin from, in the reader's language."""
    here = await _enter(request, lang)
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
    here = await _enter(request, lang)
    if isinstance(here, Response):
        return here
    typed = files_context.NewHearing(_homes(here))
    # The whole body is at most 2 MB (server/app.py): what is too large is read and shown again.
    async with request.form(max_files=1, max_fields=6, max_part_size=2 * LARGEST_SHOW) as form:
        _, content = await _file_of(form, 2 * LARGEST_SHOW)
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
