"""A storm of acts at a running server: many small changes from several hands, all of them real."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from typing import Any

import httpx2
from websockets.exceptions import WebSocketException

from tests.running import Running, new_key


class Storm:
    """Acts until stopped. It survives the server's restarts, as people's devices do."""

    def __init__(self, demo: Running, hands: int = 5) -> None:
        self.demo, self.acts, self.frames = demo, 0, 0
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._hand, args=(i,)) for i in range(hands)]
        self._threads.append(threading.Thread(target=self._listen))
        self.seconds = 0.0

    def __enter__(self) -> Storm:
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(15)
        self.seconds = time.monotonic() - self._began

    def _hand(self, number: int) -> None:
        works = (self._phases, self._screens, self._screens, self._queue, self._votes)
        with httpx2.Client(base_url=f"{self.demo.url}/api/v1", timeout=10, trust_env=False) as http:
            while not self._stopped.is_set():
                try:
                    works[number % len(works)](http)
                except (httpx2.HTTPError, KeyError, IndexError, TypeError, ValueError):
                    time.sleep(0.2)

    def _do(self, http: httpx2.Client, role: str, method: str, path: str, body: Any) -> Any:
        token = self.demo.line["tokens"][role]
        answer = http.request(method, path, json=body, headers={"Authorization": f"Bearer {token}"})
        if answer.status_code < 300:
            with self._lock:
                self.acts += 1
        return answer.json()

    def _phases(self, http: httpx2.Client) -> None:
        here = self.demo.here
        self._do(http, "host", "PUT", f"{here}/stage", {"asker": 3, "text": "追问：依据是什么？"})
        for phase in ("answering", "follow_up", "answering", "follow_up", "done"):
            self._do(http, "host", "PATCH", f"{here}/stage", {"phase": phase})
        self._do(http, "host", "DELETE", f"{here}/stage", {"outcome": "answered"})

    def _queue(self, http: httpx2.Client) -> None:
        here = self.demo.here
        queue = self._do(http, "moderator", "GET", f"{here}/queue", None)
        for _ in range(5):
            queue = self._do(
                http,
                "moderator",
                "PUT",
                f"{here}/queue",
                {"version": queue["version"], "ids": queue["ids"][::-1]},
            )
            time.sleep(0.1)

    def _votes(self, http: httpx2.Client) -> None:
        viewer = http.post("/viewers", json={}).json()["viewer"]
        rounds = http.get(self.demo.here).json()["state"]["rounds"]
        round_ = next(r for r in rounds if r["audience"] == "public" and r["status"] == "open")
        for choice in round_["choices"]:
            http.put(
                f"/rounds/{round_['id']}/ballot",
                json={"choice": choice["key"]},
                headers={"Authorization": f"Bearer {viewer}", "Idempotency-Key": new_key()},
            )
            time.sleep(0.2)

    def _screens(self, http: httpx2.Client) -> None:
        here = self.demo.here
        for on in (True, False):
            self._do(http, "host", "PUT", f"{here}/screens", {"cleared": on})
        self._do(http, "host", "PUT", f"{here}/leases/show", {})

    def _listen(self) -> None:
        """Counts the updates that a page of the busiest room is sent."""
        while not self._stopped.is_set():
            with (
                contextlib.suppress(OSError, WebSocketException, TimeoutError),
                self.demo.socket("host", token=self.demo.line["tokens"]["host"]) as socket,
            ):
                while not self._stopped.is_set():
                    with contextlib.suppress(TimeoutError):
                        frame = json.loads(socket.recv(timeout=0.5))
                        self.frames += frame["type"] in {"cue", "pulse"}
            time.sleep(0.1)
