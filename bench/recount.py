"""How long a public round of a million votes takes to count again, from the stored rows alone.

`python -m bench.recount [VOTES]` fills both databases through the ballot box, one voter in ten having
changed the choice once, and prints for each the seconds of a recount, of the ballots' file with its
hash, and of a whole tally (`closed → tallied`) with the longest that the process's other work waited
meanwhile. A database server is started on the other core.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import tempfile
import time
from pathlib import Path

from bench.box import batch
from server.actions.close_round import close_round
from server.actions.open_round import open_round
from server.actions.tally_round import ballots_csv, tally_round
from server.domain.public_acts import Vote
from tests.house import home
from tests.services import create_database, postgresql


async def measure(engine: str, database: str, votes: int) -> None:
    """Fills, counts and prints."""
    with tempfile.TemporaryDirectory() as folder:
        async with home(Path(folder) / "data", database) as hall:
            await hall.go_live()
            round_ = next(r for r in (await hall.view()).rounds if r.audience == "public")
            await open_round(hall.house, hall.person("host"), round_.id)
            voters = [secrets.token_urlsafe(12) for _ in range(votes * 10 // 11)]
            choices = [key for key, _ in round_.choices]
            again = voters[: votes - len(voters)]
            cast = [
                Vote(voter, secrets.token_hex(12), round_.id, choices[n % len(choices)], 1)
                for n, voter in enumerate([*voters, *again])
            ]
            told = await batch(hall.building.box, cast)
            async with hall.building.store.look(slug=hall.slug) as unit:
                began = time.monotonic()
                counts, people = await unit.votes.recount(round_.id)
                recount = time.monotonic() - began
                now = await unit.rounds.get(round_.id)
                assert now is not None
                assert people == now.cast == len(voters), (told, now.cast)
                assert counts == {k: n for k, n in now.counts.items() if n}
                began = time.monotonic()
                file = await ballots_csv(unit, now)
                written = time.monotonic() - began
            await close_round(hall.house, hall.person("host"), round_.id)
            watch = asyncio.create_task(longest_wait())
            began = time.monotonic()
            await tally_round(hall.house, hall.person("host"), round_.id)
            tallied = time.monotonic() - began
            watch.cancel()
            print(
                f"{engine}: {len(cast):,} votes of {people:,}: recount {recount:.2f} s (≤ 2 s), "
                f"file of {len(file) / 1e6:.0f} MB {written:.2f} s, tally {tallied:.2f} s, "
                f"others waited {max(WAITS):.2f} s",
                flush=True,
            )


WAITS: list[float] = [0.0]


async def longest_wait() -> None:
    """Notes how late this task is each time that it would go on."""
    WAITS[:] = [0.0]
    while True:
        at = time.monotonic()
        await asyncio.sleep(0.005)
        WAITS.append(time.monotonic() - at - 0.005)


def main() -> None:
    """Both engines."""
    votes = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    os.sched_setaffinity(0, {0})
    asyncio.run(measure("sqlite", "", votes))
    os.sched_setaffinity(0, {1})
    with postgresql(durable=True) as url:
        os.sched_setaffinity(0, {0})
        asyncio.run(measure("postgresql", create_database(url, "bench"), votes))


if __name__ == "__main__":
    main()
