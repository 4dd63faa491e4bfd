"""A whole installation for one experiment: a hearing, its database, and one or more processes."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.faults.hall import Hall, found_hall
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
    try:
        for server in servers if started else ():
            server.start()
        yield Installation(hall, servers, url or str(data / "0" / "pingyi.db"))
    finally:
        for server in servers:
            server.kill()
