"""`pingyi serve`, `web`, `edge` and `worker`: one process, from the settings to its end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from server.app import create_app
from server.domain.refusals import Refusal
from server.parts import Part
from server.serving import SharedPort, listening_socket, make_server, take_descriptors
from server.settings import Settings
from server.store.schema import schema_is_here
from server.store.start_faults import start_fault
from server.store.transaction import Database


@dataclass(frozen=True)
class Place:
    """Where a process listens: its own address, and for an edge the public's port."""

    host: str
    port: int
    public_host: str = ""
    public_port: int | None = None
    nth: int | None = None
    """Which of several processes from one command it is; None = it is the only one."""

    @property
    def own_port(self) -> int:
        """Edges have ports of their own, counted up; whole processes share theirs."""
        counted = self.public_port is not None and self.port
        return self.port + (self.nth or 0) if counted else self.port


async def run_part(part: Part, settings: Settings, place: Place) -> None:
    """Serves until told to end. Raises `CannotServe` or a `Refusal` before anything has begun."""
    take_descriptors()
    sharing = place.nth is not None and place.public_port is None
    own = listening_socket(place.host, place.own_port, shared=sharing)
    shared = None
    try:
        if place.public_port is not None:
            shared = SharedPort(place.public_host, place.public_port)
        if not part.leads:
            await _wait_for_schema(settings)
    except BaseException:
        own.close()
        raise
    app = create_app(settings, part)
    server = make_server(app)
    server.shared = shared
    serving = asyncio.create_task(server.serve(sockets=[own]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.02)
    if server.started and not place.nth:
        port = own.getsockname()[1] if shared is None else shared.port
        # The public address is where people begin; an edge and a worker tell their own.
        here = f"http://{place.public_host or place.host}:{port}"
        base = (settings.public_url or here) if part.leads else here
        name = "" if part is Part.SERVE else f" {part}"
        print(f"评议 · Pingyi{name}  {base}", flush=True)
        if part.leads:
            code = await app.state.services.people.setup_code()
            if code is not None:
                print(f"首次设置 · set up the first administrator: {base}/setup/{code}", flush=True)
    await serving


def check_parts(part: Part, settings: Settings, *, several: bool = False) -> None:
    """Several processes share a database that several can write, and a bell that all of them hear.
    Raises `parts_need_both`."""
    shared = settings.database.startswith("postgresql") and settings.redis_url
    if (several or part is not Part.SERVE) and not shared:
        raise Refusal("parts_need_both")


async def _wait_for_schema(settings: Settings) -> None:
    try:
        database = Database(settings.database, readers=1)
        try:
            await schema_is_here(database)
        finally:
            await database.close()
    except Exception as error:
        raise start_fault(error) or error from None
