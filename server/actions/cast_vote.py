"""A viewer answers a public round (网络评价); which answer counts, the first or the last, the round says."""

from __future__ import annotations

from server.actions.perform import carried_out, check_key
from server.actions.ports import House
from server.domain.public_acts import Vote


def vote_of(
    house: House, viewer: str, key: str | None, id_: str, choice: str, epoch: str | None = None
) -> Vote:
    """A choice in the public round `id_`, ready for the ballot box. The caller has checked the rate
    and knows the viewer."""
    check_key(key, needed=True)
    return Vote(viewer, key or "", id_, choice, house.now(), epoch)


cast_vote = carried_out(vote_of)
