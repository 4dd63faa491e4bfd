"""`/q/CODE`, its appeal, and what the public page posts where no script runs (asking, voting)."""

from __future__ import annotations

import hashlib
from secrets import token_hex
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from server.actions.appeal_question import appeal_question
from server.actions.ask_question import ask_question
from server.actions.cast_vote import cast_vote
from server.actions.rate_answer import rate_answer
from server.actions.way import way_of
from server.domain.explained import shown
from server.domain.refusals import Refusal
from server.identity.viewers import VIEWER_DAYS, viewer_token
from server.services import Services, services
from web.layout.forms import FAILED, headers_of, refusal_of
from web.layout.language import language, say
from web.layout.page import render
from web.pages.problem import context as problem_page
from web.pages.public.live import PAGE as PUBLIC
from web.pages.question import context
from web.pages.voted.context import voted

router = APIRouter()

Field = Annotated[str, Form()]
TOLD_S = 600
"""How long the page after asking can tell the question's secret (a cookie of this page alone)."""


@router.get("/q")
async def look_up(code: str = "", lang: str | None = None) -> Response:
    """From a code that somebody typed to its page."""
    typed = "".join(code.split()).upper()[:40]
    return RedirectResponse(f"/q/{quote(typed or '-', safe='')}?lang={language(lang)}", 303)


@router.get("/q/{code}", response_class=HTMLResponse)
async def fate(code: str, request: Request, lang: str | None = None) -> Response:
    """What became of a question."""
    chosen = language(lang)
    if code != code.upper():
        return await look_up(code, chosen)
    try:
        return await _fate(services(request), request, code, chosen)
    except Refusal as refusal:
        if refusal.code != "not_found":
            raise
        raise Refusal("question_unknown", code=shown(code)) from None


async def _fate(
    here: Services,
    request: Request,
    code: str,
    lang: str,
    refused: Refusal | None = None,
    **typed: str,
) -> Response:
    async with here.store.look(code=code) as unit:
        question, place = await unit.questions.by_code(code), unit.place
        if question is None or place.status == "draft":
            raise Refusal("not_found")
        *_, end = await way_of(unit, question.id)
        known = bool(await unit.questions.secret_hash(question.id))
    said = refused.message(lang) if refused else _told(here, request, code, lang)
    f = context.fate(
        question,
        place.slug,
        place.title,
        lang,
        end,
        author_known=known,
        rehearsal=place.kind == "rehearsal",
        said=said,
        said_bad=refused is not None,
        **typed,
    )
    html = render("question/page.html", lang, page="question", f=f)
    if refused is not None:
        return HTMLResponse(html, refused.status, headers=headers_of(refused))
    return HTMLResponse(html, headers={"Cache-Control": "no-store"})


def _told(here: Services, request: Request, code: str, lang: str) -> str:
    """Right after asking without a script: the secret, which nobody else can say."""
    asked, _, secret = request.cookies.get(_asked_name(here, request), "").partition(".")
    if asked != code or not secret:
        return ""
    return say(
        lang, "提问已提交，正在审核。凭证：%(secret)s，申诉时使用，请自行保存。", secret=secret
    )


def _asked_name(here: Services, request: Request) -> str:
    return here.door.cookie_name(request, "asked")


@router.post("/q/{code}/appeal", response_class=HTMLResponse)
async def appeal(
    code: str, request: Request, lang: str | None = None, secret: Field = "", text: Field = ""
) -> Response:
    """The author asks for another look, once; what is wrong stands on the same page."""
    here, chosen = services(request), language(lang)
    try:
        here.limiter.check("ask", here.door.address(request), f"appeal {code}")
        await appeal_question(here.house, code, secret.strip(), text)
    except FAILED as error:
        refused = refusal_of(error)
        return await _fate(here, request, code, chosen, refused, secret=secret, text=text)
    return RedirectResponse(f"/q/{quote(code)}?lang={chosen}", 303)


@router.post("/q/{code}/rating", response_class=HTMLResponse)
async def rate(
    code: str, request: Request, lang: str | None = None, secret: Field = "", rating: Field = ""
) -> Response:
    """The author says whether the answer settled it; what is wrong stands on the same page."""
    here, chosen = services(request), language(lang)
    try:
        here.limiter.check("ask", here.door.address(request), f"rating {code}")
        await rate_answer(here.house, code, secret.strip(), rating)
    except FAILED as error:
        return await _fate(here, request, code, chosen, refusal_of(error), secret=secret)
    return RedirectResponse(f"/q/{quote(code)}?lang={chosen}", 303)


