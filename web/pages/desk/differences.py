"""What two wordings of a question do not have in common, marked in both. Pure."""

from __future__ import annotations

from difflib import SequenceMatcher

Piece = tuple[str, bool]
"""A stretch of a text, and whether the other text lacks it."""
COMPARED = 3_000
"""Characters that are compared: to match longer texts letter by letter takes too long for a page."""
SHORTEST = 2
"""Equal stretches shorter than this are chance: marked along, so that marks are words and not letters."""


def differences(old: str, new: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Both texts in pieces. What lies beyond `COMPARED` characters stands unmarked at the end."""
    left: list[Piece] = []
    right: list[Piece] = []
    matcher = SequenceMatcher(None, old[:COMPARED], new[:COMPARED], autojunk=False)
    a = b = 0
    for start, other, size in matcher.get_matching_blocks():
        last = size == 0
        if not last and size < SHORTEST:
            continue
        _add(left, old[a:start], True)
        _add(right, new[b:other], True)
        _add(left, old[start : start + size], False)
        _add(right, new[other : other + size], False)
        a, b = start + size, other + size
    _add(left, old[COMPARED:], False)
    _add(right, new[COMPARED:], False)
    return tuple(left), tuple(right)


def _add(pieces: list[Piece], text: str, marked: bool) -> None:
    if not text:
        return
    if pieces and pieces[-1][1] == marked:
        pieces[-1] = (pieces[-1][0] + text, marked)
    else:
        pieces.append((text, marked))
