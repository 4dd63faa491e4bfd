"""What a viewer sees, put together as a page does from snapshot, cues and pulses, and kept as lines."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

from tests.faults.clients import Ended, Socket

WHOLE = ("hearing", "slot", "stage", "rounds")
"""Members that a cue carries whole."""


class View:
    """One socket that stays, and comes again when it was lost."""

    def __init__(self, name: str, port: int, slug: str, folder: Path) -> None:
        self.name, self._port, self._slug = name, port, slug
        (folder / "views").mkdir(parents=True, exist_ok=True)
        self._file = (folder / "views" / f"{name}.jsonl").open("w", encoding="utf-8")
        self.epoch, self.version = "", -1
        self.state: dict[str, Any] = {}
        self._socket: Socket | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to watch."""
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Writes down how it ends."""
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if self._socket is not None:
            self._socket.close()
        self._write("final", state=self.state)
        self._file.close()

    def cast(self, round_: str) -> int:
        """The turnout that it shows."""
        return next((int(r["cast"]) for r in self.state.get("rounds", ()) if r["id"] == round_), -1)

    async def _watch(self) -> None:
        while True:
            try:
                self._socket = await Socket.connect(self._port, self._slug, self._heard)
                await self._socket.ended
            except (OSError, Ended):
                pass
            await asyncio.sleep(0.2)

    def _heard(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "snapshot":
            self.epoch, self.version, self.state = frame["epoch"], frame["version"], frame["state"]
            self._write("snapshot", epoch=self.epoch, version=self.version)
        elif frame["type"] == "cue":
            self.version = frame["version"]
            self.state |= {k: v for k, v in frame["data"].items() if k in WHOLE}
            self._write("cue", version=self.version)
        elif frame["type"] == "pulse":
            for round_ in self.state.get("rounds", ()):
                round_["cast"] = frame.get("rounds", {}).get(round_["id"], round_)["cast"]

    def _write(self, kind: str, **more: Any) -> None:
        line = {"t": time.monotonic_ns(), "viewer": self.name, "kind": kind, **more}
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