@router.post("/h/{slug}/questions", response_class=HTMLResponse)
async def ask_plainly(
    slug: str,
    request: Request,
    lang: str | None = None,
    text: Field = "",
    subject: Field = "",
    minute: Field = "",
    epoch: Field = "",
) -> Response:
    """A question as a plain form sends it; leads to its fate, or back to the form as it was. The
    form that comes back holds the `minute` of the first try: pressed again, it is the same act."""
    here, chosen = services(request), language(lang)
    token, minute = "", minute if minute.isdigit() else str(here.house.now() // 60_000)
    try:
        token, viewer = await _viewer(here, request)
        key = _key(viewer, minute, slug, text, subject)
        here.limiter.check("ask", here.door.address(request), viewer, key)
        done = await ask_question(
            here.house, viewer, key, slug, text, subject or None, epoch=epoch or None
        )
    except FAILED as error:
        typed = {"text": text, "subject": subject, "minute": minute}
        response = await _form_again(here, slug, chosen, refusal_of(error), typed)
        if token:
            here.door.set_cookie(request, response, "viewer", token, VIEWER_DAYS)
        return response
    answer: dict[str, Any] = dict(done.answer)
    response = RedirectResponse(f"/q/{answer['code']}?lang={chosen}", 303)
    here.door.set_cookie(request, response, "viewer", token, VIEWER_DAYS)
    response.set_cookie(
        _asked_name(here, request),
        f"{answer['code']}.{answer['secret']}",
        max_age=TOLD_S,
        path="/",
        secure=here.door.scheme(request) == "https",
        httponly=True,
        samesite="lax",
    )
    return response


@router.post("/h/{slug}/rounds/{id_}/vote", response_class=HTMLResponse)
async def vote_plainly(
    slug: str, id_: str, request: Request, lang: str | None = None, choice: Field = ""
) -> Response:
    """A choice as a plain form sends it; leads to a page that says what was received. A form on a
    cached page has no key of its own: whose choice counts already pressed twice, and nothing is
    done. Any other choice is a new act, also one that counted before."""
    here, chosen, token = services(request), language(lang), ""
    try:
        if await _choice(here, request, slug, id_) != choice:
            token, viewer = await _viewer(here, request)
            here.limiter.check("public_act", here.door.address(request), viewer)
            await cast_vote(here.house, viewer, token_hex(16), id_, choice)
    except FAILED as error:
        refused = refusal_of(error)
        # The second of two presses at once, where the first answer counts.
        if refused.code != "already_cast" or await _choice(here, request, slug, id_) != choice:
            return await _back(here, slug, chosen, refused)
    response = RedirectResponse(f"/h/{slug}/rounds/{quote(id_)}/vote?lang={chosen}", 303)
    if token:
        here.door.set_cookie(request, response, "viewer", token, VIEWER_DAYS)
    return response


async def _choice(here: Services, request: Request, slug: str, id_: str) -> str | None:
    """The choice of this browser that counts in the round; `not_found` in another hearing."""
    async with here.store.look(round=id_) as unit:
        if unit.place.slug != slug:
            raise Refusal("not_found")
        viewer = here.door.viewer(request)
        return await unit.votes.last_choice(id_, viewer) if viewer else None


@router.get("/h/{slug}/rounds/{id_}/vote", response_class=HTMLResponse)
async def voted_plainly(slug: str, id_: str, request: Request, lang: str | None = None) -> Response:
    """What counts for this browser in the round. It is a page of its own, kept by no cache, because
    the public page is the same bytes for everyone; who has not answered is led there."""
    here, chosen = services(request), language(lang)
    async with here.store.look(round=id_) as unit:
        round_ = await unit.rounds.get(id_)
        if unit.place.slug != slug or unit.place.status == "draft" or round_ is None:
            raise Refusal("not_found")
        viewer = here.door.viewer(request)
        choice = await unit.votes.last_choice(id_, viewer) if viewer else None
    back = f"/h/{slug}?lang={chosen}#round-{quote(id_)}"
    if choice is None:
        return RedirectResponse(back, 303, headers={"Cache-Control": "no-store"})
    html = render("voted/page.html", chosen, f=voted(round_, choice, back))
    return HTMLResponse(html, headers={"Cache-Control": "no-store"})


async def _viewer(here: Services, request: Request) -> tuple[str, str]:
    """(token, id) of this browser; a new one where it has none."""
    token = await viewer_token(here.door, here.limiter, request)
    viewer = here.keys.viewer_of(token)
    assert viewer is not None
    return token, viewer


def _key(viewer: str, minute: str, *said: str) -> str:
    """A form on a cached page has no key of its own: who says the same twice within a minute
    pressed twice, and that is one act."""
    return hashlib.sha256("\n".join((viewer, minute, *said)).encode()).hexdigest()[:32]


async def _form_again(
    here: Services, slug: str, lang: str, refused: Refusal, typed: dict[str, str]
) -> Response:
    """The public page as it is now, without its socket: the sentence and the form as it was sent."""
    async with here.store.look(slug=slug) as unit:
        if unit.place.status == "draft":
            raise Refusal("not_found")
        view = await unit.view(here.house.now())
    asked = {**typed, "said": refused.message(lang)}
    html = PUBLIC.html(view, lang, socket="", seat="", slug=slug, asked=asked)
    return HTMLResponse(html, refused.status, headers=headers_of(refused))


async def _back(here: Services, slug: str, lang: str, refusal: Refusal) -> Response:
    """The refusal as a page with the way back to the hearing."""
    async with here.store.look(slug=slug) as unit:
        if unit.place.status == "draft":
            raise Refusal("not_found")
    f = problem_page.problem(
        refusal.message(lang), refusal.code, refusal.status, f"/h/{slug}?lang={lang}"
    )
    html = render("problem/page.html", lang, f=f)
    return HTMLResponse(html, refusal.status, headers_of(refusal))
