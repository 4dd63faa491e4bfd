"""A whole installation for one experiment: a hearing, its database, and one or more processes."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults import export
from tests.faults.experiment import FULL, Report, in_groups
from tests.faults.hall import Hall, found_hall
from tests.faults.seen import keep_logs
from tests.faults.servers import Server, new_secret
from tests.services import create_database


@dataclass
class Installation:
    """`database` is where the harness reads what is stored, past everything that is broken."""

    hall: Hall
    servers: list[Server]
    database: str

    @property
    def port(self) -> int:
        """The first process's."""
        return self.servers[0].port


@dataclass(frozen=True)
class Wish:
    """So many trials, so many in one hearing, of a run with a seed and a size."""

    folder: Path
    seed: int
    size: str
    trials: int
    each: int


Group = Callable[[Path, Installation, random.Random, int], Coroutine[Any, Any, Report]]
"""So many trials in one installation: they leave histories and exports in the folder."""


def in_installations(wish: Wish, run: Group, **options: Any) -> Report:
    """The trials in groups, each with an installation of its own, checked as a whole. What a full
    run leaves is packed when nothing is wrong with it."""

    def group(place: Path, number: int, n: int) -> Report:
        with installation(place, **options) as here:
            report = asyncio.run(run(place, here, random.Random(f"{wish.seed}:{number}"), n))
        keep_logs(place)
        export.checked(place, report)
        if wish.size == FULL and not report.faults:
            export.pack(place)
        return report

    return in_groups(wish.folder, wish.trials, wish.each, group)


@contextlib.contextmanager
def installation(
    folder: Path,
    *,
    plant: str = "",
    processes: int = 1,
    postgresql: str = "",
    through: str = "",
    redis: str = "",
    started: bool = True,
) -> Iterator[Installation]:
    """As long as the block lasts. `postgresql` is a cluster's address ("" = SQLite in the folder),
    `through` the address by which the processes come to it, if it is another. Unless `started`, the
    processes are to be started by whoever wants them."""
    secret, data = new_secret(), folder / "data"
    url = create_database(postgresql, f"f{secrets.token_hex(6)}") if postgresql else ""
    hall = found_hall(data / "0", secret, url)
    by = url.replace(postgresql, through) if through else url
    servers = [
        Server(data / str(n), secret, database_url=by, redis_url=redis, plant=plant)
        for n in range(processes)
    ]
    _one_folder_of_seals(servers)
    try:
        for server in servers if started else ():
            server.start()
        yield Installation(hall, servers, url or str(data / "0" / "pingyi.db"))
    finally:
        for server in servers:
            server.kill()


def _one_folder_of_seals(servers: list[Server]) -> None:
    """As for processes of one machine: each opens and closes what another has sealed."""
    seals = servers[0].data / "seals"
    seals.mkdir(mode=0o700, parents=True, exist_ok=True)
    for server in servers[1:]:
        server.data.mkdir(parents=True)
        (server.data / "seals").symlink_to(seals.resolve())
