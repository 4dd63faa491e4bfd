"""What a crowd asks for when it comes all at once, answered without the rest of the application: assets,
and the public page as long as nothing has happened.

A page through all layers takes a millisecond of CPU, of which the look into the database is most; from
here it takes a tenth. It is given out for half a second and not beyond the hearing's next entry: the bell
that tells sockets tells this shelf too. What a page shows may therefore be half a second old in a process
that heard no bell; the socket that it opens says where it stands and gets what came since.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.api.frame import HEADERS

FRESH_S = 0.5
"""How long a page is given out without asking the database, as often as a process looks by itself."""
MOST = 256
"""Pages on the shelf, in each language and plain or gzipped."""
PAGE = re.compile(r"/h/[a-z0-9-]{1,60}")
QUERIES = frozenset({b"", b"lang=zh", b"lang=en"})

Fields = list[tuple[bytes, bytes]]
Name = tuple[str, bytes, bool, bool]
"""Path, query, whether it is gzipped, whether it goes over https: what a page's answer depends on."""


class Asset(Protocol):
    """A file as it is served."""

    @property
    def type(self) -> str: ...
    @property
    def plain(self) -> bytes: ...
    @property
    def gzipped(self) -> bytes: ...


@dataclass(frozen=True)
class Answer:
    """One that is ready: 200, its fields, its body."""

    fields: Fields
    body: bytes
    etag: bytes = b""
    hearing: int = 0
    made: float = 0.0


class Shelf:
    """Answers that are ready. `assets` by the name that pages link to."""

    def __init__(self, assets: Mapping[str, Asset]) -> None:
        self._assets = {
            (f"/static/{name}", gzipped): _asset(asset, gzipped)
            for name, asset in assets.items()
            for gzipped in (False, True)
        }
        self._pages: dict[Name, Answer] = {}
        self._heard = 0

    def asset(self, path: str, gzipped: bool) -> Answer | None:
        """An asset's answer, if there is one of this name."""
        return self._assets.get((path, gzipped))

    def page(self, name: Name) -> Answer | None:
        """The page, if it is fresh."""
        found = self._pages.get(name)
        return found if found is not None and monotonic() - found.made < FRESH_S else None

    @property
    def heard_so_far(self) -> int:
        """How often the bell has rung: what was made before the last time is not put here."""
        return self._heard

    def put(self, name: Name, answer: Answer, heard: int) -> None:
        """A page that was just made, unless something has happened meanwhile."""
        if heard != self._heard:
            return
        if len(self._pages) >= MOST:
            self._pages.clear()
        self._pages[name] = answer

    async def heard(self, kind: str, id_: str) -> None:
        """The bell rang: the hearing's pages are of the past."""
        if kind == "hearing":
            self._heard += 1
            hearing = int(id_)
            for name in [n for n, answer in self._pages.items() if answer.hearing == hearing]:
                del self._pages[name]


def _asset(asset: Asset, gzipped: bool) -> Answer:
    body = asset.gzipped if gzipped else asset.plain
    fields = [
        (b"content-type", asset.type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"public, max-age=31536000, immutable"),
        (b"vary", b"Accept-Encoding"),
        *([(b"content-encoding", b"gzip")] if gzipped else []),
        *HEADERS,
    ]
    return Answer(fields, body)


class Front:
    """Outside of everything else."""

    def __init__(self, app: ASGIApp, shelf: Shelf) -> None:
        self._app, self._shelf = app, shelf

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}:
            path: str = scope["path"]
            if path.startswith("/static/"):
                found = self._shelf.asset(path, _takes_gzip(scope))
                if found is not None:
                    await _send(send, 200, found.fields, found.body)
                    return
            elif scope["query_string"] in QUERIES and PAGE.fullmatch(path):
                await self._page(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        https = _field(scope["headers"], b"x-forwarded-proto") == b"https"
        name = (scope["path"], scope["query_string"], _takes_gzip(scope), https)
        found = self._shelf.page(name)
        if found is None:
            await self._app(scope, receive, self._watched(scope, name, send))
        elif _field(scope["headers"], b"if-none-match") == found.etag:
            fields = [
                f for f in found.fields if f[0] not in {b"content-length", b"content-encoding"}
            ]
            await _send(send, 304, fields, b"")
        else:
            await _send(send, 200, found.fields, found.body)

    def _watched(self, scope: Scope, name: Name, send: Send) -> Send:
        """Sends what the application answers, and puts it on the shelf when it is for everyone: it
        has an ETag and sets no cookie."""
        heard, whole = self._shelf.heard_so_far, scope["method"] == "GET"
        begun: Message | None = None

        async def send_on(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                fields = message["headers"]
                etag, cookie = _field(fields, b"etag"), _field(fields, b"set-cookie")
                good = message["status"] == 200 and etag and not cookie
                begun = message if good else None
            elif message.get("more_body"):
                begun = None
            elif begun is not None and whole:
                fields = list(begun["headers"])
                self._shelf.put(
                    name,
                    Answer(
                        fields,
                        message.get("body", b""),
                        _field(fields, b"etag"),
                        scope.get("hearing", 0),
                        monotonic(),
                    ),
                    heard,
                )
            await send(message)

        return send_on


def _takes_gzip(scope: Scope) -> bool:
    return b"gzip" in _field(scope["headers"], b"accept-encoding")


def _field(fields: Fields, name: bytes) -> bytes:
    """The first field of this name, in lower case as ASGI gives them; b"" for none."""
    for one, value in fields:
        if one == name:
            return value
    return b""


async def _send(send: Send, status: int, fields: Fields, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})
