"""What a request brings is read and masked beside the event loop, two at a time: a large one takes a while,
and everybody else is served meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Found = TypeVar("Found")

_masking = asyncio.Semaphore(2)


async def beside(read: Callable[Given, Found], *given: Given.args, **more: Given.kwargs) -> Found:
    """What `read` gives, in a thread."""
    async with _masking:
        return await asyncio.to_thread(read, *given, **more)
