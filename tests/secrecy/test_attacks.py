"""The secrecy game, a quick cut of it; in full: `python -m tests.secrecy.run`."""

from __future__ import annotations

import math
import random
from itertools import permutations

import pytest

from tests.secrecy.attacks import ATTACKS
from tests.secrecy.game import Evidence, Played, Seat
from tests.secrecy.plants import PLANTS
from tests.secrecy.run import FOUND, better_than_chance, honest, with_plants
from tests.secrecy.verdict import verdict

SURE = 1e-5
"""In a suite that is run often, chance itself must not look better than chance."""


def test_each_attacker_has_its_own_plant() -> None:
    assert list(ATTACKS) == list(PLANTS)
    assert len(ATTACKS) == 12


@pytest.mark.anyio
async def test_no_attacker_does_better_than_chance() -> None:
    found = await honest(10, seed=random.randrange(10**6))
    assert {name: one.seats for name, one in found.items()} == dict.fromkeys(ATTACKS, 10 * 21)
    assert {n: v for n, v in found.items() if better_than_chance(v.p, SURE)} == {}


@pytest.mark.anyio
async def test_each_attacker_finds_its_plant() -> None:
    found = await with_plants(2, seed=random.randrange(10**6))
    assert {name: one for name, one in found.items() if one.p > FOUND} == {}


def test_the_verdict_is_the_permutation_test() -> None:
    """Against all orders of a small group, one by one."""
    seats = [Seat(i, i, "g", {}, "", "", 0) for i in range(5)]
    guesses, truth = dict(enumerate("aabcd")), dict(enumerate("abbca"))
    one = verdict([(Played(Evidence("r", seats), truth), guesses)])
    counts = [
        sum(guesses[i] == value for i, value in enumerate(order))
        for order in permutations(truth.values())
    ]
    mean = sum(counts) / len(counts)
    assert (one.seats, one.right) == (5, 3)
    assert one.expected == pytest.approx(mean)
    variance = sum((n - mean) ** 2 for n in counts) / len(counts)
    many = [(Played(Evidence("r", seats), truth), guesses)] * 400
    z = 400 * (3 - mean) / (400 * variance) ** 0.5
    assert verdict(many).p == pytest.approx(0.5 * math.erfc(z / math.sqrt(2)))
