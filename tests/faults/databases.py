"""R5: PostgreSQL is killed, stopped, frozen, starved and cut off while ballots come by two processes.

An answer is the truth, or it is "unknown": whoever does not know sends the same key again and knows
within thirty seconds. Between the processes and the database stands the proxy, so that a reply to a
commit can be lost on the way: the one moment in which a commit is there and nobody was told.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from tests.faults import export, plants
from tests.faults.clients import SETTLED_S, Http
from tests.faults.experiment import FULL, QUICK, Experiment, Limit, Report
from tests.faults.history import History
from tests.faults.installation import Installation, Wish, in_installations
from tests.faults.proxy import Proxy
from tests.faults.seen import Lookers, Seen, copy_files, copy_rows
from tests.faults.servers import Cluster, cluster
from tests.faults.steady import Steady
from tests.services import free_port

FAULTS = {QUICK: 8, FULL: 200}
EACH = 24
FROZEN_S = {QUICK: 0.6, FULL: 10.0}
LOSING_S = 5.0
"""Within which as many replies are lost as should be, also where few commits come."""
HELD_S = {QUICK: 0.6, FULL: 5.0}
PAUSE_S = {QUICK: 0.2, FULL: 0.1}


@dataclass
class Breaking:
    """What can be done to the database; each gives the moment from which it can answer again."""

    cluster: Cluster
    proxy: Proxy
    chance: random.Random
    database: str
    round: str
    size: str
    place: Path
    files_copied: bool = False

    async def killed(self) -> float:
        """kill -9 of every process, and a start. Once the files that it leaves are copied, its log among
        them; the quick cut has the rows alone."""
        await asyncio.to_thread(self.cluster.kill)
        if self.size == FULL and not self.files_copied:
            self.files_copied = True
            await asyncio.to_thread(copy_files, self.place, "killed", self.cluster.data)
        return await self._start()

    async def stopped(self) -> float:
        """The immediate stop, as when the machine goes down in a hurry."""
        await asyncio.to_thread(self.cluster.stop, signal.SIGQUIT)
        return await self._start()

    async def restarted(self) -> float:
        """The ordinary restart of an upgrade."""
        await asyncio.to_thread(self.cluster.stop)
        return await self._start()

    async def frozen(self) -> float:
        """Nothing of it moves, nothing ends."""
        self.cluster.send(signal.SIGSTOP)
        await asyncio.sleep(FROZEN_S[self.size])
        self.cluster.send(signal.SIGCONT)
        return time.monotonic()

    async def terminated(self) -> float:
        """Every connection is ended by the administrator."""
        await self._terminate()
        return time.monotonic()

    async def starved(self) -> float:
        """Others hold all connections that there are, and ours are ended."""
        held = []
        async with self._administrator() as connection:
            with contextlib.suppress(asyncpg.TooManyConnectionsError):
                for _ in range(self.cluster.connections):
                    held.append(await asyncpg.connect(self.database))
            ours = [one.get_server_pid() for one in held]
            ours.append(connection.get_server_pid())
            await connection.execute(END_OTHERS, ours)
            with contextlib.suppress(asyncpg.TooManyConnectionsError):
                for _ in range(self.cluster.connections):
                    held.append(await asyncpg.connect(self.database))
            await asyncio.sleep(HELD_S[self.size])
            for one in held:
                await one.close()
        return time.monotonic()

    async def locked(self) -> float:
        """Another transaction holds the round: every connection of the pool waits for it."""
        async with self._administrator() as connection:
            async with connection.transaction():
                await connection.execute("SELECT FROM rounds WHERE id = $1 FOR UPDATE", self.round)
                await asyncio.sleep(HELD_S[self.size])
        return time.monotonic()

    async def cut_off(self) -> float:
        """The replies to some commits are lost on the way, and the connections with them."""
        self.proxy.lose_replies(b"COMMIT", self.chance.randint(2, 8))
        deadline = time.monotonic() + LOSING_S
        await asyncio.sleep(0.5)
        while self.proxy.losing and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        self.proxy.lose_replies(b"", 0)
        return time.monotonic()

    async def _start(self) -> float:
        await asyncio.sleep(self.chance.uniform(0, 0.3))
        await asyncio.to_thread(self.cluster.start)
        back = time.monotonic()
        await copy_rows(self.place, "recovered", self.database)
        return back

    async def _terminate(self) -> None:
        async with self._administrator() as connection:
            await connection.execute(END_OTHERS, [connection.get_server_pid()])

    @asynccontextmanager
    async def _administrator(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(self.database)
        try:
            yield connection
        finally:
            await connection.close()

    @property
    def all(self) -> dict[str, Callable[[], Awaitable[float]]]:
        """Every way of breaking it."""
        ways = (self.cut_off, self.killed, self.restarted, self.terminated, self.frozen)
        ways += (self.stopped, self.starved, self.locked)
        return {way.__name__: way for way in ways}


END_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND pid <> ALL($1::int[])"
)

BY_PLANT = {"commit_error_is_a_refusal": ("cut_off",), "commits_not_waited_for": ("killed",)}
"""What brings a planted fault to light; with a plant nothing else is done."""


async def _break(report: Report, steady: Steady, breaking: Breaking, names: Sequence[str]) -> None:
    """One fault after the other, while ballots come."""
    until = asyncio.Event()
    running = asyncio.create_task(steady.run(until))
    ways = breaking.all
    for name in names:
        await asyncio.sleep(breaking.chance.uniform(0.2, 0.5))
        back = await ways[name]()
        report.sample("ballots_again_s", await steady.answered_after(back))
        report.counted[name] += 1
        if not all(server.alive for server in steady.here.servers):
            report.faults.append(f"{name}: a process ended")
    await asyncio.sleep(0.3)
    until.set()
    await running
    for value in steady.unknown_s:
        report.sample("unknown_s", value)


def run(folder: Path, seed: int, size: str, plant: str) -> Report:
    """Groups of faults, each with a database of its own."""
    only, port = BY_PLANT.get(plant, ()), free_port()
    with cluster(durable=size == FULL) as database:

        async def group(place: Path, here: Installation, chance: random.Random, n: int) -> Report:
            report, hall = Report(), here.hall
            async with Proxy(database.port, port=port) as proxy:
                for server in here.servers:
                    await asyncio.to_thread(server.start)
                http = Http(here.port)
                # A plant is caught by the other ballots; the more of them the sooner.
                wanted = [("public", "last"), ("panel", "last")]
                wanted += [] if plant else [("secret", "last")]
                rounds = await export.open_rounds(http, hall, *wanted)
                web, panel, secret = (*rounds, "")[:3]
                breaking = Breaking(database, proxy, chance, here.database, panel, size, place)
                seen = Seen(place)
                lookers = Lookers(hall, here.port, seen, [secret]) if secret else None
                ways = only or tuple(breaking.all)
                names = [ways[k % len(ways)] for k in range(n)]
                with History(place / "histories" / "clients.jsonl") as history:
                    steady = Steady(
                        here, history, chance, web, panel, secret, pause_s=PAUSE_S[size]
                    )
                    # A vote shows a planted fault; a sheet that is refused is looked up once more.
                    steady.seats = 1 if plant else steady.seats
                    await _break(report, steady, breaking, names)
                    if lookers is None:
                        await export.close_rounds(http, hall, rounds, history=history)
                    else:
                        await copy_rows(place, "rows", here.database)
                        await lookers.to_the_end(http, history, rounds)
                seen.close()
                await export.export(place, http, hall, rounds, here.database)
                http.close()
                for server in here.servers:
                    await asyncio.to_thread(server.stop)
            report.counted["faults"] += n
            if steady.errors:
                report.faults.append(f"{steady.errors} ballots were answered 500")
            return report

        wish = Wish(folder, seed, size, 3 if plant else FAULTS[size], EACH)
        through = f"postgresql://pingyi@127.0.0.1:{port}"
        return in_installations(
            wish,
            group,
            plant=plant,
            processes=2,
            postgresql=database.url,
            through=through,
            started=False,
        )


EXPERIMENTS = (
    Experiment(
        name="databases",
        proves="Whatever becomes of PostgreSQL, an answer is the truth and every unknown is settled.",
        trials="faults",
        run=run,
        plants=plants.of("commit_error_is_a_refusal", "commits_not_waited_for"),
        limits=(Limit("unknown_s", "max", SETTLED_S, quick=SETTLED_S),),
    ),
)
