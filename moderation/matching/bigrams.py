"""Texts as pairs of neighbouring characters: what candidates for a twin are looked up by. Pure.

Chinese writes no spaces and most of its words have two characters, so that bigrams find what words
would, without a dictionary, and the same in every database.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from itertools import pairwise
from typing import Final

HEADLINE: Final = 80
"""Characters of a text without a title that stand for it: what it is about is said first."""
BEGINNING: Final = 30
"""Characters of a text with a title that are looked at too: a short title says only half of it, and who
asks on the live page writes none. Longer beginnings find fewer partners (`bench/matching`)."""
LETTER_BITS: Final = 21
"""A code point has at most 21 bits, two of them fit a 64-bit integer of any database."""
FINGERPRINT_BIT: Final = 1 << 62
"""Set in a fingerprint, so that it is no bigram."""


_MASK: Final = re.compile("\\[[\u4e00-\u9fff]{2,5}\\]")
"""A mask, such as [手机号]: it stands in many questions and says nothing of what is asked."""


def normal(text: str) -> str:
    """The letters and digits of a text, NFKC, small, without masks: what two ways of writing it have in
    common."""
    if "[" in text:
        text = _MASK.sub(" ", text)
    # Letters first: what is left needs normalising in few texts, Chinese punctuation in all of them.
    letters = unicodedata.normalize("NFKC", "".join(filter(str.isalnum, text))).lower()
    return letters if letters.isalnum() else "".join(filter(str.isalnum, letters))


def headline(title: str, text: str) -> str:
    """What a question is about: its title, else the beginning of its text."""
    return title if title.strip() else text.strip()[:HEADLINE]


def bigrams(text: str) -> frozenset[int]:
    """The distinct bigrams of a text, each as an integer; none of a text of one letter."""
    letters = list(map(ord, normal(text)))
    return frozenset(a << LETTER_BITS | b for a, b in pairwise(letters))


def fingerprint(text: str) -> int | None:
    """One integer for everything that a text says, whatever its spaces and punctuation; None of a text
    too short to be told from another by it."""
    letters = normal(text)
    if len(letters) < 2:
        return None
    digest = hashlib.blake2b(letters.encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 2 | FINGERPRINT_BIT


def keys(title: str, text: str) -> frozenset[int]:
    """Everything that a question is found by: the bigrams of its headline and of its text's beginning,
    and its text's fingerprint."""
    whole = fingerprint(text)
    found = bigrams(headline(title, text)) | bigrams(text.strip()[:BEGINNING])
    return found if whole is None else found | {whole}


def looked_for(title: str, text: str) -> frozenset[int]:
    """What is looked up for a question: its headline alone, and its whole text."""
    whole = fingerprint(text)
    found = bigrams(headline(title, text))
    return found if whole is None else found | {whole}
