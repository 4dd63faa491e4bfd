"""What a stranger sends to hurt: it costs him his connection, and the house nothing."""

from __future__ import annotations

import contextlib
import socket
import time

import pytest
from websockets.exceptions import ConnectionClosed

from tests.running import Running


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
