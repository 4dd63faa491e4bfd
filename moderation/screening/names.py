"""Names of people in a text: found by what they are made of and by what stands around them. Pure.

No list of people is kept. A name is a surname with one or two characters such as given names are
made of, a run of characters such as foreign names are written with, a word that the segmenter's
dictionary has for a name, or a Latin word where only a person can stand. Each place gets points
for what speaks for a name and against it (a role before it, speech or a courtesy after it, the
edges of words, the end of a place's name); the best places that do not overlap and have enough
points are the names. The points were set by hand on one half of a collection of news sentences,
`docs/benchmarks.md` says what they reach on the other half.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import Final

from moderation.screening.name_context import after, before, in_office, in_title, together
from moderation.screening.name_forms import HOPELESS, places_of
from moderation.screening.sentence import Place, Sentence

ENOUGH: Final = 1.6
"""Points that make a place a name."""


def find_names(text: str, office_visible: bool = True) -> Iterator[Place]:
    """The places of names, from left to right, not overlapping.

    With `office_visible`, who is named by an office (局长王某某, 王某某市长) is left where he stands.
    """
    if not _MAY_HOLD.search(text):
        return
    sentence = Sentence(text)
    for start, end in _names(sentence):
        if not (office_visible and in_office(text, start, end)):
            yield start, end


_MAY_HOLD: Final = re.compile("[\u4e00-\u9fff]{2}|[A-Za-z]{2}")


def _names(sentence: Sentence) -> list[Place]:
    """Twice: who is named beside others, or again, is believed more easily."""
    points = _weigh(sentence)
    first = set(_best(points))
    text = sentence.text
    again = {text[start:end] for start, end in first}
    ends, starts = {end for _, end in first}, {start for start, _ in first}
    for place in points:
        start, end = place
        if place not in first and text[start:end] in again:
            points[place] += 4.0 if end - start > 2 else 1.5
        if start in ends:
            points[place] += 2.0
        elif start - 1 in ends and text[start - 1] in "、和与及兼 /":
            points[place] += 1.2
        if end in starts or (end + 1 in starts and text[end] in "、和与及兼"):
            points[place] += 1.0
    return _best(points)


def _best(points: Mapping[Place, float]) -> list[Place]:
    """The places with the most points together of those that do not overlap."""
    enough = sorted(
        (place for place, sum_ in points.items() if sum_ > ENOUGH),
        key=lambda place: (place[1], place[0]),
    )
    ends = [end for _, end in enough]
    most = [0.0]
    chosen: list[int | None] = [None]
    for i, place in enumerate(enough):
        with_it = most[bisect_right(ends, place[0], hi=i)] + points[place] - ENOUGH
        most.append(max(with_it, most[-1]))
        chosen.append(i if with_it > most[i] else None)
    best: list[Place] = []
    at = len(enough)
    while at:
        i_chosen = chosen[at]
        if i_chosen is None:
            at -= 1
        else:
            best.append(enough[i_chosen])
            at = bisect_right(ends, enough[i_chosen][0], hi=i_chosen)
    return best[::-1]


def _weigh(sentence: Sentence) -> dict[Place, float]:
    """Every place that might be a name → its points, of itself and by what stands around it."""
    points: dict[Place, float] = {}
    ahead: dict[int, float] = {}
    behind: dict[int, float] = {}
    for start, end, of_itself in places_of(sentence):
        if of_itself < HOPELESS:
            continue
        if start not in ahead:
            ahead[start] = before(sentence, start) + in_title(sentence, start)
        if end not in behind:
            behind[end] = after(sentence, end)
        around = ahead[start] + behind[end] + together(sentence, start, end)
        place = (start, end)
        points[place] = max(points.get(place, -99.0), of_itself + around)
    return points
