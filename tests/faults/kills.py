"""R1: the server is killed again and again while ballots are under way, and nothing is lost or doubled.

Votes come over sockets in pieces of some fifty, panel ballots by HTTP, all the time; the process is
killed (-9) at a random millisecond, and each third time at a named point, where it ends itself. Then
it starts on what is there, and whoever heard no answer sends the same key again.

One of the rounds is secret, and each of its marks can be told from everything else. People look at every
page while it is open, and what lies on the disk is copied where a kill has left it, so that the
checker can look for the marks; then it is closed, certified and published, step by step.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults import export, plants
from tests.faults.clients import AT_ONCE, Http, send_ballot, send_votes, settle
from tests.faults.experiment import FULL, QUICK, Experiment, Limit, Report
from tests.faults.hall import Hall, secret_sheet, sheet, votes
from tests.faults.history import Act, History
from tests.faults.installation import Installation, Wish, in_installations
from tests.faults.seen import Lookers, Seen, SeenHttp, copy_backup, copy_files
from tests.faults.servers import Server

KILLS = {QUICK: 20, FULL: 1000}
EACH = 25
"""Kills of one hearing: what it has stored by then is read at each start, and checked as a whole."""
NAMED = ("before_reply", "after_commit", "before_commit")
"""The points of every third kill, in turn."""
SOCKETS = {QUICK: 4, FULL: 8}
SEATS = 4
"""Clients that send at the same time."""
MOST = {QUICK: 300, FULL: 3400}
"""Ballots that a start acknowledges, before a kill at random comes within `SOON_S`."""
SOON_S = 0.03
LOOKS = {QUICK: 10, FULL: 6}
"""Each so many kills everybody looks at everything, and what the kill leaves is copied."""
LONGEST_S = 5.0
"""After which it is killed wherever it is."""


@dataclass
class Storm:
    """Clients that send without end, until the server is gone, what is unknown first."""

    hall: Hall
    server: Server
    history: History
    chance: random.Random
    size: str
    open_rounds: Sequence[str]
    panel: str
    secret: str
    seen: Seen
    unknown: deque[Act] = field(default_factory=deque)
    sheets: dict[str, Act] = field(default_factory=dict)
    """Panel ballots of which nobody knows, by seat."""
    acknowledged: int = 0

    async def blow(self, until: asyncio.Event) -> None:
        """All clients, until the server is gone or the event comes."""
        seats = list(self.hall.seats)[:SEATS]
        await asyncio.gather(
            *(self._votes(n, until) for n in range(SOCKETS[self.size])),
            *(self._sheets(seat, until) for seat in seats),
        )

    def _next(self) -> list[Act]:
        """What is unknown, else new: viewers who change their minds."""
        if self.unknown:
            return [self.unknown.popleft() for _ in range(min(AT_ONCE // 2, len(self.unknown)))]
        round_ = self.chance.choice(self.open_rounds)
        return votes(self.hall, self.chance, round_, viewers=12, each=3)

    async def _votes(self, n: int, until: asyncio.Event) -> None:
        while not until.is_set() and self.server.alive:
            acts = self._next()
            left = await send_votes(
                self.history,
                f"socket-{n}",
                self.server.port,
                self.hall.slug,
                self.hall.tokens,
                acts,
                patience=5.0,
            )
            self.acknowledged += len(acts) - len(left)
            self.unknown.extend(left)
            if left:
                await asyncio.sleep(0.01)

    async def _sheets(self, seat: str, until: asyncio.Event) -> None:
        http = SeenHttp(self.server.port, 5.0, self.seen, seat)
        while not until.is_set() and self.server.alive:
            act = self.sheets.get(seat) or self._sheet(seat)
            self.sheets[seat] = act
            told, _ = await send_ballot(self.history, seat, http, act, self.hall.seats[seat])
            if told == "info":
                await asyncio.sleep(0.01)
            else:
                del self.sheets[seat]
                self.acknowledged += told == "ok"
        http.close()

    def _sheet(self, seat: str) -> Act:
        if self.chance.random() < 0.5:
            return sheet(self.chance, self.panel, seat)
        return secret_sheet(self.hall, self.chance, self.secret, seat)

    async def settle(self) -> None:
        """Whoever does not know asks once more, until all do; then each seat changes its sealed sheet,
        so that this process, too, has seen some."""
        acts = [*self.unknown, *self.sheets.values()]
        acts += [
            secret_sheet(self.hall, self.chance, self.secret, seat)
            for seat in list(self.hall.seats)[:SEATS]
        ]
        await settle(self.history, self.server.port, self.hall, acts)


def run(folder: Path, seed: int, size: str, plant: str) -> Report:
    """Groups of kills, each with a hearing of its own."""

    async def group(place: Path, here: Installation, chance: random.Random, kills: int) -> Report:
        report, hall, server = Report(), here.hall, here.servers[0]
        http = Http(server.port)
        wanted = (("public", "last"), ("public", "first"), ("panel", "last"), ("secret", "last"))
        rounds = web, once, panel, secret = await export.open_rounds(http, hall, *wanted)
        server.stop()
        seen = Seen(place)
        lookers = Lookers(hall, server.port, seen, [secret], asking=not plant)
        with History(place / "histories" / "clients.jsonl") as history:
            public = [web, web, web, once]
            storm = Storm(hall, server, history, chance, size, public, panel, secret, seen)
            for n in range(kills):
                looks = (n + 1) % LOOKS[size] == 0
                await _one(report, storm, n, lookers if looks else None)
                if looks or n == kills - 1:
                    copy_files(place, "killed", server.data)
            await _start(report, storm)
            await storm.settle()
            copy_files(place, "running", server.data)
            copy_backup(place, server.data)
            await lookers.to_the_end(http, history, rounds)
        seen.close()
        await export.export(place, http, hall, rounds, here.database)
        http.close()
        report.counted["kills"] += kills
        return report

    wish = Wish(folder, seed, size, PLANTED.get(plant, 3) if plant else KILLS[size], EACH)
    return in_installations(wish, group, plant=plant)


PLANTED = {"mark_is_told": 1, "mark_beside_its_box": 1}
"""Kills that are enough for a plant."""


async def _one(report: Report, storm: Storm, n: int, lookers: Lookers | None) -> None:
    """One kill: a start, ballots, the end."""
    server, chance = storm.server, storm.chance
    point = NAMED[n // 3 % len(NAMED)] if n % 3 == 0 else ""
    armed = f"{point}:{chance.randint(2, 400 if point == 'before_reply' else 20)}" if point else ""
    await _start(report, storm, kill=armed, ordinary=storm.size == FULL and n % 10 == 0)
    if lookers is not None:
        await lookers.look()
    until = asyncio.Event()
    blowing = asyncio.create_task(storm.blow(until))
    enough = storm.acknowledged + (1 << 30 if point else chance.randint(0, MOST[storm.size]))
    deadline = time.monotonic() + LONGEST_S
    while server.alive and storm.acknowledged < enough and time.monotonic() < deadline:
        await asyncio.sleep(0.002)
    await asyncio.sleep(0 if point else chance.uniform(0, SOON_S))
    report.counted[point if not server.alive else "random"] += 1
    server.kill()
    until.set()
    await blowing


async def _start(report: Report, storm: Storm, *, kill: str = "", ordinary: bool = False) -> None:
    took = await asyncio.to_thread(storm.server.start, kill=kill, ordinary=ordinary)
    report.sample("serving_again_s" if ordinary else "serving_again_born_s", took)


EXPERIMENTS = (
    Experiment(
        name="kills",
        proves="No acknowledged ballot is lost, doubled or invented when the process is killed; no sealed"
        " mark is seen.",
        trials="kills",
        run=run,
        plants=plants.of("acknowledged_before_commit", "key_not_looked_up", *PLANTED),
        limits=(Limit("serving_again_s", "max", 3.0),),
    ),
)
