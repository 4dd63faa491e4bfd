"""What listens (`server/serving.py`): nobody is let in before he can be served, nothing is waited for for ever."""

from __future__ import annotations

import asyncio
import resource
import socket
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from server import serving
from server.serving import BODY_S, HEAD_S, SLOWEST, Http, SharedPort, make_server, take_descriptors

pytestmark = pytest.mark.anyio


class Peer(asyncio.Transport):
    """As much of a connection as uvicorn asks for."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""

    def write(self, data: Any) -> None:
        self.sent += data

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def close(self) -> None: ...


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    """An application that reads what it is sent, and answers."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
async def connection() -> Http:
    """One that has just been made."""
    config = uvicorn.Config(nothing, http=Http, lifespan="off", log_config=None)
    config.load()
    one = Http(config=config, server_state=ServerState(), app_state={})
    one.connection_made(Peer())
    return one


def later(seconds: float) -> float:
    """So long after now."""
    return serving.monotonic() + seconds  # type: ignore[attr-defined]


async def test_a_head_is_waited_for_five_seconds(connection: Http) -> None:
    assert not connection.is_late(later(HEAD_S - 0.5))
    connection.data_received(b"GET / HTTP/1.1\r\nHost:")
    assert connection.is_late(later(HEAD_S + 0.5))
    connection.data_received(b" x\r\n\r\n")
    assert not connection.is_late(later(HEAD_S + 0.5))


async def test_a_body_is_waited_for_as_long_as_it_comes(connection: Http) -> None:
    connection.data_received(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
    assert not connection.is_late(later(BODY_S - 0.5))
    assert connection.is_late(later(BODY_S + 0.5))
    for piece in (b"12345", b"6789"):  # A drip gains nothing.
        connection.data_received(piece)
        assert connection.is_late(later(BODY_S + 0.5))
    connection.data_received(b"0")
    assert not connection.is_late(later(BODY_S + 0.5))


async def test_a_long_body_has_the_time_that_a_slow_line_takes(connection: Http) -> None:
    connection.data_received(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
    connection.data_received(bytes(50 * SLOWEST))
    await asyncio.sleep(0.05)  # The application takes what has come, and reading goes on.
    assert not connection.flow.read_paused
    assert not connection.is_late(later(BODY_S + 45))
    assert connection.is_late(later(BODY_S + 55))


async def test_a_socket_asked_for_before_the_last_answer_is_refused(connection: Http) -> None:
    """That answer would come among its frames."""
    connection.data_received(
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
        b"GET /h/x/socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    sent = connection.transport.sent  # type: ignore[attr-defined]
    assert b"HTTP/1.1 400 " in sent
    assert b" 101 " not in sent


async def test_an_empty_line_after_an_answer_is_no_request_that_is_waited_for(
    connection: Http,
) -> None:
    connection.data_received(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await asyncio.sleep(0.05)
    assert connection.cycle.response_complete
    assert not connection.is_late(later(HEAD_S + 0.5))  # uvicorn itself ends it after five.
    connection.data_received(b"\r\n")
    assert connection.is_late(later(HEAD_S + 0.5))
    connection.data_received(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert not connection.is_late(later(HEAD_S + 0.5))


async def test_a_shared_port_is_had_at_once_and_listens_when_told_to() -> None:
    shared = SharedPort("127.0.0.1", 0)
    try:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", shared.port), timeout=2)
        await shared.listen(asyncio.Protocol)
        _, writer = await asyncio.open_connection("127.0.0.1", shared.port)
        writer.close()
    finally:
        shared.close()


async def test_one_that_cannot_listen_again_tries_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    server = make_server(nothing)
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    server.config.app = type("App", (), {"state": type("State", (), {"reception": None})})()
    tried = 0

    class Shared:
        open = False

        async def listen(self, make: Any) -> None:
            nonlocal tried
            tried += 1
            raise OSError(24, "Too many open files")

    server.shared = Shared()  # type: ignore[assignment]
    sweeping = asyncio.create_task(server._sweep())
    await asyncio.sleep(1.3)
    sweeping.cancel()
    assert tried == 2


def test_a_process_takes_the_descriptors_that_it_may_have() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    try:
        take_descriptors()
        taken, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert taken == min(hard if hard > 0 else serving.DESCRIPTORS, serving.DESCRIPTORS)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
