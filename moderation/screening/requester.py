"""Who wrote: his own name and numbers are masked wherever they occur in his item. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from typing import Final

from moderation.intake.normal_form import IncomingItem
from moderation.screening.spans import FLAT, whole

_NOT_A_NAME: Final = re.compile(
    "(?:匿名|保密|未知|不详|不公开|未公开|实名|无名)?(?:用户|网友|市民|群众|游客|居民|业主|村民|职工|员工|家长|"
    "学生|个人|单位|公司|企业|先生|女士|本人|诉求人|来电人)?"
)


@dataclass(frozen=True, slots=True)
class Requester:
    """Who wrote: a name in small letters (``""`` = none to look for) and bare numbers."""

    name: str = ""
    numbers: tuple[str, ...] = ()

    @classmethod
    def of(cls, item: IncomingItem) -> Requester:
        name = item.requester_name.translate(FLAT).lower()
        parts = re.split("[^0-9 ()+-]+", item.requester_phone.translate(FLAT))
        numbers = (re.sub("[^0-9]", "", part) for part in parts)
        return cls(
            name if len(name) >= 2 and not _NOT_A_NAME.fullmatch(name) else "",
            tuple(number for number in numbers if 6 <= len(number) <= 20),
        )

    @property
    def told(self) -> str:
        """What tells this person from others: his number, else his name, else nothing."""
        return (
            f"tel:{self.numbers[0]}" if self.numbers else f"name:{self.name}" if self.name else ""
        )

    def is_named_in(self, text: str) -> bool:
        return bool(self.name) and self.name in text.translate(FLAT).lower()

    def find(self, flat: str) -> Iterator[tuple[int, int]]:
        """Where name or numbers stand, from left to right, at one place a number before the name. Every
        item has others, so no pattern is made of them: that took a third of the time of masking."""
        found = [*_numbers(self.numbers, flat)] if self.numbers else []
        if self.is_named_in(flat):
            found += _named(self.name, flat)
        done = 0
        for start, end in sorted(found, key=itemgetter(0)):
            if start >= done:
                yield start, end
                done = end


NOBODY: Final = Requester()

_DIGIT: Final = re.compile("[0-9]")
_NO_DIGITS: Final = re.compile("[^0-9]+")
_GAP: Final = re.compile("[ ()-]{0,3}")
_LETTER: Final = re.compile("[0-9A-Za-z]", re.IGNORECASE)


def _numbers(numbers: Sequence[str], flat: str) -> Iterator[tuple[int, int]]:
    """Every place of every number, with up to three blanks, brackets or dashes between two digits and no
    digit right before or after it."""
    digits = _NO_DIGITS.sub("", flat)
    at: list[int] = []
    for number in numbers:
        first = digits.find(number)
        while first >= 0:
            at = at or [one.start() for one in _DIGIT.finditer(flat)]
            places = at[first : first + len(number)]
            start, end = places[0], places[-1] + 1
            alone = not (first and at[first - 1] == start - 1) and at[first + len(number) :][
                :1
            ] != [end]
            if alone and all(_GAP.fullmatch(flat, a + 1, b) for a, b in pairwise(places)):
                yield start, end
            first = digits.find(number, first + 1)


def _named(name: str, flat: str) -> Iterator[tuple[int, int]]:
    """Every place of the name with no letter or digit of ASCII right before or after it."""
    if name.upper() != name:  # letters, whose capitals are more than `lower` knows
        pattern = rf"(?<![0-9A-Za-z]){re.escape(name)}(?![0-9A-Za-z])"
        yield from whole(re.compile(pattern, re.IGNORECASE))(flat)
        return
    start = flat.find(name)
    while start >= 0:
        end = start + len(name)
        if not (start and _LETTER.match(flat, start - 1)) and not _LETTER.match(flat, end):
            yield start, end
        start = flat.find(name, start + 1)
