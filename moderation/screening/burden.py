"""How much work a message is to mask, told before it is done. Pure.

What comes from outside is masked while its sender waits. Ordinary text costs some microseconds a
character; a character that hardly stands for anything but a surname costs six times that, because all that
stands around it is weighed, again and again. So a message is measured by both: one of nothing but
surnames may hold a fifth of what one in ordinary words may.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Final

from moderation.intake.normal_form import IncomingItem
from moderation.intake.refusals import RowRefusal, refused
from moderation.screening.name_characters import FREQUENT, PLAIN

MESSAGE_MOST: Final = 250_000
"""Of what a sender waits for: a good 100,000 characters of ordinary text, done within two seconds whatever
they are."""
ANSWER_MOST: Final = 2_000_000
"""Of an answer that we asked for and nobody waits for: a thousand long requests."""
_SURNAME_COSTS: Final = 5
_SURNAME: Final = re.compile(f"[{''.join(sorted(FREQUENT | PLAIN))}]")


def check_burden(items: Iterable[IncomingItem | RowRefusal], most: int) -> None:
    """Raises `FileRefused` (`too_much_to_mask`) for more than that."""
    left = most
    for item in items:
        if isinstance(item, IncomingItem):
            left -= burden(item)
        if left < 0:
            raise refused("too_much_to_mask")


def burden(item: IncomingItem) -> int:
    """Characters of all its texts, those that are surnames counted sixfold."""
    sum_ = 0
    for one in fields(item):
        for text in _texts(getattr(item, one.name)):
            sum_ += len(text) + _SURNAME_COSTS * len(_SURNAME.findall(text))
    return sum_


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, tuple) else ()
