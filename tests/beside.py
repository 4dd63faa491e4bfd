"""A coroutine's outcome, also where a loop is running already."""

from __future__ import annotations

import asyncio
import threading
from typing import Any


def in_a_thread(work: Any) -> Any:
    """Runs it to its end in a loop of its own."""
    outcome: list[Any] = []

    def run() -> None:
        outcome.append(asyncio.run(work))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return outcome[0]
