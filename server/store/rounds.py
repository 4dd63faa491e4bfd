"""Rounds, panel ballots, drafts and the public's votes of one run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, and_, bindparam, func, insert, or_, select, text, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.rounds import HELD, CastBallot, Entitled, Round
from server.store.rows import OFFICE, RUN, Repository, among, listed, select_among, table, upsert
from server.store.tables import (
    BallotRow,
    CountRow,
    DraftRow,
    HearingRow,
    RoundRow,
    Run,
    SeatRow,
    TurnoutRow,
)

_r, _b, _counts = table(RoundRow), table(BallotRow), table(CountRow)
_drafts, _seats, _turnout = table(DraftRow), table(SeatRow), table(TurnoutRow)
_hearings, _runs = table(HearingRow), table(Run)


_ALL = (
    select(_r).where(_r.c.run_id == RUN, _r.c.office_id == OFFICE).order_by(_r.c.ordinal, _r.c.id)
)
_ONE = select(_r).where(_r.c.run_id == RUN, _r.c.office_id == OFFICE, _r.c.id == bindparam("id"))
_ONE_LOCKED = _ONE.with_for_update()
_ONE_SHARED = _ONE.with_for_update(read=True, key_share=True)
"""Closing waits for every vote and every vote for closing; votes through two processes, which add
to the same turnout at their end, do not wait for each other until then."""
_IN_LINE = text(
    "SELECT pg_advisory_xact_lock(1986356325, hearing_id) FROM rounds"
    " WHERE id = :id AND audience = 'public'"
)
"""The line in which batches of votes wait (`votes.py`), in order of arrival. Whoever locks a round
that is voted in stands in it first: PostgreSQL lets one that shares a row pass by one that waits to
lock it, and votes that do not end would keep a round from closing for as long as they come."""
_COUNTS = select_among(select(_counts), _counts.c.round_id)
_CAST = union_all(
    *(select(one.c.seat_id).where(one.c.round_id == bindparam("id")) for one in (_b, _turnout))
)
_RECEIPTS = select(_b.c.receipt).where(_b.c.round_id == bindparam("id"))
_BEGUN = select(_drafts.c.seat_id).where(_drafts.c.round_id == bindparam("id"))


class Rounds(Repository):
    """The rounds of one run."""

    async def get(self, id_: str, *, lock: bool = False, share: bool = False) -> Round | None:
        """One round with its counts. `lock` is what closing takes, `share` what a vote takes."""
        if lock and self._c.dialect.name != "sqlite":
            await self._c.execute(_IN_LINE, {"id": id_})
        row = await self._row(_ONE_LOCKED if lock else _ONE_SHARED if share else _ONE, id=id_)
        if row is None:
            return None
        counts = await self._counts([id_]) if row.audience == "public" else {}
        return round_of(row, counts.get(id_, {}))

    async def all(self) -> tuple[Round, ...]:
        """Every round of the run, in the show's order."""
        rows = await self._rows(_ALL)
        counts = await self._counts([row.id for row in rows if row.audience == "public"])
        return tuple(round_of(row, counts.get(row.id, {})) for row in rows)

    async def _counts(self, ids: Iterable[str]) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        wanted = list(ids)
        if wanted:
            for row in await self._rows(among(self._c, _COUNTS), among=listed(self._c, wanted)):
                found.setdefault(row.round_id, {})[row.choice] = row.n
        return found

    async def add(self, round_: Round) -> None:
        """A new round."""
        await self._c.execute(
            insert(_r).values(
                id=round_.id,
                office_id=self._ref.office,
                hearing_id=self._ref.hearing,
                run_id=self._ref.run,
                ordinal=round_.ordinal,
                title=round_.title,
                audience=round_.audience,
                secrecy=round_.secrecy,
                replacing=round_.replacing,
                unsent=round_.unsent,
                comments=round_.comments,
                reason_below=round_.reason_below,
                subjects=list(round_.subjects),
                item=round_.item,
                choices=[list(pair) for pair in round_.choices],
                rules=dict(round_.rules) if round_.rules is not None else None,
                rules_hash=round_.rules_hash,
                labels=dict(round_.labels),
                show_live=round_.show_live,
                signers=list(round_.signers),
                publishers=list(round_.publishers),
                replaces=round_.replaces,
                about=round_.about,
            )
        )

    async def save(self, round_: Round) -> None:
        """All of it that acts change (the turnout is counted by the ballots themselves)."""
        await self._c.execute(
            update(_r)
            .where(_r.c.id == round_.id, _r.c.run_id == self._ref.run)
            .values(
                status=round_.status,
                version=round_.version,
                entitled=[[e.seat, e.group, e.unit, e.present, e.own] for e in round_.entitled],
                opened_at=round_.opened_at,
                closes_at=round_.closes_at,
                closed_at=round_.closed_at,
                rules=dict(round_.rules) if round_.rules is not None else None,
                rules_hash=round_.rules_hash,
                rules_given=dict(round_.rules_given) if round_.rules_given is not None else None,
                result=dict(round_.result) if round_.result is not None else None,
                signed=list(round_.signed),
                published_to=list(round_.published_to),
                reveal=round_.reveal,
                void_reason=round_.void_reason,
                tally_refused=dict(round_.tally_refused) if round_.tally_refused else None,
                root=round_.root,
                overrides=dict(round_.overrides) or None,
                contest_until=round_.contest_until,
                correction=dict(round_.correction) if round_.correction else None,
                seal=round_.seal,
                seal_destroyed_at=round_.seal_destroyed_at,
            )
        )

    async def last_ordinal(self) -> int:
        """The highest ordinal in the run, 0 when there is no round."""
        found = await self._c.execute(
            select(func.max(_r.c.ordinal)).where(_r.c.run_id == self._ref.run)
        )
        return found.scalar_one() or 0

    # ── panel ballots ──

    async def ballot(self, round_id: str, seat_id: int) -> CastBallot | None:
        """The seat's ballot, or None."""
        row = (
            await self._c.execute(
                select(_b).where(_b.c.round_id == round_id, _b.c.seat_id == seat_id)
            )
        ).one_or_none()
        return _ballot(row, row.seat_id) if row else None

    async def put_ballot(self, round_id: str, seat_id: int, ballot: CastBallot) -> None:
        """The seat's ballot takes the place of its earlier one; the turnout counts seats."""
        first = await self.ballot(round_id, seat_id) is None
        await upsert(
            self._c,
            BallotRow,
            {"round_id": round_id, "seat_id": seat_id},
            office_id=self._ref.office,
            marks={s: dict(m) for s, m in ballot.marks.items()},
            recused=list(ballot.recused),
            key=ballot.key,
            receipt=ballot.receipt,
            at=ballot.at,
            replacements=ballot.replacements,
            comments=dict(ballot.comments) or None,
        )
        if first:
            await self._c.execute(update(_r).where(_r.c.id == round_id).values(cast=_r.c.cast + 1))

    async def ballots(self, round_id: str) -> tuple[CastBallot, ...]:
        """Every ballot of the round by receipt; `CastBallot.seat` is the seat's number. A published
        trace names marks by their row: in the order of the seats it would name everybody."""
        rows = await self._c.execute(
            select(_b, _seats.c.number)
            .join(_seats, _seats.c.id == _b.c.seat_id)
            .where(_b.c.round_id == round_id, _b.c.office_id == self._ref.office)
            .order_by(_b.c.receipt, _b.c.seat_id)
        )
        return tuple(_ballot(row, row.number) for row in rows)

    async def receipts(self, round_id: str) -> tuple[str, ...]:
        """The receipts of a named round's ballots, sorted."""
        return tuple(sorted(row.receipt for row in await self._rows(_RECEIPTS, id=round_id)))

    async def begin_draft(self, round_id: str, seat_id: int, at: int) -> None:
        """The seat has begun its sheet."""
        await upsert(
            self._c,
            DraftRow,
            {"round_id": round_id, "seat_id": seat_id},
            office_id=self._ref.office,
            at=at,
        )

    async def progress(self, round_id: str) -> tuple[set[int], set[int]]:
        """(seat ids that cast, seat ids that have begun)."""
        cast = await self._rows(_CAST, id=round_id)
        begun = await self._rows(_BEGUN, id=round_id)
        return {row.seat_id for row in cast}, {row.seat_id for row in begun}

    # ── public votes ──

    async def change_counts(
        self, round_id: str, deltas: Mapping[str, int], new_voters: int
    ) -> None:
        """Adds the deltas to the running counts, and the new voters to the turnout."""
        for choice, delta in sorted(deltas.items()):
            if delta:
                await upsert(self._c, CountRow, {"round_id": round_id, "choice": choice})
                await self._c.execute(
                    update(_counts)
                    .where(_counts.c.round_id == round_id, _counts.c.choice == choice)
                    .values(n=_counts.c.n + delta)
                )
        if new_voters:
            await self._c.execute(
                update(_r).where(_r.c.id == round_id).values(cast=_r.c.cast + new_voters)
            )


