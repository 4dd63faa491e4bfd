"""What moderators chose is learned from, on the office's own server and from its own labels alone."""

from __future__ import annotations

from server.actions.ports import House
from server.actions.suggest_topics import scheme_of
from server.domain.topics import LABELS_LEAST, LABELS_MOST


async def learn_topics(house: House, slug: str) -> int:
    """A new model for the office of this hearing; gives how many labels it was made from. Topics that
    left the scheme teach nothing. No question is touched by it, so it stands in no journal."""
    began = house.now()
    async with house.store.look(slug=slug) as unit:
        scheme = await scheme_of(house, unit)
        labels = await unit.topics.labels(LABELS_MOST)
    known = [one for one in labels if scheme.find(one[2])]
    made = await house.train(known) if len(known) >= LABELS_LEAST else b""
    async with house.store.act(slug=slug) as unit:
        if made is None:  # What was learned before is good until there are new labels to try with.
            made = await unit.topics.model()
        await unit.topics.keep_model(made, scheme.version, len(labels), began)
    return len(known)
