"""Service requests of Open311 GeoReport v2, each as an item of the one normal form. Pure.

    service_request_id → its number      description → the content     service_name → title, category
    requested_datetime → accepted at     expected_datetime → due at    status_notes → result
    agency_responsible → agency          status → status

Where it is (address, zipcode, lat, long) is one place, and who asked is the requester: both are sealed
by masking like those of every other source. Pictures (media_url, media_urls) are kept as links and
never fetched. What else is told is kept by its name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from moderation.intake.cells import CELL_MAX, one_line
from moderation.intake.columns import Columns
from moderation.intake.normal_form import Entries, IncomingItem, item_from_row, settle_repeats
from moderation.intake.open311_text import Told, read_document
from moderation.intake.refusals import RowRefusal, refused

ITEMS_MOST: Final = 1_000
"""Requests of one answer: what the specification allows."""
MEMBERS_MOST: Final = 100
NAME_LONGEST: Final = 80
LINKS_MOST: Final = 10
LINK_LONGEST: Final = 1_000

_MEANINGS: Final[Mapping[str, str]] = {
    "service_request_id": "external_id",
    "description": "content",
    "service_name": "title",
    "requested_datetime": "accepted_at",
    "expected_datetime": "due_at",
    "status": "status",
    "status_notes": "result",
    "agency_responsible": "agency",
    "phone": "requester_phone",
}
_PLACE: Final = ("address", "address_string", "zipcode", "address_id")
_MEDIA: Final = ("media_url", "media_urls")
_NAMES: Final = ("last_name", "first_name")
_ACCOUNTS: Final = ("account_id", "device_id")


def read_requests(body: bytes, form: str) -> Entries:
    """Read an answer to ``GET requests``; ``form`` is ``json`` or ``xml``.

    Raises :class:`FileRefused` for what is no such answer: see `read_document`, and ``open311_shape``,
    ``open311_too_many``. A request that lacks something is refused alone.
    """
    told = read_document(body, form)
    if not isinstance(told, list):
        raise refused("open311_shape")
    if len(told) > ITEMS_MOST:
        raise refused("open311_too_many", limit=ITEMS_MOST)
    found = []
    for row, one in enumerate(told, start=1):
        if not isinstance(one, dict):
            raise refused("open311_shape")
        found.append(item_of(row, one))
    return Entries(*settle_repeats(found, "service_request_id"))


def item_of(row: int, request: Mapping[str, Told]) -> IncomingItem | RowRefusal:
    """One request as an item, or why not. One without a description says what its service is called:
    that is all that its sender chose to say."""
    if len(request) > MEMBERS_MOST:
        return RowRefusal(row, None, "too_many_cells")
    told = {one_line(name)[:NAME_LONGEST]: _cell(one) for name, one in request.items()}
    for name, cell in told.items():
        if len(cell) > CELL_MAX:
            return RowRefusal(row, name, "cell_too_long")
    told["description"] = told.get("description") or told.get("service_name", "")
    told["media_url"] = " ".join(_links(request.get(name) for name in _MEDIA))
    told.pop("media_urls", None)
    used = {*_PLACE, *_NAMES, *_ACCOUNTS, "lat", "long"}
    names = [name for name in told if name not in used]
    columns = Columns(tuple(names), tuple(_MEANINGS.get(name) for name in names))
    item = item_from_row(row, [told[name] for name in names], columns)
    if isinstance(item, RowRefusal):
        return item
    # By these names masking knows whose they are.
    accounts = {f"requester_{name}": one_line(told[name]) for name in _ACCOUNTS if told.get(name)}
    return replace(
        item,
        location=_place(told),
        requester_name=_name(told),
        category_path=(item.title,) if item.title else (),
        extra={**item.extra, **accounts},
    )


def _cell(value: Told) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)


def _links(values: Iterable[Told]) -> tuple[str, ...]:
    """The web addresses among them, each once. Whatever else is called a link (`javascript:`, `file:`, one
    with somebody's password) is none: a moderator may follow it."""
    found: dict[str, None] = {}
    for value in values:
        for text in value if isinstance(value, list) else [value]:
            for one in text.split() if isinstance(text, str) else ():
                with suppress(ValueError):  # no address at all
                    parts = urlsplit(one)
                    web = (
                        parts.scheme in {"http", "https"}
                        and parts.hostname
                        and "@" not in parts.netloc
                    )
                    if web and len(one) <= LINK_LONGEST and one == one_line(one):
                        found[one] = None
    return tuple(found)[:LINKS_MOST]


def _place(told: Mapping[str, str]) -> str:
    parts = [told[name] for name in _PLACE if told.get(name)]
    if told.get("lat") and told.get("long"):
        parts.append(f"{told['lat']} {told['long']}")
    return one_line(", ".join(parts))


def _name(told: Mapping[str, str]) -> str:
    """A Chinese name is written family name first and without a gap."""
    last, first = (one_line(told.get(name, "")) for name in _NAMES)
    if last.isascii() and first.isascii():
        return f"{first} {last}".strip()
    return last + first
