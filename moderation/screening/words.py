"""The operator's word lists: whole words of a text that stand on one are flagged, never blocked. Pure.

A list is plain text, one word or phrase a line, `#` begins a comment. A text is segmented first, and
a word of a list counts only where the segmenter, who was told of it, takes it for a word: 妈妈的 is
not flagged in 妈妈的房子, nor 性 in 公益性. Phrases of :data:`PHRASE_SHORTEST` characters and more count
wherever they begin and end with words. What a flag means is for a person to judge (law 11).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final, Protocol

import ahocorasick  # type: ignore[import-not-found]  # made in C, without types
import rjieba

WORD_LONGEST: Final = 60
"""Characters; a longer line is no word and is left out."""


@dataclass(frozen=True, slots=True, order=True)
class Flag:
    """``text[start:end]`` stands on the list `list` as `word`."""

    start: int
    end: int
    list: str
    word: str


PHRASE_SHORTEST: Final = 4
"""So long a word of a list is hardly ever put together by chance."""
_SELDOM: Final = 1
"""How often the segmenter is told that a word of a list occurs, where its dictionary does not have
the word: as the rarest of its own. So common words beside each other are not drawn together."""


class _Automaton(Protocol):
    def iter(self, text: str) -> Iterator[tuple[int, str]]: ...


@dataclass(frozen=True)
class WordLists:
    """Several lists, ready to be looked for at once; made by :func:`read_word_lists`."""

    words: Mapping[str, tuple[str, ...]]
    """Word in its folded form → the keys of the lists that have it; none for an allowed one."""
    _automaton: _Automaton | None = field(default=None, repr=False, compare=False)
    _segmenter: rjieba.Jieba | None = field(default=None, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.words)


ALLOWED: Final = "allow"
"""Lists whose key begins with it are the other way round: what stands on one is never flagged."""


def read_word_lists(texts: Mapping[str, str]) -> WordLists:
    """The lists by their key; those of :data:`ALLOWED` words take flags away. Nothing in a list is an error: comments, repeats, lines without a
    letter and lines of more than :data:`WORD_LONGEST` characters are passed over."""
    words: dict[str, list[str]] = {}
    for key, text in texts.items():
        for line in text.removeprefix("\ufeff").splitlines():
            word = _folded(line.split("#", 1)[0]).strip()
            if _LETTER.search(word) and len(word) <= WORD_LONGEST:
                keys = words.setdefault(word, [])
                if key not in keys:
                    keys.append(key)
    for keys in words.values():
        if any(key.startswith(ALLOWED) for key in keys):
            keys.clear()  # it is still looked for: a longer one covers a shorter within it
    if not words:
        return WordLists({})
    automaton = ahocorasick.Automaton()
    segmenter = rjieba.Jieba()
    for word in words:
        automaton.add_word(word, word)
        if not segmenter.has_word(word):
            segmenter.add_word(word, _SELDOM, None)
    automaton.make_automaton()
    listed = {word: tuple(keys) for word, keys in words.items()}
    return WordLists(listed, automaton, segmenter)


def flags_of(text: str, lists: WordLists) -> tuple[Flag, ...]:
    """Every place of the text that stands on a list, in order; of two that overlap the longer.

    Case and width do not count. A text in which nothing of the lists occurs at all is done with
    one look; only the others are segmented.
    """
    if lists._automaton is None or lists._segmenter is None:
        return ()
    folded = _folded(text)
    found = list(lists._automaton.iter(folded))
    if not found:
        return ()
    edges = {0, *accumulate(map(len, lists._segmenter.cut(folded, False)))}
    places = (
        (end + 1 - len(word), end + 1, word)
        for end, word in found
        if _is_word(folded, end + 1 - len(word), end + 1, edges)
    )
    flags: list[Flag] = []
    for start, end, word in _longest(places):
        flags += (Flag(start, end, key, word) for key in lists.words[word])
    return tuple(sorted(flags))


def keys_of(flags: Iterable[Flag]) -> tuple[str, ...]:
    """What is kept with a question: ``LIST:WORD``, each once, in the order of the text."""
    return tuple(dict.fromkeys(f"{flag.list}:{flag.word}" for flag in flags))


_WIDE: Final = re.compile("[０-９Ａ-Ｚａ-ｚ]")
_FOLDS: Final = {wide: chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)}


def _folded(text: str) -> str:
    """Narrow and in small letters, of the same length, so that places stay places."""
    narrow = text.translate(_FOLDS) if _WIDE.search(text) else text
    small = narrow.lower()
    if len(small) == len(narrow):
        return small
    return "".join(one.lower() if len(one.lower()) == 1 else one for one in narrow)


_LATIN: Final = re.compile("[a-z0-9]{2}")
_LETTER: Final = re.compile("[^\\W\\d_]")


def _is_word(text: str, start: int, end: int, edges: set[int]) -> bool:
    if start not in edges or end not in edges:
        return False
    if _LATIN.fullmatch(text[start - 1 : start + 1]) or _LATIN.fullmatch(text[end - 1 : end + 1]):
        return False  # the segmenter cuts a Latin word where a listed one begins
    if end - start == 1:  # nearly every character is a part of words: alone only between marks
        return not _LETTER.search(text[max(0, start - 1) : start] + text[end : end + 1])
    return end - start >= PHRASE_SHORTEST or not any(at in edges for at in range(start + 1, end))


def _longest(places: Iterable[tuple[int, int, str]]) -> Iterator[tuple[int, int, str]]:
    """The places without those that lie in another."""
    reached = -1
    for start, end, word in sorted(places, key=lambda place: (place[0], -place[1])):
        if end > reached:
            yield start, end, word
            reached = end
