"""`/healthz`: this process lives. `/readyz`: it can commit. `/metrics`: numbers for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Gauge,
    generate_latest,
)

from server.api import answers
from server.api.common import ServicesDep
from server.domain.refusals import Refusal

router = APIRouter(tags=["health"])


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
    try:
        await here.database.alive()
    except Exception:
        raise Refusal("not_ready") from None
    return JSONResponse({"status": "ready"})


@router.get("/metrics", response_class=Figures)
async def metrics(here: ServicesDep) -> Response:
    """Connections by room, and acts waiting. No names, no slugs: numbers only."""
    registry = CollectorRegistry()
    sockets = Gauge("pingyi_sockets", "Live sockets of this process.", ["room"], registry=registry)
    for channel in here.hub.channels():
        sockets.labels(channel.room).inc(here.hub.count_channel(channel))
    Gauge("pingyi_acts_waiting", "Public acts waiting for a commit.", registry=registry).set(
        here.box.waiting
    )
    Gauge("pingyi_hearings_watched", "Hearings with a live socket here.", registry=registry).set(
        len(here.hub.hearings())
    )
    return Figures(generate_latest(registry))
