"""An installation of several processes for the suites: one `web`, edges, a `worker`, real PostgreSQL
and Redis, and nginx in front with the addresses of `deploy/nginx/locations.conf`.

It holds the demonstration's hearing, and is `Running` like a demonstration of one process, so that the
same tests can be run against both. Links that sign a browser in exist in the demonstration alone.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx2

from server.app import Building
from server.demo.scene import set_scene
from server.parts import Part
from server.settings import Settings
from server.shows.example import EXAMPLES
from server.shows.read import read_show
from tests.beside import in_a_thread
from tests.nursery import ROOT, Born
from tests.running import Running
from tests.services import free_port

LOCATIONS = ROOT / "deploy" / "nginx" / "locations.conf"
SECRET = "of the suites' several processes"
EDGES = 3


@dataclass
class Several(Running):
    """The same, with its processes."""

    parts: dict[str, Born] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    """Own port of each process, `edges` being the one that all edges share."""

    def another(self) -> Several:
        """The same processes with a hearing of its own."""
        line = {"url": self.url, **in_a_thread(scene(self.environment, self.url))}
        return replace(self, line=line)

    def begin(self, name: str) -> None:
        """Starts a part under its name (`edge-2`), on its own port."""
        part = name.partition("-")[0]
        port = self.ports.setdefault(name, free_port())
        arguments = [part, "--port", str(port)]
        if part == "edge":
            arguments += ["--public-port", str(self.ports["edges"])]
        self.parts[name] = Born(arguments, self.environment, self.data.parent / f"{name}.log")

    def wait_for(self, *names: str, seconds: float = 20) -> None:
        """Until these answer that they are ready."""
        deadline = time.monotonic() + seconds
        for name in names:
            while True:
                try:
                    answer = httpx2.get(
                        f"http://127.0.0.1:{self.ports[name]}/readyz", timeout=5, trust_env=False
                    )
                    if answer.status_code == 200:
                        break
                except httpx2.HTTPError:
                    pass
                if time.monotonic() > deadline or self.parts[name].poll() is not None:
                    raise AssertionError((self.data.parent / f"{name}.log").read_text()[-3000:])
                time.sleep(0.05)

    def end(self, name: str, *, kill: bool = False) -> int:
        """Ends a part; its exit status."""
        part = self.parts.pop(name)
        if kill:
            part.kill()
        else:
            part.terminate()
        status = part.wait(15)
        part.stdout.close()
        return status

    def stop(self) -> None:
        """Ends all of them."""
        for part in self.parts.values():
            part.terminate()
        for name in tuple(self.parts):
            self.end(name)


@contextlib.contextmanager
def several(folder: Path, database: str, redis: str, *, edges: int = EDGES) -> Iterator[Several]:
    """The installation, for as long as the block lasts."""
    data = folder / "data"
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("PINGYI_")},
        "PINGYI_DATABASE_URL": database,
        "PINGYI_REDIS_URL": redis,
        "PINGYI_SECRET": SECRET,
        "PINGYI_DATA": str(data),
        "PINGYI_PROXIES": "127.0.0.1/32",
    }
    names = ["web", *(f"edge-{n}" for n in range(1, edges + 1)), "worker"]
    front = free_port()
    found = Several(
        None,  # type: ignore[arg-type]
        {"url": f"http://127.0.0.1:{front}"},
        data,
        [],
        {},
        environment,
        {"edges": free_port()},
    )  # type: ignore[arg-type]
    try:
        for name in names:
            found.begin(name)
        found.wait_for(*names)
        found.line |= in_a_thread(scene(environment, found.url))
        here = "127.0.0.1:{}".format
        with nginx(folder, here(front), here(found.ports["web"]), here(found.ports["edges"])):
            yield found
    finally:
        found.stop()


async def scene(environment: dict[str, str], base: str) -> dict[str, Any]:
    """A hearing and its people, made by one more process of the installation."""
    settings = Settings(
        data=Path(environment["PINGYI_DATA"]),
        database_url=environment["PINGYI_DATABASE_URL"],
        redis_url=environment["PINGYI_REDIS_URL"],
        secret=environment["PINGYI_SECRET"],
    )
    building = Building(settings, Part.EDGE)
    await building.start()
    try:
        show = read_show(EXAMPLES["zh"].read_bytes())
        show = replace(show, slug=f"{show.slug}-{token_hex(4)}")
        made = await set_scene(building, show, base)
    finally:
        await building.stop()
    return {"hearing": made.slug, "links": made.links, "tokens": made.tokens}


@contextlib.contextmanager
def nginx(
    folder: Path,
    front: str,
    web: str,
    *edges: str,
    on: Sequence[str] = (),
    workers: int = 0,
) -> Iterator[int]:
    """nginx with the product's own locations; all of these are addresses with ports. `on` is the
    beginning of a command that runs the rest elsewhere. `workers` share a crowd of thousands; 0 = it
    is one process. Gives the process's number."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        raise RuntimeError("nginx is missing: tools/system-packages.sh installs it")
    place = folder / "nginx"
    place.mkdir(parents=True)
    configuration = place / "nginx.conf"
    configuration.write_text(f"""
daemon off;
{f"worker_processes {workers};" if workers else "master_process off;"}
pid {place}/nginx.pid;
error_log {place}/error.log;
events {{ worker_connections {19_000 if workers else 4096}; }}
http {{
    access_log off;
    client_body_temp_path {place}/body; proxy_temp_path {place}/proxy;
    fastcgi_temp_path {place}/f; uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;
    map $http_upgrade $pingyi_connection {{ default upgrade; "" ""; }}
    upstream pingyi_web {{ server {web} max_fails=0; keepalive 8; }}
    upstream pingyi_edges {{ {" ".join(f"server {edge} max_fails=1;" for edge in edges)} keepalive 8; }}
    server {{ listen {front}{" reuseport backlog=4096" if workers else ""}; include {LOCATIONS}; }}
}}
""")
    process = subprocess.Popen([*on, program, "-c", str(configuration)], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while not (place / "nginx.pid").exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError((place / "error.log").read_text())
            time.sleep(0.02)
        yield process.pid
    finally:
        process.terminate()
        process.wait(10)
