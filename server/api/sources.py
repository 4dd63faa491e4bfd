"""Sources of a hearing's questions: made, changed, paused, asked at once, given new keys."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from moderation.take_in import kept_letter_in
from server.actions import held_letters, manage_sources
from server.actions.perform import allowed
from server.api import answers
from server.api.common import ActorDep, Body, Key, Nothing, ServicesDep, Word, answered
from server.domain.sources import Channel, Connector, source_state

router = APIRouter(tags=["sources"])
MessageName = Annotated[str, Path(max_length=80)]
SourceKey = Annotated[str, Path(max_length=40)]
Settings = dict[Word, str | int | bool]
"""What the connector is told, by name; what is secret is never told back."""


_reading = asyncio.Semaphore(1)
"""One letter is read at a time: it takes a while, and memory."""


class NewSource(Body):
    key: Word
    """Small letters, digits and hyphens, at most 40."""
    name: Word
    """What people know it by."""
    connector: Connector
    channel: Channel
    settings: Settings = Field(default_factory=dict)


class SourceChange(Body):
    """Null, or left out, leaves as it is."""

    version: int
    """The version that was read."""
    name: Word | None = None
    paused: bool | None = None
    settings: Settings | None = None
    mapping: dict[Word, Word | None] | None = None
    """Of files: what each column means, by its header; null = kept as it is."""


@router.get("/hearings/{slug}/sources", response_model=answers.Sources)
async def listed(slug: str, here: ServicesDep, by: ActorDep) -> Response:
    """Every source with its last run, its counts and its keys' ids."""
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "manage_sources")
        found = await manage_sources.sources_with_keys(here.house, unit)
    return JSONResponse({"items": [source_state(one, keys) for one, keys in found]})


@router.post("/hearings/{slug}/sources", status_code=201, response_model=answers.SourceState)
async def add(
    slug: str, body: NewSource, here: ServicesDep, by: ActorDep, key: Key = None
) -> Response:
    """A new source."""
    return answered(
        await manage_sources.add_source(
            here.house,
            by,
            slug,
            body.key,
            body.name,
            body.connector,
            body.channel,
            body.settings,
            key,
        )
    )


@router.patch("/hearings/{slug}/sources/{source}", response_model=answers.SourceState)
async def change(
    slug: str,
    source: SourceKey,
    body: SourceChange,
    here: ServicesDep,
    by: ActorDep,
    key: Key = None,
) -> Response:
    """Another name, other settings; paused, or going on."""
    return answered(
        await manage_sources.change_source(
            here.house,
            by,
            slug,
            source,
            body.version,
            name=body.name,
            paused=body.paused,
            told=body.settings,
            mapping=body.mapping,
            idempotency=key,
        )
    )


@router.post(
    "/hearings/{slug}/sources/{source}/keys", status_code=201, response_model=answers.SourceKeyMade
)
async def new_key(
    slug: str, source: SourceKey, body: Nothing, here: ServicesDep, by: ActorDep
) -> Response:
    """A new key: its secret is in this answer and nowhere else. The one before is good for a day."""
    return answered(await manage_sources.new_key(here.house, by, slug, source))


@router.post("/hearings/{slug}/sources/{source}/polling", response_model=answers.SourceState)
async def poll(
    slug: str, source: SourceKey, body: Nothing, here: ServicesDep, by: ActorDep
) -> Response:
    """The worker asks the source at once instead of at its next time."""
    return answered(await manage_sources.ask_now(here.house, by, slug, source))


@router.post(
    "/hearings/{slug}/sources/{source}/quarantine/{message}/reading",
    status_code=201,
    response_model=answers.LetterTaken,
)
async def read_again(
    slug: str,
    source: SourceKey,
    message: MessageName,
    body: Nothing,
    here: ServicesDep,
    by: ActorDep,
) -> Response:
    """A message that was kept apart is read anew, with today's rules; when it can be read, it is a
    question."""
    kept = await held_letters.opened_letter(here.house, by, slug, source, message)
    async with _reading:
        item = await asyncio.to_thread(kept_letter_in, kept, here.keys, here.house.masked_names)
    return answered(await held_letters.take_held(here.house, by, slug, source, message, item))


@router.delete(
    "/hearings/{slug}/sources/{source}/quarantine/{message}", response_model=answers.LetterGone
)
async def discard(
    slug: str, source: SourceKey, message: MessageName, here: ServicesDep, by: ActorDep
) -> Response:
    """A message that was kept apart is thrown away; the mailbox still has it."""
    return answered(await held_letters.discard_held(here.house, by, slug, source, message))
