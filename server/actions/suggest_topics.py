"""Topics that a question may have, proposed to moderators; nothing here sets one (law 11)."""

from __future__ import annotations

from server.actions.ports import House, Unit
from server.domain.questions import Question
from server.domain.topics import Scheme, Suggestion


async def scheme_of(house: House, unit: Unit) -> Scheme:
    """The present scheme of the hearing's office; an empty one where there is none."""
    office, version = unit.place.ref.office, await unit.topics.version()
    found = house.adviser.scheme(office, version)
    if found is None:
        kept = await unit.topics.kept()
        found = house.adviser.remember(office, version, kept[1] if kept else ())
    return found


async def suggested(house: House, unit: Unit, question: Question) -> tuple[Suggestion, ...]:
    """The likeliest topics of a question, by keywords and by what people chose before."""
    scheme = await scheme_of(house, unit)
    if not scheme.topics:
        return ()
    office, (trained_at, _) = unit.place.ref.office, await unit.topics.trained()
    if trained_at and not house.adviser.knows(office, trained_at):
        house.adviser.learn(office, trained_at, await unit.topics.model())
    return house.adviser.suggestions(
        office, scheme.version, trained_at, question.title, question.text
    )
