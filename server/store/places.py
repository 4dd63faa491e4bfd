"""Places: which hearing and which run of it a public name leads to.

Everything else in the store works inside one place and asks for nothing outside it (law 16).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.hearing import Place, Ref
from server.domain.refusals import Refusal
from server.store.rows import only_row, table
from server.store.tables import HearingRow, Office, QuestionRow, RoundRow, Run, SourceRow

_hearings, _offices, _runs = table(HearingRow), table(Office), table(Run)
_rounds, _questions, _sources = table(RoundRow), table(QuestionRow), table(SourceRow)

_PLACES = (
    select(
        _hearings.c.id,
        _hearings.c.office_id,
        _hearings.c.slug,
        _hearings.c.title,
        _offices.c.path,
        _runs.c.id.label("run"),
        _runs.c.status,
        _runs.c.kind,
        _runs.c.epoch,
    )
    .select_from(_hearings)
    .join(_offices, _offices.c.id == _hearings.c.office_id)
    .join(_runs, _runs.c.id == _hearings.c.run_id)
)
_BY_SLUG = _PLACES.where(_hearings.c.slug == bindparam("name"))
_BY_ROUND = _PLACES.join(_rounds, _rounds.c.run_id == _runs.c.id).where(
    _rounds.c.id == bindparam("name")
)
_BESIDE_ROUND = _PLACES.join(_rounds, _rounds.c.hearing_id == _hearings.c.id).where(
    _rounds.c.id == bindparam("name")
)
_BY_SOURCE = _PLACES.join(_sources, _sources.c.hearing_id == _hearings.c.id).where(
    _sources.c.address == bindparam("name")
)
_BY_HEARING = _PLACES.where(_hearings.c.id == bindparam("name"))


def _place(row: Any) -> Place:
    return Place(
        Ref(row.office_id, row.id, row.run),
        row.path,
        row.slug,
        row.title,
        row.status,
        row.kind,
        row.epoch,
    )


def _in_run(shown: Place, run: Any) -> Place:
    """The same hearing in another of its runs."""
    ref = replace(shown.ref, run=run.id)
    return replace(shown, ref=ref, status=run.status, kind=run.kind, epoch=run.epoch)


async def locate(
    connection: AsyncConnection,
    *,
    slug: str | None = None,
    round: str | None = None,
    code: str | None = None,
    source: str | None = None,
    hearing: int | None = None,
    line: bool = False,
) -> Place:
    """The place that a public name leads to, or `not_found`.

    A round is found in the run that is shown, a question's code in the real line first (its
    rehearsal copies bear the same code), a source by the address that outside systems use. With `line`, the run is the one that real questions
    belong to, even while a rehearsal is shown.
    """
    name: str | int
    if slug is not None:
        statement, name = _BY_SLUG, slug
    elif round is not None:
        statement, name = _BY_ROUND, round
    elif source is not None:
        statement, name = _BY_SOURCE, source
    elif hearing is not None:
        statement, name = _BY_HEARING, hearing
    else:
        return await _place_of_code(connection, code or "")
    row = await only_row(connection, statement, name=name)
    if row is None:
        raise Refusal("not_found")
    place = _place(row)
    return await _real_line(connection, place) if line and place.kind == "rehearsal" else place


async def shown_beside(connection: AsyncConnection, round: str) -> Place:
    """The run that is shown now in the hearing of a round, of whichever run the round itself is."""
    row = await only_row(connection, _BESIDE_ROUND, name=round)
    if row is None:
        raise Refusal("not_found")
    return _place(row)


async def _place_of_code(connection: AsyncConnection, code: str) -> Place:
    rows = (
        await connection.execute(
            select(_questions.c.hearing_id, _runs.c.id, _runs.c.kind, _runs.c.status, _runs.c.epoch)
            .join(_runs, _runs.c.id == _questions.c.run_id)
            .where(_questions.c.code == code)
        )
    ).all()
    if not rows:
        raise Refusal("not_found")
    row = min(rows, key=lambda r: (r.kind == "rehearsal", -r.id))
    shown = await locate(connection, hearing=row.hearing_id)
    return _in_run(shown, row)


async def _real_line(connection: AsyncConnection, shown: Place) -> Place:
    row = (
        await connection.execute(
            select(_runs)
            .where(_runs.c.hearing_id == shown.ref.hearing, _runs.c.kind != "rehearsal")
            .order_by(_runs.c.id.desc())
            .limit(1)
        )
    ).one()
    return _in_run(shown, row)


async def hearings_to_screen(connection: AsyncConnection) -> tuple[str, ...]:
    """Slugs of hearings whose shown run has questions in `received`."""
    rows = await connection.execute(
        select(_hearings.c.slug)
        .join(_questions, _questions.c.run_id == _hearings.c.run_id)
        .where(_questions.c.status == "received")
        .distinct()
    )
    return tuple(rows.scalars())


async def all_places(connection: AsyncConnection, *, path: str | None = None) -> tuple[Place, ...]:
    """Hearings of an office and everything below it (`path` is the office's path), newest first.

    Without a path: every hearing, for the machine's own housekeeping.
    """
    statement = _PLACES
    if path is not None:
        statement = statement.where(_offices.c.path.startswith(path, autoescape=True))
    return tuple(
        _place(r) for r in await connection.execute(statement.order_by(_hearings.c.id.desc()))
    )
