"""`/healthz`: this process lives. `/readyz`: it can commit. `/metrics`: numbers for Prometheus."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from server.api import answers
from server.api.common import ServicesDep
from server.domain.refusals import Refusal
from server.services import Services

router = APIRouter(tags=["health"])
DATABASE_S = 2.0
"""How long the database may take to answer before it counts as away."""


class Figures(PlainTextResponse):
    """Prometheus' text format."""

    media_type = CONTENT_TYPE_LATEST


@router.get("/healthz", response_model=answers.Health)
async def healthz() -> Response:
    """This process answers."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz", response_model=answers.Health)
async def readyz(here: ServicesDep) -> Response:
    """The database answers."""
    if not await _answers(here):
        raise Refusal("not_ready")
    return JSONResponse({"status": "ready"})


@router.get("/metrics", response_class=Figures)
async def metrics(here: ServicesDep) -> Response:
    """How this process does. No names, no slugs: numbers only (docs/operating.md says what they mean)."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(Now(here, await _answers(here)))
    return Figures(generate_latest(registry))


async def _answers(here: Services) -> bool:
    try:
        async with asyncio.timeout(DATABASE_S):
            await here.database.alive()
    except Exception:
        return False
    return True


class Now:
    """What is counted in this process, as it stands when it is asked for."""

    def __init__(self, here: Services, database: bool) -> None:
        self._here, self._database = here, database

    def collect(self) -> Iterator[Metric]:
        """Everything that `/metrics` tells beside the process's own CPU, memory and descriptors."""
        here = self._here
        yield _gauge("pingyi_up", "1, with the part that this process is.", 1, part=here.part.value)
        sockets = GaugeMetricFamily("pingyi_sockets", "Live sockets here.", labels=["room"])
        rooms = Counter[str]()
        for channel in here.hub.channels():
            rooms[channel.room] += here.hub.count_channel(channel)
        for room, n in sorted(rooms.items()):
            sockets.add_metric([room], n)
        yield sockets
        yield _gauge("pingyi_hearings_watched", "Hearings seen here.", len(here.hub.hearings()))
        frames = CounterMetricFamily("pingyi_frames", "Frames handed to sockets.", labels=["kind"])
        for kind, n in here.hub.frames.items():
            frames.add_metric([kind], n)
        yield frames
        acts = CounterMetricFamily("pingyi_acts", "Acts of the public.", labels=["outcome"])
        for outcome, n in here.box.outcomes.items():
            acts.add_metric([outcome], n)
        yield acts
        yield _gauge("pingyi_acts_waiting", "Acts that wait for their commit.", here.box.waiting)
        yield _gauge(
            "pingyi_batch_seconds", "The slowest batch of the last minute.", here.box.slowest_s
        )
        yield _gauge("pingyi_load_step", "Step of the ladder.", here.pulse.ladder.level)
        yield _gauge("pingyi_loop_lag_seconds", "The longest wait for a turn.", here.pulse.lag_s)
        yield _gauge("pingyi_database_up", "Whether the database answers.", int(self._database))
        yield _gauge("pingyi_bell_up", "Whether the bell is heard.", int(here.bus.up))


def _gauge(name: str, text: str, value: float, **labels: str) -> Metric:
    family = GaugeMetricFamily(name, text, labels=list(labels))
    family.add_metric(list(labels.values()), value)
    return family
