"""What the ballot box carries: acts decided, stored and committed, without any socket.

`python -m bench.box sqlite|postgresql VOTES`, on one core; a database server is started on the
other. Prints a JSON line for each quarter of the votes, all in one round, so that it shows whether
the box becomes slower as the table fills; and one for 同问 and for questions.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from server.actions.ask_question import question_of
from server.actions.open_round import open_round
from server.domain.public_acts import Done, PublicAct, Support, Vote
from tests.house import home
from tests.services import create_database, postgresql

OTHERS = 40_000
"""Supports, and questions, that are put in after the votes."""
UNDER_WAY = 12_000
"""Votes that wait at most, as many as a crowd leaves there in a third of a second."""


async def fill(database: str, votes: int) -> None:
    """Four times a quarter of the votes, distinct voters and random keys."""
    with tempfile.TemporaryDirectory() as folder:
        async with home(Path(folder) / "data", database) as hall:
            await hall.go_live()
            round_ = next(r for r in (await hall.view()).rounds if r.audience == "public")
            await open_round(hall.house, hall.person("host"), round_.id)
            stored = 0
            for _ in range(4):
                told = await batch(
                    hall.building.box,
                    [
                        Vote(secrets.token_urlsafe(12), secrets.token_hex(12), round_.id, "good", 1)
                        for _ in range(votes // 4)
                    ],
                )
                stored += votes // 4
                async with hall.building.store.look(slug=hall.slug) as unit:
                    after = await unit.rounds.get(round_.id)
                assert after is not None
                _say(database, "votes", {**told, "stored": stored, "counted": after.cast})
            code = next(q.code for q in (await hall.view()).questions if q.status == "approved")
            supports = [
                Support(secrets.token_urlsafe(12), secrets.token_hex(12), hall.slug, code, True, 1)
                for _ in range(OTHERS)
            ]
            _say(database, "supports", await batch(hall.building.box, supports))
            text = "请问这条路什么时候修好，由哪个单位负责？"
            asks = [
                question_of(
                    hall.house,
                    secrets.token_urlsafe(12),
                    secrets.token_hex(12),
                    hall.slug,
                    text,
                    None,
                )
                for _ in range(OTHERS)
            ]
            _say(database, "questions", await batch(hall.building.box, asks))


def _say(database: str, kind: str, told: dict[str, Any]) -> None:
    engine = database.split(":")[0] or "sqlite"
    print(json.dumps({"database": engine, "kind": kind, **told}), flush=True)


async def batch(box: Any, acts: Sequence[PublicAct]) -> dict[str, Any]:
    """Hands the acts to the box as a crowd would; how many a second were told, and at what cost."""
    n = left = len(acts)
    refused, over = 0, asyncio.Event()

    def told(outcome: object) -> None:
        nonlocal left, refused
        left -= 1
        refused += not isinstance(outcome, Done)
        if not left:
            over.set()

    began, used = time.monotonic(), time.process_time()
    for at in range(0, n, 2000):
        while box.waiting > UNDER_WAY:
            await asyncio.sleep(0.002)
        for act in acts[at : at + 2000]:
            box.submit(act, told)
        await asyncio.sleep(0)
    await over.wait()
    took, used = time.monotonic() - began, time.process_time() - used
    return {
        "n": n,
        "per_s": round(n / took),
        "us_each": round(used / n * 1e6, 1),
        "refused": refused,
    }


def main() -> int:
    """One engine."""
    engine, votes = sys.argv[1], int(sys.argv[2])
    if engine == "sqlite":
        os.sched_setaffinity(0, {0})
        asyncio.run(fill("", votes))
        return 0
    os.sched_setaffinity(0, {1})  # What is started inherits it; this process goes to the other.
    with postgresql(durable=True) as url:
        os.sched_setaffinity(0, {0})
        asyncio.run(fill(create_database(url, "bench"), votes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
