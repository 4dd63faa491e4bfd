"""Likely twins of a question: proposed to moderators, and to whoever is about to ask the same; and groups of
questions that ask alike (docs/decisions/0025-groups-and-claims.md)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from server.actions.ports import House, Unit
from server.domain.questions import STATES, SUPPORTABLE, Question, listed
from server.domain.refusals import Refusal
from server.domain.twins import ALIKE, ALIVE, ONE_GROUP, SUGGESTED, SUGGESTED_LEAST, Twin

AT_ONCE = 500
"""Questions that are put into the index in one transaction."""
GROUPED_AT_ONCE = 100
"""Questions that are compared with all others before their groups are written down."""


async def twins_of(house: House, unit: Unit, id_: int) -> tuple[Twin, ...]:
    """The likeliest twins of a question of this run, alive ones only. Raises `not_found`."""
    question = await unit.questions.get(id_)
    if question is None:
        raise Refusal("not_found")
    return await find(house, unit, question.title, question.text, ALIVE, without=id_)


async def similar_to(house: House, unit: Unit, text: str) -> tuple[Twin, ...]:
    """Questions on the public list that ask what this text asks, for whoever is about to send it."""
    found = await find(house, unit, "", house.clean(text), SUPPORTABLE)
    alike = [one for one in found if one.reason or one.shared >= SUGGESTED_LEAST]
    return tuple(one for one in alike if listed(one.question))[:SUGGESTED]


async def find(
    house: House,
    unit: Unit,
    title: str,
    text: str,
    states: Collection[str],
    without: int | None = None,
) -> tuple[Twin, ...]:
    """The likeliest twins of a text among the questions of these states, one of them left out."""
    keys = house.matcher.looked_for(title, text)
    counts, of = await unit.matching.counts(keys)
    ids = await unit.matching.candidates(house.matcher.chosen(keys, counts, of), states)
    questions = await unit.questions.by_ids(ids)
    alive = [questions[i] for i in ids if i in questions and i != without]
    return house.matcher.twins(title, text, alive, counts, of)


async def group_questions(house: House, slug: str) -> int:
    """Gives up to `GROUPED_AT_ONCE` indexed questions the label of those that ask alike; gives how many.
    What is worked out is read beforehand: no writer waits for it. Like the index it stands in no
    journal."""
    async with house.store.look(slug=slug) as unit:
        new = await unit.matching.ungrouped(GROUPED_AT_ONCE)
        labels: dict[int, int] = {}
        become: dict[int, int] = {}

        def label_of(question: Question) -> int | None:
            label = labels.get(question.id, question.cluster)
            return None if label is None else _end(label, become)

        for id_, title, text in new:
            twins = await find(house, unit, title, text, STATES, without=id_)
            near = [(one, label) for one in twins if (label := label_of(one.question)) is not None]
            own = next((label for one, label in near if one.reason or one.shared >= ALIKE), id_)
            labels[id_] = own
            for one, label in near:
                if (one.reason or one.shared >= ONE_GROUP) and _end(label, become) != own:
                    become[_end(label, become)] = own
    if new:
        async with house.store.act(slug=slug) as unit:
            await unit.matching.unite(become)
            await unit.questions.set_cluster(
                {id_: _end(label, become) for id_, label in labels.items()}
            )
    return len(new)


def _end(label: int, become: Mapping[int, int]) -> int:
    while label in become:
        label = become[label]
    return label


async def index_questions(house: House, slug: str) -> int:
    """Puts up to `AT_ONCE` questions of the shown run into the index; gives how many. What people do
    is not touched by it, so it stands in no journal."""
    async with house.store.act(slug=slug) as unit:
        new = await unit.matching.unindexed(AT_ONCE)
        if new:
            await unit.matching.index(
                [(id_, house.matcher.keys(title, text)) for id_, title, text in new]
            )
    return len(new)
