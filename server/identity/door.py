"""Who is at the door: bearer tokens, session cookies, viewer tokens; and where a request is from.

Cookies follow the scheme (law 14): over https they are `__Host-` and `Secure`, over plain http on
a LAN they are not, because a browser silently drops such cookies there. A session's cookie is
named by its label (`host`, `panel-07`), so that one browser can be several people; a page says
which with `?seat=` and its script with `X-Pingyi-Seat`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any

from fastapi import Response
from starlette.requests import HTTPConnection

from server.domain.refusals import Refusal
from server.domain.roles import Actor
from server.identity.secrets import Keys, digest
from server.settings import Settings
from server.store.identity import Identity
from server.store.transaction import Database

SESSION_DAYS = 30
_LABEL = re.compile(r"[a-z0-9-]{1,40}")
_WINDOW = re.compile(r"[a-z0-9]{8,40}")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Door:
    """Answers who a request comes from."""

    def __init__(self, settings: Settings, keys: Keys, database: Database, now: Any) -> None:
        self.settings, self.keys, self.database, self.now = settings, keys, database, now
        self._proxies = [ipaddress.ip_network(p, strict=False) for p in settings.proxies]
        self._is_proxy = lru_cache(4096)(self._find_proxy)  # Asked three times for each request.

    # ── where from ──

    def scheme(self, request: HTTPConnection) -> str:
        """http or https, as the browser sees it."""
        forwarded = request.headers.get("x-forwarded-proto")
        if forwarded and self._from_proxy(request):
            return forwarded.split(",")[-1].strip()
        scheme: str = request.scope.get("scheme", "http")
        return {"ws": "http", "wss": "https"}.get(scheme, scheme)

    def address(self, request: HTTPConnection) -> str:
        """The network address of who asks; a proxy of ours is believed, nobody else."""
        direct = request.client.host if request.client else ""
        if not self._from_proxy(request):
            return direct
        chain = [a.strip() for a in request.headers.get("x-forwarded-for", "").split(",") if a]
        for address in reversed(chain):
            if not self._is_proxy(address):
                return address
        return direct

    def _from_proxy(self, request: HTTPConnection) -> bool:
        return self._is_proxy(request.client.host if request.client else "")

    def _find_proxy(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._proxies)

    def check_origin(self, request: HTTPConnection, *, socket: bool = False) -> None:
        """`bad_origin` for anything that comes from another site (docs/decisions/0004-origin.md).

        A request without Origin comes from a program, not from a page; a page's unsafe request
        always has one. `null` and foreign origins are refused.
        """
        if not socket and request.scope.get("method") in _SAFE:
            return
        origin = request.headers.get("origin")
        if origin is None:
            site = request.headers.get("sec-fetch-site")
            if site in {None, "same-origin", "none"}:
                return
            raise Refusal("bad_origin")
        own = f"{self.scheme(request)}://{request.headers.get('host', '')}"
        if origin.lower() not in {own.lower(), *self.settings.origins}:
            raise Refusal("bad_origin")

    # ── cookies ──

    def cookie_name(self, request: HTTPConnection, name: str) -> str:
        """The cookie's name under the request's scheme."""
        return f"__Host-pingyi_{name}" if self.scheme(request) == "https" else f"pingyi_{name}"

    def set_cookie(
        self, request: HTTPConnection, response: Response, name: str, value: str, days: int
    ) -> None:
        """A cookie that scripts cannot read."""
        response.set_cookie(
            self.cookie_name(request, name),
            value,
            max_age=days * 86400,
            path="/",
            secure=self.scheme(request) == "https",
            httponly=True,
            samesite="lax",
        )

    def viewer(self, request: HTTPConnection, given: str | None = None) -> str | None:
        """The viewer's id by token: given, bearer, or cookie."""
        bearer = _bearer(request)
        for token in (
            given,
            bearer if bearer and bearer.startswith("v1.") else None,
            request.cookies.get(self.cookie_name(request, "viewer")),
        ):
            viewer = self.keys.viewer_of(token)
            if viewer is not None:
                return viewer
        return None

    # ── people ──

    async def actor(self, request: HTTPConnection, seat: str | None = None) -> Actor:
        """Who acts, by bearer token or session. Raises `bad_token` or `not_signed_in`."""
        bearer = _bearer(request)
        if bearer is not None:
            async with self.database.read() as connection:
                actor = await Identity(connection).token_actor(digest(bearer))
            if actor is None:
                raise Refusal("bad_token")
            return actor
        for _, secret in self.sessions(request, seat):
            async with self.database.read() as connection:
                actor = await Identity(connection).session_actor(digest(secret), self.now())
            if actor is not None:
                return _at_window(request, actor)
        raise Refusal("not_signed_in")

    async def maybe_actor(self, request: HTTPConnection, seat: str | None = None) -> Actor | None:
        """Who acts, or None for the public."""
        try:
            return await self.actor(request, seat)
        except Refusal:
            return None

    def seats(self, request: HTTPConnection) -> tuple[str, ...]:
        """Labels of the sessions that this browser holds."""
        prefix = self.cookie_name(request, "as_")
        return tuple(sorted(n[len(prefix) :] for n in request.cookies if n.startswith(prefix)))

    def sessions(
        self, request: HTTPConnection, seat: str | None = None
    ) -> Iterable[tuple[str, str]]:
        """(label, secret) of the session that the request names, or of all this browser holds."""
        wanted = seat or request.headers.get("x-pingyi-seat") or request.query_params.get("seat")
        for label in (wanted,) if wanted is not None else self.seats(request):
            secret = request.cookies.get(self.cookie_name(request, f"as_{label}"))
            if secret is not None and _LABEL.fullmatch(label):
                yield label, secret


def _at_window(request: HTTPConnection, actor: Actor) -> Actor:
    """Two windows of one session are two consoles: a control is held by one of them."""
    window = request.headers.get("x-pingyi-window", "")
    if not _WINDOW.fullmatch(window):
        return actor
    return replace(actor, session=f"{actor.session}:{window}")


def _bearer(request: HTTPConnection) -> str | None:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" and token.strip() else None
