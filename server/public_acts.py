"""What the public sends (a question, a vote, 同问), for the API, the sockets and plain forms alike.

Everything goes through the ballot box; the caller has checked the rate and knows the viewer.
"""

from __future__ import annotations

import hashlib
from typing import Any

from starlette.requests import HTTPConnection

from server.actions.perform import check_key
from server.domain.journal import canonical
from server.domain.public_acts import Ask, Done, Support, Vote
from server.domain.refusals import Refusal
from server.services import Services

SHORTEST, LONGEST = 2, 500
VIEWER_DAYS = 400


async def ask(
    here: Services,
    viewer: str,
    key: str | None,
    slug: str,
    text: str,
    subject: str | None,
    contact: str | None = None,
) -> Done:
    """Cleans, checks and masks a question, and puts it into the ballot box."""
    check_key(key, needed=True)
    cleaned = here.house.clean(text)
    if len(cleaned) < SHORTEST:
        raise Refusal("text_too_short", least=SHORTEST)
    if len(cleaned) > LONGEST:
        raise Refusal("text_too_long", most=LONGEST)
    masked = here.house.mask(cleaned)
    sealed: dict[str, Any] = dict(masked.sealed)
    if contact:
        sealed["contact"] = contact[:200]
    return await here.box.put(
        Ask(
            viewer=viewer,
            key=key or "",
            slug=slug,
            text=masked.text,
            subject=subject or None,
            code=here.house.code(),
            secret=here.keys.question_secret(viewer, f"{slug}:{key}"),
            digest=hashlib.sha256(canonical([text, subject, contact])).hexdigest(),
            sealed=here.house.seal(sealed) if sealed else None,
            at=here.house.now(),
        )
    )


async def vote(here: Services, viewer: str, key: str | None, id_: str, choice: str) -> Done:
    """A viewer's choice in a public round."""
    check_key(key, needed=True)
    return await here.box.put(Vote(viewer, key or "", id_, choice, here.house.now()))


async def support(
    here: Services, viewer: str, key: str | None, slug: str, code: str, on: bool
) -> Done:
    """同问 on or off."""
    check_key(key, needed=True)
    return await here.box.put(Support(viewer, key or "", slug, code, on, here.house.now()))


async def viewer_token(here: Services, request: HTTPConnection) -> str:
    """The token in this browser's cookie, or a new one (minted at the first act, not on arrival)."""
    token = request.cookies.get(here.door.cookie_name(request, "viewer"))
    if token is not None and here.keys.viewer_of(token) is not None:
        return token
    await here.limiter.check("viewers", here.door.address(request))
    return here.keys.viewer_token()
