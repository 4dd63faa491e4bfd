"""What another system pushes: JSON items whose members are named as the columns of its files. Pure.

    {"items": [{"工单编号": "…", "诉求内容": "…", …}, …]}      or one such item alone

Names are read as a hotline file's headers (:mod:`moderation.intake.columns`), so that a system that
could send a file says the same here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from moderation.intake.cells import Cell
from moderation.intake.columns import header_key, match_columns
from moderation.intake.normal_form import Entries, IncomingItem, item_from_row, settle_repeats
from moderation.intake.refusals import FileRefused, RowRefusal, refused

ITEMS_MOST: Final = 200
"""Items of one message: they come in together, in one transaction."""
MEMBERS_MOST: Final = 300


def read_push(body: bytes, mapping: Mapping[str, str | None] | None = None) -> Entries:
    """Read a message. ``mapping``: member name → canonical name or ``None``, as for a file's headers.

    Raises :class:`FileRefused` (``push_not_json``, ``push_shape``, ``push_too_many``) for a message
    that says nothing readable; an item that lacks something is refused alone.
    """
    chosen = {header_key(name): meaning for name, meaning in (mapping or {}).items()}
    return Entries(*settle_repeats(_entries(_items(body), chosen)))


def _items(body: bytes) -> list[dict[str, Any]]:
    try:
        told = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise refused("push_not_json") from None
    found = told.get("items", [told]) if isinstance(told, dict) else None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise refused("push_shape")
    if len(found) > ITEMS_MOST:
        raise refused("push_too_many", limit=ITEMS_MOST)
    return found


def _no_number(name: str) -> None:
    """NaN and Infinity are no JSON; as a number they would be one order's and every other's."""
    raise ValueError(name)


def _entries(
    items: list[dict[str, Any]], chosen: Mapping[str, str | None]
) -> Iterator[IncomingItem | RowRefusal]:
    for row, item in enumerate(items, start=1):
        if len(item) > MEMBERS_MOST:
            yield RowRefusal(row, None, "too_many_cells")
            continue
        names = {name: header_key(name) for name in item}
        # Each item has its own members: what the mapping says of absent ones does not matter.
        said = {name: chosen[key] for name, key in names.items() if key in chosen}
        try:
            columns = match_columns(list(item), said)
        except FileRefused as refusal:
            code = {"content_column_missing": "content_missing"}.get(
                refusal.code, "members_conflict"
            )
            yield RowRefusal(row, None, code)
            continue
        yield item_from_row(row, [_cell(value) for value in item.values()], columns)


def _cell(value: Any) -> Cell:
    """A list of words is what a file says with commas; what is deeper is kept as its JSON."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ",".join(value)
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:  # It goes deeper into the stack than reading did.
        raise refused("push_not_json") from None
