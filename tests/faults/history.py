"""What a client asked and what it was told, as JSON lines outside of what is being broken.

An act is one ballot under one key. Each time it is sent there is an `invoke`, and then one of

- `ok`: acknowledged, with the answer but for its `at`;
- `fail`: refused for good, with the refusal's code;
- `info`: nobody knows (cut, timed out, `unknown`, 5xx): it is sent again with the same key.

A round's closing has two lines, `closing` when it is asked for and `closed` when it is acknowledged;
`released` is when its publication to an `audience` is asked for.
`t` is the monotonic clock in nanoseconds, the same for all processes of one machine. `who` is the
viewer's id, or the seat as the export names it (`seat-007`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO


@dataclass(frozen=True)
class Act:
    """One ballot: `choice` in a public round, `marks` in a panel's."""

    round: str
    who: str
    key: str
    choice: str | None = None
    marks: Mapping[str, Mapping[str, str]] | None = None

    @property
    def value(self) -> dict[str, Any]:
        """What it says."""
        return {"choice": self.choice} if self.marks is None else {"marks": self.marks}


class History:
    """One client's file. Several clients of one process may share it under their own names."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: TextIO = path.open("a", encoding="utf-8", buffering=1 << 16)

    def __enter__(self) -> History:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Everything is on disk."""
        self._file.close()

    def invoke(self, client: str, act: Act) -> int:
        """The act is sent now; gives the time."""
        return self._write("invoke", client, act, act.value)

    def ok(self, client: str, act: Act, answer: Mapping[str, Any]) -> int:
        """It is acknowledged."""
        return self._write("ok", client, act, {"answer": without_time(answer)})

    def fail(self, client: str, act: Act, code: str) -> int:
        """It is refused."""
        return self._write("fail", client, act, {"code": code})

    def info(self, client: str, act: Act, why: str) -> int:
        """Nobody knows."""
        return self._write("info", client, act, {"why": why})

    def closing(self, client: str, round_: str) -> int:
        """A round's closing is asked for now."""
        return self._write("closing", client, Act(round_, "", ""), {})

    def closed(self, client: str, round_: str) -> int:
        """It is acknowledged: from now on nothing that is sent counts."""
        return self._write("closed", client, Act(round_, "", ""), {})

    def released(self, client: str, round_: str, audience: str) -> int:
        """Its publication is asked for now."""
        return self._write("released", client, Act(round_, "", ""), {"audience": audience})

    def _write(self, kind: str, client: str, act: Act, more: Mapping[str, Any]) -> int:
        t = time.monotonic_ns()
        line = {"t": t, "kind": kind, "client": client, "round": act.round, "who": act.who}
        line |= {"key": act.key, **more}
        self._file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
        return t


def without_time(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer as it must be the same each time."""
    return {k: v for k, v in answer.items() if k not in {"at", "type", "key"}}
