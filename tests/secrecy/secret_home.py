"""A hearing whose panel round is secret, in this process, and what all of its database says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, inspect
from sqlmodel import SQLModel

from server.actions.cast_ballot import cast_ballot
from server.actions.open_round import open_round
from server.domain.refusals import Refusal
from server.domain.rounds import Round
from tests.house import SMALL_SHOW, Home, home

SECRET_SHOW = SMALL_SHOW.replace("secrecy: named", "secrecy: secret")


@asynccontextmanager
async def secret_home(
    data: Path, database: str = "", redis: str = "", show: str = SECRET_SHOW
) -> AsyncIterator[Home]:
    """The small hearing, live, with a secret panel round."""
    async with home(data, database, redis, show=show) as found:
        await found.go_live()
        yield found


async def refusal(work: Any) -> str:
    """The code with which an act is refused."""
    with pytest.raises(Refusal) as caught:
        await work
    return caught.value.code


async def the_round(one: Home, id_: str = "") -> Round:
    """The panel round as it is now (or the one of this id)."""
    found = [r for r in (await one.view()).rounds if r.audience == "panel" and id_ in {"", r.id}]
    return found[0]


async def opened(one: Home) -> str:
    """The id of the panel round, opened."""
    id_ = (await the_round(one)).id
    await open_round(one.house, one.person("host"), id_)
    return id_


def marks(duty: str, law: str = "9") -> dict[str, dict[str, str]]:
    """A sheet of the small hearing."""
    return {"water": {"duty": duty, "law": law}}


async def cast(one: Home, id_: str, seat: int, sheet: Any, key: str = "", away: Any = ()) -> Any:
    """What the panelist at the seat with this index is answered."""
    key = key or f"key-of-seat-{seat:03d}"
    return (await cast_ballot(one.house, one.panelist(seat), id_, sheet, away, key)).body


async def everything(one: Home) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    async with one.building.database.read() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        assert set(SQLModel.metadata.tables) <= set(names)
        meta: MetaData = SQLModel.metadata
        return {
            name: [tuple(row) for row in await connection.execute(table.select())]
            for name, table in meta.tables.items()
        }
