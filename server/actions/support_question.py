"""A viewer asks the same (同问), or takes it back."""

from __future__ import annotations

from server.actions.perform import carried_out, check_key
from server.actions.ports import House
from server.domain.public_acts import Support


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


support_question = carried_out(support_of)
