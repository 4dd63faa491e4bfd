"""`pingyi viewers N --hearing SLUG`: tokens for a load generator, also while servers run."""

from __future__ import annotations

from server.app import Building
from server.domain.refusals import Refusal
from server.settings import Settings
from server.store.places import locate
from server.store.schema import is_current
from server.store.start_faults import start_fault


async def viewer_tokens(settings: Settings, number: int, hearing: str) -> list[str]:
    """As many new viewers. Raises a `Refusal`, `hearing_not_here` for a hearing that is nowhere.

    A token is signed with the installation's secret and stands in no database. It is made only
    where the hearing is and with that database's secret: any other would be a stranger's to the
    servers, and a load test of refusals.
    """
    where = settings.whereabouts
    if where is None:  # Nor is a database made only to look into it.
        raise Refusal("hearing_not_here", slug=hearing, where=str(settings.data))
    try:
        return await _tokens(Building(settings), number, hearing)
    except Refusal as refusal:
        if refusal.code == "not_found":
            raise Refusal("hearing_not_here", slug=hearing, where=where) from None
        raise
    except Exception as error:
        raise start_fault(error) or error from None


async def _tokens(building: Building, number: int, hearing: str) -> list[str]:
    try:
        if not await is_current(building.database):
            raise Refusal("schema_older")
        async with building.database.read() as connection:
            await locate(connection, slug=hearing)
        await building.check_secret()
    finally:
        await building.database.close()
    return [building.keys.viewer_token() for _ in range(number)]
