"""The parts of an installation: all in one process, or several that share PostgreSQL and Redis
(docs/operating.md, docs/decisions/0013-parts.md)."""

from __future__ import annotations

from enum import StrEnum

from fastapi import APIRouter


class Part(StrEnum):
    """What a process does."""

    SERVE = "serve"
    """Everything, on SQLite or PostgreSQL."""
    WEB = "web"
    """Staff, the API and all pages; brings the schema up to date."""
    EDGE = "edge"
    """The public's pages and sockets, several of them on one port."""
    WORKER = "worker"
    """What nobody waits for."""

    @property
    def leads(self) -> bool:
        """Whether staff act here: it migrates, and a hearing stands still when none of these lives."""
        return self in {Part.SERVE, Part.WEB}

    @property
    def keeps_time(self) -> bool:
        """Whether it closes rounds by time and screens what came in, when no other does."""
        return self is not Part.EDGE


AT_THE_EDGE = frozenset(
    {
        "/",
        "/h/{slug}",
        "/h/{slug}/qr.svg",
        "/h/{slug}/socket",
        "/h/{slug}/questions",
        "/h/{slug}/rounds/{id_}/vote",
        "/q",
        "/q/{code}",
        "/q/{code}/appeal",
        "/viewers",
        "/viewers/me",
        "/hearings/{slug}",
        "/hearings/{slug}/agenda",
        "/hearings/{slug}/questions",
        "/hearings/{slug}/questions/similar",
        "/hearings/{slug}/questions/{code}/support",
        "/questions/{code}",
        "/questions/{code}/appeal",
        "/rounds/{id}",
        "/rounds/{id}/ballot",
        "/rounds/{id}/turnout",
        "/rounds/{id}/result",
        "/rounds/{id}/rules.json",
    }
)
"""Addresses that the public needs, as the routes name them (those of the API without `/api/v1`). An
edge serves each of them wholly, whoever asks, and no other."""


def at_the_edge(router: APIRouter) -> APIRouter:
    """The part of a router that an edge serves."""
    picked = APIRouter(tags=router.tags)
    picked.routes = [
        route for route in router.routes if getattr(route, "path", None) in AT_THE_EDGE
    ]
    return picked