def _standing() -> Any:
    """Rounds of every hearing's run. What a rehearsal or an archived hearing left behind waits for
    nobody."""
    return (
        select(_r.c.id, _r.c.status, _r.c.seal)
        .join(_hearings, _hearings.c.run_id == _r.c.run_id)
        .join(_runs, _runs.c.id == _r.c.run_id)
        .where(_runs.c.status != "archived")
    )


async def due_closings(connection: AsyncConnection, at: int) -> list[tuple[str, str | None]]:
    """(id, seal) of every round whose closing time has come."""
    rows = await connection.execute(
        _standing().where(_r.c.status == "closing", _r.c.closes_at <= at)
    )
    return [(row.id, row.seal) for row in rows]


async def unfinished_rounds(connection: AsyncConnection, before: int) -> list[tuple[str, str]]:
    """(id, status) of every round that was closed before a moment and has no tally, or has a result
    that was certified and no bundle."""
    untallied = and_(_r.c.status == "closed", _r.c.tally_refused.is_(None), _r.c.closed_at < before)
    bundleless = and_(
        _r.c.status.in_(sorted(HELD)),
        _r.c.audience == "panel",
        _r.c.root.is_(None),
        _r.c.closed_at < before,
    )
    rows = await connection.execute(_standing().where(or_(untallied, bundleless)))
    return [(row.id, row.status) for row in rows]


