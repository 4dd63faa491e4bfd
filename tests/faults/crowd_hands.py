"""Who acts while the crowd is in trouble: the panel's tablets, and a host whose stage is watched.

Every wait is counted from the moment when the act was due, so that a server which answers nothing
for a second is seen as slow by all that were due in it, not only by the one that was under way.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tests.faults.clients import Http
from tests.faults.experiment import Report
from tests.faults.export import close_rounds, export
from tests.faults.hall import Hall
from tests.faults.history import Act, History
from tests.running import Running, new_key

TROUBLE = (OSError, http.client.HTTPException, json.JSONDecodeError)
"""What a client meets while the server is gone."""


class Person:
    """One connection to the API that is kept alive, and made again when it breaks."""

    def __init__(self, url: str, token: str) -> None:
        self._address, self._token = url.removeprefix("http://"), token
        self._connection: http.client.HTTPConnection | None = None

    def call(self, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, Any]:
        """(status, answer); `OSError` and its like when nobody knows what became of it."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"}
        if key:
            headers["Idempotency-Key"] = key
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._address, timeout=30)
        try:
            sent = None if body is None else json.dumps(body)
            self._connection.request(method, f"/api/v1{path}", sent, headers)
            answer = self._connection.getresponse()
            return answer.status, json.loads(answer.read())
        except TROUBLE:
            self.close()
            raise

    def close(self) -> None:
        """Lets the connection go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Hands:
    """Tablets that send a ballot every second or so each, and a host who covers and uncovers the
    screens `presses` times a second while somebody watches the stage. All of it ends with the block.

    `ballots` and `stage` hold (when it was due, seconds until the receipt, or until the stage showed
    it), by the monotonic clock.
    """

    def __init__(self, demo: Running, folder: Path, seed: int, presses: float = 1.0) -> None:
        self._demo, self._every = demo, 1 / presses
        self._chance = random.Random(seed)
        self._over = threading.Event()
        self._shown: tuple[bool | None, float] = (None, 0.0)
        self._changed = threading.Condition()
        self.ballots: list[tuple[float, float]] = []
        self.stage: list[tuple[float, float]] = []
        self.refused: list[str] = []
        """Ballots that were answered neither with a receipt nor with `unknown`."""
        self._history = History(folder / "ballots.jsonl")
        self._lock = threading.Lock()
        host = demo.as_("host")
        rounds = demo.state()["rounds"]
        self._round = next(r["id"] for r in rounds if r["audience"] == "panel")
        host.do("POST", f"/rounds/{self._round}/opening")
        told = host.get(f"/rounds/{self._round}")
        self._subject = told["subjects"][0]["key"]
        self._dimensions = [d["key"] for d in told["rules"]["dimensions"]]
        # A server's first ballot and first act cost it some tenths of a second: not this crowd's doing.
        first = Person(demo.url, demo.line["tokens"]["panel"][0])
        self._cast(first, self._act(0, self._chance))
        first.close()
        host.do("PUT", f"{demo.here}/screens", {"cleared": False})

    @contextlib.contextmanager
    def at_work(self) -> Iterator[Hands]:
        """They act as long as the block lasts."""
        seats = len(self._demo.line["tokens"]["panel"])
        works = [(self._tablet, (i, random.Random(self._chance.random()))) for i in range(seats)]
        self._threads = [threading.Thread(target=work, args=args) for work, args in works]
        self._threads += [threading.Thread(target=one) for one in (self._watch, self._press)]
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop()

    def _stop(self) -> None:
        """Their last acts are done."""
        self._over.set()
        for thread in self._threads:
            thread.join(40)
        self._history.close()

    def leave(self, folder: Path) -> Any:
        """Their last acts are done, the panel's round is closed and exported for the checker; gives
        what the server says of the hearing then."""
        self._stop()
        asyncio.run(self._export(folder))
        return json.loads((folder / "export" / "state.json").read_text())

    async def _export(self, folder: Path) -> None:
        demo, tokens = self._demo, self._demo.line["tokens"]
        hall = Hall("", tokens["host"], tokens["scrutineer"], {}, demo.slug)
        http = Http(int(demo.url.rsplit(":", 1)[1]))
        await close_rounds(http, hall, [self._round])
        await export(folder, http, hall, [self._round], str(demo.data / "pingyi.db"))
        http.close()

    def judge(self, report: Report, began: float, over: float, served: float | None = None) -> None:
        """What the panel and the stage felt before the trouble, and from when it began until it was
        over. What was due while there was no server, until `served`, is only counted: each ballot
        must be receipted in the end."""
        for name, waits in (("ballot", self.ballots), ("stage", self.stage)):
            for due, took in waits:
                if due + took < began:
                    report.sample(f"{name}_before_ms", took * 1000)
                elif served is not None and due < served:
                    report.counted[f"{name}s over the gap"] += 1
                elif due <= over:
                    report.sample(f"{name}_ms", took * 1000)
        report.faults += self.refused

    # ── the panel ──

    def _tablet(self, seat: int, chance: random.Random) -> None:
        tablet = Person(self._demo.url, self._demo.line["tokens"]["panel"][seat])
        due = time.monotonic() + chance.random()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            if self._cast(tablet, self._act(seat, chance)):
                self.ballots.append((due, time.monotonic() - due))
            due = max(due, time.monotonic() - 1) + chance.uniform(0.5, 1.5)
        tablet.close()

    def _act(self, seat: int, chance: random.Random) -> Act:
        marks = {self._subject: {d: str(chance.randint(0, 20)) for d in self._dimensions}}
        return Act(self._round, f"seat-{seat + 1:03d}", new_key(), marks=marks)

    def _cast(self, tablet: Person, act: Act) -> bool:
        """Sent with one key until there is a receipt."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            self._kept("invoke", act)
            try:
                body = {"marks": act.marks}
                status, answer = tablet.call("PUT", f"/rounds/{act.round}/ballot", body, act.key)
            except TROUBLE as error:
                self._kept("info", act, type(error).__name__)
                time.sleep(0.2)
                continue
            if status == 200:
                self._kept("ok", act, answer)
                return True
            if status < 500:
                self._kept("fail", act, answer["error"]["code"])
                self.refused.append(f"{act.who}: {answer['error']['code']}")
                return False
            self._kept("info", act, str(status))
            time.sleep(0.2)
        return False

    def _kept(self, kind: str, act: Act, *more: Any) -> None:
        with self._lock:
            getattr(self._history, kind)(act.who, act, *more)

    # ── the host and the stage ──

    def _press(self) -> None:
        host = Person(self._demo.url, self._demo.line["tokens"]["host"])
        wanted, due = True, time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            try:
                status, _ = host.call(
                    "PUT", f"{self._demo.here}/screens", {"cleared": wanted}, new_key()
                )
            except TROUBLE:
                status = 0
            if status == 200:
                seen = self._until(wanted)
                self.stage.append((due, seen - due))
                wanted = not wanted
                due = max(due, time.monotonic() - self._every) + self._every
            else:
                self._over.wait(0.2)
        host.close()

    def _until(self, wanted: bool, seconds: float = 30) -> float:
        """When the stage has shown it."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._shown[0] is wanted or self._over.is_set(), timeout=seconds
            )
            return self._shown[1] if self._shown[0] is wanted else time.monotonic()

    def _watch(self) -> None:
        base = self._demo.url.replace("http", "ws", 1)
        address = f"{base}/h/{self._demo.slug}/stage/socket?as=json"
        headers = {"Authorization": f"Bearer {self._demo.line['tokens']['host']}"}
        while not self._over.is_set():
            with contextlib.suppress(OSError, WebSocketException, TimeoutError):
                with connect(
                    address, additional_headers=headers, proxy=None, compression=None
                ) as socket:
                    self._read(socket)
            self._over.wait(0.2)

    def _read(self, socket: Any) -> None:
        while not self._over.is_set():
            try:
                frame = json.loads(socket.recv(timeout=0.5))
            except TimeoutError:
                continue
            told = frame.get("state") or frame.get("data") or {}
            if "hearing" in told:
                with self._changed:
                    self._shown = (told["hearing"]["cleared"], time.monotonic())
                    self._changed.notify_all()
