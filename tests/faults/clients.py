"""Clients that send ballots and write down what they were told: over the public's socket, and by HTTP.

A public socket takes sixty messages at once and twenty a second; so a client sends its votes in one
piece, reads what comes, and goes. What was not answered when the connection ended is `info`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from tests.faults.hall import Hall
from tests.faults.history import Act, History

HANDSHAKE = (
    "GET {path}?as={form} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n{more}\r\n"
)
AT_ONCE = 56
"""Messages that one connection says: four less than the socket takes."""
SETTLED_S = 30.0
"""Within which every unknown outcome must be known."""
PATIENCE_S = 20.0
"""How long a client waits for its answers before it gives up on the connection."""


class Ended(Exception):
    """The connection is over before everything was answered."""


class Socket(asyncio.Protocol):
    """A socket of the hearing: frames that come go to `heard`, as JSON."""

    def __init__(self, heard: Callable[[dict[str, Any]], None]) -> None:
        self._heard = heard
        self._rest = b""
        self._open = False
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()
        self.transport: asyncio.Transport

    @classmethod
    async def connect(
        cls,
        port: int,
        slug: str,
        heard: Callable[[dict[str, Any]], None],
        *,
        page: str = "",
        token: str = "",
        form: str = "json",
    ) -> Socket:
        """A socket of the public's, or of a `page` with the token of whoever may see it, when its
        handshake is done; its content comes as JSON or as a page's HTML. Raises `OSError` or `Ended`."""
        loop = asyncio.get_running_loop()
        _, self = await loop.create_connection(lambda: cls(heard), "127.0.0.1", port)
        path = f"/h/{slug}/{page}/socket" if page else f"/h/{slug}/socket"
        more = f"Authorization: Bearer {token}\r\n" if token else ""
        self.transport.write(HANDSHAKE.format(path=path, form=form, more=more).encode())
        try:
            await asyncio.wait(
                [self.opened, self.ended], timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            if not self.opened.done():
                self.close()
        if not self.opened.done():
            raise Ended
        return self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there, the handshake not yet."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Frames, or a part of one."""
        data = self._rest + data
        if not self._open:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._rest = head
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self.transport.abort()
                return
            self._open = True
            self.opened.set_result(None)
        at, end = 0, len(data)
        while end - at >= 2:
            length, head_ = data[at + 1] & 0x7F, 2
            if length > 125:
                head_ = 4 if length == 126 else 10
                if end - at < head_:
                    break
                length = int.from_bytes(data[at + 2 : at + head_], "big")
            if end - at < head_ + length:
                break
            if data[at] == 0x81:
                self._heard(orjson.loads(data[at + head_ : at + head_ + length]))
            elif data[at] == 0x88:
                self.transport.close()
            at += head_ + length
        self._rest = data[at:]

    def eof_received(self) -> bool:
        """The server says no more."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        if not self.ended.done():
            self.ended.set_result(None)

    def say(self, messages: Iterable[Mapping[str, Any]]) -> None:
        """All of them in one piece."""
        self.transport.write(b"".join(framed(orjson.dumps(one)) for one in messages))

    def close(self) -> None:
        """Goes without a word."""
        self.transport.abort()


def framed(payload: bytes) -> bytes:
    """A client's text frame. The mask is 0, which changes nothing and is a mask all the same."""
    n = len(payload)
    head = b"\x81%c" % (0x80 | n) if n < 126 else b"\x81\xfe" + n.to_bytes(2, "big")
    return head + b"\0\0\0\0" + payload


def messages(acts: Sequence[Act], tokens: Mapping[str, str]) -> list[dict[str, Any]]:
    """What is said for these votes: who speaks, whenever it is somebody else, and his vote."""
    said: list[dict[str, Any]] = []
    who = None
    for act in acts:
        if act.who != who:
            said.append({"type": "viewer", "viewer": tokens[act.who]})
            who = act.who
        said.append({"type": "vote", "round": act.round, "choice": act.choice, "key": act.key})
    return said


def batches(acts: Sequence[Act], most: int = AT_ONCE) -> list[list[Act]]:
    """The votes in pieces that one connection may say."""
    found: list[list[Act]] = [[]]
    n, who = 0, None
    for act in acts:
        cost = 1 if act.who == who else 2
        if n + cost > most:
            found.append([])
            n, cost = 0, 2
        found[-1].append(act)
        n, who = n + cost, act.who
    return [one for one in found if one]


async def send_votes(
    history: History,
    client: str,
    port: int,
    slug: str,
    tokens: Mapping[str, str],
    acts: Sequence[Act],
    *,
    patience: float = PATIENCE_S,
    told: Callable[[Act, int], None] | None = None,
) -> list[Act]:
    """Sends these votes over one connection; gives those of which nobody knows. `told` hears of each
    acknowledgement, with the nanoseconds that it took."""
    waiting = {act.key: act for act in acts}
    sent: dict[str, int] = {}
    over = asyncio.get_running_loop().create_future()
    unknown: list[Act] = []

    def heard(frame: dict[str, Any]) -> None:
        if frame["type"] not in {"ack", "refusal", "unknown"}:
            return
        act = waiting.pop(frame.get("key") or "", None)
        if act is None:
            return
        if frame["type"] == "ack":
            at = history.ok(client, act, frame)
            if told is not None:
                told(act, at - sent[act.key])
        elif frame["type"] == "refusal" and frame["code"] != "server_error":
            history.fail(client, act, frame["code"])
            if frame["code"] == "too_many":
                unknown.append(act)
        else:
            history.info(client, act, frame.get("code", "unknown"))
            unknown.append(act)
        if not waiting and not over.done():
            over.set_result(None)

    socket = None
    try:
        socket = await Socket.connect(port, slug, heard)
        for act in acts:
            sent[act.key] = history.invoke(client, act)
        socket.say(messages(acts, tokens))
        await asyncio.wait(
            [over, socket.ended], timeout=patience, return_when=asyncio.FIRST_COMPLETED
        )
    except (OSError, Ended):
        pass
    finally:
        if socket is not None:
            socket.close()
    for act in waiting.values():
        if act.key in sent:
            history.info(client, act, "cut")
    return [*unknown, *waiting.values()]


async def settle(
    history: History,
    port: int,
    hall: Hall,
    acts: Sequence[Act],
    seconds: float = SETTLED_S,
) -> list[Act]:
    """Sends what nobody knows again, each with its key, until somebody knows; gives what is left
    after so many seconds. A viewer's or a seat's acts go in the order in which they stand."""
    deadline = time.monotonic() + seconds
    left, http = list(acts), Http(port)
    while left and time.monotonic() < deadline:
        left, acts = [], left
        for one in batches([act for act in acts if act.choice is not None]):
            left += await send_votes(history, "again", port, hall.slug, hall.tokens, one)
        for act in acts:
            if act.choice is None:
                told, _ = await send_ballot(history, "again", http, act, hall.seats[act.who])
                left += [act] if told == "info" else []
        await asyncio.sleep(0.02 if left else 0)
    http.close()
    return left


# ── HTTP ──


class Http:
    """One connection to the API that is kept, and made anew when it was lost."""

    def __init__(self, port: int, patience: float = PATIENCE_S) -> None:
        self._port, self._patience = port, patience
        self.status = 0
        """Of the last answer; 0 when there was none."""
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, method: str, path: str, token: str = "", body: Any = None, key: str = ""
    ) -> tuple[int, bytes]:
        """(status, body). Raises `OSError`, `EOFError` or `TimeoutError`; then the connection is
        gone."""
        payload = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(payload)}\r\n"
        head += "Content-Type: application/json\r\n" if payload else ""
        head += f"Authorization: Bearer {token}\r\n" if token else ""
        head += f"Idempotency-Key: {key}\r\n" if key else ""
        self.status = 0
        try:
            async with asyncio.timeout(self._patience):
                if self._streams is None or self._streams[0].at_eof():
                    self.close()
                    self._streams = await asyncio.open_connection("127.0.0.1", self._port)
                reader, writer = self._streams
                writer.write(head.encode() + b"\r\n" + payload)
                self.status, answer = await _answer(reader)
                return self.status, answer
        except (OSError, EOFError, TimeoutError, asyncio.CancelledError):
            self.close()
            raise

    async def json(self, method: str, path: str, token: str = "", body: Any = None) -> Any:
        """The JSON of what must succeed. Like everybody it sends again, with the same key, when the
        connection is lost: a server lets go of one that was silent for five seconds."""
        key = secrets.token_hex(12) if method != "GET" else ""
        for attempt in range(3):
            try:
                status, answer = await self.ask(method, f"/api/v1{path}", token, body, key)
                break
            except (OSError, EOFError):
                if attempt == 2:
                    raise
        assert status in {200, 201}, f"{method} {path}: {status} {answer[:300]!r}"
        return json.loads(answer)

    def close(self) -> None:
        """The connection is over."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    names = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
    if names.get("transfer-encoding") == "chunked":
        body = b""
        while n := int(await reader.readuntil(b"\r\n"), 16):
            body += (await reader.readexactly(n + 2))[:-2]
        await reader.readexactly(2)
    else:
        body = await reader.readexactly(int(names.get("content-length", "0")))
    return int(head[0].split(" ")[1]), body


async def send_ballot(
    history: History, client: str, http: Http, act: Act, token: str
) -> tuple[str, int]:
    """Sends a ballot once: (`ok`, `fail` or `info`, the nanoseconds that it took)."""
    began = history.invoke(client, act)
    body = {"marks": act.marks} if act.choice is None else {"choice": act.choice}
    path = f"/api/v1/rounds/{act.round}/ballot"
    try:
        status, answer = await http.ask("PUT", path, token, body, act.key)
    except (OSError, EOFError, TimeoutError) as error:
        return "info", history.info(client, act, type(error).__name__) - began
    with contextlib.suppress(ValueError):
        told = json.loads(answer)
        if status == 200:
            return "ok", history.ok(client, act, told) - began
        code = told["error"]["code"]
        if status < 500:
            kind = "info" if code == "too_many" else "fail"
            return kind, history.fail(client, act, code) - began
        return "info", history.info(client, act, f"{status} {code}") - began
    return "info", history.info(client, act, f"{status} unreadable") - began
