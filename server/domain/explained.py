"""What is wrong, said to people: a code that never changes, one sentence in Chinese, one in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

Lang = Literal["zh", "en"]
Sentence = tuple[str, str]
"""One sentence (or piece of one) in Chinese and in English, in this order."""


class Explained(ValueError):
    """A refusal with a stable `code` and one sentence in Chinese and in English.

    `sentences` maps each code to its two sentences; their `{names}` are filled from `detail`,
    where a pair is picked by language.
    """

    sentences: ClassVar[Mapping[str, Sentence]]

    def __init__(self, code: str, **detail: str | Sentence) -> None:
        self.code = code
        self.detail = detail
        super().__init__(self.message("en"))

    def message(self, lang: Lang) -> str:
        """One sentence for people."""
        side = 0 if lang == "zh" else 1
        words = {k: v if isinstance(v, str) else v[side] for k, v in self.detail.items()}
        return self.sentences[self.code][side].format(**words)


def shown(text: str) -> str:
    """`text` from outside, fit for a sentence: one line, visible characters, 60 at most."""
    clean = "".join(letter if letter.isprintable() else "�" for letter in text[:61])
    return f"{clean[:60]}…" if len(text) > 60 else clean
