"""How alike two questions are: which keys are looked up, how candidates are ordered, what they share.
Pure.

A key counts the more, the fewer questions have it (the logarithm of their share, as in every text
search since Spärck Jones 1972). Candidates come by the rarest keys alone, whose lists are short;
then the headlines of the best are compared whole. Weights are integers, so that every database adds
them up alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Set
from functools import lru_cache
from itertools import pairwise
from typing import Final

from moderation.matching.bigrams import FINGERPRINT_BIT, LETTER_BITS, normal

KEYS_MOST: Final = 16
"""Keys that are looked up."""
ENTRIES_MOST: Final = 2_000
"""Entries of the index that are read for one question."""
KEYS_LEAST: Final = 2
"""Keys that are looked up however long their lists are."""
SMOOTH: Final = 12
"""Added to the length of a headline: among short ones a single shared word decides too much."""
SAME_TEXT: Final = 10
"""A whole text that is the same counts as so many keys: whoever has it comes first."""
RARE: Final = 50
"""A key counts for `shared` as if at least one in so many questions had it."""
MARKED: Final = 1_000
"""Characters of a text in which shared words are looked for."""
SEEN: Final = 200
"""Characters in which they are marked, from the first on: what a person is shown of it."""
_LETTER: Final = (1 << LETTER_BITS) - 1
UNIT: Final = 1_000
"""An integer weight is this many times the logarithm."""


def weight(count: int, of: int) -> int:
    """What a key counts that `count` of `of` questions have."""
    return round(UNIT * math.log(1 + of / max(1, count)))


def chosen(keys: Iterable[int], counts: Mapping[int, int], of: int) -> dict[int, int]:
    """The keys to look up with their weights: the rarest first, until their lists are long. Keys that
    no other question has find nothing and are left out."""
    found: dict[int, int] = {}
    entries = 0
    for count, key in sorted((counts.get(key, 0), key) for key in keys):
        if count == 0:
            continue
        if len(found) >= KEYS_MOST:
            break
        if len(found) >= KEYS_LEAST and entries + count > ENTRIES_MOST:
            break
        found[key] = weight(count, of) * (SAME_TEXT if key & FINGERPRINT_BIT else 1)
        entries += count
    return found


def weights(keys: Iterable[int], counts: Mapping[int, int], of: int) -> dict[int, int]:
    """What each key counts."""
    return {key: weight(counts.get(key, 0), of) for key in keys}


def likeness(mine: Mapping[int, int], theirs: frozenset[int], beginning: frozenset[int]) -> int:
    """How alike two questions are: what the bigrams of my headline count that stand in theirs, and
    half of what those count that stand in the `beginning` of their text alone, against the length
    of their headline."""
    headed = sum(mine[key] for key in theirs & mine.keys())
    said = sum(mine[key] for key in (beginning - theirs) & mine.keys())
    return round((headed + said / 2) / math.sqrt(len(theirs) + SMOOTH))


def shared(
    mine: frozenset[int], theirs: frozenset[int], text: str, counts: Mapping[int, int], of: int
) -> int:
    """How much of what a headline says another question says too, in its headline (`theirs`) or in its
    `text`, of which the letters are looked at (`bigrams.normal`), in per cent. What nobody else writes is mostly the seam between two words and would decide alone, so that no key counts more
    than one of `RARE`."""
    if not mine:
        return 0
    whole = both = 0.0
    most = min(RARE, max(2, of / 5))  # Among few questions nothing is rare.
    for key in mine:
        here = math.log(1 + min(most, of / max(1, counts.get(key, 0))))
        whole += here
        # A headline has few bigrams: to look for each costs a tenth of making all those of a letter.
        if key in theirs or chr(key >> LETTER_BITS) + chr(key & _LETTER) in text:
            both += here
    return round(100 * both / whole) if whole else 0


def shared_words(common: Set[int], theirs: str) -> tuple[tuple[int, int], ...]:
    """The places in `theirs` whose letters, two and more together, are among the bigrams in `common`:
    what a page marks, so that a person sees why two questions are taken for alike. Places of `theirs`
    as it is written, in order, not overlapping, from the first on for `SEEN` characters."""
    letters = ((i, part) for i, char in enumerate(theirs[:MARKED]) for part in _letters(char))
    places: list[tuple[int, int]] = []
    for (start, a), (end, b) in pairwise(letters):
        if places and end >= places[0][0] + SEEN:
            break
        if (a << LETTER_BITS | b) not in common:
            continue
        if places and places[-1][1] > start:
            places[-1] = (places[-1][0], end + 1)
        else:
            places.append((start, end + 1))
    return tuple(places)


@lru_cache(maxsize=65_536)
def _letters(char: str) -> tuple[int, ...]:
    """The letters that a character stands for, as code points: `％` for none, `㎡` for two."""
    return tuple(map(ord, normal(char)))
