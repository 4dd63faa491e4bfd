"""Secret panel rounds: turnout by seat, boxes while a round is open, marks without a name after it.

What the two have in common is the round alone. Between them stand the boxes, which only the round's
seal opens (`identity/seals.py`), and the closing, which shuffles (docs/decisions/0015-sealed-rounds.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, case, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.ballots import BallotRow
from server.domain.rounds import TAKES_BALLOTS, Cast, SealedRound
from server.domain.rules import WORDS
from server.store.rows import OFFICE, Repository, table, upsert
from server.store.tables import (
    AnswerRow,
    HearingRow,
    RoundRow,
    Run,
    SealedBallotRow,
    SecretMarkRow,
    TurnoutRow,
)

_r, _turnout, _boxes = table(RoundRow), table(TurnoutRow), table(SealedBallotRow)
_marks, _answers = table(SecretMarkRow), table(AnswerRow)
_hearings, _runs = table(HearingRow), table(Run)

_CAST = select(_turnout).where(
    _turnout.c.round_id == bindparam("id"), _turnout.c.seat_id == bindparam("seat")
)
_BOXES = (
    select(_boxes.c.seat_id, _boxes.c.box, _turnout.c.receipt)
    .join(
        _turnout,
        (_turnout.c.round_id == _boxes.c.round_id) & (_turnout.c.seat_id == _boxes.c.seat_id),
    )
    .where(_boxes.c.round_id == bindparam("id"))
)
_MARKS = (
    select(_marks)
    .where(_marks.c.round_id == bindparam("id"), _marks.c.office_id == OFFICE)
    .order_by(_marks.c.id)
)
_IN_TURNOUT = select(_turnout.c.receipt).where(_turnout.c.round_id == bindparam("id"))
_CELL = (_marks.c.subject, _marks.c.dimension, _marks.c.group)
_HISTOGRAM = (
    select(*_CELL, _marks.c.value, func.count().label("n"))
    .where(_marks.c.round_id == bindparam("id"))
    .group_by(*_CELL, _marks.c.value)
)
_SHEETS = (
    select(_marks.c.subject, _marks.c.group, func.count(_marks.c.rater.distinct()).label("n"))
    .where(_marks.c.round_id == bindparam("id"), _marks.c.value.not_in(WORDS))
    .group_by(_marks.c.subject, _marks.c.group)
)


class Sealed(Repository):
    """The ballots of one run's secret rounds."""

    async def cast(self, round_id: str, seat_id: int) -> Cast | None:
        """What is known of a seat's ballot: that it is there, and its receipt."""
        row = await self._row(_CAST, id=round_id, seat=seat_id)
        return Cast(row.receipt, row.at, row.replacements) if row else None

    async def put(self, round_id: str, seat_id: int, owner: str, box: bytes, cast: Cast) -> None:
        """The seat's box takes the place of its earlier one; the turnout counts seats."""
        where = {"round_id": round_id, "seat_id": seat_id}
        office = self._ref.office
        if await self.cast(round_id, seat_id) is None:
            await self._c.execute(update(_r).where(_r.c.id == round_id).values(cast=_r.c.cast + 1))
        await upsert(
            self._c,
            TurnoutRow,
            where,
            office_id=office,
            owner=owner,
            receipt=cast.receipt,
            at=cast.at,
            replacements=cast.replacements,
        )
        await upsert(self._c, SealedBallotRow, where, office_id=office, box=box)

    async def boxes(self, round_id: str) -> dict[int, tuple[bytes, str]]:
        """Every box of an open round by its seat, with the receipt that was given for it."""
        rows = await self._rows(_BOXES, id=round_id)
        return {row.seat_id: (row.box, row.receipt) for row in rows}

    async def put_marks(self, round_id: str, rows: Sequence[tuple[str, BallotRow]]) -> None:
        """The opened marks as (random id, row), in the order in which they are to lie."""
        here = {"round_id": round_id, "office_id": self._ref.office}
        if rows:
            await self._c.execute(
                insert(_marks),
                [
                    {
                        **here,
                        "id": id_,
                        "rater": row.rater,
                        "group": row.group,
                        "subject": row.subject,
                        "dimension": row.dimension,
                        "value": row.value,
                    }
                    for id_, row in rows
                ],
            )

    async def drop(self, round_id: str, prefix: str) -> None:
        """The boxes go, and with them what told one ballot from another under its key: of each first
        answer's hash only the `prefix` stays."""
        await self._c.execute(delete(_boxes).where(_boxes.c.round_id == round_id))
        owners = select(_turnout.c.owner).where(_turnout.c.round_id == round_id)
        await self._c.execute(
            update(_answers)
            .where(
                _answers.c.owner.in_(owners),
                _answers.c.hearing_id == self._ref.hearing,
                _answers.c.body_hash.startswith(prefix, autoescape=True),
            )
            .values(body_hash=prefix)
        )

    async def marks(self, round_id: str) -> tuple[BallotRow, ...]:
        """The marks of a round that has closed, in the order of their random ids."""
        return tuple(
            BallotRow(row.subject, row.rater, row.group, row.dimension, row.value)
            for row in await self._rows(_MARKS, id=round_id)
        )

    async def receipts(self, round_id: str) -> tuple[str, ...]:
        """The receipts of the ballots that hold, sorted."""
        return tuple(sorted(row.receipt for row in await self._rows(_IN_TURNOUT, id=round_id)))

    # ── the second path ──

    async def histogram(self, round_id: str) -> dict[tuple[str, str, str, str], int]:
        """How often each value stands in each cell: (subject, dimension, group, value) → number."""
        return {
            (row.subject, row.dimension, row.group, row.value): row.n
            for row in await self._rows(_HISTOGRAM, id=round_id)
        }

    async def sheets(self, round_id: str) -> dict[tuple[str, str], int]:
        """How many sheets with a mark each subject has from each group."""
        return {(row.subject, row.group): row.n for row in await self._rows(_SHEETS, id=round_id)}


_OF_SEALS = (
    select(
        _r.c.id,
        _r.c.seal,
        _r.c.status,
        _r.c.seal_destroyed_at,
        case(
            (
                (_hearings.c.run_id == _r.c.run_id) & (_runs.c.status != "archived"),
                True,
            ),
            else_=False,
        ).label("shown"),
    )
    .join(_runs, _runs.c.id == _r.c.run_id)
    .join(_hearings, _hearings.c.id == _r.c.hearing_id)
)


async def rounds_of_seals(
    connection: AsyncConnection, seals: Sequence[str]
) -> tuple[SealedRound, ...]:
    """The rounds of these seals, of every hearing and run."""
    if not seals:
        return ()
    rows = await connection.execute(_OF_SEALS.where(_r.c.seal.in_(seals)))
    return tuple(_sealed_round(row) for row in rows)


async def open_sealed_rounds(connection: AsyncConnection) -> tuple[SealedRound, ...]:
    """Every secret round that takes ballots now."""
    rows = await connection.execute(
        _OF_SEALS.where(_r.c.seal.is_not(None), _r.c.status.in_(TAKES_BALLOTS))
    )
    return tuple(_sealed_round(row) for row in rows)


def _sealed_round(row: Any) -> SealedRound:
    return SealedRound(row.id, row.seal, row.status, row.seal_destroyed_at, bool(row.shown))