def _ballot(row: Row[Any], seat: int) -> CastBallot:
    return CastBallot(
        seat,
        row.marks,
        tuple(row.recused),
        row.key,
        row.receipt,
        row.at,
        row.replacements,
        row.comments or {},
    )


def _entitled(seat: int, group: str, unit: str, present: bool, own: Sequence[str] = ()) -> Entitled:
    """One of a round's list; one that an older version froze says nothing of `own`."""
    return Entitled(seat, group, unit, present, tuple(own))


def round_of(row: Row[Any], counts: Mapping[str, int]) -> Round:
    """The domain's round of a row."""
    return Round(
        id=row.id,
        title=row.title,
        audience=row.audience,
        secrecy=row.secrecy,
        replacing=row.replacing,
        unsent=row.unsent,
        comments=row.comments,
        reason_below=row.reason_below,
        subjects=tuple(row.subjects),
        status=row.status,
        version=row.version,
        ordinal=row.ordinal,
        item=row.item,
        choices=tuple((key, label) for key, label in row.choices),
        rules=row.rules,
        rules_hash=row.rules_hash,
        rules_given=row.rules_given,
        labels=row.labels,
        show_live=row.show_live,
        entitled=tuple(_entitled(*one) for one in row.entitled),
        cast=row.cast,
        counts=counts,
        opened_at=row.opened_at,
        closes_at=row.closes_at,
        closed_at=row.closed_at,
        result=row.result,
        signers=tuple(row.signers),
        publishers=tuple(row.publishers),
        signed=tuple(row.signed),
        published_to=tuple(row.published_to),
        reveal=row.reveal,
        void_reason=row.void_reason,
        tally_refused=row.tally_refused,
        replaces=row.replaces,
        about=row.about,
        root=row.root,
        overrides=row.overrides or {},
        contest_until=row.contest_until,
        correction=row.correction,
        seal=row.seal,
        seal_destroyed_at=row.seal_destroyed_at,
    )
