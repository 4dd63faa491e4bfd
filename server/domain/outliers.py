"""What a supervisor should look at before a result is published: ceilings, and who stands far away.

Pure. A notice points, it accuses nobody and changes nothing (law 11): it is shown to those who may read
the ballots, and to nobody else. Marks are looked at as shares of their scale (0 = the bottom, 1 = the
top), over all dimensions that have points.

The figures are this program's own, chosen so that an ordinary panel gets no notice: a ceiling is every
mark of a subject at 0.9 of the scale or more, from five marks on; far away is a mean that differs from
the median of the others' by more than 0.15 of the scale and more than five times their median
absolute deviation, from five raters on; for groups, of which there are few, by more than 0.15 alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median
from typing import Literal

from server.domain.ballots import BallotRow, Reading, reading_of
from server.domain.rules import Dimension, LabelScale, Rules

CEILING = Fraction(9, 10)
FAR = Fraction(15, 100)
DEVIATIONS = 5
LEAST = 5
"""Marks of a ceiling, raters of whom one may stand far away."""


@dataclass(frozen=True)
class Outlier:
    """`ceiling` of a subject; a `rater` or a `group` far from the others. `share` is the lowest mark of
    the ceiling, or the mean of who stands away; `others` the median of the others' means."""

    kind: Literal["ceiling", "rater", "group"]
    who: str
    share: Fraction
    others: Fraction | None = None


def outliers(rules: Rules, rows: Iterable[BallotRow], *, named: bool) -> tuple[Outlier, ...]:
    """The notices of a panel round. Without names (`named` false) nothing is said of raters."""
    by_subject: dict[str, list[Fraction]] = defaultdict(list)
    by_rater: dict[str, list[Fraction]] = defaultdict(list)
    by_group: dict[str, list[Fraction]] = defaultdict(list)
    scales = {one.key: one for one in rules.dimensions}
    for row in rows:
        share = _share(scales[row.dimension], row.value)
        if share is None:
            continue
        by_subject[row.subject].append(share)
        by_rater[row.rater].append(share)
        by_group[row.group].append(share)
    found = [
        Outlier("ceiling", subject, min(shares))
        for subject, shares in by_subject.items()
        if len(shares) >= LEAST and min(shares) >= CEILING
    ]
    if named and len(by_rater) >= LEAST:
        found += _far("rater", by_rater, DEVIATIONS)
    if rules.groups and len(by_group) > 1:
        found += _far("group", by_group, 0)
    return tuple(found)


def _far(
    kind: Literal["rater", "group"], shares: Mapping[str, Sequence[Fraction]], deviations: int
) -> list[Outlier]:
    means = {who: sum(ones, Fraction(0)) / len(ones) for who, ones in shares.items()}
    found = []
    for who, mean in means.items():
        others = [one for other, one in means.items() if other != who]
        middle = median(others)
        spread = median(abs(one - middle) for one in others)
        away = abs(mean - middle)
        if away > FAR and away > deviations * spread:
            found.append(Outlier(kind, who, mean, middle))
    return found


def _share(dimension: Dimension, value: str) -> Fraction | None:
    """A mark as a share of its scale; None for a word, and where labels have no points."""
    reading = reading_of(dimension, value)
    if not isinstance(reading, Reading) or reading.mark is None:
        return None
    scale = dimension.scale
    if isinstance(scale, LabelScale):
        points = [label.points for label in scale.labels if label.points is not None]
        if len(points) < len(scale.labels):
            return None
        low, high = min(points), max(points)
    else:
        low, high = scale.minimum, scale.maximum
    if low == high:
        return None
    return (Fraction(reading.units, scale.grain) - low) / (high - low)
