"""A storm of acts at a running server: many small changes from several hands, all of them real."""

from __future__ import annotations

import http.client
import json
import threading
import time
from contextlib import closing
from typing import Any

from tests.running import Running, new_key

TROUBLE = (OSError, http.client.HTTPException, KeyError, IndexError, TypeError, ValueError)
"""What a hand meets while the server is gone, or when another hand was quicker."""

HANDS = 3
"""Connections that change the phase in turn: the server need not wait for one hand's next act."""


class Storm:
    """Acts until stopped. It survives the server's restarts, as people's devices do.

    `pace` is how many phases of a question a second it aims at: each of them is told to every room,
    so each page is redrawn as often. Beside them the screens are cleared and restored, the queue is
    turned, a control changes hands and people vote.
    """

    def __init__(self, demo: Running, pace: float = 40) -> None:
        self.demo, self.acts = demo, 0
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        hands = (
            *[(self._phases, pace / HANDS)] * HANDS,
            (self._screens, 4),
            (self._queue, 4),
            (self._votes, 4),
        )
        self._threads = [threading.Thread(target=self._hand, args=one) for one in hands]
        self._began = self.seconds = 0.0

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

    def _hand(self, work: Any, pace: float) -> None:
        """One hand: does its work again and again, so many acts a second."""
        while not self._stopped.is_set():
            try:
                with closing(Hand(self, 1 / pace)) as hand:
                    work(hand)
            except TROUBLE:
                self._stopped.wait(0.2)

    def done(self) -> None:
        """An act was carried out."""
        with self._lock:
            self.acts += 1

    @property
    def over(self) -> bool:
        return self._stopped.is_set()

    def _phases(self, hand: Hand) -> None:
        here = self.demo.here
        hand.do("host", "DELETE", f"{here}/stage?outcome=answered")
        hand.do("host", "PUT", f"{here}/stage", {"asker": 3, "text": "追问：依据是什么？"})
        while not self.over:
            for phase in ("answering", "follow_up"):
                hand.do("host", "PATCH", f"{here}/stage", {"phase": phase})

    def _screens(self, hand: Hand) -> None:
        here = self.demo.here
        while not self.over:
            for on in (True, False):
                hand.do("host", "PUT", f"{here}/screens", {"cleared": on})
            hand.do("host", "PUT", f"{here}/leases/show")

    def _queue(self, hand: Hand) -> None:
        here = self.demo.here
        queue = hand.do("moderator", "GET", f"{here}/queue")
        while not self.over:
            turned = {"version": queue["version"], "ids": queue["ids"][::-1]}
            queue = hand.do("moderator", "PUT", f"{here}/queue", turned)

    def _votes(self, hand: Hand) -> None:
        viewer = hand.do("", "POST", "/viewers")["viewer"]
        rounds = hand.do("", "GET", self.demo.here)["state"]["rounds"]
        round_ = next(r for r in rounds if r["audience"] == "public" and r["status"] == "open")
        for choice in round_["choices"]:
            hand.do(viewer, "PUT", f"/rounds/{round_['id']}/ballot", {"choice": choice["key"]})


class Hand:
    """One connection that acts at its pace."""

    def __init__(self, storm: Storm, every: float) -> None:
        self._storm, self._every = storm, every
        self._due = time.monotonic()
        address = storm.demo.url.removeprefix("http://")
        self._connection = http.client.HTTPConnection(address, timeout=10)

    def close(self) -> None:
        """Lets the connection go."""
        self._connection.close()

    def do(self, who: str, method: str, path: str, body: Any = None) -> Any:
        """One act of a role, or of a viewer with this token; its answer."""
        self._due = max(
            self._due + self._every, time.monotonic() - 1
        )  # It makes up for one second.
        time.sleep(max(0.0, self._due - time.monotonic()))
        headers = {"Content-Type": "application/json", "Idempotency-Key": new_key()}
        if who:
            tokens = self._storm.demo.line["tokens"]
            headers["Authorization"] = f"Bearer {tokens.get(who, who)}"
        sent = None if method == "GET" else json.dumps(body or {})
        self._connection.request(method, f"/api/v1{path}", sent, headers)
        answer = self._connection.getresponse()
        told = json.loads(answer.read())
        if answer.status < 300 and method != "GET":
            self._storm.done()
        return told
