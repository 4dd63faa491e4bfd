"""Listening: the socket's options and uvicorn's settings, with the reason for each."""

from __future__ import annotations

import socket
import sys
from typing import Any

import uvicorn

from server.live.hub import TOO_SLOW_S


class CannotListen(Exception):
    """The port cannot be had; the sentence says which and why."""


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that listens; its options are inherited by every connection.

    The send buffer is 16 KiB, because with the kernel's default it swallows megabytes, an hour of
    pulses, before the process sees that a viewer is slow; `TCP_USER_TIMEOUT` ends a peer that
    acknowledges nothing (law 10).
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 * 1024)
    if sys.platform == "linux":
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 20_000)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise CannotListen(
            f"端口 {port} 不能使用，可能已被占用：请换一个 --port。"
            f" Port {port} cannot be used ({error.strerror}): choose another with --port."
        ) from error
    sock.listen(4096)
    sock.setblocking(False)
    return sock


def make_server(app: Any) -> uvicorn.Server:
    """uvicorn as this application needs it."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            loop="uvloop" if sys.platform != "win32" else "asyncio",
            http="httptools",
            ws="websockets-sansio",
            ws_max_size=16 * 1024,  # a longer frame is closed with 1009
            ws_per_message_deflate=False,  # 75 KB against 31 KB a viewer, 1.7 × the CPU
            ws_ping_interval=20.0,
            ws_ping_timeout=TOO_SLOW_S,
            access_log=False,  # addresses of citizens are not ours to keep
            log_config=None,
            proxy_headers=False,  # `Door.address` believes only PINGYI_PROXIES
            server_header=False,
            timeout_graceful_shutdown=5,
        )
    )
