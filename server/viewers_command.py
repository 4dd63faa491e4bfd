"""`pingyi viewers N --hearing SLUG`: tokens for a load generator, also while servers run."""

from __future__ import annotations

from server.app import Building
from server.domain.refusals import Refusal
from server.settings import Settings
from server.store.places import locate
from server.store.schema import is_current
from server.store.start_faults import start_fault


class NoTokens(Exception):
    """No token was made; the sentence says why."""


async def viewer_tokens(settings: Settings, number: int, hearing: str) -> list[str]:
    """As many new viewers. Raises `NoTokens` for a hearing that is not there, and a `Refusal`.

    A token is signed with the installation's secret and stands in no database. It is made only
    where the hearing is and with that database's secret: any other would be a stranger's to the
    servers, and a load test of refusals.
    """
    where = "PINGYI_DATABASE_URL" if settings.database_url else str(settings.data)
    if not settings.database_url and not (settings.data / "pingyi.db").exists():
        raise _no_hearing(hearing, where)
    try:
        return await _tokens(Building(settings), number, hearing)
    except Refusal as refusal:
        if refusal.code == "not_found":
            raise _no_hearing(hearing, where) from None
        raise
    except Exception as error:
        raise start_fault(error) or error from None


async def _tokens(building: Building, number: int, hearing: str) -> list[str]:
    try:
        if not await is_current(building.database):
            raise NoTokens(
                "数据库是较早版本的结构；请先运行 pingyi migrate（先备份）。"
                " The database has the schema of an earlier version: run pingyi migrate first"
                " (after a backup)."
            )
        async with building.database.read() as connection:
            await locate(connection, slug=hearing)
        await building.check_secret()
    finally:
        await building.database.close()
    return [building.keys.viewer_token() for _ in range(number)]


def _no_hearing(slug: str, where: str) -> NoTokens:
    return NoTokens(
        f"{where} 中没有场次“{slug}”，请核对 --hearing 和 PINGYI_DATA。"
        f" There is no hearing “{slug}” in {where}: check --hearing and PINGYI_DATA."
    )
