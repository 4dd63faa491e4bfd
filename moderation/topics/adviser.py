"""Which topics a question may have: from keywords, and from what people chose before. It proposes, and
sets nothing (law 11). Pure but for what it remembers of schemes and models already read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from typing import Final, TypeVar

from moderation.topics.keywords import Keywords, keywords_of
from moderation.topics.model import Model, from_bytes
from server.domain.topics import SEPARATOR, SUGGESTED, Scheme, Suggestion, topics_kept

REMEMBERED: Final = 8
"""Offices whose scheme and model are kept in memory."""
LIKELY: Final = -0.6
"""A topic that is not the likeliest is suggested from this score on."""
BY_A_WORD: Final = 0.3
"""What one word of a topic that stands in the question adds to its score; two count, more do not."""

Thing = TypeVar("Thing")


class Adviser:
    """What actions need of topics, by shape (`actions/ports.py`)."""

    def __init__(self) -> None:
        self._schemes: OrderedDict[Hashable, tuple[Scheme, Keywords]] = OrderedDict()
        self._models: OrderedDict[Hashable, Model] = OrderedDict()

    def scheme(self, office: int, version: int) -> Scheme | None:
        """The scheme of this version, if it is remembered."""
        found = _recall(self._schemes, (office, version))
        return found[0] if found else None

    def remember(self, office: int, version: int, kept: Sequence[object]) -> Scheme:
        """The scheme that the store keeps."""
        scheme = Scheme(version, topics_kept(kept))
        _keep(self._schemes, (office, version), (scheme, keywords_of(scheme)))
        return scheme

    def knows(self, office: int, trained_at: int) -> bool:
        """Whether this model is remembered."""
        return _recall(self._models, (office, trained_at)) is not None

    def learn(self, office: int, trained_at: int, packed: bytes) -> None:
        """The model that the store keeps; one that an earlier release made knows nothing."""
        try:
            model = from_bytes(packed)
        except ValueError:
            model = from_bytes(b"")
        _keep(self._models, (office, trained_at), model)

    def suggestions(
        self, office: int, version: int, trained_at: int, title: str, text: str
    ) -> tuple[Suggestion, ...]:
        """Up to `SUGGESTED` topics of the scheme, the likeliest first."""
        remembered = _recall(self._schemes, (office, version))
        if remembered is None:
            return ()
        scheme, keywords = remembered
        model = _recall(self._models, (office, trained_at))
        words = keywords.found(title, text)
        scores: dict[str, float] = {}
        chosen: dict[str, int] = {}
        for place, guess in enumerate(model.guesses(title, text) if model else ()):
            if scheme.find(guess.topic) and (place == 0 or guess.score > LIKELY):
                scores[guess.topic] = guess.score
                chosen[guess.topic] = model.chosen.get(guess.topic, 0) if model else 0
        learned = max(scores.values(), default=LIKELY)
        for path, own in words.items():
            # A word beside a model speaks for what the model takes for possible; alone, for itself.
            branch = path.partition(SEPARATOR)[0]
            near = max(
                (s for one, s in scores.items() if one.partition(SEPARATOR)[0] == branch),
                default=learned - 1 if chosen else LIKELY,
            )
            bonus = BY_A_WORD * min(2, len(own)) + 0.01 * (len(own[0]) + path.count(SEPARATOR))
            scores[path] = max(scores.get(path, near), near - 0.2) + bonus
        best = sorted(scores, key=lambda one: (-scores[one], one))[:SUGGESTED]
        return tuple(Suggestion(one, words.get(one, ())[:3], chosen.get(one, 0)) for one in best)


def _recall(kept: OrderedDict[Hashable, Thing], key: Hashable) -> Thing | None:
    found = kept.get(key)
    if found is not None:
        kept.move_to_end(key)
    return found


def _keep(kept: OrderedDict[Hashable, Thing], key: Hashable, thing: Thing) -> None:
    kept[key] = thing
    while len(kept) > REMEMBERED:
        kept.popitem(last=False)
