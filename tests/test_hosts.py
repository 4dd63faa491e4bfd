"""An installation on several hosts: a database's, web's, two with edges, and nginx in front. One of the
edges' hosts is lost while people watch."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from pathlib import Path
from secrets import token_hex

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.hosts import NETWORK, Host, hosts
from tests.running import PINGYI, Client, ask_socket, frames_until
from tests.services import create_database, postgresql, redis_server
from tests.several import in_a_thread, nginx, scene
from tests.test_parts import command, until

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("several")]


def up(host: Host, port: int) -> bool:
    """Whether it answers, asked on the host itself."""
    says = f"import urllib.request as r; r.urlopen('http://127.0.0.1:{port}/readyz', timeout=3)"
    asked = subprocess.run(host.command(PINGYI[0], "-c", says), capture_output=True)
    return asked.returncode == 0


def test_a_hearing_on_several_hosts_goes_on_when_one_is_lost(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(hosts("data", "web", "edge1", "edge2", "front"))
        data, web, front = place["data"], place["web"], place["front"]
        server = stack.enter_context(postgresql(on=data.command(), address=data.address))
        redis = stack.enter_context(redis_server(on=data.command(), address=data.address))
        settings = {
            "PINGYI_DATABASE_URL": create_database(server, "hearing"),
            "PINGYI_REDIS_URL": redis,
            "PINGYI_SECRET": token_hex(16),
            "PINGYI_PROXIES": f"{front.address}/32",
        }
        parts = [
            (web, ["web", "--host", "0.0.0.0", "--port", "8000"]),
            (web, ["worker", "--port", "8300"]),
        ]
        for name in ("edge1", "edge2"):
            arguments = ["edge", "--host", place[name].address, "--port", "8100"]
            parts.append((place[name], [*arguments, "--public-port", "8001"]))
        for n, (host, arguments) in enumerate(parts):
            own = {**settings, "PINGYI_DATA": str(tmp_path / f"data-{n}")}
            words = host.command(*PINGYI, *arguments)
            stack.enter_context(command(words, tmp_path / f"{n}.log", own))
        base = f"http://{front.address}:8080"
        stack.enter_context(
            nginx(
                tmp_path, f"{front.address}:8080", f"{web.address}:8000",
                *(f"{place[name].address}:8001" for name in ("edge1", "edge2")),
                on=front.command(),
            )
        )  # fmt: skip
        until(lambda: up(web, 8000) and up(place["edge1"], 8100) and up(place["edge2"], 8100))
        line = in_a_thread(scene({**settings, "PINGYI_DATA": str(tmp_path / "mine")}, base))
        here = f"/hearings/{line['hearing']}"
        console, anyone = Client(base, line["tokens"]["host"]), Client(base)
        viewer = anyone.do("POST", "/viewers")["viewer"]
        address = f"ws://{front.address}:8080/h/{line['hearing']}/socket?as=json"
        sockets = [
            stack.enter_context(connect(f"{address}&viewer={viewer}", proxy=None, close_timeout=1))
            for _ in range(8)
        ]
        for one in sockets:
            frames_until(one, lambda f: f["type"] == "snapshot")
        console.do("PUT", f"{here}/screens", {"cleared": True})
        versions = [
            frames_until(one, lambda f: f.get("event") == "screen_cleared", 3)[-1]["version"]
            for one in sockets
        ]
        assert len(set(versions)) == 1
        round_ = next(r for r in console.get(here)["state"]["rounds"] if r["audience"] == "public")
        vote = {"type": "vote", "round": round_["id"], "choice": round_["choices"][0]["key"]}
        assert ask_socket(sockets[0], vote)["type"] == "ack"

        place["edge1"].unplug()
        begun = time.monotonic()
        with connect(f"{address}&version={versions[0]}&epoch=none", proxy=None) as again:
            assert json.loads(again.recv(10))["type"] == "snapshot"
        assert time.monotonic() - begun < 8  # nginx goes to the other after two seconds.
        console.do("PUT", f"{here}/screens", {"cleared": False})
        time.sleep(1)
        told = sum(heard(one, "screen_restored") for one in sockets)
        assert 2 <= told <= 6  # The kernel of nginx gave some of them to either host.
        assert Client(base).get(f"/rounds/{round_['id']}")["cast"] == 1


def heard(socket: ClientConnection, event: str) -> bool:
    """Whether the event has reached it."""
    with contextlib.suppress(AssertionError, ConnectionClosed):
        frames_until(socket, lambda f: f.get("event") == event, 0.2)
        return True
    return False


def test_nothing_is_left_of_the_hosts() -> None:
    before = links()
    with hosts("a", "b") as place:
        assert place["a"].address != place["b"].address
        assert f"{NETWORK}.254" in links()
    left = subprocess.run(["ip", "netns"], capture_output=True, text=True).stdout
    assert place["a"].name not in left
    assert links() == before


def test_a_machine_keeps_its_interfaces_while_hosts_come_and_go() -> None:
    """Whoever watches the machine's own network, as a browser does, is told of nothing."""
    with subprocess.Popen(
        ["ip", "monitor", "link", "address"], stdout=subprocess.PIPE, text=True
    ) as watching:
        with hosts("a"):
            pass
        time.sleep(0.5)
        watching.terminate()
        assert watching.communicate()[0] == ""


def links() -> str:
    """The interfaces that this thread sees, with their addresses."""
    return subprocess.run(["ip", "-br", "addr"], capture_output=True, text=True).stdout
