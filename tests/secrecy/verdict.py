"""Whether guesses are better than chance: the permutation test, by its exact mean and variance.

If nothing links a seat to its mark, then within a group every way to deal the group's marks to its seats
is as likely as the one that happened. Over all these ways the number of right guesses has a mean and
a variance that are worked out exactly (Hoeffding 1951); summed over some hundred groups it is normal.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tests.secrecy.game import Played


@dataclass(frozen=True)
class Verdict:
    """Right guesses, how many chance would give, and the probability of so many or more."""

    seats: int
    right: int
    expected: float
    p: float


def verdict(played: Iterable[tuple[Played, Mapping[int, str]]]) -> Verdict:
    """Of all rounds with the guesses {seat's id: mark} made about them."""
    seats, right, expected, variance = 0, 0, 0.0, 0.0
    for one, guesses in played:
        for group in one.evidence.groups.values():
            guessed = [guesses[seat.id] for seat in group]
            true = [one.truth[seat.id] for seat in group]
            seats += len(group)
            right += sum(g == t for g, t in zip(guessed, true, strict=True))
            mean, spread = _moments(guessed, true)
            expected += mean
            variance += spread
    z = (right - expected) / math.sqrt(variance) if variance else 0.0
    return Verdict(seats, right, expected, 0.5 * math.erfc(z / math.sqrt(2)))


def _moments(guessed: list[str], true: list[str]) -> tuple[float, float]:
    """Mean and variance of the matches over all orders of `true`."""
    n = len(true)
    hits = [[float(g == t) for t in true] for g in guessed]
    rows = [sum(row) / n for row in hits]
    columns = [sum(hits[i][j] for i in range(n)) / n for j in range(n)]
    grand = sum(rows) / n
    if n < 2:
        return grand * n, 0.0
    squares = sum(
        (hits[i][j] - rows[i] - columns[j] + grand) ** 2 for i in range(n) for j in range(n)
    )
    return grand * n, squares / (n - 1)
