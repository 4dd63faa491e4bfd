"""`pingyi password LOGIN`: the way back in for an office whose only administrator forgot his password,
also while servers run. Whoever can run it can read the database; it gives nobody more than he has."""

from __future__ import annotations

from server.app import Building
from server.domain.refusals import Refusal
from server.identity.people import PeopleDesk
from server.settings import Settings
from server.store.identity import AccountRecord
from server.store.schema import is_current
from server.store.start_faults import start_fault


async def set_password(settings: Settings, login: str, password: str) -> AccountRecord:
    """Another password for the account, whose sessions and API tokens end. Raises a `Refusal`:
    `login_unknown`, `password_weak`, `schema_older`, or what keeps the database from being used."""
    login = login.strip().lower()
    if settings.whereabouts is None:  # No database is made only to look into it.
        raise Refusal("login_unknown", login=login)
    try:
        building = Building(settings)
        try:
            if not await is_current(building.database):
                raise Refusal("schema_older")
            return await PeopleDesk(building.database, building.house.now).rescue(login, password)
        finally:
            await building.database.close()
    except Refusal:
        raise
    except Exception as error:
        raise start_fault(error) or error from None
