"""Learns from what moderators chose which topic a question has. Pure, and slow: minutes for many.

For each node of the tree whose children were chosen often enough, one linear model a child tells it
from the others: a support vector machine with squared hinge loss, trained by dual coordinate descent
(Hsieh, Chang, Lin, Keerthi and Sundararajan 2008). A child that was chosen seldom counts more, so that
the frequent ones do not swallow it (docs/decisions/0024-topics.md).
"""

from __future__ import annotations

import math
from array import array
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter, mul
from typing import Any, Final

from moderation.topics.features import features
from moderation.topics.model import DEEPER, HERE, Branch, Model, first_of, rest_of

LEAST: Final = 3
"""So often must a topic have been chosen before it is learned."""
SEEN_LEAST: Final = 2
"""In so many questions must a feature occur: what stands in one alone is not in the model at all."""
FEATURES_MOST: Final = 60_000
OCCURRENCES_MOST: Final = 10_000_000
"""Features of all questions together that are kept in memory: the oldest questions are left out."""
COST: Final = 2.0
EPOCHS: Final = 12
ENOUGH: Final = 0.1
"""An epoch in which no gradient was larger than this is the last."""
BIAS: Final = 0.5
TELLS_LEAST: Final = 0.9
"""Features that tell less are left out: most of them, and with them most of the time."""
CLOSE: Final = 0.1
"""A question that is so far on its own side is looked at again at the end alone."""

CHILDREN_MOST: Final = 100
"""Children of one node that are learned, those that were chosen most."""
WEIGHTS_MOST: Final = 4_000_000
"""Of a whole model, 16 MB."""

Labelled = tuple[str, str, str]
"""(title, text, topic that a person chose)."""
Entry = tuple[tuple[list[int], list[float]], str]
"""((places, values) of a question's features, its topic)."""


@dataclass(frozen=True, slots=True)
class _Vector:
    """A question: places of its features, taken out of the weights in one go, and their values."""

    places: tuple[int, ...]
    values: tuple[float, ...]
    of: Callable[[Any], tuple[float, ...]]


def learn(labelled: Sequence[Labelled]) -> Model:
    """The model of these labels, the newest first; it knows nothing where there are too few."""
    seen: Counter[int] = Counter()
    kept: list[tuple[Mapping[int, int], str]] = []
    room = OCCURRENCES_MOST
    for title, text, topic in labelled:
        found = features(title, text)
        room -= len(found)
        if room < 0:
            break
        seen.update(found.keys())
        kept.append((found, topic))
    common = sorted((-n, number) for number, n in seen.items() if n >= SEEN_LEAST)[:FEATURES_MOST]
    numbers = array("I", (number for _, number in common))
    rarity = array("f", (math.log((1 + len(kept)) / (1 - n)) + 1 for n, _ in common))
    model = Model(numbers, rarity, {}, dict(Counter(topic for _, topic in kept)))
    entries = [(model.vector(found), topic) for found, topic in kept]
    model.branches.update(_branches(entries, len(numbers)))
    return model


def _branches(entries: Sequence[Entry], width: int) -> dict[str, Branch]:
    """What is learned below each node, from the root down, as long as there is room."""
    found: dict[str, Branch] = {}
    room = WEIGHTS_MOST
    waiting = deque([("", entries)])
    while waiting:
        path, own = waiting.popleft()
        names = [first_of(rest_of(topic, path)) or HERE for _, topic in own]
        chosen = Counter(names)
        learned = [name for name, n in chosen.most_common(CHILDREN_MOST) if n >= LEAST]
        if 2 * sum(chosen[name] for name in learned) < len(own) or not learned:
            continue
        here = min(width if not path else DEEPER, width, room // len(learned))
        room -= here * len(learned)
        found[path] = _branch(own, names, sorted(learned), here)
        for name in learned:
            if name != HERE:
                below = [one for one, its in zip(own, names, strict=True) if its == name]
                waiting.append((f"{path}/{name}" if path else name, below))
    return found


def _branch(
    entries: Sequence[Entry],
    names: Sequence[str],
    learned: Sequence[str],
    width: int,
) -> Branch:
    if len(learned) == 1:
        return Branch(tuple(learned), (0.0,), (array("f"),))
    bare = [entry for entry, _ in entries]
    trained = [
        _separate(bare, [one == name for one in names], len(learned), width) for name in learned
    ]
    return Branch(
        tuple(learned), tuple(bias for bias, _ in trained), tuple(weights for _, weights in trained)
    )


def _telling(
    entries: Sequence[tuple[list[int], list[float]]], is_it: Sequence[bool], width: int
) -> list[float]:
    """How much each feature tells of a child: the root of how many times likelier it is there than
    elsewhere, as a logarithm (Wang and Manning 2012). What is as likely in both counts little."""
    here, elsewhere = [1] * width, [1] * width
    for (places, _), own in zip(entries, is_it, strict=True):
        counted = here if own else elsewhere
        for place in places:
            if place < width:
                counted[place] += 1
    shift = math.log(sum(here) / sum(elsewhere))
    return [
        math.sqrt(abs(math.log(one / other) - shift))
        for one, other in zip(here, elsewhere, strict=True)
    ]


def _vector(places: Sequence[int], values: Sequence[float], telling: Sequence[float]) -> _Vector:
    width = len(telling)
    both = [
        (place, value * telling[place])
        for place, value in zip(places, values, strict=True)
        if place < width and telling[place] > TELLS_LEAST
    ]
    both += [(0, 0.0), (0, 0.0)][len(both) :]  # itemgetter gives a tuple of two and more alone
    at, of = zip(*both, strict=True)
    return _Vector(at, of, itemgetter(*at))


def _separate(
    entries: Sequence[tuple[list[int], list[float]]],
    is_it: Sequence[bool],
    classes: int,
    width: int,
) -> tuple[float, array[float]]:
    """(bias, weights) of one child against the others."""
    telling = _telling(entries, is_it, width)
    vectors = [_vector(places, values, telling) for places, values in entries]
    n, n_is = len(vectors), sum(is_it)
    weights, bias = [0.0] * width, 0.0
    alpha = [0.0] * n
    lengths = [BIAS * BIAS + sum(map(mul, one.values, one.values)) for one in vectors]
    ease = [1 / (2 * COST * (n / (classes * n_is) if own else 1.0)) for own in is_it]
    stride = _stride(n)
    active = [i * stride % n for i in range(n)]
    whole = True
    for _ in range(EPOCHS):
        largest, again = 0.0, []
        for i in active:
            one, sign = vectors[i], 1.0 if is_it[i] else -1.0
            score = bias * BIAS + sum(map(mul, one.of(weights), one.values))
            gradient = sign * score - 1 + alpha[i] * ease[i]
            if alpha[i] == 0 and gradient > 0:
                if gradient < CLOSE:
                    again.append(i)
                continue
            again.append(i)
            largest = max(largest, abs(gradient))
            before = alpha[i]
            alpha[i] = max(before - gradient / (lengths[i] + ease[i]), 0.0)
            change = (alpha[i] - before) * sign
            if change:
                bias += change * BIAS
                for place, value in zip(one.places, one.values, strict=True):
                    weights[place] += change * value
        if largest < ENOUGH:
            if whole:
                break
            active, whole = [i * stride % n for i in range(n)], True
        else:
            active, whole = again, False
    return bias * BIAS, array("f", map(mul, weights, telling))


def _stride(n: int) -> int:
    """A step that comes to every one of `n`, in an order that has nothing to do with theirs."""
    step = round(n * 0.618) | 1
    while math.gcd(step, n) > 1:
        step += 2
    return step
