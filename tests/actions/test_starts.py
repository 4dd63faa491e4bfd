"""What a start finds: others that are alive, a crash, or a database that is not its own."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from secrets import token_hex

import pytest
from sqlalchemy import text

from server.app import Building
from server.domain.refusals import Refusal
from server.settings import Settings
from server.store import alive
from server.store.transaction import Database
from tests.house import Home, home
from tests.services import create_database

pytestmark = pytest.mark.anyio


def settings_of(one: Home, data: Path) -> Settings:
    """Those of another process on the same database."""
    secret = (one.building.settings.data / "secret").read_text()
    return one.building.settings.model_copy(update={"data": data, "secret": secret})


async def status_of(one: Home, building: Building) -> str:
    async with building.store.look(slug=one.slug) as unit:
        return unit.place.status


@pytest.mark.system
async def test_a_start_beside_a_living_process_leaves_the_hearing_live(
    tmp_path: Path, postgresql_server: str, redis_url: str
) -> None:
    database = create_database(postgresql_server, f"t{token_hex(6)}")
    async with home(tmp_path / "a", database, redis_url) as one:
        await one.go_live()
        async with home(tmp_path / "b", database, redis_url, beside=one) as other:
            assert (await other.view()).hearing.status == "live"
            await one.building.stop()  # It is the other one now that is alive.
            third = Building(settings_of(one, tmp_path / "c"))
            await third.start()
            assert await status_of(one, third) == "live"
            await third.stop()
        # Nobody was alive: of four that start at once, one pauses it.
        buildings = [Building(settings_of(one, tmp_path / f"d{i}")) for i in range(4)]
        await asyncio.gather(*(b.start() for b in buildings))
        assert await status_of(one, buildings[0]) == "paused"
        async with buildings[0].store.look(slug=one.slug) as unit:
            entries = [e for e in await unit.entries(0) if e.body.get("after_restart")]
        assert len(entries) == 1
        await asyncio.gather(*(b.stop() for b in buildings))


@pytest.mark.system
async def test_who_lost_its_lock_takes_it_again(
    tmp_path: Path, postgresql_server: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alive, "LOOK_S", 0.1)
    database = create_database(postgresql_server, f"t{token_hex(6)}")
    held = (
        f"locktype = 'advisory' AND objid = {alive.LIVES} AND mode = 'ShareLock' AND database ="
        " (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    async with home(tmp_path / "a", database, redis_url) as one:
        await one.go_live()
        async with one.building.database.write() as connection:
            ended = await connection.execute(
                text(f"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE {held}")
            )
            assert ended.scalars().all() == [True]
        for _ in range(100):
            await asyncio.sleep(0.05)
            async with one.building.database.read() as connection:
                if (await connection.execute(text(f"SELECT 1 FROM pg_locks WHERE {held}"))).all():
                    break
        async with home(tmp_path / "b", database, redis_url, beside=one) as other:
            assert (await other.view()).hearing.status == "live"


@pytest.mark.system
async def test_who_waits_for_a_start_that_fails_is_alone(postgresql_server: str) -> None:
    url = create_database(postgresql_server, f"t{token_hex(6)}")
    databases = [Database(Settings(database_url=url).database) for _ in range(2)]
    first, second = (alive.Alive(database) for database in databases)

    async def start() -> bool:
        async with second.starting() as alone:
            return alone

    with pytest.raises(Refusal):
        async with first.starting() as alone:
            assert alone
            waiting = asyncio.create_task(start())
            await asyncio.sleep(0.3)
            raise Refusal("secret_differs")
    await first.end()
    assert await waiting
    await second.end()
    for database in databases:
        await database.close()


async def test_one_process_serves_a_data_folder(tmp_path: Path) -> None:
    async with home(tmp_path) as one:
        await one.go_live()
        with pytest.raises(Refusal) as refused:
            await Building(Settings(data=tmp_path)).start()
        assert refused.value.code == "data_in_use"
        assert (await one.view()).hearing.status == "live"
        await one.building.stop()
        async with AsyncExitStack() as ending:  # Now it is free, and the hearing had stood still.
            again = Building(Settings(data=tmp_path))
            await again.start()
            ending.push_async_callback(again.stop)
            assert await status_of(one, again) == "paused"


async def test_another_secret_is_refused_at_the_start(
    tmp_path: Path, servers: tuple[str, str]
) -> None:
    async with home(tmp_path, *servers) as one:
        settings = settings_of(one, tmp_path)
        await one.building.stop()
        other = Building(settings.model_copy(update={"secret": "another"}))
        with pytest.raises(Refusal) as refused:
            await other.start()
        assert refused.value.code == "secret_differs"
        again = Building(settings)
        await again.start()
        await again.stop()


async def test_a_secret_is_changed_by_who_knows_the_one_before(tmp_path: Path) -> None:
    data = tmp_path / "data"
    old = Building(Settings(data=data, secret="the old one"))
    await old.start()
    token, box = old.keys.viewer_token(), old.keys.seal({"text": "13800000000"})
    await old.stop()
    with pytest.raises(Refusal):  # Nobody takes a database over with a secret of his own,
        await Building(Settings(data=data, secret="mine", secret_before="a guess")).start()
    new = Building(Settings(data=data, secret="the new one", secret_before="the old one"))
    await new.start()
    viewer = old.keys.viewer_of(token)
    assert viewer is not None
    assert new.keys.viewer_of(token) == viewer
    assert new.keys.unseal(box) == {"text": "13800000000"}
    assert old.keys.viewer_of(new.keys.viewer_token()) is None
    await new.stop()
    later = Building(Settings(data=data, secret="the new one"))
    await later.start()
    assert later.keys.viewer_of(token) is None
    await later.stop()


async def test_after_a_change_only_the_new_secret_starts(tmp_path: Path) -> None:
    """A machine that was forgotten would make strangers of everybody who has come since."""

    async def starts(secret: str, before: str = "") -> bool:
        building = Building(Settings(data=tmp_path, secret=secret, secret_before=before))
        try:
            await building.check_secret()
        except Refusal as refusal:
            assert refusal.code == "secret_differs"
            return False
        finally:
            await building.database.close()
        return True

    async with home(tmp_path) as hall:
        first = (tmp_path / "secret").read_text()
        await hall.view()
    second, third = "the second secret of this house", "the third secret of this house"
    assert not await starts(second)
    assert await starts(second, first)
    assert await starts(second)
    assert not await starts(first)
    assert not await starts(third, first)
    assert await starts(third, second)
    assert not await starts(second)
    assert await starts(first, third)  # Back again.
    assert not await starts(third)
