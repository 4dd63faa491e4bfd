"""A real server for tests: `pingyi demo --json` in a process of its own, and a client for it.

Sockets and pages are tested only against a real uvicorn on a port (docs/decisions/0003-tests.md).
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from websockets.sync.client import ClientConnection, connect

from tests.documented import documented
from tests.nursery import Born
from tests.schema import folder_with_schema

PINGYI = [sys.executable, "-m", "server.cli"]


def new_key() -> str:
    """An idempotency key as a browser makes one."""
    return secrets.token_hex(12)


@dataclass
class Client:
    """One person or program at the API."""

    base: str
    token: str | None = None
    cookie: str | None = None

    def call(
        self, method: str, path: str, body: Any = None, key: str | None = None, **headers: str
    ) -> httpx2.Response:
        """One request, with its key when given; its answer must be as it is documented."""
        if key is not None:
            headers["Idempotency-Key"] = key
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.cookie is not None:
            headers["Cookie"] = self.cookie
        answer = httpx2.request(
            method,
            f"{self.base}/api/v1{path}",
            json=body,
            headers=headers,
            timeout=30,
            trust_env=False,
        )
        documented(self.base).check(method, answer)
        return answer

    def get(self, path: str) -> Any:
        """The JSON of a GET that must succeed."""
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def do(self, method: str, path: str, body: Any = None, key: str | None = None) -> Any:
        """The JSON of an act that must succeed."""
        answer = self.call(method, path, body if body is not None else {}, key)
        assert answer.status_code in {200, 201}, f"{method} {path}: {answer.text}"
        return answer.json()

    def refused(
        self, method: str, path: str, body: Any = None, key: str | None = None
    ) -> tuple[int, str]:
        """(status, code) of an act that must be refused."""
        answer = self.call(method, path, body if body is not None else {}, key)
        error = answer.json()["error"]
        assert set(error) == {"code", "message", "detail"}
        assert error["message"]
        return answer.status_code, error["code"]


@dataclass
class Running:
    """A demonstration that is ready: its line, and clients for its people."""

    process: Born
    line: dict[str, Any]
    data: Path
    arguments: list[str]

    @property
    def url(self) -> str:
        return str(self.line["url"])

    @property
    def slug(self) -> str:
        return str(self.line["hearing"])

    @property
    def here(self) -> str:
        """The hearing's address in the API."""
        return f"/hearings/{self.slug}"

    def as_(self, role: str, seat: int = 0) -> Client:
        """A client with the token of a role (`panel` with the seat's index)."""
        token = self.line["tokens"][role]
        return Client(self.url, token[seat] if role == "panel" else token)

    def anyone(self) -> Client:
        """A client without a token."""
        return Client(self.url)

    def viewer(self) -> Client:
        """A client with a viewer token of its own."""
        return Client(self.url, Client(self.url).do("POST", "/viewers")["viewer"])

    def socket(
        self, page: str = "", *, token: str | None = None, origin: str | None = None, **query: Any
    ) -> ClientConnection:
        """A socket of the hearing (`page` "" = the public's)."""
        path = f"/h/{self.slug}/{page}/socket" if page else f"/h/{self.slug}/socket"
        query = {"as": "json", **query}
        address = (
            self.url.replace("http", "ws", 1)
            + path
            + "?"
            + "&".join(f"{k}={v}" for k, v in query.items())
        )
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return connect(
            address,
            origin=origin,  # type: ignore[arg-type]
            additional_headers=headers,
            proxy=None,
            open_timeout=10,
        )

    def state(self) -> Any:
        """The public state as it is now."""
        return self.anyone().get(self.here)["state"]

    def kill(self) -> None:
        """The process is gone, at once."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def again(self) -> None:
        """The process comes back on the same data and port."""
        port = self.url.rsplit(":", 1)[1]
        arguments = [a for a in self.arguments if a != "0"]
        arguments[arguments.index("--port") + 1 : arguments.index("--port") + 1] = [port]
        self.process, line = start(arguments, self.data)
        self.line = json.loads(line)

    def stop(self) -> None:
        """Ends the process."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except TimeoutError:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()


def start(arguments: list[str], data: Path, **environment: str) -> tuple[Born, str]:
    """`pingyi` with these arguments, and the first line that it says; its log is beside `data`."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PINGYI_")}
    log = data.parent / f"{data.name}.log"
    process = Born(arguments, {**clean, **environment}, log)
    line = process.stdout.readline()
    if not line:
        process.wait()
        raise AssertionError(log.read_text()[-3000:])
    return process, line


@contextlib.contextmanager
def running(data: Path, *options: str, **environment: str) -> Iterator[Running]:
    """`pingyi demo --json` on a free port, for as long as the block lasts."""
    folder_with_schema(data)
    arguments = ["demo", "--json", "--port", "0", "--data", str(data), *options]
    process, line = start(arguments, data, **environment)
    found = Running(process, json.loads(line), data, arguments)
    try:
        yield found
    finally:
        found.stop()


def round_until(demo: Running, round_id: str, status: str, seconds: float = 5) -> None:
    """Waits for what follows by itself: `closed` by the clock, `tallied` by the machine."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = next(r for r in demo.state()["rounds"] if r["id"] == round_id)
        if found["status"] == status:
            return
        time.sleep(0.05)
    raise AssertionError(f"round is {found['status']}, not {status}")


def wait_until(found: Any, seconds: float = 20) -> None:
    """Until what is asked for holds."""
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def frames_until(socket: ClientConnection, wanted: Any, seconds: float = 10) -> list[Any]:
    """Frames received up to the first for which `wanted(frame)` holds."""
    seen: list[Any] = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            frame = json.loads(socket.recv(timeout=max(0.05, deadline - time.monotonic())))
        except TimeoutError:
            break
        seen.append(frame)
        if wanted(frame):
            return seen
    raise AssertionError(
        f"the frame did not come; seen: {[f.get('event', f['type']) for f in seen]}"
    )


def ask_socket(socket: ClientConnection, frame: dict[str, Any]) -> Any:
    """Sends an act and gives its answer (ack, refusal or unknown)."""
    frame = {"key": new_key(), **frame}
    socket.send(json.dumps(frame))
    return frames_until(
        socket,
        lambda f: f["type"] in {"ack", "refusal", "unknown"} and f.get("key") == frame["key"],
    )[-1]
