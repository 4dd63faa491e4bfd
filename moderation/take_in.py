"""From a file's items to questions of a hearing: masked first, the originals sealed (law 17)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from moderation.intake.hotline_file import HotlineFile
from moderation.intake.normal_form import IncomingItem
from moderation.screening.masking import mask_item
from server.domain.incoming import Incoming
from server.domain.journal import canonical

Seal = Callable[[Mapping[str, Any]], bytes]

_OWN = frozenset({"row", "external_id", "content", "title", "likes", "tags"})
"""Fields that have a place of their own in a question."""


def incoming(file: HotlineFile, seal: Seal) -> list[Incoming]:
    """Every row of the file that is in, masked."""
    return [_incoming(item, seal) for item in file.items if isinstance(item, IncomingItem)]


def _incoming(item: IncomingItem, seal: Seal) -> Incoming:
    masked, sealed = mask_item(item)
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
