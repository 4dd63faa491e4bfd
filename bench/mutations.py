"""Random mutations of bundles against their published roots: how many the verifier finds.

Six kinds (`tests/reports/mutations.py`), in equal parts, on both editions of the five rounds of the
tests. Beside that: bundles of drawn rounds that nobody touched, none of which may be refused, and the
planted fault, a verifier that does not look at one member, which must be caught by the same count.

    python -m bench.mutations [--mutations 100000] [--clean 10000] [--seed 1]
"""

from __future__ import annotations

import argparse
import io
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Mapping
from random import Random
from unittest import mock

from server.domain.tally import TallyRefused
from server.reports import tools, verify
from tests.reports.documents import ballots, composite, document
from tests.reports.making import bundle, panel_material
from tests.reports.mutations import KINDS, mutated
from tests.reports.rounds import EDITIONS, ROUNDS, material_of
from tests.reports.test_second_tally import settled

EVERY = 11
"""Each so many mutations one is tried without the root as well."""
LOOKED_OVER = "README.txt"
"""The member that the planted fault does not look at."""


class Anything(str):
    """A hash that is equal to every other."""

    __slots__ = ()

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = str.__hash__


def zipped(members: Mapping[str, bytes]) -> io.BytesIO:
    """The members as a zip, not packed."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name in sorted(members):
            made.writestr(name, members[name])
    return file


def found(members: Mapping[str, bytes], root: str | None) -> bool:
    """Whether the verifier finds a difference; any other error ends the run."""
    try:
        verify.verify(zipped(members), root)
    except verify.Difference:
        return True
    return False


def mutations(n: int, seed: int) -> tuple[Counter[str], ...]:
    """(made, missed against the root, tried without it, found even so) by kind."""
    r = Random(seed)
    bundles = [bundle(material_of(name, tools())) for name in ROUNDS]
    made, missed, tried, alone = (Counter[str]() for _ in range(4))
    for i in range(n):
        kind = list(KINDS)[i % len(KINDS)]
        one, edition = r.choice(bundles), r.choice(EDITIONS)
        damaged = mutated(r, dict(one.editions[edition]), kind)
        made[kind] += 1
        missed[kind] += not found(damaged, one.root)
        if i % EVERY == 0:
            tried[kind] += 1
            alone[kind] += found(damaged, None)
        _progress(i, n)
    return made, missed, tried, alone


def clean(n: int, seed: int) -> tuple[int, int]:
    """(bundles of drawn rounds, how many of them were refused)."""
    r, made, refused = Random(seed), 0, 0
    while made < n:
        rules = settled(composite(r)) if r.random() < 0.2 else document(r)
        rows = ballots(r, rules, r.choice((9, 30)))
        try:
            one = bundle(panel_material(r, rules, rows, r.choice(("named", "secret"))), made)
        except TallyRefused:
            continue
        refused += found(one.editions[EDITIONS[made % 2]], one.root)
        made += 1
        _progress(made, n)
    return made, refused


def planted(n: int, seed: int) -> int:
    """How many mutations a verifier misses that does not look at one member."""
    read = verify.read_manifest

    def careless(data: bytes) -> verify.Manifest:
        manifest = read(data)
        editions = {
            edition: {**members, LOOKED_OVER: Anything()}
            for edition, members in manifest.editions.items()
        }
        return manifest._replace(editions=editions)

    with mock.patch.object(verify, "read_manifest", careless):
        return mutations(n, seed)[1].total()


def _progress(i: int, n: int) -> None:
    if sys.stderr.isatty() and i % 500 == 0:
        sys.stderr.write(f"\r{i} / {n} ")


def main() -> int:
    """Prints the counts; 1 when a mutation was missed, a clean bundle refused or the fault not seen."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--mutations", type=int, default=100_000)
    parser.add_argument("--clean", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    begun = time.perf_counter()
    made, missed, tried, alone = mutations(asked.mutations, asked.seed)
    took = time.perf_counter() - begun
    for kind in KINDS:
        print(
            f"{kind:10} {made[kind]:7} made, {missed[kind]} missed;"
            f" without the root {alone[kind]} of {tried[kind]} are found"
        )
    print(f"{made.total() - missed.total()} of {made.total()} mutations found in {took:.0f} s")
    untouched, refused = clean(asked.clean, asked.seed)
    print(f"{refused} of {untouched} untouched bundles refused")
    overlooked = planted(max(600, asked.mutations // 100), asked.seed)
    print(
        f"planted fault (a member that is not looked at): {overlooked} mutations missed, as it must"
    )
    return 0 if not missed.total() and not refused and overlooked else 1


if __name__ == "__main__":
    raise SystemExit(main())
