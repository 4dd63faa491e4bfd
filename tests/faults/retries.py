"""R3: every ballot is sent one to twenty times over connections that are cut, and counts once.

A tenth of the requests and a tenth of the replies get lost on the way; other connections are late or
come in slices. Repeats come in any order, also after the viewer's newer vote and after the closing:
each gets the first answer, and undoes nothing.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults import export, plants
from tests.faults.clients import AT_ONCE, Http, send_ballot, send_votes
from tests.faults.experiment import FULL, QUICK, Experiment, Report
from tests.faults.hall import Hall, sheet, votes
from tests.faults.history import Act, History
from tests.faults.installation import Installation, Wish, in_installations
from tests.faults.proxy import Plan, Proxy, Way, seeded

BALLOTS = {QUICK: 160, FULL: 100_000}
EACH = 5_000
"""Ballots of one hearing."""
MOST_SENDS = 20
CONNECTIONS = 12
"""How many send at the same time."""
FEW = 0.05
"""The share of panel ballots."""


@dataclass
class Sending:
    """A ballot, and how often it is still to be sent. It waits for the one that it follows."""

    act: Act
    left: int
    after: Sending | None = None
    acknowledged: bool = False

    @property
    def due(self) -> bool:
        """Whether it may be sent now."""
        return self.wanted and (self.after is None or self.after.acknowledged)

    @property
    def wanted(self) -> bool:
        """Whether it is to be sent at all: so often as was drawn, and until somebody knows."""
        return self.left > 0 or not self.acknowledged


def lossy(sent: int, answered: int, share: float) -> Callable[[random.Random], Plan]:
    """Plans by which `share` of the connections is cut somewhere in so many bytes that go up, as many
    in those that come down."""

    def draw(chance: random.Random) -> Plan:
        lot, cut = chance.random(), chance.random()
        reset = chance.random() < 0.5
        if lot < share:
            return Plan(up=Way(cut_after=int(cut * sent), reset=reset))
        if lot < 2 * share:
            return Plan(down=Way(cut_after=int(cut * answered), reset=reset))
        if lot < 2 * share + 0.1:
            return Plan(up=Way(delay_s=0.02 * cut), down=Way(delay_s=0.02))
        if lot < 2 * share + 0.2:
            return Plan(up=Way(slice=1 + int(cut * 300)), down=Way(slice=1 + int(cut * 300)))
        return Plan()

    return draw


@dataclass
class Post:
    """All ballots of a hearing on their way."""

    hall: Hall
    history: History
    chance: random.Random
    socket_port: int
    http_port: int
    votes: list[Sending] = field(default_factory=list)
    sheets: list[Sending] = field(default_factory=list)

    async def carry(self) -> None:
        """Until each was sent as often as it should be and is known to be there."""
        waiting = list(self.votes)
        while waiting:
            self.chance.shuffle(waiting)
            due = [one for one in waiting if one.due][: CONNECTIONS * AT_ONCE // 2]
            pieces = [due[at : at + AT_ONCE // 2] for at in range(0, len(due), AT_ONCE // 2)]
            await asyncio.gather(*(self._piece(n, piece) for n, piece in enumerate(pieces)))
            waiting = [one for one in waiting if one.wanted]

    async def _piece(self, n: int, piece: Sequence[Sending]) -> None:
        acts = [one.act for one in piece]
        client = f"socket-{n}"
        port, hall = self.socket_port, self.hall
        left = await send_votes(
            self.history, client, port, hall.slug, hall.tokens, acts, patience=5.0
        )
        unknown = {act.key for act in left}
        for one in piece:
            one.left -= 1
            one.acknowledged |= one.act.key not in unknown

    async def carry_sheets(self) -> None:
        """The panel's, each request over a connection of its own; seats send one after the other."""
        by_seat: dict[str, list[Sending]] = {}
        for one in self.sheets:
            by_seat.setdefault(one.act.who, []).append(one)
        await asyncio.gather(*(self._seat(seat, mine) for seat, mine in by_seat.items()))

    async def _seat(self, seat: str, mine: list[Sending]) -> None:
        chance = random.Random(self.chance.random())
        while waiting := [one for one in mine if one.due]:
            one = chance.choice(waiting)
            http = Http(self.http_port, 5.0)
            told, _ = await send_ballot(
                self.history, seat, http, one.act, self.hall.seats[one.act.who]
            )
            http.close()
            one.left -= 1
            one.acknowledged |= told == "ok"


def run(folder: Path, seed: int, size: str, plant: str) -> Report:
    """Groups of ballots, each with a hearing of its own."""
    wish = Wish(folder, seed, size, BALLOTS[size], EACH)
    return in_installations(wish, _group, plant=plant)


async def _group(folder: Path, here: Installation, chance: random.Random, n: int) -> Report:
    report, http = Report(), Http(here.port)
    rounds = await export.open_rounds(http, here.hall, ("public", "last"), ("panel", "last"))
    per_socket, per_request = lossy(6500, 6000, 0.2), lossy(450, 350, 0.12)
    async with (
        Proxy(here.port, seeded(f"sockets {chance.random()}", per_socket)) as sockets,
        Proxy(here.port, seeded(f"requests {chance.random()}", per_request)) as requests,
    ):
        with History(folder / "histories" / "clients.jsonl") as history:
            post = Post(here.hall, history, chance, sockets.port, requests.port)
            _fill(post, rounds[0], rounds[1], n)
            await asyncio.gather(post.carry(), post.carry_sheets())
            for round_ in rounds:
                history.closing("host", round_)
                await export.close_rounds(http, here.hall, [round_])
                history.closed("host", round_)
            await _afterwards(post, here.port)
        report.counted["connections"] = sockets.count + requests.count
    await export.export(folder, http, here.hall, rounds, here.database)
    http.close()
    return report


def _fill(post: Post, web: str, panel: str, n: int) -> None:
    """So many ballots: every viewer and every seat changes its mind."""
    chance = post.chance
    few = int(n * FEW)
    seats = list(post.hall.seats)[: few // 2]
    for seat in seats:
        before = None
        for _ in range(few // len(seats)):
            before = Sending(sheet(chance, panel, seat), chance.randint(1, MOST_SENDS), before)
            post.sheets.append(before)
    others = votes(post.hall, chance, web, (n - len(post.sheets)) // 2, 2)
    before = None
    for act in others:
        after = before if before is not None and before.act.who == act.who else None
        before = Sending(act, chance.randint(1, MOST_SENDS), after)
        post.votes.append(before)


async def _afterwards(post: Post, port: int) -> None:
    """Once more after the closing, over sound connections: the first answer still."""
    http = Http(port)
    some = post.chance.sample(post.votes, min(100, len(post.votes)))
    for at in range(0, len(some), AT_ONCE // 2):
        acts = [one.act for one in some[at : at + AT_ONCE // 2]]
        left = await send_votes(post.history, "late", port, post.hall.slug, post.hall.tokens, acts)
        assert not left, "a repeat after the closing was not answered"
    for one in post.chance.sample(post.sheets, min(20, len(post.sheets))):
        token = post.hall.seats[one.act.who]
        told, _ = await send_ballot(post.history, "late", http, one.act, token)
        assert told != "info", "a repeat after the closing was not answered"
    http.close()


EXPERIMENTS = (
    Experiment(
        name="retries",
        proves="A ballot that is sent again counts once, is answered the same, and undoes nothing.",
        trials="ballots",
        run=run,
        plants=plants.of("key_scoped_to_the_connection"),
    ),
)
