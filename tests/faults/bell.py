"""R6: Redis is killed, frozen, flushed and restarted empty under several processes: ballots never notice.

It carries the bell and nothing else. While it is gone ballots are acknowledged as fast as ever; when
it is back, what every process shows is the same within five seconds, whichever an act came by.
"""

from __future__ import annotations

import asyncio
import random
import re
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults import export, plants
from tests.faults.clients import Http
from tests.faults.experiment import FULL, QUICK, Experiment, Limit, Report
from tests.faults.history import History
from tests.faults.installation import Installation, Wish, in_installations
from tests.faults.servers import Redis, cluster, redis
from tests.faults.steady import Steady
from tests.faults.views import View

FAULTS = {QUICK: 4, FULL: 100}
EACH = 20
PROCESSES = {QUICK: 2, FULL: 3}
FROZEN_S = {QUICK: 2.3, FULL: 30.0}
GONE_S = {QUICK: 0.4, FULL: 2.0}
EQUAL_S = 5.0
SHOWN = re.compile(rb'data-version="(\d+)"')


@dataclass
class Breaking:
    """What can be done to Redis; while it is done, ballots are timed."""

    redis: Redis
    size: str

    async def frozen(self) -> None:
        """Nothing of it moves, nothing ends."""
        self.redis.send(signal.SIGSTOP)
        await asyncio.sleep(FROZEN_S[self.size])
        self.redis.send(signal.SIGCONT)

    async def killed(self) -> None:
        """kill -9; later it is back, empty."""
        self.redis.kill()
        await asyncio.sleep(GONE_S[self.size])
        await asyncio.to_thread(self.redis.start)

    async def flushed(self) -> None:
        """Everything in it is gone."""
        await asyncio.to_thread(self.redis.say, "FLUSHALL")

    async def restarted(self) -> None:
        """Back at once, empty; whoever listened is cut off."""
        self.redis.kill()
        await asyncio.to_thread(self.redis.start)

    @property
    def all(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Every way of breaking it."""
        ways = (self.frozen, self.killed, self.flushed, self.restarted)
        return {way.__name__: way for way in ways}


@dataclass
class Screens:
    """What the processes show, and an act that changes it."""

    here: Installation
    views: Sequence[View]
    chance: random.Random
    report: Report
    cleared: bool = False

    async def act(self) -> None:
        """The host clears the screens, or restores them, by any of the processes."""
        self.cleared = not self.cleared
        http = Http(self.chance.choice(self.here.servers).port)
        path = f"/api/v1/hearings/{self.here.hall.slug}/screens"
        status, _ = await http.ask("PUT", path, self.here.hall.host, {"cleared": self.cleared})
        if status != 200:
            self.report.faults.append(f"the host's act was answered {status}")
        http.close()

    async def equal_after(self, moment: float) -> float:
        """Waits until every socket and every page shows what the store says; the seconds since."""
        https = [Http(server.port) for server in self.here.servers]
        slug = self.here.hall.slug
        while (took := time.monotonic() - moment) < 20:
            told = await https[0].json("GET", f"/hearings/{slug}")
            wanted = told["epoch"], told["version"], told["state"]["hearing"]
            seen = [(v.epoch, v.version, v.state.get("hearing")) for v in self.views]
            if all(one == wanted for one in seen):
                pages = [SHOWN.search((await http.ask("GET", f"/h/{slug}"))[1]) for http in https]
                assert all(pages), "a page does not say its version"
                if {int(page[1]) for page in pages if page} == {told["version"]}:
                    break
            await asyncio.sleep(0.02)
        for http in https:
            http.close()
        return took


async def _break(
    report: Report,
    steady: Steady,
    screens: Screens,
    ways: Mapping[str, Callable[[], Awaitable[None]]],
    names: Sequence[str],
) -> None:
    """One fault after the other, while ballots come and the host acts."""
    until = asyncio.Event()
    running = asyncio.create_task(steady.run(until))
    gone: list[tuple[float, float]] = []
    for name in names:
        await asyncio.sleep(steady.chance.uniform(0.2, 0.5))
        began = time.monotonic()
        breaking = asyncio.ensure_future(ways[name]())
        await asyncio.sleep(0.1)
        await screens.act()
        await breaking
        back = time.monotonic()
        await screens.act()
        report.sample("views_equal_s", await screens.equal_after(back))
        await steady.answered_after(back)
        gone += [(began, back)] if name != "flushed" else []
        report.counted[name] += 1
    until.set()
    await running
    for sent, took in steady.took:
        without = any(began <= sent <= back for began, back in gone)
        name = "ballot_ms_without_redis" if without else "ballot_ms_with_redis"
        report.sample(name, 1000 * took)


async def _numbers_are_equal(
    report: Report, http: Http, here: Installation, views: Sequence[View], round_: str
) -> None:
    """Pulses tell every viewer the same turnout, soon after the last ballot."""
    turnout = await http.json("GET", f"/rounds/{round_}/turnout", here.hall.host)
    began = time.monotonic()
    while {view.cast(round_) for view in views} != {turnout["cast"]}:
        if time.monotonic() > began + 20:
            shown = {view.name: view.cast(round_) for view in views}
            report.faults.append(f"turnout {turnout['cast']} is shown as {shown}")
            return
        await asyncio.sleep(0.02)
    report.sample("numbers_equal_s", time.monotonic() - began)


def run(folder: Path, seed: int, size: str, plant: str) -> Report:
    """Groups of faults, each with a hearing of its own."""
    with cluster(durable=size == FULL) as database, redis() as bell:
        ways = Breaking(bell, size).all

        async def group(place: Path, here: Installation, chance: random.Random, n: int) -> Report:
            report, http = Report(), Http(here.port)
            wanted = (("public", "last"), ("panel", "last"))
            rounds = await export.open_rounds(http, here.hall, *wanted)
            views = [
                View(f"view-{k}-{m}", server.port, here.hall.slug, place)
                for k, server in enumerate(here.servers)
                for m in range(2)
            ]
            for view in views:
                view.start()
            screens = Screens(here, views, chance, report)
            names = ["frozen" if plant else list(ways)[k % len(ways)] for k in range(n)]
            with History(place / "histories" / "clients.jsonl") as history:
                public, panel = rounds
                steady = Steady(
                    here, history, chance, public, panel, sockets=2, seats=4, pause_s=0.2
                )
                await _break(report, steady, screens, ways, names)
            await _numbers_are_equal(report, http, here, views, rounds[0])
            await export.close_rounds(http, here.hall, rounds)
            await screens.equal_after(time.monotonic())
            for view in views:
                await view.stop()
            await export.export(place, http, here.hall, rounds, here.database)
            http.close()
            report.counted["faults"] += n
            if steady.errors:
                report.faults.append(f"{steady.errors} ballots were answered 500")
            return report

        wish = Wish(folder, seed, size, 1 if plant else FAULTS[size], EACH)
        return in_installations(
            wish,
            group,
            plant=plant,
            processes=PROCESSES[size],
            postgresql=database.url,
            redis=bell.url,
        )


EXPERIMENTS = (
    Experiment(
        name="bell",
        proves="Ballots do not notice that Redis is gone, and all views are equal soon after.",
        trials="faults",
        run=run,
        plants=plants.of("acts_wait_for_redis"),
        limits=(
            Limit("ballot_ms_without_redis", "p99", 500.0, quick=1500.0),
            Limit("views_equal_s", "max", EQUAL_S, quick=20.0),
            Limit("numbers_equal_s", "max", EQUAL_S, quick=20.0),
        ),
    ),
)
