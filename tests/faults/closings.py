"""R4: a round closes while two hundred ballots come within fifty milliseconds before and after.

Each is before the close and counts, or after it and is refused. By one process on SQLite, by one and
by three on PostgreSQL, where ballots and closing come by different ones. Then the result goes to the
stage as fast as programs can have it: the machine tallies, the host certifies and publishes at once.

In the flood, votes come by all processes without end: a round closes all the same, and soon.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults import export, plants
from tests.faults.clients import Http, Socket, messages, send_ballot, send_votes, settle
from tests.faults.experiment import FULL, QUICK, Experiment, Limit, Report
from tests.faults.hall import sheet, votes
from tests.faults.history import Act, History
from tests.faults.installation import Installation, Wish, in_installations
from tests.faults.servers import cluster, redis

CLOSINGS = {QUICK: 6, FULL: 500}
"""Of each set-up."""
FLOODS = {QUICK: 2, FULL: 50}
EACH = 25
BALLOTS = {QUICK: 60, FULL: 200}
AROUND_S = 0.05
SOCKETS = 20
FLOOD_S = 2.0
"""Of votes without end before the closing is asked for."""
GIVES_UP_S = 10.0
"""After which the flood ends, and the closing has failed."""
LEAD_S = 0.15
"""From the first preparation to the closing: everything is connected by then."""


class NotPublished(Exception):
    """The result was not published: the product found that it does not add up."""


class Stage:
    """What the stage's socket has shown of one round."""

    def __init__(self, round_: str) -> None:
        self._round, self._seen, self._news = round_, set[str](), asyncio.Event()

    def heard(self, frame: dict[str, Any]) -> None:
        """A frame: a snapshot, or an act's cue."""
        self._seen.add(frame["type"])
        for one in (frame.get("state") or frame.get("data") or {}).get("rounds", ()):
            if one["id"] == self._round:
                self._seen.add(one["status"])
        self._news.set()

    async def came(self, what: str) -> None:
        """Waits for the snapshot, or for the round to be in a state."""
        async with asyncio.timeout(20):
            while what not in self._seen:
                await self._news.wait()
                self._news.clear()


@dataclass
class Trial:
    """One closing."""

    here: Installation
    history: History
    chance: random.Random
    round: str = ""
    closing_s: float = 0.0
    """What the closing's answer took."""
    unknown: list[Act] = field(default_factory=list)
    _closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, ballots: int, kind: str) -> float:
        """`votes`, `sheets` or a `flood`. Gives the seconds from the closing's answer to the result on the stage."""
        here, chance = self.here, self.chance
        http = Http(chance.choice(here.servers).port)
        audience = "panel" if kind == "sheets" else "public"
        self.round = (await export.open_rounds(http, here.hall, (audience, "last")))[0]
        stage = Stage(self.round)
        socket = await Socket.connect(
            chance.choice(here.servers).port,
            here.hall.slug,
            stage.heard,
            page="stage",
            token=here.hall.host,
        )
        try:
            await stage.came("snapshot")
            at = time.monotonic() + LEAD_S
            at += FLOOD_S if kind == "flood" else 0
            ending = asyncio.create_task(self._close(http, stage, at))
            sending = {"votes": self._votes, "sheets": self._sheets, "flood": self._flood}
            await sending[kind](ballots, at)
            self.unknown = await settle(self.history, here.port, here.hall, self.unknown)
            return await ending
        finally:
            socket.close()
            http.close()

    async def _close(self, http: Http, stage: Stage, at: float) -> float:
        host = self.here.hall.host
        await asyncio.sleep(at - time.monotonic())
        began = time.monotonic()
        self.history.closing("host", self.round)
        await http.json("POST", f"/rounds/{self.round}/closing", host, {})
        self.history.closed("host", self.round)
        closed = time.monotonic()
        self.closing_s = closed - began
        self._closed.set()
        await stage.came("tallied")
        await http.json("POST", f"/rounds/{self.round}/certification", host, {})
        told = {"audience": "public"}
        path = f"/api/v1/rounds/{self.round}/publication"
        status, answer = await http.ask("POST", path, host, told)
        if status != 200:
            raise NotPublished(answer.decode())
        await stage.came("published")
        return time.monotonic() - closed

    def _when(self, at: float, acts: Sequence[Act]) -> list[tuple[float, Act]]:
        return [(at + self.chance.uniform(-AROUND_S, AROUND_S), act) for act in acts]

    async def _votes(self, n: int, at: float) -> None:
        acts = self._when(at, votes(self.here.hall, self.chance, self.round, n, 1))
        await asyncio.gather(*(self._socket(k, acts[k::SOCKETS]) for k in range(SOCKETS)))

    async def _flood(self, _: int, at: float) -> None:
        """Votes in pieces, one after the other, until the round is closed or will not be."""
        await asyncio.gather(*(self._pieces(k, at + GIVES_UP_S) for k in range(SOCKETS)))

    async def _pieces(self, k: int, until: float) -> None:
        here, client = self.here, f"socket-{k}"
        port = here.servers[k % len(here.servers)].port
        while not self._closed.is_set() and time.monotonic() < until:
            acts = votes(here.hall, self.chance, self.round, 12, 3)
            self.unknown += await send_votes(
                self.history, client, port, here.hall.slug, here.hall.tokens, acts
            )

    async def _socket(self, k: int, acts: list[tuple[float, Act]]) -> None:
        """One socket says several viewers' votes, each at its time."""
        here, client = self.here, f"socket-{k}"
        waiting = {act.key: act for _, act in acts}
        over = asyncio.get_running_loop().create_future()

        def heard(frame: dict[str, Any]) -> None:
            act = waiting.pop(frame.get("key") or "", None)
            if act is None:
                return
            if frame["type"] == "ack":
                self.history.ok(client, act, frame)
            elif frame["type"] == "refusal":
                self.history.fail(client, act, frame["code"])
            else:
                self.history.info(client, act, "unknown")
                self.unknown.append(act)
            if not waiting:
                over.set_result(None)

        port = here.servers[k % len(here.servers)].port
        socket = await Socket.connect(port, here.hall.slug, heard)
        for due, act in sorted(acts, key=lambda one: one[0]):
            await asyncio.sleep(due - time.monotonic())
            self.history.invoke(client, act)
            socket.say(messages([act], here.hall.tokens))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(20):
                await over
        socket.close()
        for act in waiting.values():
            self.history.info(client, act, "not answered")
            self.unknown.append(act)

    async def _sheets(self, n: int, at: float) -> None:
        hall = self.here.hall
        acts = [sheet(self.chance, self.round, seat) for seat in hall.seats]
        acts += [
            sheet(self.chance, self.round, self.chance.choice(list(hall.seats)))
            for _ in range(n - len(acts))
        ]
        await asyncio.gather(*(self._sheet(k, *one) for k, one in enumerate(self._when(at, acts))))

    async def _sheet(self, k: int, due: float, act: Act) -> None:
        http = Http(self.here.servers[k % len(self.here.servers)].port)
        await asyncio.sleep(due - time.monotonic())
        told, _ = await send_ballot(
            self.history, f"tablet-{k}", http, act, self.here.hall.seats[act.who]
        )
        if told == "info":
            self.unknown.append(act)
        http.close()


