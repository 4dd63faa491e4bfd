"""`pingyi demo`: everything in one process on SQLite, alive, with links for every person."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import segno
from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse

from server.app import Building, create_app
from server.demo.people import SimulatedPanel, simulated_viewer
from server.demo.scene import Scene, set_scene
from server.domain.refusals import Refusal
from server.domain.show import Show
from server.serving import listening_socket, make_server, take_descriptors
from server.settings import Settings

VIEWERS = 12
"""Simulated viewers of an ordinary demonstration."""


@dataclass(frozen=True)
class Wish:
    """What the command line asked for."""

    show: Show
    data: Path
    port: int = 8000
    lan: bool = False
    crowd: int = 0
    quiet: bool = False
    json: bool = False


async def run_demo(wish: Wish) -> None:
    """Serves until interrupted. Raises `CannotServe` or a `Refusal` before anything is shown."""
    take_descriptors()
    sock = listening_socket("0.0.0.0" if wish.lan else "127.0.0.1", wish.port)
    host = lan_address() if wish.lan else "127.0.0.1"
    base = f"http://{host}:{sock.getsockname()[1]}"
    settings = Settings(
        data=wish.data,
        database_url="",
        redis_url="",
        public_url=base if wish.lan else "",
        trusted_nets=("127.0.0.0/8",) if wish.crowd else (),
    )
    app = create_app(settings)
    scene_ready: asyncio.Future[Scene] = asyncio.get_running_loop().create_future()
    _add_entrance(app, scene_ready)
    server = make_server(app)
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    crowd: subprocess.Popen[bytes] | None = None
    helpers: list[asyncio.Task[None]] = []
    try:
        while not server.started:
            if serving.done():
                await serving
                return
            await asyncio.sleep(0.02)
        building: Building = app.state.building
        scene = await set_scene(building, wish.show, base)
        scene_ready.set_result(scene)
        if not (wish.quiet or wish.json):
            helpers = _simulate(building, scene, base, viewers=0 if wish.crowd else VIEWERS)
        if wish.crowd:
            crowd = subprocess.Popen(
                [sys.executable, "-m", "server.demo.crowd", base, scene.slug, str(wish.crowd)],
                stdin=subprocess.PIPE,
                cwd=Path(__file__).parent.parent.parent,
            )
        if wish.json:
            line = {
                "ready": True,
                "url": base,
                "hearing": scene.slug,
                "links": scene.links,
                "tokens": scene.tokens,
            }
            print(json.dumps(line, ensure_ascii=False, separators=(",", ":")), flush=True)
        else:
            print(_welcome(wish.show, scene), flush=True)
        await serving
    finally:
        for helper in helpers:
            helper.cancel()
        if crowd is not None:
            if crowd.stdin is not None:
                crowd.stdin.close()
            try:
                crowd.wait(5)
            except subprocess.TimeoutExpired:
                crowd.kill()
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)


def _add_entrance(app: FastAPI, scene_ready: asyncio.Future[Scene]) -> None:
    """The one GET that signs in; it exists in the demonstration only."""

    @app.get("/demo/enter/{token}", include_in_schema=False)
    async def enter(token: str, request: Request) -> RedirectResponse:
        entry = (await scene_ready).entries.get(token)
        if entry is None:
            raise Refusal("not_found")
        response = RedirectResponse(entry.target, 303)
        door = app.state.services.door
        door.set_cookie(request, response, f"as_{entry.label}", entry.secret, 2)
        return response

    # It must be found before the pages' catch-all addresses.
    app.router.routes.insert(0, app.router.routes.pop())


def _simulate(
    building: Building, scene: Scene, base: str, *, viewers: int
) -> list[asyncio.Task[None]]:
    seats = [id_ for id_, _ in scene.seats[1:]]
    panel = SimulatedPanel(building.house, building.store, scene.slug, seats)
    tasks = [asyncio.create_task(panel.run())]
    url = f"{base.replace('http', 'ws', 1)}/h/{scene.slug}"
    tasks += [
        asyncio.create_task(simulated_viewer(url, building.keys, seed)) for seed in range(viewers)
    ]
    return tasks


def lan_address() -> str:
    """This machine's address in its local network; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address reserved for documentation (RFC 5737)
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


PAGES = (
    ("public", "群众页面 · public", True),
    ("panel", "评议团平板 · panel (1)", True),
    ("desk", "审核台 · desk", False),
    ("duty", "值班负责人 · duty person", False),
    ("host", "主持台 · host", False),
    ("card", "手卡 · card", False),
    ("stage", "大屏 · stage", False),
    ("overlay", "字幕条 · overlay", False),
    ("podium", "返送屏 · podium", False),
    ("office", "办公室 · office", False),
)


def _welcome(show: Show, scene: Scene) -> str:
    lines = ["", f"  {show.title}", ""]
    for key, name, _ in PAGES:
        link = scene.links[key]
        first = link[0] if isinstance(link, list) else link
        pad = 24 - sum(2 if ord(c) > 0x2E80 else 1 for c in name)
        lines.append(f"  {name}{' ' * max(pad, 1)}{first}")
    for key, name, with_code in PAGES:
        if with_code:
            link = scene.links[key]
            first = str(link[0] if isinstance(link, list) else link)
            lines += ["", f"  {name}", _terminal_qr(first)]
    lines += ["", "  Ctrl+C 结束 · ends the demonstration", ""]
    return "\n".join(lines)


def _terminal_qr(text: str) -> str:
    out = StringIO()
    segno.make(text, error="l").terminal(out, compact=True, border=2)
    return out.getvalue().rstrip("\n")
