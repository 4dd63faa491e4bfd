"""The one cleaning of every text that people write. Pure.

It is the same for all roads in (live page, mailbox, hotline) and for what moderators rewrite, so
that a text looks the same on the desk, on the stage and in the record. Nothing here looks at
what a text *says*: that is for people to judge (law 11).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MARKS_PER_BASE: Final = 2
"""Accents that may stand on one letter; "zalgo" text piles up dozens and runs off the screen."""
MARKS_PER_TIBETAN_BASE: Final = 4
"""Tibetan letters are written one below the other: an honest syllable carries up to four."""

_ZWJ: Final = "\u200d"
_LINE_BREAK: Final = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_TOO_MANY_BREAKS: Final = re.compile(r"\n{3,}")

# Only characters that need no second look; most Chinese texts match and skip the slow road.
_PLAIN_LINE: Final = re.compile("[ -~·—‘-”…\u3000-\u3029\u4e00-\u9fff\uff01-\uff5e]*")
_PLAIN: Final = re.compile("[\n -~·—‘-”…\u3000-\u3029\u4e00-\u9fff\uff01-\uff5e]*")

_EMOJI: Final = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf"
    "\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
# A joiner stays only between two emoji (family, flag, profession); anywhere else it is invisible.
_JOINER: Final = re.compile(
    f"(?P<keep>(?:(?<=[{_EMOJI}])|(?<=[{_EMOJI}]\ufe0f)){_ZWJ}(?=[{_EMOJI}]))|{_ZWJ}"
)

# Three characters together that are no Latin, Chinese, Japanese or Korean letter: perhaps marks.
_MAYBE_MARKS: Final = re.compile(
    "[^\0-\u02ff\u2e80-\u3029\u3030-\u3098\u309b-\ua66e\uac00-\ud7ff\uff00-\uffef]{3}"
)

_BLANK_LETTERS: Final = frozenset("\u034f\u115f\u1160\u2800\u3164\uffa0")
"""Letters by category, nothing to the eye: a "question" of fillers would be an empty card."""


class _Visible(dict[int, int | None]):
    """A table for ``str.translate`` that decides about a code point when it first meets it."""

    def __missing__(self, code_point: int) -> int | None:
        self[code_point] = code_point if self._is_kept(chr(code_point)) else None
        return self[code_point]

    @staticmethod
    def _is_kept(char: str) -> bool:
        if char in f"\n{_ZWJ}":  # the joiner is judged by its neighbours, later
            return True
        if char in _BLANK_LETTERS or ord(char) & 0xFFFE == 0xFFFE or "\ufdd0" <= char <= "\ufdef":
            return False
        # Cc control, Cf invisible format (bidi overrides, zero-width, byte order mark, tags),
        # Cs half of a surrogate pair, which no database stores.
        return unicodedata.category(char) not in ("Cc", "Cf", "Cs")


_VISIBLE: Final = _Visible()


def clean_public_text(text: str) -> str:
    """The one clean form of a text, safe to put on a wall-sized screen.

    NFC; line breaks become ``\\n`` and a tab a space; control characters and invisible format
    characters (bidi among them) are stripped but for the joiner inside an emoji; at most
    :data:`MARKS_PER_BASE` accents stay on a letter; no more than one empty line in a row;
    trimmed. Cleaning a clean text changes nothing. Never fails; the answer may be empty.
    """
    if _PLAIN_LINE.fullmatch(text):
        return text.strip()
    text = _LINE_BREAK.sub("\n", text).replace("\t", " ")
    if not _PLAIN.fullmatch(text):
        text = _strip_invisible(text)
    if "\n" in text:
        text = "\n".join(line.rstrip() for line in text.split("\n"))
        text = _TOO_MANY_BREAKS.sub("\n\n", text)
    return text.strip()


def _strip_invisible(text: str) -> str:
    text = text.translate(_VISIBLE)
    text = _JOINER.sub(lambda found: _ZWJ if found["keep"] else "", text)
    text = unicodedata.normalize("NFC", text)
    return _thin_marks(text) if _MAYBE_MARKS.search(text) else text


def _thin_marks(text: str) -> str:
    """Drop accents beyond what one base letter may carry."""
    kept: list[str] = []
    marks, allowed = 0, MARKS_PER_BASE
    for char in text:
        if unicodedata.category(char) in ("Mn", "Me"):
            marks += 1
            if marks > allowed:
                continue
        else:
            marks = 0
            allowed = MARKS_PER_TIBETAN_BASE if "\u0f40" <= char <= "\u0f6c" else MARKS_PER_BASE
        kept.append(char)
    return "".join(kept)
