"""SQLite's short way gives the rows that SQLAlchemy gives, of every statement that is made once."""

from __future__ import annotations

import importlib
import pkgutil
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Integer, Select

from server import store
from server.store import quick
from tests.house import Home

pytestmark = pytest.mark.anyio


def constants() -> Iterator[tuple[str, Select[Any]]]:
    """Every `SELECT` that is a constant of a module of the store."""
    for module in pkgutil.iter_modules(store.__path__):
        for name, value in vars(importlib.import_module(f"server.store.{module.name}")).items():
            if isinstance(value, Select):
                yield f"{module.name}.{name}", value


@pytest.mark.parametrize("servers", ["sqlite"], indirect=True)
async def test_the_rows_are_the_same(lanxi: Home) -> None:
    round_ = await lanxi.hold_panel(duty="6", law="9")
    some, quickly = 0, 0
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        ref = unit.place.ref
        here: dict[str, Any] = {"office": ref.office, "hearing": ref.hearing, "run": ref.run}
        for name, statement in constants():
            binds: Any = statement.compile(dialect=unit.connection.dialect).binds
            values = {
                one.key: 5 if isinstance(one.type, Integer) else round_
                for one in binds.values()
                if one.required
            }
            asked = {**values, **{k: v for k, v in here.items() if k in values}}
            if "id" in asked:
                asked["id"] = round_ if "round" in name else 1
            rows = await quick.quick_rows(unit.connection, statement, asked)
            if rows is None:
                continue
            result = await unit.connection.execute(statement, asked)
            keys, expected = list(result.keys()), result.all()
            assert [tuple(one) for one in rows] == [tuple(one) for one in expected], name
            for one in rows:
                assert [getattr(one, key) for key in keys if key.isidentifier()] == [
                    getattr(one, key) for key in one._fields if key in keys
                ]
            quickly, some = quickly + 1, some + bool(rows)
    assert quickly >= 30
    assert some >= 15


@pytest.mark.parametrize("servers", ["sqlite"], indirect=True)
async def test_what_fails_goes_the_other_way(lanxi: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **more: object) -> None:
        raise sqlite3.OperationalError("database is locked")

    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        before = await unit.people.seats()
        raw = unit.connection.sync_connection.connection.driver_connection
        monkeypatch.setattr(type(raw), "at_once", broken)
        statement = next(s for name, s in constants() if name == "people._SEATS")
        here = {"office": unit.place.ref.office, "hearing": 1, "run": unit.place.ref.run}
        assert await quick.quick_rows(unit.connection, statement, here) is None
        monkeypatch.undo()
        assert await unit.people.seats() == before


@pytest.mark.parametrize("servers", ["sqlite"], indirect=True)
async def test_outside_a_transaction_nothing_is_read(lanxi: Home) -> None:
    statement = next(s for name, s in constants() if name == "people._SEATS")
    async with lanxi.building.database.read() as connection:
        assert await quick.quick_rows(connection, statement, {}) is None
