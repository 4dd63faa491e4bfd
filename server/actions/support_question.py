"""A viewer asks the same (同问), or takes it back."""

from __future__ import annotations

from server.actions.perform import check_key
from server.actions.ports import House
from server.domain.public_acts import Done, Support


def support_of(
    house: House,
    viewer: str,
    key: str | None,
    slug: str,
    code: str,
    on: bool,
    epoch: str | None = None,
) -> Support:
    """同问 on or off for the question `code`, ready for the ballot box. The caller has checked the
    rate and knows the viewer."""
    check_key(key, needed=True)
    return Support(viewer, key or "", slug, code, on, house.now(), epoch)


async def support_question(
    house: House,
    viewer: str,
    key: str | None,
    slug: str,
    code: str,
    on: bool,
    epoch: str | None = None,
) -> Done:
    """The same, carried out."""
    return await house.box.put(support_of(house, viewer, key, slug, code, on, epoch))
