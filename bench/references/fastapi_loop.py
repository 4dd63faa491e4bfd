"""FastAPI as its documentation shows it: `await websocket.send_text` for each viewer in turn.

`python fastapi_loop.py PORT BYTES FRAMES_A_SECOND`
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

PORT, SIZE, RATE = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
viewers: set[WebSocket] = set()


async def broadcast() -> None:
    """One frame to all, at the rate."""
    due = time.monotonic()
    while True:
        due += 1 / RATE
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        head = f'{{"type":"pulse","at":{time.time_ns() // 1_000_000},"pad":"'
        frame = head + "x" * (SIZE - len(head) - 2) + '"}'
        for websocket in tuple(viewers):
            try:
                await websocket.send_text(frame)
            except Exception:
                viewers.discard(websocket)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """The broadcast runs beside the sockets."""
    task = asyncio.create_task(broadcast())
    yield
    task.cancel()


app = FastAPI(lifespan=lifespan)


@app.websocket("/crowd")
async def crowd(websocket: WebSocket) -> None:
    """A viewer."""
    await websocket.accept()
    viewers.add(websocket)
    try:
        while True:
            await websocket.receive_text()
    except WebSocketDisconnect:
        viewers.discard(websocket)


uvicorn.run(
    app, port=PORT, loop="uvloop", ws="websockets-sansio", ws_per_message_deflate=False,
    log_level="error", backlog=4096,
)  # fmt: skip
