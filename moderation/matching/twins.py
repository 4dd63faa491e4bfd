"""A question's likely twins, in order, with what makes them likely. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from moderation.matching import likeness
from moderation.matching.bigrams import (
    BEGINNING,
    bigrams,
    fingerprint,
    headline,
    keys,
    looked_for,
    normal,
)
from moderation.matching.meaning import ask_the_same
from server.domain.questions import Question
from server.domain.twins import TWINS, Twin

CLOSER = 3
"""So many times the twins that are shown are looked at closely."""


@dataclass(frozen=True)
class Matcher:
    """What actions need of matching, by shape (`actions/ports.py`)."""

    def keys(self, title: str, text: str) -> frozenset[int]:
        """What a question is found by."""
        return keys(title, text)

    def looked_for(self, title: str, text: str) -> frozenset[int]:
        """What is looked up for one."""
        return looked_for(title, text)

    def chosen(self, wanted: Iterable[int], counts: Mapping[int, int], of: int) -> dict[int, int]:
        """The keys to look up, with their weights."""
        return likeness.chosen(wanted, counts, of)

    def twins(
        self,
        title: str,
        text: str,
        found: Iterable[Question],
        counts: Mapping[int, int],
        of: int,
        most: int = TWINS,
    ) -> tuple[Twin, ...]:
        """The candidates that were found, the likeliest first: the same text, then the same question,
        then by how alike the headlines are."""
        about = headline(title, text)
        mine, whole = bigrams(about), fingerprint(text)
        heads = [(one, headline(one.title, one.text)) for one in found]
        grams = [bigrams(other) for _, other in heads]
        begins = [bigrams(one.text.strip()[:BEGINNING]) for one, _ in heads]
        known = likeness.weights(mine, counts, of)
        alike = [
            likeness.likeness(known, theirs, begun)
            for theirs, begun in zip(grams, begins, strict=True)
        ]
        # The index gives those with the same text first; to compare each whole letter is too much.
        first = sorted(range(len(heads)), key=lambda i: (i >= most, -alike[i], -heads[i][0].id))
        ordered: list[tuple[bool, int, int, str]] = []
        for i in first[: CLOSER * most]:
            one, other = heads[i]
            reason = ""
            if (
                i < most
                and whole is not None
                and _same(text, one.text)
                and fingerprint(one.text) == whole
            ):
                reason = "same_text"
            elif ask_the_same(about, other):
                reason = "same_question"
            ordered.append((not reason, -alike[i], i, reason))
        ordered.sort(key=lambda each: (each[0], each[1], -heads[each[2]][0].id))
        said = mine | bigrams(text[: likeness.MARKED])
        return tuple(
            Twin(
                heads[i][0],
                alike[i],
                likeness.shared(
                    mine, grams[i], normal(heads[i][0].text[: likeness.MARKED]), counts, of
                ),
                reason,
                likeness.shared_words(said, heads[i][0].text),
            )
            for _, _, i, reason in ordered[:most]
        )


def _same(one: str, other: str) -> bool:
    """Whether two texts may say the same: they begin with the same letters. To read whole letters for the
    others is too much."""
    ours, theirs = normal(one[:BEGINNING]), normal(other[:BEGINNING])
    least = min(len(ours), len(theirs))
    return ours[:least] == theirs[:least]
