"""What a stranger sends to hurt: it costs him his connection, and the house nothing."""

from __future__ import annotations

import contextlib
import json
import socket
import time

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.running import Client, Running, frames_until, new_key
from tests.several import Several


@pytest.mark.parametrize("piece", [b"X-Word: " + b"a" * 1000 + b"\r\n", b"a" * 1000])
def test_a_head_that_does_not_end_is_not_kept(either_demo: Running, piece: bytes) -> None:
    address = either_demo.url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1])), timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-First: ")
        sent = 0
        with contextlib.suppress(OSError):
            while sent < 64_000_000:
                connection.sendall(piece * 100)
                sent += len(piece) * 100
        assert sent < 8_000_000  # What the kernel's buffers took before the end was noticed.
    assert either_demo.anyone().get(either_demo.here)["epoch"]


def test_heads_that_are_never_finished_are_closed(either_demo: Running) -> None:
    address = either_demo.url.removeprefix("http://").split(":")
    with contextlib.ExitStack() as stack:
        half = []
        for begin in (b"", b"GET / HTTP/1.1\r\nHost:", b"GET /h/x/socket HTTP/1.1\r\n") * 30:
            one = socket.create_connection((address[0], int(address[1])), timeout=8)
            stack.enter_context(one)
            one.sendall(begin)
            half.append(one)
        began = time.monotonic()
        for one in half:
            with contextlib.suppress(ConnectionResetError):
                assert one.recv(1) == b""
        assert time.monotonic() - began < 7
    # Who has finished one may take time until the next: that is uvicorn's own limit.
    assert either_demo.anyone().get(either_demo.here)["epoch"]


def test_a_long_but_honest_head_is_read(either_demo: Running) -> None:
    headers = {f"X-Word-{i}": "a" * 1000 for i in range(14)}
    answer = either_demo.anyone().call("GET", either_demo.here, **headers)
    assert answer.status_code == 200


def test_a_frame_that_is_no_text_is_told_so_and_leaves_no_traceback(either_demo: Running) -> None:
    with either_demo.socket() as connection:
        connection.recv()
        connection.send(b"\xff\xfe", text=True)
        with pytest.raises(ConnectionClosed) as closed:
            for _ in range(20):
                connection.recv(timeout=5)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1007
    log = either_demo.data.parent / f"{either_demo.data.name}.log"
    time.sleep(0.5)
    assert "Traceback" not in log.read_text()


def flood(demo: Running, token: str) -> None:
    """A socket of this viewer that says more than it may, and is closed for it."""
    with demo.socket(viewer=token) as connection:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(200):
                connection.send('{"type":"like","n":1}')
            while True:
                connection.recv(timeout=5)
        assert connection.close_code == 1008


def refused(demo: Running, token: str) -> bool:
    """Whether a socket of this viewer is told to wait, and closed."""
    with demo.socket(viewer=token) as connection:
        first = json.loads(connection.recv(timeout=5))
        if first["type"] == "snapshot":
            return False
        assert (first["type"], first["code"]) == ("refusal", "too_many")
        wait = json.loads(connection.recv(timeout=5))
        assert wait["type"] == "wait"
        assert 50_000 < wait["retry_ms"] <= 60_000
        with pytest.raises(ConnectionClosed):
            connection.recv(timeout=5)
        assert connection.close_code == 1008
        return True


def test_who_floods_is_refused_for_a_minute_with_his_token(either_demo: Running) -> None:
    token, other = (either_demo.viewer().token for _ in range(2))
    assert token is not None
    assert other is not None
    flood(either_demo, token)
    assert refused(either_demo, token)
    assert not refused(either_demo, other)
    with either_demo.socket() as connection:
        frames_until(connection, lambda f: f["type"] == "snapshot")
        connection.send(json.dumps({"type": "viewer", "viewer": token}))
        told = frames_until(connection, lambda f: f["type"] == "refusal")[-1]
        assert told["code"] == "too_many"
    code = either_demo.state()["questions"][0]["code"]
    address = f"{either_demo.here}/questions/{code}/support"
    act = Client(either_demo.url, token).refused("PUT", address, {"on": True}, new_key())
    assert act == (429, "too_many")


@pytest.mark.system
@pytest.mark.xdist_group("several")
def test_who_floods_one_edge_is_refused_by_all(installation: Several) -> None:
    token = installation.viewer().token
    assert token is not None
    here = f"/h/{installation.slug}/socket"
    edges = [f"ws://127.0.0.1:{installation.ports[f'edge-{n}']}{here}" for n in (1, 2, 3)]
    with connect(f"{edges[0]}?viewer={token}", proxy=None) as connection:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(200):
                connection.send('{"type":"like","n":1}')
            while True:
                connection.recv(timeout=5)
    time.sleep(0.3)
    for edge in edges:
        with connect(f"{edge}?viewer={token}", proxy=None) as connection:
            assert json.loads(connection.recv(timeout=5)).get("code") == "too_many"
