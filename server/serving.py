"""Listening: the socket's options and uvicorn's settings, with the reason for each."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import sys
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any

if sys.platform != "win32":
    import resource

import structlog
import uvicorn
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import is_ssl

from server.domain.refusals import Refusal
from server.live.hub import TOO_SLOW_S

if TYPE_CHECKING:
    from server.api.public_socket import Reception

log = structlog.get_logger()

LONGEST_HEAD = 16 * 1024
"""Bytes of a request before its body. uvicorn with httptools would read on for ever."""
HEAD_S = 5.0
"""Seconds in which a head must be complete, from the connection or from its own first byte."""


BODY_S, SLOWEST = 20.0, 4096
"""Seconds that a body may take, and bytes for which it gets one more: a drip holds no connection."""
BACKLOG = 4096


DESCRIPTORS = 24_000
"""For 18,000 viewers (`most_viewers`), and for requests, files and the database beside them."""


def take_descriptors() -> None:
    """As many as this process may have and needs: an ordinary shell gives 1,024, and each viewer is one."""
    if sys.platform == "win32":
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class CannotServe(Exception):
    """The port cannot be had, or the application does not start; the sentence says which and why."""


def listening_socket(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A socket that listens; its options are inherited by every connection. A `shared` port is
    listened on by several processes, among which the kernel spreads the connections.

    The send buffer is 16 KiB, because with the kernel's default it swallows megabytes, an hour of
    pulses, before the process sees that a viewer is slow; `TCP_USER_TIMEOUT` ends a peer that
    acknowledges nothing (law 10).
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 * 1024)
    if sys.platform == "linux":
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 20_000)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise CannotServe(
            f"端口 {port} 不能使用，可能已被占用：请换一个 --port。"
            f" Port {port} cannot be used ({error.strerror}): choose another with --port."
        ) from error
    if not shared:  # Those who share it listen when they can serve: newcomers are spread at once.
        sock.listen(BACKLOG)
    sock.setblocking(False)
    return sock


def peer(transport: asyncio.Transport) -> tuple[str, int] | None:
    """The other side's address and port; None for one that has gone already, or has no address."""
    own = transport.get_extra_info("socket")
    try:
        sock = socket.socket(own.family, own.type, own.proto, own.fileno())
        try:
            name = sock.getpeername()
        finally:
            sock.detach()
    except (AttributeError, OSError):
        return None
    # A hall of hundreds has one address: it is kept once.
    return (sys.intern(str(name[0])), int(name[1])) if isinstance(name, tuple) else None


class Http(HttpToolsProtocol):
    """uvicorn's own, but a head that does not end is refused instead of kept, and the public's
    handshake goes to the reception (`api/public_socket.py`), if the application has one."""

    _in_head = False
    _head = 0
    waits: float | None = None
    """Since when it has waited for the end of a head."""
    body: float | None = None
    """When a body began that is not whole yet, and later by as long as what has come of it may have taken."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A head is awaited. uvicorn's own step asks the transport for both addresses, and uvloop
        then keeps them as long as the connection lasts: a fifth of what a viewer takes."""
        self.connections.add(self)
        self.transport, self.flow = transport, FlowControl(transport)
        self.client = peer(transport)
        self.scheme = "https" if is_ssl(transport) else "http"
        self.waits = monotonic()

    def data_received(self, data: bytes) -> None:
        """A piece of at most 256 KiB, so that one piece beyond the limit is kept at most."""
        if self.body is not None:
            self.body += len(data) / SLOWEST
        super().data_received(data)
        if self.timeout_keep_alive_task is None and (
            self.cycle is None or self.cycle.response_complete
        ):
            # An empty line begins no request for the parser, and ends uvicorn's wait for one.
            self.waits = self.waits or monotonic()
        self._head = self._head + len(data) if self._in_head else 0
        if self._head > LONGEST_HEAD and not self.transport.is_closing():
            self.send_400_response("The request's head is too long.")

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._in_head, self.waits = True, self.waits or monotonic()

    def on_headers_complete(self) -> None:
        """What follows is a body, which `api/frame.py` limits."""
        self._in_head, self.waits, self.body = False, None, monotonic()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is whole, or there is none."""
        self.body = None
        super().on_message_complete()

    def is_late(self, now: float) -> bool:
        """Whether its head has not ended for too long, or its body comes too slowly."""
        if self.body is not None and not self.flow.read_paused:
            return self.body < now - BODY_S
        return self.waits is not None and self.waits < now - HEAD_S

    def handle_websocket_upgrade(self) -> None:
        """What the reception does not take goes uvicorn's way. A socket that is asked for before the last
        answer is out would get that answer among its frames."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.send_400_response("A socket is asked for before the last answer has come.")
            return
        self._unset_keepalive_if_required()
        reception: Reception | None = getattr(
            self.config.app.state,  # type: ignore[union-attr]
            "reception",
            None,
        )
        scope = {
            **self.scope,
            "type": "websocket",
            "scheme": "wss" if self.scheme == "https" else "ws",
        }
        if reception is not None and reception.admit(scope, self.url, self.transport):
            self.connections.discard(self)
            del self.parser  # It knows this object: without it both are gone at once.
        else:
            super().handle_websocket_upgrade()


