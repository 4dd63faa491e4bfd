"""Sources of a hearing's questions: made, changed, paused, and given new keys.

Keys and passwords are sealed with the installation's secret; a new key is shown once.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from server.actions.import_questions import check_running, new_address
from server.actions.perform import Answer, Asked, check_version, perform
from server.actions.ports import House, Unit
from server.domain import sources as rules
from server.domain.refusals import Refusal
from server.domain.roles import Actor
from server.domain.sources import IntakeSource, SourceKey


async def add_source(
    house: House,
    by: Actor,
    slug: str,
    key: str,
    name: str,
    connector: str,
    channel: str,
    told: Mapping[str, Any],
    idempotency: str | None = None,
) -> Answer:
    """A new source. What its connector is `told` may hold secrets: they are sealed."""
    name = house.clean(name)

    async def work(unit: Unit) -> Answer:
        rules.check_source(key, name, connector, channel)
        settings, secrets = rules.settled(connector, told)
        present = await unit.sources.all()
        if any(one.key == key for one in present):
            raise Refusal("source_taken")
        if len(present) >= rules.MOST_SOURCES:
            raise Refusal("sources_full", most=rules.MOST_SOURCES)
        source = IntakeSource(
            0, key, name, connector, channel, new_address(house, key), settings=settings
        )
        await unit.sources.add(source, house.seal(secrets) if secrets else None)
        unit.record("source_changed", source=key, made=connector)
        return Answer(rules.source_state(source), 201)

    body: dict[str, Any] = {
        "key": key,
        "name": name,
        "connector": connector,
        "channel": channel,
        "told": rules.unsecret(told),
    }
    asked = Asked(by, "manage_sources", idempotency, body, verb="add_source")
    return await perform(house, asked, work, slug=slug)


async def change_source(
    house: House,
    by: Actor,
    slug: str,
    key: str,
    version: int | None,
    *,
    name: str | None = None,
    paused: bool | None = None,
    told: Mapping[str, Any] | None = None,
    mapping: Mapping[str, str | None] | None = None,
    idempotency: str | None = None,
) -> Answer:
    """What is None stays as it is. A source that goes on is asked at once."""
    name = None if name is None else house.clean(name)

    async def work(unit: Unit) -> Answer:
        if name is not None:
            rules.check_name(name)
        source = await held(unit, key)
        check_version(source.version, version, rules.source_state(source), needed=True)
        values: dict[str, Any] = {"version": source.version + 1}
        if name is not None:
            values["name"] = name
        if paused is not None:
            values |= {"paused": paused, "next_at": 0}
        if mapping is not None:
            values["mapping"] = rules.checked_mapping(mapping, house.clean)
        secrets = await opened(house, unit, source)
        if told is not None:
            settings, given = rules.settled(source.connector, told, source.settings)
            values |= {"settings": settings, "next_at": 0}
            if given:
                values["box"] = house.seal({**secrets, **given})
        await unit.sources.save(source.id, **values)
        unit.record("source_changed", source=key, changed=sorted(values.keys() - {"version"}))
        values.pop("box", None)
        return Answer(rules.source_state(replace(source, **values), rules.keys_of(secrets)))

    body: dict[str, Any] = {
        "version": version,
        "name": name,
        "paused": paused,
        "mapping": mapping,
        "told": None if told is None else rules.unsecret(told),
    }
    asked = Asked(by, "manage_sources", idempotency, body, verb=f"change_source {key}")
    return await perform(house, asked, work, slug=slug)


async def new_key(house: House, by: Actor, slug: str, key: str) -> Answer:
    """A new key for the senders of a source; the one before is good for another day. The secret is
    in this answer and nowhere else, so the answer is kept under no idempotency key."""

    async def work(unit: Unit) -> Answer:
        source = await held(unit, key)
        if source.connector not in rules.KEYED:
            raise Refusal("source_keyless")
        now, secrets = house.now(), await opened(house, unit, source)
        made = SourceKey(house.code(), _secret(house, source), now)
        keys = rules.with_key(rules.keys_of(secrets), made, now)
        box = house.seal({**secrets, "keys": rules.kept_keys(keys)})
        await unit.sources.save(source.id, box=box, version=source.version + 1)
        unit.record("source_changed", source=key, key=made.id)
        state = rules.source_state(replace(source, version=source.version + 1), keys)
        return Answer({**state, "key_id": made.id, "secret": made.secret}, 201)

    asked = Asked(by, "manage_sources", verb=f"source_key {key}")
    return await perform(house, asked, work, slug=slug)


async def ask_now(house: House, by: Actor, slug: str, key: str) -> Answer:
    """A polled source's time has come. Raises `source_unasked` for a connector that nobody asks."""

    async def work(unit: Unit) -> Answer:
        source = await held(unit, key)
        if source.connector not in rules.POLLED:
            raise Refusal("source_unasked")
        check_running(source)
        await unit.sources.save(source.id, next_at=0)
        return Answer(rules.source_state(source))

    asked = Asked(by, "manage_sources", verb=f"ask_source {key}")
    return await perform(house, asked, work, slug=slug)


def _secret(house: House, source: IntakeSource) -> str:
    """The form that senders' libraries take: Standard Webhooks want `whsec_` and base64."""
    secret = house.long_secret()
    if source.connector != "push":
        return secret
    return "whsec_" + base64.b64encode(secret.encode()[:32]).decode()


async def held(unit: Unit, key: str) -> IntakeSource:
    """The source, which no other act changes until this one has ended. Raises `not_found`."""
    source = await unit.sources.get(key, lock=True)
    if source is None:
        raise Refusal("not_found")
    return source


async def sources_with_keys(
    house: House, unit: Unit
) -> list[tuple[IntakeSource, tuple[SourceKey, ...]]]:
    """Every source with the keys that its senders show."""
    return [
        (one, rules.keys_of(await opened(house, unit, one))) for one in await unit.sources.all()
    ]


async def opened(house: House, unit: Unit, source: IntakeSource) -> dict[str, Any]:
    """A source's secrets: `keys`, and what its connector was told in secret."""
    box = await unit.sources.box(source.id)
    return house.unseal(box) if box else {}
