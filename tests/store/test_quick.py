"""SQLite's short way gives the rows that SQLAlchemy gives, of every statement that is made once."""

from __future__ import annotations

import importlib
import pkgutil
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Integer, Select
from sqlalchemy.exc import IntegrityError

from server import store
from server.domain.events import ROOMS
from server.domain.hearing import Ref
from server.domain.refusals import RolledBack
from server.store import journal, quick, rows
from server.store.tables import QueueRow, ScreensRow
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
            found = await quick.quick_rows(unit.connection, statement, asked)
            if found is None:
                continue
            result = await unit.connection.execute(statement, asked)
            keys, expected = list(result.keys()), result.all()
            assert [tuple(one) for one in found] == [tuple(one) for one in expected], name
            for one in found:
                assert [getattr(one, key) for key in keys if key.isidentifier()] == [
                    getattr(one, key) for key in one._fields if key in keys
                ]
            quickly, some = quickly + 1, some + bool(found)
    assert quickly >= 30
    assert some >= 15


def written(ref: Ref) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Table, statement, values: what an act writes, JSON that says nothing among it."""
    run = ref.run
    entry = {
        "run_id": run,
        "seq": 900,
        "at": 5,
        "event": "notice",
        "actor": "a",
        "role": "host",
        "body": {"文": [1, None]},
        "rooms": {"public": 3},
        "public": None,
        "prev": "p",
        "hash": "h",
        "question_id": None,
    }
    yield "journal", journal._ENTRY, entry
    answer = {"owner": "a", "hearing_id": ref.hearing, "key": "k", "body_hash": "h"}
    yield "answers", journal._ANSWER, {**answer, "status": 200, "answer": {}, "at": 5}
    yield "heads", journal._CHAINED, {"run": run, "last": "x"}
    steps = {f"n_{room}": n for n, room in enumerate(ROOMS)}
    yield "heads", journal._NEXT, {"run": run, "n": 2, **steps}
    for ids in ([3, 1], [2]):  # A new row, and one that is there.
        queue = {"run_id": run, "office_id": ref.office, "version": 4, "ids": ids, "given": {}}
        yield "queues", rows._upsert(True, QueueRow, ("run_id",), tuple(queue)[1:]), queue
    screens = {"run_id": run, "office_id": ref.office, "cleared": True}
    yield "screens", rows._upsert(True, ScreensRow, ("run_id",), tuple(screens)[1:]), screens


@pytest.mark.parametrize("servers", ["sqlite"], indirect=True)
async def test_what_is_written_is_the_same(lanxi: Home) -> None:
    def all_of(connection: Any, name: str) -> list[Any]:
        raw = connection.sync_connection.connection.driver_connection.raw
        return list(raw.execute(f"SELECT * FROM {name}"))

    found: dict[bool, list[Any]] = {}
    for quickly in (True, False):
        found[quickly] = []
        with pytest.raises(RuntimeError):
            async with lanxi.building.store.act(slug=lanxi.slug) as unit:
                for name, statement, values in written(unit.place.ref):
                    before = all_of(unit.connection, name)
                    if quickly:
                        given = await quick.quick_rows(unit.connection, statement, values)
                        assert given is not None, name
                    else:
                        result = await unit.connection.execute(statement, values)
                        given = result.all() if result.returns_rows else []
                    after = all_of(unit.connection, name)
                    assert after != before, name
                    found[quickly].append((after, [tuple(one) for one in given]))
                raise RuntimeError
    assert found[True] == found[False]


@pytest.mark.parametrize("servers", ["sqlite"], indirect=True)
async def test_a_row_that_may_not_be_is_refused_by_sqlalchemy(lanxi: Home) -> None:
    with pytest.raises(IntegrityError):
        async with lanxi.building.store.act(slug=lanxi.slug) as unit:
            answers = [("a", "key-00000001", "h", 200, {}, 5)]
            await unit.journal.keep_answers(answers)
            await unit.journal.keep_answers(answers)


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
async def test_nothing_goes_on_where_sqlite_ended_the_transaction(lanxi: Home) -> None:
    statement = next(s for name, s in constants() if name == "people._SEATS")
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        raw = unit.connection.sync_connection.connection.driver_connection

        def ended(*_: object, **more: object) -> None:
            raw.raw.rollback()
            raise sqlite3.OperationalError("database or disk is full")

        raw.at_once = ended
        here = {"office": unit.place.ref.office, "hearing": 1, "run": unit.place.ref.run}
        with pytest.raises(RolledBack):
            await quick.quick_rows(unit.connection, statement, here)
        del raw.at_once


@pytest.mark.parametrize("servers", ["sqlite"], indirect=True)
async def test_outside_a_transaction_nothing_is_read(lanxi: Home) -> None:
    statement = next(s for name, s in constants() if name == "people._SEATS")
    async with lanxi.building.database.read() as connection:
        await connection.rollback()
        assert await quick.quick_rows(connection, statement, {}) is None
