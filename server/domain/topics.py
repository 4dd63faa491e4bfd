"""An office's own scheme of topics: a tree, as data. Pure.

A topic is its path of names, `城乡建设/住房保障/公租房`: a question that bears one can be read when the
scheme is another, and everything below a node is found by how it begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

SEPARATOR = "/"
LEVELS = 5
TOPICS_MOST = 10_000
"""Nodes of a scheme; the largest that cities publish have some thousands."""
NAME_LONGEST = 40
CODE_LONGEST = 40
TOPIC_LONGEST = LEVELS * (NAME_LONGEST + 1)
KEYWORDS_MOST = 50
"""Keywords of one node."""
SUGGESTED = 3
"""Topics that are suggested for one question."""
LABELS_LEAST = 50
"""So many topics must have been chosen before any is learned; until then there are keywords alone."""
LABELS_MOST = 10_000
"""The newest choices that are learned from."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One node. `code` is the office's own, or empty."""

    path: str
    code: str = ""
    keywords: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.path.rpartition(SEPARATOR)[2]


@dataclass(frozen=True)
class Scheme:
    """The topics of an office in the order of its file, each after the one above it. `version` 0 is
    that of an office without a scheme."""

    version: int = 0
    topics: tuple[Topic, ...] = ()

    @cached_property
    def _known(self) -> Mapping[str, Topic]:
        by_code = {one.code: one for one in self.topics if one.code}
        return by_code | {one.path: one for one in self.topics}

    def find(self, told: str) -> Topic | None:
        """The topic of a path, or of the office's code."""
        return self._known.get(told)

    @property
    def first(self) -> tuple[Topic, ...]:
        """The topics of the first level."""
        return tuple(one for one in self.topics if SEPARATOR not in one.path)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A topic that a question may have, and why: `words` are keywords of it that stand in the question;
    `chosen` is how often people chose the topic for others, where it was learned from them."""

    topic: str
    words: tuple[str, ...] = ()
    chosen: int = 0


def scheme_state(scheme: Scheme) -> dict[str, Any]:
    """A scheme as the API tells it."""
    return {
        "version": scheme.version,
        "items": [
            {"topic": one.path, "name": one.name, "code": one.code, "keywords": list(one.keywords)}
            for one in scheme.topics
        ],
    }


def suggestion_state(one: Suggestion) -> dict[str, Any]:
    """A suggestion as the API tells it."""
    return {"topic": one.topic, "words": list(one.words), "chosen": one.chosen}


def kept_topics(topics: Iterable[Topic]) -> list[list[Any]]:
    """The topics as the store keeps them."""
    return [[one.path, one.code, list(one.keywords)] for one in topics]


def topics_kept(rows: Iterable[Any]) -> tuple[Topic, ...]:
    """The topics of what the store kept."""
    return tuple(Topic(path, code, tuple(keywords)) for path, code, keywords in rows)
