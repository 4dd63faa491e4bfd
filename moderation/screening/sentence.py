"""A text with its words, and what is asked of it while names are weighed. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple, TypeAlias

import rjieba

from moderation.screening.name_words import NOT_PERSONS

Place: TypeAlias = tuple[int, int]
"""``text[start:end]``."""

_SEGMENTER: Final = rjieba.Jieba()


def in_dictionary(word: str) -> bool:
    """Whether the segmenter knows the word; none of more than a few characters is looked up."""
    return len(word) <= 8 and _SEGMENTER.has_word(word)


HAN: Final = re.compile("[\u4e00-\u9fff\u3400-\u4dbf]+")


_LONG_PLACES: Final = re.compile(
    "|".join(sorted((one for one in NOT_PERSONS if len(one) > 2), key=len, reverse=True))
)


class Token(NamedTuple):
    start: int
    end: int
    word: str
    tag: str

    @property
    def is_name(self) -> bool:
        return self.tag in ("nr", "nrt", "nrfg")


@dataclass(frozen=True)
class Sentence:
    """A text with its words; what is asked of it while names are weighed."""

    text: str
    tokens: list[Token] = field(init=False)
    starting: dict[int, int] = field(init=False)
    """Where a word starts → its place among the words."""
    ending: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        tokens: list[Token] = []
        at = 0
        for word, tag in _SEGMENTER.tag(self.text):
            tokens.append(Token(at, at + len(word), word, tag))
            at += len(word)
        object.__setattr__(self, "tokens", tokens)
        object.__setattr__(self, "starting", {one.start: i for i, one in enumerate(tokens)})
        object.__setattr__(self, "ending", {one.end: i for i, one in enumerate(tokens)})

    @cached_property
    def token_at(self) -> list[int]:
        """For each character, the place of its word among the words."""
        return [i for i, one in enumerate(self.tokens) for _ in range(one.start, one.end)]

    @cached_property
    def titles(self) -> list[Place]:
        """What stands in 《》, also where the other mark was cut off."""
        marks = [(found.start(), found[0]) for found in re.finditer("[《》]", self.text)]
        places: list[Place] = []
        opened: int | None = None
        for at, mark in marks:
            if mark == "《":
                opened = at
            else:
                places.append((opened if opened is not None else (0 if not places else at), at))
                opened = None
        if opened is not None:
            places.append((opened, len(self.text)))
        return places

    @cached_property
    def elsewhere(self) -> list[Place]:
        """Where clubs, places and firms stand that the segmenter may have cut apart."""
        return [found.span() for found in _LONG_PLACES.finditer(self.text)]

    def within(self, start: int, end: int) -> Sequence[Token]:
        """The words that share a character with the place."""
        return self.tokens[self.token_at[start] : self.token_at[end - 1] + 1]
