"""A round opens: from now on ballots are taken; who is entitled and the rules are frozen.

A secret round's seal is made before it opens, so that no round is open without one; when the opening
is refused, it has closed no box and is forgotten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from server.actions.perform import Answer, Asked, allowed, locked_round, perform
from server.actions.ports import House, Unit
from server.domain import rounds as rules
from server.domain.hearing import check_under_way
from server.domain.refusals import Refusal, RolledBack
from server.domain.roles import Actor
from server.domain.rounds import Entitled, Round, own_subjects
from server.domain.rule_file import parse_rules, with_counts
from server.domain.rules import rules_hash
from server.domain.view import round_state


async def open_round(house: House, by: Actor, round_id: str, key: str | None = None) -> Answer:
    """`POST /rounds/ID/opening`. The list of the panel's seats is frozen with who is present at this
    moment: they are entitled, and a late sign-in counts from the next round."""
    made = await _new_seal(house, by, round_id)

    async def work(unit: Unit) -> Answer:
        check_under_way(await unit.hearings.get())
        round_ = await locked_round(unit, round_id)
        entitled = await entitled_now(unit, round_)
        opened = rules.open_round(frozen_with_the_hall(round_, entitled), entitled, house.now())
        if opened.sealed:
            await _check_nobody_known(unit, opened, entitled)
            opened = replace(opened, seal=made)
        await unit.rounds.save(opened)
        unit.record(
            "round_opened",
            ids={"round": opened.id},
            rules_hash=opened.rules_hash,
            entitled=sum(one.present for one in entitled),
        )
        return Answer(round_state(opened))

    asked = Asked(by, "rounds", key, {}, "rounds", "open_round")
    try:
        answer = await perform(house, asked, work, round=round_id)
    except (Refusal, RolledBack):
        await _forget_unless_used(house, round_id, made)
        raise
    await _forget_unless_used(house, round_id, made)
    return answer


async def entitled_now(unit: Unit, round_: Round) -> list[Entitled]:
    """The panel's seats, with who is present at this moment and whom each does not rate; a seat whose
    own unit is all that the round is about is not on the list. A public round has none."""
    if round_.audience != "panel":
        return []
    heads = {s.key: s.unit for s in await unit.people.subjects() if s.key in round_.subjects}
    listed = [
        Entitled(seat.id, seat.group, seat.unit, seat.present, own_subjects(seat.unit, heads))
        for seat in await unit.people.seats()
    ]
    return [one for one in listed if not heads or len(one.own) < len(heads)]


def frozen_with_the_hall(round_: Round, entitled: Sequence[Entitled]) -> Round:
    """The rules with the counts of the hall that they ask for, so that their hash is of all that the
    tally works by."""
    if round_.rules is None:
        return round_
    present = sum(one.present for one in entitled)
    counts = {"present": present, "due": len(entitled), "members": len(entitled)}
    frozen = with_counts(round_.rules, **counts)
    given = None if frozen == round_.rules else round_.rules
    digest = rules_hash(parse_rules(frozen))
    return replace(round_, rules=frozen, rules_hash=digest, rules_given=given)


async def _new_seal(house: House, by: Actor, round_id: str) -> str | None:
    """For a secret round that may be opened; the disk is waited for before the database is held."""
    async with house.store.look(round=round_id) as unit:
        allowed(unit.place, by, "rounds")
        round_ = await unit.rounds.get(round_id)
    if round_ is None or not round_.sealed or round_.status != "ready":
        return None
    return await asyncio.to_thread(house.seals.make)


async def _forget_unless_used(house: House, round_id: str, made: str | None) -> None:
    """The round may have been opened by the same act, sent twice. (When the outcome is unknown this is
    not asked: a seal that closed no box does no harm.)"""
    if made is None:
        return
    async with house.store.look(round=round_id) as unit:
        round_ = await unit.rounds.get(round_id)
    if round_ is None or round_.seal != made:
        await asyncio.to_thread(house.seals.forget, made)


async def _check_nobody_known(unit: Unit, round_: Round, entitled: Sequence[Entitled]) -> None:
    parsed = parse_rules(dict(round_.rules or {}))
    names = {key: name for key, name, _ in await unit.people.groups()}
    weights = {group.key: group.weight for group in parsed.groups}
    rules.check_floor(parsed.ending.floor, weights, entitled, names)
    rules.check_known_by_absence(entitled, parsed.needs_together)
