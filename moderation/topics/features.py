"""What a learned model sees of a question: how often each letter and each pair of neighbouring letters
occurs, as numbers. Pure.

A number stands for some hundreds of pairs at once, and their order is not kept: from a model, which
holds numbers alone, no text can be read back.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from moderation.matching.bigrams import LETTER_BITS, normal

LETTERS: Final = 1_500
"""Characters that are looked at. On the letters that the figures stand on, 500 did one per cent worse."""
BEGINNING: Final = 40
AGAIN: Final = 4
"""What a text begins with says what it is about: its first characters count so many times more."""
BITS: Final = 20
_ALONE: Final = 1 << 2 * LETTER_BITS
"""Set for a letter by itself, so that it is no pair."""
_MIXED: Final = 0x9E3779B97F4A7C15
"""2^64 divided by the golden ratio: products with it are spread evenly (Knuth, vol. 3, 6.4)."""
_WORD: Final = (1 << 64) - 1


def features(title: str, text: str) -> dict[int, int]:
    """Number of a letter or pair → how often it occurs in what is looked at of a question."""
    whole = f"{title.strip()}\n{text.strip()}".strip()[:LETTERS]
    found: dict[int, int] = {}
    for part, times in ((whole, 1), (whole[:BEGINNING], AGAIN)):
        letters = list(map(ord, normal(part)))
        grams = [_ALONE | one for one in letters]
        grams += [a << LETTER_BITS | b for a, b in pairwise(letters)]
        for gram in grams:
            number = (gram * _MIXED & _WORD) >> 64 - BITS
            found[number] = found.get(number, 0) + times
    return found
