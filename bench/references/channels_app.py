"""Django Channels with Redis: a consumer in a group, a frame through `group_send`.

`python channels_app.py PORT BYTES FRAMES_A_SECOND REDIS_URL`, in an environment with django,
channels, channels-redis and daphne.
"""

# mypy: ignore-errors
from __future__ import annotations

import asyncio
import sys
import time

import django
from django.conf import settings

PORT, SIZE, RATE, REDIS = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
settings.configure(
    SECRET_KEY="bench",
    ALLOWED_HOSTS=["*"],
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [REDIS]},
        }
    },
)
django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.layers import get_channel_layer  # noqa: E402
from daphne.endpoints import build_endpoint_description_strings  # noqa: E402
from daphne.server import Server  # noqa: E402


class Crowd(AsyncWebsocketConsumer):
    """A viewer."""

    async def connect(self):
        """It joins the group."""
        await self.channel_layer.group_add("crowd", self.channel_name)
        await self.accept()

    async def disconnect(self, code):
        """It leaves."""
        await self.channel_layer.group_discard("crowd", self.channel_name)

    async def frame(self, event):
        """A frame for the group."""
        await self.send(text_data=event["text"])


async def broadcast():
    """One frame to the group, at the rate."""
    layer, due = get_channel_layer(), time.monotonic()
    while True:
        due += 1 / RATE
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        head = f'{{"type":"pulse","at":{time.time_ns() // 1_000_000},"pad":"'
        text = head + "x" * (SIZE - len(head) - 2) + '"}'
        await layer.group_send("crowd", {"type": "frame", "text": text})


started = False


async def application(scope, receive, send):
    """The broadcast starts with the first viewer."""
    global started
    if not started:
        started = True
        asyncio.get_running_loop().create_task(broadcast())
    await Crowd.as_asgi()(scope, receive, send)


Server(
    application=application,
    endpoints=build_endpoint_description_strings(host="127.0.0.1", port=PORT),
    verbosity=0,
).run()
