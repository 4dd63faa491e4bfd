"""What stands around every HTTP answer: the origin is checked, the body has an end, pages are
compressed, and the headers say what a page may do."""

from __future__ import annotations

import re

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.api.common import error_response
from server.api.open311_answers import error_told, is_open311
from server.domain.refusals import Refusal
from server.services import Services, language_of

CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self' ws: wss: http: https:",
        "media-src 'self' blob: http: https:",
        "frame-src 'self' http: https:",
        "font-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'self'",
    )
)
HEADERS = [
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
]
OVER_HTTPS = [(b"cross-origin-opener-policy", b"same-origin")]
"""Meaningless over plain http on a LAN, where Chromium reports it as an error (law 14)."""
LARGEST_BODY = 2 * 1024 * 1024
"""A show file is at most 1 MB; JSON escapes may double it."""
LARGEST_UPLOAD = 65 * 1024 * 1024
"""A hotline file is at most 64 MB; its form wraps a little around it."""
LARGEST_FILE = 6 * 1024 * 1024
"""A file handed in with a contest is at most 5 MB; what is larger is refused with a sentence."""
FILES = re.compile(r"/api/v1/rounds/[^/]+/contest/files")
UPLOADS = re.compile(r"/office/hearings/[^/]+/(?:import|topics)")
"""Where such files are taken; the route asks who it is before it reads them."""


def largest_body(path: str) -> int:
    """How much a request to this address may carry."""
    if FILES.fullmatch(path):
        return LARGEST_FILE
    return LARGEST_UPLOAD if UPLOADS.fullmatch(path) else LARGEST_BODY


class Compressed:
    """Pages are compressed here, so that a hall without nginx is served as quickly. What programs are
    answered is left as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.gzip = app, GZipMiddleware(app, minimum_size=1024, compresslevel=6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        page = scope["type"] == "http" and not scope["path"].startswith(("/api/", "/open311/"))
        await (self.gzip if page else self.app)(scope, receive, send)


class Frame:
    """Around every HTTP answer: origin check, body cap, security headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        here: Services = scope["app"].state.services
        seen, most = 0, largest_body(request.url.path)

        async def receive_capped() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:
                raise HTTPException(413)
            return message

        async def send_framed(message: Message) -> None:
            if message["type"] == "http.response.start":
                more = OVER_HTTPS if here.door.scheme(request) == "https" else []
                message["headers"] = [*message.get("headers", ()), *HEADERS, *more]
            await send(message)

        try:
            here.door.check_origin(request)
            if "\0" in scope["path"] or b"%00" in scope["query_string"]:
                raise Refusal("malformed", place="address")  # PostgreSQL keeps no NUL
            length = request.headers.get("content-length", "0")
            if length.isdigit() and int(length) > most:
                raise Refusal("too_large")
        except Refusal as refusal:
            if is_open311(request.url.path):
                response = error_told(request, refusal)
            else:
                response = error_response(refusal, language_of(request))
            await response(scope, receive, send_framed)
            return
        await self.app(scope, receive_capped, send_framed)
