"""`python -m tests.secrecy.run [ROUNDS]`: the secrecy game in full, 1,000 rounds of 21 seats unless told
otherwise, and each attacker against its own plant. Exit status 1 when one attacker does better than chance
(p ≤ 0.01 after Bonferroni), or does not find its plant."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.secrecy.attacks import ATTACKS, Attack, Guesses
from tests.secrecy.game import Played, table
from tests.secrecy.plants import PLANTS, planted
from tests.secrecy.verdict import Verdict, verdict

ROUNDS = 1000
AT_ONE_TABLE = 50
"""A table holds its rounds in one hearing, whose pages grow with them."""
PLANTED_ROUNDS = 20
BETTER_THAN_CHANCE = 0.01
FOUND = 1e-9
MORE = {"sizes": 2}
"""So many times the rounds for a plant that tells little of each seat: the length of its mark."""


def better_than_chance(p: float, level: float = BETTER_THAN_CHANCE) -> bool:
    """Whether one of as many attackers as there are does better than chance (Bonferroni)."""
    return p * len(ATTACKS) <= level


Guessed = list[tuple[Played, Guesses]]


async def honest(rounds: int, seed: int) -> Mapping[str, Verdict]:
    """Every attacker against the product as it is."""
    guessed: dict[str, Guessed] = {name: [] for name in ATTACKS}
    for at in range(0, rounds, AT_ONE_TABLE):
        with tempfile.TemporaryDirectory(prefix="pingyi-secrecy-") as folder:
            async with table(Path(folder), seed + at) as here:
                for _ in range(min(AT_ONE_TABLE, rounds - at)):
                    _attack(await here.play(), ATTACKS, guessed)
        print(f"{min(at + AT_ONE_TABLE, rounds)} / {rounds}", file=sys.stderr, flush=True)
    return {name: verdict(of) for name, of in guessed.items()}


async def with_plants(rounds: int, seed: int) -> Mapping[str, Verdict]:
    """Every attacker against the product with the leak that it must find."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="pingyi-secrecy-") as folder:
        async with table(Path(folder), seed) as here:
            for name in PLANTS:
                guessed: dict[str, Guessed] = {name: []}
                with planted(name):
                    for _ in range(rounds * MORE.get(name, 1)):
                        _attack(await here.play(), {name: ATTACKS[name]}, guessed)
                found[name] = verdict(guessed[name])
    return found


def _attack(played: Played, attacks: Mapping[str, Attack], guessed: Mapping[str, Guessed]) -> None:
    for name, attack in attacks.items():
        guesses = attack(played.evidence)
        guessed[name].append((played.for_the_verdict(), guesses))


def _line(name: str, one: Verdict, word: str) -> str:
    return (
        f"{name:16}{one.seats:>8}{one.right:>8}{one.expected:>11.1f}{one.right / one.seats:>9.3f}"
        f"{one.p:>12.3g}  {word}"
    )


def main(arguments: Sequence[str]) -> int:
    """Prints one line for each attacker, twice."""
    rounds = int(arguments[0]) if arguments else ROUNDS
    as_it_is = asyncio.run(honest(rounds, seed=1))
    leaking = asyncio.run(with_plants(PLANTED_ROUNDS, seed=2))
    heads = f"{'attacker':16}{'seats':>8}{'right':>8}{'by chance':>11}{'share':>9}{'p':>12}"
    bad = [name for name, one in as_it_is.items() if better_than_chance(one.p)]
    blind = [name for name, one in leaking.items() if one.p > FOUND]
    print(f"The product as it is, {rounds} rounds\n{heads}")
    for name, one in as_it_is.items():
        print(_line(name, one, "BETTER THAN CHANCE" if name in bad else "no better than chance"))
    print(f"\nEach attacker against its plant, {PLANTED_ROUNDS} rounds\n{heads}")
    for name, one in leaking.items():
        print(_line(name, one, "NOT FOUND" if name in blind else "found"))
    return 1 if bad or blind else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
