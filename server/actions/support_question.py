"""A viewer asks the same (同问), or takes it back."""

from __future__ import annotations

from server.actions.perform import check_key
from server.actions.ports import House
from server.domain.public_acts import Done, Support


async def support_question(
    house: House,
    viewer: str,
    key: str | None,
    slug: str,
    code: str,
    on: bool,
    epoch: str | None = None,
) -> Done:
    """同问 on or off for the question `code`, put into the ballot box. The caller has checked the
    rate and knows the viewer."""
    check_key(key, needed=True)
    return await house.box.put(Support(viewer, key or "", slug, code, on, house.now(), epoch))
