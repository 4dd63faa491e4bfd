"""Hearings, runs, agenda, position, leases, screens, notices: one hearing's run of show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, cast

from sqlalchemy import Row, insert, select, update

from server.domain.hearing import Hearing, HearingSettings, Item, Position, Step
from server.domain.refusals import Refusal, RolledBack
from server.domain.view import Lease, Notice, Screens
from server.store.rows import HEARING, OFFICE, RUN, Repository, inserted_id, locked, table, upsert
from server.store.tables import (
    HearingRow,
    ItemRow,
    LeaseRow,
    NoticeRow,
    PositionRow,
    Run,
    ScreensRow,
)

_hearings, _runs, _items = table(HearingRow), table(Run), table(ItemRow)
_positions, _leases, _notices = table(PositionRow), table(LeaseRow), table(NoticeRow)
_screens = table(ScreensRow)

_GET = (
    select(_hearings.c.slug, _hearings.c.title, _hearings.c.run_id.label("shown"), _runs)
    .join_from(_runs, _hearings, _hearings.c.id == _runs.c.hearing_id)
    .where(_runs.c.id == RUN, _runs.c.office_id == OFFICE)
)
_SETTINGS = select(_hearings).where(_hearings.c.id == HEARING, _hearings.c.office_id == OFFICE)
_ITEMS = (
    select(_items)
    .where(_items.c.run_id == RUN, _items.c.office_id == OFFICE)
    .order_by(_items.c.ordinal)
)
_POSITION = select(_positions).where(_positions.c.run_id == RUN, _positions.c.office_id == OFFICE)
_LEASES = select(_leases).where(_leases.c.run_id == RUN, _leases.c.office_id == OFFICE)
_SCREENS = select(_screens).where(_screens.c.run_id == RUN, _screens.c.office_id == OFFICE)
_NOTICES = select(_notices.c.id, _notices.c.text).where(_notices.c.run_id == RUN)
_NOTICE = (
    select(_notices)
    .where(_notices.c.run_id == RUN, _notices.c.office_id == OFFICE)
    .order_by(_notices.c.id.desc())
    .limit(1)
)
_SHOWN_HELD = (
    select(_hearings.c.run_id)
    .where(_hearings.c.id == HEARING, _hearings.c.office_id == OFFICE)
    .with_for_update(read=True)
)
_GET_LOCKED, _POSITION_LOCKED = locked(_GET), locked(_POSITION)


class Hearings(Repository):
    """The hearing's own rows in one run."""

    async def get(self, *, lock: bool = False) -> Hearing:
        """The hearing in this run. With `lock` for an act: `run_changed` when the act waited while
        another run began, since what it does would be done to a run that nobody is shown."""
        row = await self._row(_GET_LOCKED if lock else _GET)
        assert row is not None
        if lock and row.shown != self._ref.run:
            raise Refusal("run_changed")
        return Hearing(self._ref, row.slug, row.title, row.status, row.version, row.kind, row.epoch)

    async def hold(self) -> None:
        """The hearing's other acts wait until this one ends; `run_changed` as with `get`. SQLite has
        one writer, who found the place under the lock already."""
        if self._c.dialect.name != "sqlite":
            await self.get(lock=True)

    async def hold_shown(self) -> None:
        """No new run begins until this transaction ends; others may hold it too. `RolledBack` when
        one has begun since the place was found: it is to be found again."""
        row = await self._row(_SHOWN_HELD)
        if row is None or row.run_id != self._ref.run:
            raise RolledBack

    async def save(self, hearing: Hearing) -> None:
        """Status and version."""
        await self._c.execute(
            update(_runs)
            .where(_runs.c.id == self._ref.run, _runs.c.office_id == self._ref.office)
            .values(status=hearing.status, version=hearing.version)
        )

    async def settings(self) -> HearingSettings:
        """What the hearing was given by its show."""
        row = await self._row(_SETTINGS)
        assert row is not None
        return cast(HearingSettings, row._asdict())

    async def set_show(self, **values: Any) -> None:
        """These members of what the show says."""
        show = {**(await self.settings())["show"], **values}
        await self._c.execute(
            update(_hearings).where(_hearings.c.id == self._ref.hearing).values(show=show)
        )

    async def items(self) -> tuple[Item, ...]:
        """The agenda in its order."""
        return tuple(_item(row) for row in await self._rows(_ITEMS))

    async def save_items(self, items: Sequence[Item]) -> None:
        """Order, statuses and deputies as they stand in `items`."""
        for ordinal, item in enumerate(items):
            await self._c.execute(
                update(_items)
                .where(_items.c.run_id == self._ref.run, _items.c.key == item.id)
                .values(ordinal=ordinal, status=item.status, deputy=item.deputy)
            )

    async def add_items(self, items: Sequence[Item]) -> None:
        """A new run's agenda."""
        for ordinal, item in enumerate(items):
            await self._c.execute(
                insert(_items).values(
                    office_id=self._ref.office,
                    hearing_id=self._ref.hearing,
                    run_id=self._ref.run,
                    key=item.id,
                    title=item.title,
                    subject=item.subject,
                    steps=[asdict(step) for step in item.steps],
                    ordinal=ordinal,
                    status="coming",
                    deputy="",
                )
            )

    async def position(self, *, lock: bool = False) -> Position | None:
        """Where the show stands, or None before its first step."""
        row = await self._row(_POSITION_LOCKED if lock else _POSITION)
        if row is None:
            return None
        return Position(row.item, row.step, row.version, row.started_at, row.ends_at, row.remaining)

    async def save_position(self, at: Position) -> None:
        """The one row of the position."""
        await upsert(
            self._c,
            PositionRow,
            {"run_id": self._ref.run},
            office_id=self._ref.office,
            **asdict(at),
        )

    async def leases(self) -> tuple[Lease, ...]:
        """Who holds which control."""
        rows = await self._rows(_LEASES)
        return tuple(Lease(row.kind, row.session, row.name, row.at) for row in rows)

    async def take_lease(self, lease: Lease) -> None:
        """The control changes hands."""
        await upsert(
            self._c,
            LeaseRow,
            {"run_id": self._ref.run, "kind": lease.kind},
            office_id=self._ref.office,
            session=lease.session,
            name=lease.name,
            at=lease.at,
        )

    async def screens(self) -> Screens:
        """What the public screens are told."""
        row = await self._row(_SCREENS)
        return Screens(row.cleared, row.round_id) if row else Screens()

    async def clear_screens(self, cleared: bool) -> None:
        """垫片 on or off; what else the screens are told stays."""
        await self._tell_screens(cleared=cleared)

    async def show_round(self, round_: str | None) -> None:
        """The round that is revealed, or none; 垫片 stays where it is."""
        await self._tell_screens(round_id=round_)

    async def _tell_screens(self, **told: Any) -> None:
        here = {"run_id": self._ref.run}
        await upsert(self._c, ScreensRow, here, office_id=self._ref.office, **told)

    async def notice(self) -> Notice | None:
        """The newest message to the podium."""
        row = await self._row(_NOTICE)
        return Notice(row.id, row.text, row.at, row.seen_at) if row else None

    async def notice_texts(self) -> dict[int, str]:
        """Every message to the podium of this run, by its id."""
        rows = await self._rows(_NOTICES)
        return {row.id: row.text for row in rows}

    async def add_notice(self, text: str, at: int) -> int:
        """A new message; gives its id."""
        result = await self._c.execute(
            insert(_notices).values(
                office_id=self._ref.office, run_id=self._ref.run, text=text, at=at
            )
        )
        return inserted_id(result)

    async def notice_seen(self, id_: int, at: int) -> bool:
        """The podium acknowledged the message; False when there is no such unseen one."""
        result = await self._c.execute(
            update(_notices)
            .where(
                _notices.c.id == id_,
                _notices.c.run_id == self._ref.run,
                _notices.c.seen_at.is_(None),
            )
            .values(seen_at=at)
        )
        return result.rowcount == 1

    async def notice_seen_at(self, id_: int) -> int | None:
        """When the message was acknowledged; None: not yet, or there is no such message."""
        seen_at: int | None = (
            await self._c.execute(
                select(_notices.c.seen_at).where(
                    _notices.c.id == id_, _notices.c.run_id == self._ref.run
                )
            )
        ).scalar_one_or_none()
        return seen_at


def _item(row: Row[Any]) -> Item:
    steps = tuple(Step(s["key"], s.get("seconds", 0), s.get("script", "")) for s in row.steps)
    return Item(row.key, row.title, row.subject, steps, row.status, row.deputy)
