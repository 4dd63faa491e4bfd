"""A learned model of topics: what it says of a question, and how it is kept as bytes. Pure.

It holds weights of numbered features (`features.py`) and how often each topic was chosen, and no word
of any question.
"""

from __future__ import annotations

import json
import math
import struct
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import compress
from operator import itemgetter, mul
from typing import Any, Final

from moderation.topics.features import features

HERE: Final = ""
"""The child of a node that stands for itself: people chose it and nothing below."""
DEEPER: Final = 8_000
"""Features that models below the first level know, the most frequent ones."""
HEAVIEST: Final = 300
"""Features of one question that are looked at, those that count most."""
_FORM: Final = 1
_IS_LITTLE: Final = struct.pack("=H", 1) == b"\1\0"


@dataclass(frozen=True)
class Branch:
    """What is known below one node: its children with the weights of each."""

    names: tuple[str, ...]
    biases: tuple[float, ...]
    weights: tuple[array[float], ...]


@dataclass(frozen=True)
class Guess:
    """A topic that a question may have; the larger the `score`, the likelier, above 0 likely."""

    topic: str
    score: float


@dataclass(frozen=True)
class Model:
    """Made by `learner.learn`. `numbers` are its features, the most frequent first, `rarity` what each
    counts, `branches` by the path of their node ("" = the root), `chosen` how often each topic was."""

    numbers: array[int]
    rarity: array[float]
    branches: dict[str, Branch]
    chosen: dict[str, int] = field(default_factory=dict)

    @cached_property
    def _places(self) -> dict[int, int]:
        return {number: place for place, number in enumerate(self.numbers)}

    def vector(self, found: Mapping[int, int]) -> tuple[list[int], list[float]]:
        """(places, values) of a question's features, of length 1."""
        places, values = [], []
        for number, n in found.items():
            place = self._places.get(number)
            if place is not None:
                places.append(place)
                values.append((1 + math.log(n)) * self.rarity[place])
        if len(values) > HEAVIEST:
            least = sorted(values, reverse=True)[HEAVIEST]
            kept = [value > least for value in values]
            places, values = list(compress(places, kept)), list(compress(values, kept))
        length = math.sqrt(sum(value * value for value in values)) or 1.0
        return places, [value / length for value in values]

    def guesses(self, title: str, text: str) -> tuple[Guess, ...]:
        """The likeliest topic of each first-level one, the likeliest first."""
        if "" not in self.branches:
            return ()
        places, values = self.vector(features(title, text))
        found = []
        for name, score in self._scores("", places, values):
            path = name
            while path in self.branches:
                child = max(self._scores(path, places, values), key=itemgetter(1))[0]
                if child == HERE:
                    break
                path = f"{path}/{child}"
            found.append(Guess(path, score))
        return tuple(sorted(found, key=lambda one: (-one.score, one.topic)))

    def _scores(self, path: str, places: list[int], values: list[float]) -> list[tuple[str, float]]:
        branch = self.branches[path]
        told = []
        for name, bias, weights in zip(branch.names, branch.biases, branch.weights, strict=True):
            width = len(weights)
            if width < len(self.numbers):
                score = sum(
                    v * weights[p] for p, v in zip(places, values, strict=True) if p < width
                )
            else:
                score = sum(map(mul, map(weights.__getitem__, places), values))
            told.append((name, bias + score))
        return told


def first_of(path: str) -> str:
    """The first name of a path."""
    return path.partition("/")[0]


def rest_of(path: str, node: str) -> str:
    """What of a path lies below one of its nodes."""
    return path[len(node) + 1 :] if node else path


# ── as bytes ──


def to_bytes(model: Model) -> bytes:
    """The model as it is kept: a line of JSON, then the numbers and weights, packed."""
    branches = [
        [path, one.names, one.biases, [len(each) for each in one.weights]]
        for path, one in model.branches.items()
    ]
    head = {
        "form": _FORM,
        "features": len(model.numbers),
        "chosen": model.chosen,
        "branches": branches,
    }
    weights = [each for one in model.branches.values() for each in one.weights]
    parts: list[array[int] | array[float]] = [model.numbers, model.rarity, *weights]
    return b"\n".join(
        (json.dumps(head, ensure_ascii=False).encode(), b"".join(map(_little, parts)))
    )


def from_bytes(kept: bytes) -> Model:
    """The model of such bytes; of no bytes one that knows nothing. Raises `ValueError` for what is none."""
    if not kept:
        return Model(array("I"), array("f"), {})
    line, _, rest = kept.partition(b"\n")
    head = json.loads(line)
    if head["form"] != _FORM:
        raise ValueError("a model of another form")
    at = 0

    def take(kind: str, n: int) -> Any:
        nonlocal at
        at += 4 * n
        part = array(kind)
        part.frombytes(rest[at - 4 * n : at])
        if not _IS_LITTLE:
            part.byteswap()
        return part

    numbers, rarity = take("I", head["features"]), take("f", head["features"])
    branches = {
        path: Branch(tuple(names), tuple(biases), tuple(take("f", n) for n in widths))
        for path, names, biases, widths in head["branches"]
    }
    if at != len(rest):
        raise ValueError("half a model")
    return Model(numbers, rarity, branches, head["chosen"])


def _little(part: array[int] | array[float]) -> bytes:
    if not _IS_LITTLE:
        part = part[:]
        part.byteswap()
    return part.tobytes()