def run_on(processes: int, *, postgresql: bool, flood: bool = False) -> Any:
    """The experiment with so many processes."""

    def run(folder: Path, seed: int, size: str, plant: str) -> Report:
        async def group(place: Path, here: Installation, chance: random.Random, n: int) -> Report:
            report, rounds = Report(), []
            with History(place / "histories" / "clients.jsonl") as history:
                for k in range(n):
                    trial = Trial(here, history, chance)
                    try:
                        kind = "flood" if flood else "sheets" if k % 4 == 1 else "votes"
                        took = await trial.run(BALLOTS[size], kind)
                        report.sample("on_stage_s", took)
                    except NotPublished as error:
                        report.faults.append(f"{trial.round}: {error}")
                    report.sample("closing_s", trial.closing_s)
                    rounds.append(trial.round)
            http = Http(here.port)
            await export.export(place, http, here.hall, rounds, here.database)
            http.close()
            report.counted["closings"] += n
            return report

        wanted = (FLOODS if flood else CLOSINGS)[size]
        wish = Wish(folder, seed, size, wanted, EACH)
        with contextlib.ExitStack() as stack:
            options: dict[str, Any] = {"plant": plant, "processes": processes}
            if postgresql:
                options["postgresql"] = stack.enter_context(cluster(durable=size == FULL)).url
                options["redis"] = stack.enter_context(redis()).url
            return in_installations(wish, group, **options)

    return run


EXPERIMENTS = tuple(
    Experiment(
        name=name,
        proves="Every ballot is wholly before the close or wholly after it, and told so.",
        trials="closings",
        run=run_on(processes, postgresql=postgresql),
        plants=plants.of("closing_checked_outside"),
        limits=(Limit("on_stage_s", "p99", 1.0),),
    )
    for name, processes, postgresql in (
        ("closings-sqlite", 1, False),
        ("closings-postgresql", 1, True),
        ("closings-3-processes", 3, True),
    )
)

EXPERIMENTS += (
    Experiment(
        name="closings-in-a-flood",
        proves="A round closes soon although votes come by three processes without end.",
        trials="closings",
        run=run_on(3, postgresql=True, flood=True),
        plants=plants.of("closing_waits_for_silence"),
        limits=(Limit("closing_s", "max", 1.0, quick=5.0),),
    ),
)
