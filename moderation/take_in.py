"""From a source's items to questions of a hearing: masked first, the originals sealed (law 17)."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from moderation.intake.mail import Letter, read_letter
from moderation.intake.normal_form import IncomingItem
from moderation.intake.refusals import RowRefusal
from moderation.screening.masking import MaskingRules, mask_item
from moderation.screening.requester import Requester
from server.domain.incoming import Incoming, MaskedNames
from server.domain.journal import canonical
from server.domain.refusals import Refusal

Seal = Callable[[Mapping[str, Any]], bytes]
Person = Callable[[str], str]

_OWN = frozenset({"row", "external_id", "content", "title", "likes", "tags"})
"""Fields that have a place of their own in a question."""


def incoming(
    items: Iterable[IncomingItem | RowRefusal], seal: Seal, person: Person, names: MaskedNames
) -> list[Incoming]:
    """Every item that is in, masked. `person` makes of what somebody gave of himself what stands for
    him: the same each time, and never to be turned back. `names`: whose are masked, as is set."""
    rules = MaskingRules.of(names)
    return [
        _incoming(item, seal, person, rules) for item in items if isinstance(item, IncomingItem)
    ]


def letter_in(
    letter: Letter, raw: bytes, seal: Seal, person: Person, names: MaskedNames
) -> Incoming:
    """A letter that is in, masked, its message sealed whole."""
    whole = packed(raw)
    rules = MaskingRules.of(names)
    item = _incoming(letter.item, lambda sealed: seal({**sealed, "letter": whole}), person, rules)
    return item if item.sealed is not None else replace(item, sealed=seal({"letter": whole}))


def kept_letter_in(
    kept: Mapping[str, Any], seal: Seal, person: Person, names: MaskedNames
) -> Incoming:
    """A message that was kept apart, read with today's rules. Raises `letter_refused`, and
    `letter_not_whole` where not all of it was kept."""
    raw = zlib.decompress(base64.b64decode(kept.get("letter", ""))) if "letter" in kept else b""
    if not raw or len(raw) < kept.get("bytes", 0):
        raise Refusal("letter_not_whole")
    found = read_letter(raw)
    if not isinstance(found, Letter):
        raise Refusal("letter_refused", place=(found.zh, found.en))
    return letter_in(found, raw, seal, person, names)


def packed(raw: bytes) -> str:
    """A message as a box keeps it: zlib, base64."""
    return base64.b64encode(zlib.compress(raw, 6)).decode()


def _incoming(item: IncomingItem, seal: Seal, person: Person, rules: MaskingRules) -> Incoming:
    who = Requester.of(item).told
    masked, sealed = mask_item(item, rules)
    return Incoming(
        external_id=item.external_id,
        text=masked.content,
        title=masked.title,
        likes=item.likes,
        fields=_told(masked),
        digest=hashlib.sha256(canonical(_plain(item))).hexdigest()[:32],
        accepted_at=_ms(item.accepted_at),
        tags=masked.tags,
        sealed=seal(sealed) if sealed else None,
        person=person(who) if who else "",
    )


def _told(item: IncomingItem) -> dict[str, Any]:
    """The other fields that say something, as JSON."""
    return {k: v for k, v in _plain(item).items() if k not in _OWN and v}


def _plain(item: IncomingItem) -> dict[str, Any]:
    return {f.name: _json(getattr(item, f.name)) for f in fields(item) if f.name != "row"}


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value


def _ms(moment: datetime | None) -> int | None:
    return int(moment.timestamp() * 1000) if moment else None
