"""The panel while the public is busy: 21 tablets that send a ballot a second each."""

from __future__ import annotations

import http.client
import json
import random
import secrets
import threading
import time
from typing import Any


class Panel:
    """Casts as long as the block lasts. A wait is counted from when the ballot was due, so that a
    server which answers nothing for a second is seen as slow by all that were due in it."""

    def __init__(self, line: dict[str, Any]) -> None:
        self._address = line["url"].removeprefix("http://")
        self._tokens = line["tokens"]["panel"]
        self._over = threading.Event()
        self.waits: list[float] = []
        self.refused = 0
        host = _Person(self._address, line["tokens"]["host"])
        rounds = host.call("GET", f"/hearings/{line['hearing']}")["state"]["rounds"]
        self._round = next(r["id"] for r in rounds if r["audience"] == "panel")
        host.call("POST", f"/rounds/{self._round}/opening", {})
        told = host.call("GET", f"/rounds/{self._round}")
        self._subject = told["subjects"][0]["key"]
        self._dimensions = [d["key"] for d in told["rules"]["dimensions"]]
        self._threads = [
            threading.Thread(target=self._tablet, args=(token,)) for token in self._tokens
        ]

    def __enter__(self) -> Panel:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def told(self) -> dict[str, Any]:
        """{n, p50_ms, p99_ms, max_ms, refused} of all ballots so far."""
        waits = sorted(self.waits)
        at = {"p50_ms": len(waits) // 2, "p99_ms": len(waits) * 99 // 100, "max_ms": -1}
        found = {name: round(waits[i] * 1000, 1) for name, i in at.items()} if waits else {}
        return {"n": len(waits), **found, "refused": self.refused}

    def _tablet(self, token: str) -> None:
        tablet, due = _Person(self._address, token), time.monotonic() + random.random()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            marks = {self._subject: {d: str(random.randint(0, 20)) for d in self._dimensions}}
            try:
                tablet.call("PUT", f"/rounds/{self._round}/ballot", {"marks": marks})
                self.waits.append(time.monotonic() - due)
            except OSError:
                self.refused += 1
            due += random.uniform(0.5, 1.5)


class _Person:
    """One connection to the API that is kept alive."""

    def __init__(self, address: str, token: str) -> None:
        self._connection, self._token = http.client.HTTPConnection(address, timeout=30), token

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The answer; `OSError` when it is no 200 or 201."""
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self._token}",
            "Idempotency-Key": secrets.token_hex(12),
        }
        sent = None if body is None else json.dumps(body)
        self._connection.request(method, f"/api/v1{path}", sent, headers)
        answer = self._connection.getresponse()
        told = json.loads(answer.read())
        if answer.status not in {200, 201}:
            raise OSError(answer.status, path)
        return told
