"""The panel while the public is busy: 21 tablets that send a ballot a second each."""

from __future__ import annotations

import random
import secrets
import threading
import time
from typing import Any

from tests.faults.crowd_hands import Person


class Panel:
    """Casts as long as the block lasts. A wait is counted from when the ballot was due, so that a
    server which answers nothing for a second is seen as slow by all that were due in it."""

    def __init__(self, line: dict[str, Any]) -> None:
        self._url = line["url"]
        self._over = threading.Event()
        self.waits: list[float] = []
        self.refused = 0
        host = Person(self._url, line["tokens"]["host"])
        _, told = host.call("GET", f"/hearings/{line['hearing']}")
        self._round = next(r["id"] for r in told["state"]["rounds"] if r["audience"] == "panel")
        host.call("POST", f"/rounds/{self._round}/opening", {})
        _, told = host.call("GET", f"/rounds/{self._round}")
        host.close()
        self._subject = told["subjects"][0]["key"]
        self._dimensions = [d["key"] for d in told["rules"]["dimensions"]]
        self._threads = [
            threading.Thread(target=self._tablet, args=(token,))
            for token in line["tokens"]["panel"]
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
        tablet, due = Person(self._url, token), time.monotonic() + random.random()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            marks = {self._subject: {d: str(random.randint(0, 20)) for d in self._dimensions}}
            path, body = f"/rounds/{self._round}/ballot", {"marks": marks}
            status, _ = tablet.call("PUT", path, body, secrets.token_hex(12))
            if status == 200:
                self.waits.append(time.monotonic() - due)
            else:
                self.refused += 1
            due += random.uniform(0.5, 1.5)
        tablet.close()
