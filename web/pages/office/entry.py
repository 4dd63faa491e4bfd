"""Who is here: the person of an office page, the offices he reaches, and the way to sign in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from server.domain.hearing import Place
from server.domain.refusals import Refusal
from server.domain.roles import Actor, has_right
from server.identity import office_book
from server.identity.office_book import Reached
from server.services import Services, services
from web.layout.language import language
from web.layout.page import render
from web.pages.office import context


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

    def base(self, request: Request) -> str:
        """The address by which others reach this installation."""
        door = self.services.door
        told = self.services.settings.public_url
        return told or f"{door.scheme(request)}://{request.url.netloc}"

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


async def enter(request: Request, lang: str | None, rounds_of: str = "") -> Here | Response:
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
