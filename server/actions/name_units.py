"""Other names under which work orders know an official's unit, and whose matter each order is."""

from __future__ import annotations

from collections.abc import Sequence

from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.domain import orders
from server.domain.refusals import Refusal
from server.domain.roles import Actor


async def name_units(
    house: House, by: Actor, slug: str, subject: str, names: Sequence[str], key: str | None = None
) -> Answer:
    """`PUT /hearings/SLUG/subjects/KEY/aliases {names}`: orders that name such a unit are proposed for
    its official, those that are in already too. What a person has assigned stays."""

    async def work(unit: Unit) -> Answer:
        kept = [one for one in await unit.people.subjects() if one.key == subject]
        if not kept:
            raise Refusal("not_found")
        cleaned = [house.clean(name) for name in names]
        wanted = tuple(dict.fromkeys(name for name in cleaned if name))
        if len(wanted) > orders.UNIT_NAMES:
            raise Refusal("malformed", place="names")
        if any(len(name) > orders.UNIT_NAME_LONGEST for name in wanted):
            raise Refusal("text_too_long", most=orders.UNIT_NAME_LONGEST, place="names")
        for one in await unit.people.subjects():
            taken = {one.unit, *one.aliases} & set(wanted) if one.key != subject else ()
            for name in sorted(taken):
                raise Refusal("alias_taken", name=name, unit=one.unit)
        if wanted != kept[0].aliases:
            await unit.people.set_aliases(subject, wanted)
            known = await units(unit)
            for agency in await unit.questions.agencies():
                await unit.questions.propose(agency, orders.propose(agency, known))
            unit.record("aliases_changed", subject=subject, names=list(wanted))
        return Answer({"subject": subject, "names": list(wanted)})

    body = {"subject": subject, "names": list(names)}
    asked = Asked(by, "manage_hearings", key, body, None, "aliases")
    return await perform(house, asked, work, slug=slug)


async def units(unit: Unit) -> tuple[orders.Unit, ...]:
    """The hearing's officials by their units' names."""
    return tuple(
        orders.Unit(one.key, (one.unit, *one.aliases)) for one in await unit.people.subjects()
    )
