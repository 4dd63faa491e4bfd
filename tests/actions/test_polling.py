"""Who is asked again and again: less and less often while it fails, at once when an office asks, and by one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from server.actions.manage_sources import add_source, change_source
from server.domain.refusals import Refusal
from server.domain.sources import IntakeSource
from server.polling import Polling
from server.visit import Visit
from tests.house import Home, home

pytestmark = pytest.mark.anyio


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Home]:
    """A source of a kind that nobody else asks."""
    async with home(tmp_path / "data") as found:
        office = found.person("office")
        await add_source(found.house, office, found.slug, "asked", "asked", "push", "hotline", {})
        yield found


async def source(at: Home) -> IntakeSource:
    async with at.building.store.look(slug=at.slug) as unit:
        found = await unit.sources.get("asked")
    assert found is not None
    return found


async def due(at: Home) -> None:
    async with at.building.database.write() as connection:
        await connection.execute(text("update sources set next_at = 0"))


class Fake:
    """A poller that fails, or stays until it is cancelled."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.began, self.ended = error, 0, 0
        self.nudged = 0

    async def __call__(self, visit: Visit) -> None:
        self.began += 1
        if self.error is not None:
            raise self.error
        try:
            while True:
                await visit.due.wait()
                visit.due.clear()
                self.nudged += 1
        finally:
            self.ended += 1


@asynccontextmanager
async def polling(at: Home, fake: Fake, duty: object = None) -> AsyncIterator[None]:
    duty = duty or at.building.duty
    one = Polling(at.house, at.building.database, duty, pollers={"push": fake})  # type: ignore[arg-type]
    task = asyncio.create_task(one.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(holds: object, *, seconds: float = 5) -> None:
    for _ in range(int(seconds / 0.05)):
        if holds():  # type: ignore[operator]
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come")


@pytest.mark.parametrize(
    ("error", "code"),
    [(Refusal("mailbox_login"), "mailbox_login"), (ZeroDivisionError(), "source_failed")],
)
async def test_what_fails_is_tried_less_and_less_often_and_told(
    here: Home, error: Exception, code: str
) -> None:
    fake, pauses = Fake(error), []
    async with polling(here, fake):
        for n in range(1, 4):
            await until(lambda n=n: fake.began == n)
            await asyncio.sleep(0.2)
            found = await source(here)
            pauses.append(round((found.next_at - found.error_at) / 1_000))
            assert found.error == code
            await due(here)
    assert pauses == [5, 10, 20]


async def test_a_visit_goes_on_is_nudged_when_due_and_ends_with_a_pause(here: Home) -> None:
    fake = Fake()
    async with polling(here, fake):
        await until(lambda: fake.nudged)
        office = here.person("office")
        await change_source(here.house, office, here.slug, "asked", 1, paused=True)
        await until(lambda: fake.ended == 1)
        await asyncio.sleep(0.7)
        assert fake.began == 1
        await change_source(here.house, office, here.slug, "asked", 2, paused=False)
        await until(lambda: fake.began == 2)
    assert fake.ended == 2


async def test_whoever_has_not_the_duties_asks_nobody(here: Home) -> None:
    fake, duty = Fake(), SimpleNamespace(mine=False)
    async with polling(here, fake, duty):
        await asyncio.sleep(0.7)
        assert not fake.began
        duty.mine = True
        await until(lambda: fake.began == 1)
        duty.mine = False
        await until(lambda: fake.ended == 1)


async def test_a_hearing_that_is_put_away_is_not_asked_for(here: Home) -> None:
    async with here.building.database.write() as connection:
        await connection.execute(text("update runs set status = 'archived'"))
    fake = Fake()
    async with polling(here, fake):
        await asyncio.sleep(0.7)
    assert not fake.began
