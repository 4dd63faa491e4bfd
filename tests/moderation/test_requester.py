"""Where a requester's own name and numbers stand: the places that patterns made for him would find."""

from __future__ import annotations

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from moderation.screening.requester import Requester


def by_pattern(requester: Requester, flat: str) -> list[tuple[int, int]]:
    """The plain meaning: one pattern of the numbers, each with up to three marks between two digits, and
    of the name, none of them inside a longer number or word."""
    numbers = ("[ ()-]{0,3}".join(number) for number in requester.numbers)
    wanted = [rf"(?<![0-9]){number}(?![0-9])" for number in numbers]
    if requester.is_named_in(flat):
        wanted.append(rf"(?<![0-9A-Za-z]){re.escape(requester.name)}(?![0-9A-Za-z])")
    if not wanted:
        return []
    return [one.span() for one in re.finditer("|".join(wanted), flat, re.IGNORECASE)]


NUMBERS = ("1212121", "121212", "12121213", "5550000")
NAMES = ("", "王王", "王小明", "li", "k·王", "ab1", "1212121", "ﬁ王", "σας", "王3")
TEXT = st.lists(
    st.sampled_from(
        [
            *"12357 ()-王小明lLiIkK·aAbB\u212aſßσςΣİ\0٣，",
            *NUMBERS,
            *NAMES,
            "1-2 1(2)1-2-1",
            "55500-00",
        ]
    ),
    max_size=14,
).map("".join)


@settings(max_examples=2000)
@given(st.sampled_from(NAMES), st.lists(st.sampled_from(NUMBERS), max_size=3), TEXT)
@example("王王", [], "王王王王 王王x")
@example("王小明", [], "İ王小明")
@example("", ["1212121"], "12121212121 121-21 21")
def test_it_finds_what_patterns_would(name: str, numbers: list[str], flat: str) -> None:
    requester = Requester(name, tuple(numbers))
    assert list(requester.find(flat)) == by_pattern(requester, flat)
