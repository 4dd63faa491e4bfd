"""PostgreSQL is killed and started again while people are here, and while others come.

Nobody who has a right to be here is sent away for good: who is here stays, who comes is told when to
come back, and what was done meanwhile goes through by itself.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import asyncpg
import httpx2
import pytest
from playwright.sync_api import Browser, WebSocket, expect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from server.identity.limits import PER_KEY
from server.identity.secrets import digest
from tests.faults.servers import Cluster, cluster
from tests.journeys.browser import PHONE, open_page
from tests.running import frames_until
from tests.services import create_database
from tests.several import SECRET, Several, in_a_thread, scene

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]
STAFF = {"stage": "host", "overlay": "host", "host": "host", "desk": "moderator", "panel": "panel"}
"""Pages with sockets, and whose token opens them."""
AWAY_S = 4.0
"""Several looks of a guard."""


@dataclass
class Installed:
    """One process on PostgreSQL, and that PostgreSQL."""

    here: Several
    database: Cluster

    def socket(self, page: str) -> ClientConnection:
        """A socket of the public ("") or of staff."""
        if not page:
            return self.here.socket()
        return self.here.socket(page, token=self.here.as_(STAFF[page]).token)

    @contextmanager
    def away(self) -> Iterator[None]:
        """The database is killed, and is there again after the block."""
        self.database.kill()
        try:
            yield
        finally:
            self.database.start()
            self.here.wait_for("serve")


@pytest.fixture(scope="module", params=["lean", "plain"])
def installed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, redis_url: str
) -> Iterator[Installed]:
    """Once with the public's lean sockets and once with the server's own."""
    data = tmp_path_factory.mktemp("away") / "data"
    with cluster(durable=False) as database:
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("PINGYI_")},
            "PINGYI_DATABASE_URL": create_database(database.url, f"t{secrets.token_hex(6)}"),
            "PINGYI_REDIS_URL": redis_url,
            "PINGYI_SECRET": SECRET,
            "PINGYI_DATA": str(data),
            "PINGYI_PLAIN_SOCKETS": "1" if request.param == "plain" else "0",
        }
        here = Several(None, {}, data, [], {}, environment)  # type: ignore[arg-type]
        try:
            here.begin("serve")
            here.wait_for("serve")
            here.line["url"] = f"http://127.0.0.1:{here.ports['serve']}"
            here.line |= in_a_thread(scene(environment, here.url))
            yield Installed(here, database)
        finally:
            here.stop()


def how_it_ends(socket: ClientConnection) -> tuple[list[dict[str, object]], int]:
    """What is still told, and the code of the close."""
    told = []
    try:
        while True:
            told.append(json.loads(socket.recv(timeout=20)))
    except ConnectionClosed as end:
        assert end.rcvd is not None
        return told, end.rcvd.code


@pytest.mark.parametrize("page", ["", *STAFF])
def test_who_comes_meanwhile_is_told_to_come_back(installed: Installed, page: str) -> None:
    with installed.away(), installed.socket(page) as socket:
        told, code = how_it_ends(socket)
    assert [frame["type"] for frame in told] == ["wait"]
    assert (int(str(told[0]["retry_ms"])) > 0, code) == (True, 1013)
    with installed.socket(page) as socket:
        assert json.loads(socket.recv(timeout=10))["type"] == "snapshot"


def test_who_is_here_stays_and_hears_what_comes_after(installed: Installed) -> None:
    here = installed.here
    with ExitStack() as open_ones:
        sockets = {page: open_ones.enter_context(installed.socket(page)) for page in ("", *STAFF)}
        for socket in sockets.values():
            assert json.loads(socket.recv(timeout=10))["type"] == "snapshot"
        metrics = f"{here.url}/metrics"
        with installed.away():
            time.sleep(AWAY_S)
            assert "pingyi_database_up 0.0" in httpx2.get(metrics, trust_env=False).text
        assert "pingyi_database_up 1.0" in httpx2.get(metrics, trust_env=False).text
        for cleared, event in ((True, "screen_cleared"), (False, "screen_restored")):
            here.as_("host").do("PUT", f"{here.here}/screens", {"cleared": cleared})
            for page in ("stage", "overlay", "host", ""):
                frames_until(sockets[page], lambda f, e=event: f.get("event") == e)
        for page, socket in sockets.items():
            assert socket.ping().wait(10), page  # It is open still.


async def number_of(token: str, database: str) -> int:
    """The number under which a token is kept."""
    connection = await asyncpg.connect(database)
    try:
        found = await connection.fetchval(
            "SELECT id FROM api_tokens WHERE hash = $1", digest(token)
        )
    finally:
        await connection.close()
    return int(found)


def test_a_token_that_is_revoked_ends_its_socket_after_it_too(installed: Installed) -> None:
    here = installed.here.another()
    token = here.line["tokens"]["host"]
    number = in_a_thread(number_of(token, here.environment["PINGYI_DATABASE_URL"]))
    with here.socket("stage", token=token) as socket:
        assert json.loads(socket.recv(timeout=10))["type"] == "snapshot"
        with installed.away():
            time.sleep(AWAY_S)
        here.as_("office").do("DELETE", f"/tokens/{number}")
        assert how_it_ends(socket)[1] == 4401


def test_what_a_page_does_meanwhile_goes_through_by_itself(
    installed: Installed, browser: Browser
) -> None:
    said: list[str] = []

    def listens(socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: said.append(str(frame)))

    context = browser.new_context(viewport=PHONE)
    context.on("page", lambda page: page.on("websocket", listens))
    page, _ = open_page(context, f"{installed.here.url}/h/{installed.here.slug}")
    page.locator("[data-support]").first.click()
    page.wait_for_selector("[data-support][aria-pressed=true]")
    button = page.locator("[data-support][aria-pressed=false]").first
    code = button.get_attribute("data-support")
    said.clear()
    with installed.away():
        button.click()
        page.wait_for_timeout(AWAY_S * 1000)
        waits = page.locator(f'[data-support="{code}"]')
        expect(waits).to_have_attribute("aria-busy", "true")
        expect(page.locator("#toast")).to_be_hidden()
    page.wait_for_selector(f'[data-support="{code}"][aria-pressed=true]', timeout=40_000)
    sent = [frame for frame in said if '"support"' in frame]
    assert 1 < len(sent) < PER_KEY / 2
    assert len({json.loads(frame)["key"] for frame in sent}) == 1
    context.close()
