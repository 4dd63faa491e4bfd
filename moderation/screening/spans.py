"""What masking finds and what it puts in its place. Pure.

Texts are searched in a flat copy of the same length (full-width digits and letters narrow, every
dash a hyphen, every middle dot one), so that places found there are places in the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal[
    "email",
    "resident_id",
    "bank_card",
    "mobile",
    "landline",
    "qq",
    "wechat",
    "plate",
    "door",
    "name",
    "requester",
]

MASKS: Final[Mapping[Kind, str]] = {
    "email": "[邮箱]",
    "resident_id": "[身份证号]",
    "bank_card": "[银行卡号]",
    "mobile": "[手机号]",
    "landline": "[固话]",
    "qq": "[QQ号]",
    "wechat": "[微信号]",
    "plate": "[车牌]",
    "door": "[门牌]",
    "name": "[姓名]",
    "requester": "[诉求人]",
}
"""What stands in the text instead. No mask looks like anything that is masked."""


@dataclass(frozen=True, slots=True)
class Span:
    """One place: ``text[start:end]`` of the text *before* masking was ``original``."""

    kind: Kind
    start: int
    end: int
    original: str


FLAT: Final[Mapping[int, str]] = {
    **{wide: chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)},
    **dict.fromkeys(map(ord, "‐‑‒–—―−─－ー~～"), "-"),
    **dict.fromkeys(map(ord, "•‧∙⋅・"), "·"),
    **dict.fromkeys(map(ord, "\u3000\u00a0\u2002\u2003\u2009\t"), " "),
}
TAKEN: Final = "\0"
"""Written over each find, so that no later one can overlap it or be put off by its letters."""

Finder: TypeAlias = Callable[[str], Iterator[tuple[int, int]]]
"""Flat text → the places of one kind, from left to right, not overlapping."""


def whole(pattern: re.Pattern[str]) -> Finder:
    """Every match is a find."""
    return lambda flat: (found.span() for found in pattern.finditer(flat))


def group(pattern: re.Pattern[str], name: str) -> Finder:
    """The named group of every match is a find."""
    return lambda flat: (found.span(name) for found in pattern.finditer(flat))
