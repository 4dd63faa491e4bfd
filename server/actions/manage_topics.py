"""An office's scheme of topics is replaced as a whole; the one before stays on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.actions.suggest_topics import scheme_of
from server.domain.refusals import Refusal
from server.domain.roles import MACHINE, Actor, has_right, roles_at
from server.domain.topics import Topic, kept_topics


@dataclass(frozen=True)
class Replaced:
    """What a new scheme changes: topics in it, those that are new, those that are gone, and questions
    of this hearing that bear one that is gone (they keep it)."""

    version: int
    topics: int
    new: int
    gone: int
    kept: int


async def replace_topics(
    house: House,
    by: Actor,
    slug: str,
    topics: Sequence[Topic],
    file_name: str,
    *,
    dry_run: bool = False,
) -> Replaced:
    """The scheme of the office whose hearing this is. It serves every hearing of the office, so that
    who prepares this hearing alone may not (`not_allowed`). The same scheme again changes nothing."""
    told = house.clean(file_name)[:120]
    found: list[Replaced] = []

    async def work(unit: Unit) -> Answer:
        place = unit.place
        at_office = roles_at(by, place.ref.office, place.path)
        if by is not MACHINE and not has_right(at_office, "manage_topics"):
            raise Refusal("not_allowed")
        await unit.topics.hold()
        before = await scheme_of(house, unit)
        old, new = ({one.path for one in each} for each in (before.topics, topics))
        in_use = await unit.topics.in_use()
        same = tuple(topics) == before.topics
        version = before.version if same else before.version + 1
        gone = old - new
        kept = sum(n for topic, n in in_use.items() if topic not in new)
        found.append(Replaced(version, len(topics), len(new - old), len(gone), kept))
        if not same and not dry_run:
            await unit.topics.put(version, kept_topics(topics), told, by.id, house.now())
            unit.record(
                "topics_changed", version=version, topics=len(topics), gone=len(gone), file=told
            )
        return Answer({"version": version})

    await perform(house, Asked(by, "manage_topics", verb="topics"), work, slug=slug)
    return found[-1]
