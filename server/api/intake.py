"""What other systems push: `POST /intake/SOURCE`, signed as Standard Webhooks say.

The sender signs `ID.TIMESTAMP.BODY` with the source's key (HMAC-SHA256) and sends the headers
`webhook-id`, `webhook-timestamp` and `webhook-signature`. A timestamp that is five minutes off, a
signature that does not hold, or none, is refused before anything of the body is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from fastapi import APIRouter, Path, Request, Response
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from moderation.intake.normal_form import Entries
from moderation.intake.push import read_push
from moderation.intake.refusals import FILE_REFUSALS, FileRefused
from moderation.screening.burden import MESSAGE_MOST, check_burden
from moderation.take_in import incoming
from server.actions.take_pushed import take_pushed
from server.api import answers
from server.api.common import ServicesDep, answered
from server.api.masking import beside
from server.domain.incoming import Incoming
from server.domain.refusals import Refusal
from server.domain.sources import SourceKey, keys_of
from server.services import Services

router = APIRouter(tags=["intake"])

MESSAGE = re.compile(r"[\x21-\x7e]{1,128}")
LARGEST = 1024 * 1024
HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


@router.post("/intake/{source}", response_model=answers.Pushed)
async def push(
    request: Request,
    here: ServicesDep,
    source: str = Path(max_length=80),
) -> Response:
    """Work orders of another system, upserted on its numbers. Every item is in, or refused with its
    reason; the same `webhook-id` again gets the first answer."""
    here.limiter.check("push", here.door.address(request))
    message = request.headers.get(HEADERS[0], "")
    if not MESSAGE.fullmatch(message) or any(not request.headers.get(one) for one in HEADERS):
        raise Refusal("signature_missing")
    keys, mapping = await _known(here, source)
    body = await request.body()
    if len(body) > LARGEST:
        raise Refusal("too_large")
    try:
        check_signature(keys, body, dict(request.headers))
        pushed, items = await beside(_read, body, mapping, here)
    except UnicodeDecodeError:
        raise Refusal("push_refused", place=FILE_REFUSALS["push_not_json"]) from None
    except FileRefused as refusal:
        raise Refusal("push_refused", place=(refusal.zh, refusal.en)) from None
    refused = [
        {"row": one.row, "column": one.column, "code": one.code, "message": f"{one.zh} {one.en}"}
        for one in pushed.refusals
    ]
    return answered(
        await take_pushed(here.house, source, message, body, items, refused, len(pushed.repeats))
    )


async def _known(
    here: Services, address: str
) -> tuple[tuple[SourceKey, ...], dict[str, str | None]]:
    """The good keys of the source, and what its members mean."""
    async with here.store.look(source=address) as unit:
        source = await unit.sources.called(address)
        box = await unit.sources.box(source.id) if source else None
    if source is None or source.connector != "push":
        raise Refusal("not_found")
    keys = keys_of(here.keys.unseal(box)) if box else ()
    return tuple(one for one in keys if one.good(here.house.now())), dict(source.mapping)


def check_signature(keys: Iterable[SourceKey], body: bytes, headers: dict[str, str]) -> None:
    """`signature_wrong` unless one of the keys has signed this, `signature_stale` when the time that
    was signed is more than five minutes off. Raises `UnicodeDecodeError` for what is no UTF-8."""
    text, stale = body.decode(), False
    for key in keys:
        try:
            Webhook(key.secret).verify(text, headers, json_parse=False)
        except WebhookVerificationError as error:
            stale = stale or "timestamp" in str(error)
        except ValueError:  # No base64, no comma: as forged as any other.
            continue
        else:
            return
    raise Refusal("signature_stale" if stale else "signature_wrong")


def _read(
    body: bytes, mapping: dict[str, str | None], here: Services
) -> tuple[Entries, list[Incoming]]:
    pushed = read_push(body, mapping)
    check_burden(pushed.items, MESSAGE_MOST)
    names = here.house.masked_names
    return pushed, incoming(pushed.items, here.keys, names)
