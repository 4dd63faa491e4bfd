"""Training as a child process of its own, so that no server waits for it: bounded in memory and time,
and it knows none of our secrets."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from moderation.topics.features import LETTERS
from moderation.topics.learner import Labelled, learn
from moderation.topics.model import to_bytes

log = structlog.get_logger()

MEMORY: Final = 1024 * 1024 * 1024
SECONDS: Final = 1_200
"""Of CPU time; a whole clock's hour is the most that is waited."""
WAITED_S: Final = 3_600.0


async def train(labelled: Sequence[Labelled]) -> bytes | None:
    """The model of these labels, the newest first, as bytes; None where the child came to its limits."""
    told = "".join(
        json.dumps([title[:LETTERS], text[:LETTERS], topic], ensure_ascii=False) + "\n"
        for title, text, topic in labelled
    )
    kept = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "moderation.topics.trainer",
        cwd=Path(__file__).resolve().parents[2],
        env={name: os.environ[name] for name in kept if name in os.environ},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(WAITED_S):
            packed, _ = await child.communicate(told.encode())
    except TimeoutError:
        return None
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if child.returncode != 0:
        log.warning("topics_not_trained", labels=len(labelled), status=child.returncode)
        return None
    return packed


def _main() -> None:
    """In the child: labels in, a line of JSON each; the model out."""
    with suppress(ImportError):  # Not on Windows.
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        os.nice(15)
    labelled: list[Labelled] = []
    for line in sys.stdin.buffer:
        title, text, topic = json.loads(line)
        labelled.append((title, text, topic))
    sys.stdout.buffer.write(to_bytes(learn(labelled)))


if __name__ == "__main__":
    _main()
