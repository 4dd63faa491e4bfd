"""Topics by the words that their scheme gives them: whole words of a question, after segmentation. Pure.

A topic's own name is one of its keywords, and each part of a name that lists several (“登记、办理”).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, Protocol

import ahocorasick  # type: ignore[import-not-found]  # made in C, without types
import rjieba

from moderation.topics.features import LETTERS
from server.domain.topics import Scheme

_PARTS: Final = re.compile(r"[、，,；;/／()（）\s]+|以及")
_SAYS_NOTHING: Final = frozenset(
    {"其他", "其它", "综合", "一般", "问题", "其他问题", "管理", "服务", "投诉"}
)
"""Names under which everything is put that has no name: in a question they say nothing."""
WORD_LEAST: Final = 2


class _Automaton(Protocol):
    def iter(self, text: str) -> Iterator[tuple[int, str]]: ...


@dataclass(frozen=True)
class Keywords:
    """The words of a scheme, ready to be looked for; made by :func:`keywords_of`."""

    topics: dict[str, tuple[str, ...]]
    """Word in small letters → paths of the topics that have it."""
    _automaton: _Automaton | None

    def found(self, title: str, text: str) -> dict[str, tuple[str, ...]]:
        """Path of a topic → its words that stand in the question, the longest first."""
        if self._automaton is None:
            return {}
        whole = f"{title}\n{text}"[:LETTERS].lower()
        places = [(end + 1 - len(word), end + 1, word) for end, word in self._automaton.iter(whole)]
        if not places:
            return {}
        # By the dictionary alone: guessing, the segmenter finds new words across those of the scheme.
        edges = {0, *accumulate(map(len, rjieba.cut(whole, False)))}
        words = {word for start, end, word in places if start in edges and end in edges}
        told: dict[str, list[str]] = {}
        for word in sorted(words, key=lambda one: (-len(one), one)):
            for path in self.topics[word]:
                told.setdefault(path, []).append(word)
        return {path: tuple(own) for path, own in told.items()}


def keywords_of(scheme: Scheme) -> Keywords:
    """Every word by which a topic of the scheme is known."""
    topics: dict[str, list[str]] = {}
    for one in scheme.topics:
        words = (one.name, *_PARTS.split(one.name), *one.keywords)
        for word in dict.fromkeys(each.lower() for each in words):
            if len(word) >= WORD_LEAST and word not in _SAYS_NOTHING:
                topics.setdefault(word, []).append(one.path)
    if not topics:
        return Keywords({}, None)
    automaton = ahocorasick.Automaton()
    for word in topics:
        automaton.add_word(word, word)
    automaton.make_automaton()
    return Keywords({word: tuple(paths) for word, paths in topics.items()}, automaton)
