"""What every process of the product would read and make at its start and its first page: assets,
templates, migrations, the demonstration's show, how the routes are put together.

The nursery does this before the product is born, so that a hundred servers share it. What is kept
is what a process would have made itself, and nothing that a request could change.
"""

from __future__ import annotations

import gc
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import routing

import server.shows.read
import server.store.migrate
from server.app import create_app
from server.settings import Settings
from server.shows.example import EXAMPLES
from web.layout.assets import assets
from web.layout.language import LANGUAGES
from web.layout.page import environment


def read_each_show_once() -> None:
    """PyYAML takes an eighth of what a demonstration's start costs. (A show is a frozen value.)"""
    server.shows.read.read_show = cache(server.shows.read.read_show)
    for example in EXAMPLES.values():
        server.shows.read.read_show(example.read_bytes())


def put_the_routes_together_once() -> None:
    """At its first request an application asks every route once more what it takes and answers, by
    its prefix: a sixth of what a short life costs. No two applications here differ in that."""
    anew = routing._EffectiveRouteContext.from_api_route
    made: dict[tuple[int, str], Any] = {}

    def once(*, original_route: routing.APIRoute, include_context: Any) -> Any:
        key = id(original_route), include_context.prefix  # a route lives as long as its module
        if key not in made:
            made[key] = anew(original_route=original_route, include_context=include_context)
        return made[key]

    routing._EffectiveRouteContext.from_api_route = once  # type: ignore[method-assign]
    for route in create_app(Settings(data=Path("nowhere"))).routes:
        if isinstance(route, routing._IncludedRouter):
            route.effective_candidates()


assert server.store.migrate
assets()
for lang in LANGUAGES:
    for template in environment(lang).list_templates(["html"]):
        environment(lang).get_template(template)
read_each_show_once()
put_the_routes_together_once()
# Whoever is born looks through none of this for garbage, and writes into none of its memory.
gc.collect()
gc.freeze()