def without_traceback(record: logging.LogRecord) -> bool:
    """uvicorn prints a traceback for a frame that is no UTF-8; what a stranger sends is worth a
    line, and no traceback reaches a terminal."""
    message = record.getMessage()
    if record.exc_info and record.exc_info[0] is not None:
        record.msg, record.args = f"{message} ({record.exc_info[0].__name__})", ()
        record.exc_info = None
    return not message.startswith(_FAILED)


_FAILED = ("Traceback", "Application startup failed")
"""What uvicorn logs of a start that failed; `Server` raises why, and who started it tells it."""


class SharedPort:
    """The public's port, on which every edge listens. While this one is full it does not, so that
    the kernel sends newcomers to the others."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._sock = host, listening_socket(host, port, shared=True)
        self.port: int = self._sock.getsockname()[1]
        self._server: asyncio.Server | None = None

    @property
    def open(self) -> bool:
        """Whether newcomers are let in here."""
        return self._server is not None

    async def listen(self, make: Callable[[], asyncio.Protocol]) -> None:
        """From now on; the socket was bound when this object was made, so that a port in use is told
        before anything starts."""
        if self._sock.fileno() < 0:
            self._sock = listening_socket(self._host, self.port, shared=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(make, sock=self._sock, backlog=BACKLOG)

    def close(self) -> None:
        """Those who are here stay."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self._sock.close()


class Server(uvicorn.Server):
    """uvicorn's own, but a start that fails is raised instead of ending the process."""

    shared: SharedPort | None = None
    """The port that an edge listens on beside its own."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """What was made until now is there for good: Python's collector need not look at it again,
        and looks less often. With the votes of a crowd in memory its looks took a third of a core."""
        await super().startup(sockets)
        if self.shared is not None:
            if self._reception is not None:
                self._reception.full = self.shared.close
            await self.shared.listen(self._protocol)
        self._sweeping = asyncio.create_task(self._sweep())
        gc.collect()
        gc.freeze()
        gc.set_threshold(100_000, 20, 100)

    async def _sweep(self) -> None:
        """Closes the connections that never finish a head or a body: uvicorn keeps them for ever."""
        while True:
            await asyncio.sleep(0.5)
            now = monotonic()
            for one in tuple(self.server_state.connections):
                if isinstance(one, Http) and one.is_late(now):
                    one.transport.abort()
            room = self._reception is None or self._reception.has_room
            if self.shared is not None and not self.shared.open and room:
                try:
                    await self.shared.listen(self._protocol)
                except (OSError, CannotServe) as error:  # Tried again with the next look.
                    log.error("cannot_listen", error=type(error).__name__)

    @property
    def _reception(self) -> Reception | None:
        return getattr(self.config.app.state, "reception", None)  # type: ignore[union-attr]

    def _protocol(self) -> asyncio.Protocol:
        return Http(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends what `startup` began."""
        self._sweeping.cancel()
        if self.shared is not None:
            self.shared.close()
        await super().shutdown(sockets)

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serves until told to end. Raises the `Refusal` for which the application did not start, or
        `CannotServe`."""
        try:
            await super().serve(sockets)
        except SystemExit:
            error = self.config.app.state.failed  # type: ignore[union-attr]
            raise (
                error
                if isinstance(error, Refusal)
                else CannotServe(
                    f"服务没有启动（{type(error).__name__}）。"
                    f" The server did not start ({type(error).__name__})."
                )
            ) from None


def make_server(app: Any) -> Server:
    """uvicorn as this application needs it."""
    logging.getLogger("uvicorn.error").addFilter(without_traceback)
    return Server(
        uvicorn.Config(
            app,
            loop="uvloop" if sys.platform != "win32" else "asyncio",
            http=Http,
            ws="websockets-sansio",
            ws_max_size=16 * 1024,  # a longer frame is closed with 1009
            ws_per_message_deflate=False,  # 75 KB against 31 KB a viewer, 1.7 × the CPU
            ws_ping_interval=20.0,
            ws_ping_timeout=TOO_SLOW_S,
            access_log=False,  # addresses of citizens are not ours to keep
            log_config=None,
            backlog=BACKLOG,  # as `listening_socket` has it: uvicorn's 2,048 would replace that
            proxy_headers=False,  # `Door.address` believes only PINGYI_PROXIES
            server_header=False,
            timeout_graceful_shutdown=5,
        )
    )
