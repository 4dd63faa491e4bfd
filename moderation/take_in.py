"""From a source's items to questions of a hearing: masked first, the originals sealed (law 17)."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, Protocol

from moderation.intake.mail import Letter, read_letter
from moderation.intake.normal_form import IncomingItem
from moderation.intake.refusals import RowRefusal
from moderation.screening.masking import MaskingRules, mask_item
from moderation.screening.requester import Requester
from server.domain.incoming import Incoming, MaskedNames
from server.domain.journal import canonical
from server.domain.refusals import Refusal


class Keys(Protocol):
    """What seals, what makes of what somebody gave of himself what stands for him (the same each time, and
    never to be turned back), and of a text's hash a mark that nobody without the secret can try texts
    against: the texts are few enough to be guessed, a number of eleven digits above all."""

    @property
    def seal(self) -> Callable[[Mapping[str, Any]], bytes]: ...
    @property
    def person(self) -> Callable[[str], str]: ...
    @property
    def mark(self) -> Callable[[str], str]: ...


_OWN = frozenset({"row", "external_id", "content", "title", "likes", "tags"})
"""Fields that have a place of their own in a question."""


def incoming(
    items: Iterable[IncomingItem | RowRefusal], keys: Keys, names: MaskedNames
) -> list[Incoming]:
    """Every item that is in, masked. `names`: whose are masked, as is set."""
    rules = MaskingRules.of(names)
    return [_incoming(item, keys, rules) for item in items if isinstance(item, IncomingItem)]


def letter_in(letter: Letter, raw: bytes, keys: Keys, names: MaskedNames) -> Incoming:
    """A letter that is in, masked, its message sealed whole."""
    return _incoming(letter.item, keys, MaskingRules.of(names), {"letter": packed(raw)})


def kept_letter_in(kept: Mapping[str, Any], keys: Keys, names: MaskedNames) -> Incoming:
    """A message that was kept apart, read with today's rules. Raises `letter_refused`, and
    `letter_not_whole` where not all of it was kept."""
    raw = zlib.decompress(base64.b64decode(kept.get("letter", ""))) if "letter" in kept else b""
    if not raw or len(raw) < kept.get("bytes", 0):
        raise Refusal("letter_not_whole")
    found = read_letter(raw)
    if not isinstance(found, Letter):
        raise Refusal("letter_refused", place=(found.zh, found.en))
    return letter_in(found, raw, keys, names)


def packed(raw: bytes) -> str:
    """A message as a box keeps it: zlib, base64."""
    return base64.b64encode(zlib.compress(raw, 6)).decode()


def _incoming(
    item: IncomingItem, keys: Keys, rules: MaskingRules, whole: Mapping[str, str] = {}
) -> Incoming:
    """`whole`: what is sealed in any case."""
    who = Requester.of(item).told
    masked, taken = mask_item(item, rules)
    sealed = {**taken, **whole}
    return Incoming(
        external_id=item.external_id,
        text=masked.content,
        title=masked.title,
        likes=item.likes,
        fields=_told(masked),
        digest=keys.mark(hashlib.sha256(canonical(_plain(item))).hexdigest()),
        accepted_at=_ms(item.accepted_at),
        tags=masked.tags,
        sealed=keys.seal(sealed) if sealed else None,
        person=keys.person(who) if who else "",
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
