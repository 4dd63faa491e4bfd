"""`--crowd N`: N viewers from a process of their own, through the contract's sockets alone.

`python -m server.demo.crowd URL N` runs until its standard input ends, so that it never outlives
the demonstration that started it.
"""

from __future__ import annotations

import asyncio
import random
import sys
import urllib.request
from typing import Any

import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from server.demo.people import wishes


def _token(base: str) -> str:
    request = urllib.request.Request(f"{base}/api/v1/viewers", data=b"{}", method="POST")
    request.add_header("Content-Type", "application/json")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        token: str = orjson.loads(answer.read())["viewer"]
    return token


async def _viewer(base: str, slug: str, seed: int) -> None:
    chance = random.Random(seed)
    token = await asyncio.to_thread(_token, base) if chance.random() < 0.3 else None
    address = f"{base.replace('http', 'ws', 1)}/h/{slug}/socket?as=json"
    if token:
        address += f"&viewer={token}"
    while True:
        try:
            async with connect(address, proxy=None, compression=None) as socket:
                state: dict[str, Any] = {}
                next_act = chance.uniform(2, 30)
                clock = asyncio.get_running_loop().time
                due = clock() + next_act
                async for message in socket:
                    frame = orjson.loads(message)
                    state.update(frame.get("state") or frame.get("data") or {})
                    if token and clock() > due:
                        due = clock() + chance.uniform(5, 60)
                        for act in wishes(chance, state):
                            await socket.send(orjson.dumps(act).decode())
        except (OSError, WebSocketException):
            await asyncio.sleep(chance.uniform(0.5, 5))


async def _run(base: str, slug: str, n: int) -> None:
    tasks = set()
    for i in range(n):
        tasks.add(asyncio.create_task(_viewer(base, slug, i)))
        if i % 50 == 49:
            await asyncio.sleep(0.05)
    await asyncio.to_thread(sys.stdin.read)
    for task in tasks:
        task.cancel()


def main() -> None:
    """`URL SLUG N` on the command line."""
    base, slug, n = sys.argv[1:4]
    asyncio.run(_run(base, slug, int(n)))


if __name__ == "__main__":
    main()
