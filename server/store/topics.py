"""Topics: an office's scheme, the labels that people gave, and what was learned from them.

All of it belongs to the office and not to one hearing: its scheme outlives a hearing, and what was
chosen at the last one teaches for the next (docs/decisions/0024-topics.md). A rehearsal's choices are
practice and teach nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, and_, bindparam, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.store.rows import OFFICE, RUN, Repository, locked, table, upsert
from server.store.tables import HearingRow, Office, QuestionRow, Run, TopicModelRow, TopicSchemeRow

_s, _m, _q = table(TopicSchemeRow), table(TopicModelRow), table(QuestionRow)
_hearings, _runs, _offices = table(HearingRow), table(Run), table(Office)

_VERSION = select(func.coalesce(func.max(_s.c.version), 0)).where(_s.c.office_id == OFFICE)
_SCHEME = (
    select(_s.c.version, _s.c.topics, _s.c.file_name, _s.c.at)
    .where(_s.c.office_id == OFFICE)
    .order_by(_s.c.version.desc())
    .limit(1)
)
_HELD = locked(select(_offices.c.id).where(_offices.c.id == OFFICE))
_TRAINED = select(_m.c.trained_at, _m.c.labels).where(_m.c.office_id == OFFICE)
_MODEL = select(_m.c.model).where(_m.c.office_id == OFFICE)
_LABELS = (
    select(_q.c.title, _q.c.text, _q.c.topic)
    .join(_runs, _runs.c.id == _q.c.run_id)
    .where(_q.c.office_id == OFFICE, _q.c.topic.is_not(None), _runs.c.kind != "rehearsal")
    .order_by(_q.c.topic_at.desc(), _q.c.id.desc())
    .limit(bindparam("most", type_=Integer))
)
_IN_USE = (
    select(_q.c.topic, func.count())
    .where(_q.c.run_id == RUN, _q.c.topic.is_not(None))
    .group_by(_q.c.topic)
)


class Topics(Repository):
    """The topics of the office whose hearing this is."""

    async def hold(self) -> None:
        """No other hearing of the office replaces the scheme until this transaction has ended."""
        await self._c.execute(_HELD, self._here)

    async def version(self) -> int:
        """The version of the present scheme; 0 without one."""
        return int((await self._row(_VERSION))[0])

    async def kept(self) -> tuple[int, list[Any], str, int] | None:
        """(version, topics as they are kept, the file's name, when) of the present scheme."""
        row = (await self._c.execute(_SCHEME, self._here)).one_or_none()
        return None if row is None else (row.version, list(row.topics), row.file_name, row.at)

    async def put(
        self, version: int, topics: Sequence[Any], file_name: str, actor: str, at: int
    ) -> None:
        """A new scheme beside the ones before."""
        await self._c.execute(
            insert(_s).values(
                office_id=self._ref.office,
                version=version,
                topics=list(topics),
                file_name=file_name,
                actor=actor,
                at=at,
            )
        )

    async def in_use(self) -> dict[str, int]:
        """Topic → questions of the run that bear it."""
        return {row[0]: row[1] for row in await self._rows(_IN_USE)}

    async def label(self, question: int, at: int | None) -> None:
        """When a person chose this question's topic; None: it has none now."""
        await self._c.execute(
            update(_q).where(_q.c.id == question, _q.c.run_id == self._ref.run).values(topic_at=at)
        )

    async def labels(self, most: int) -> list[tuple[str, str, str]]:
        """(title, text, topic) of what people chose at any hearing of the office, the newest first."""
        found = await self._c.execute(_LABELS, {**self._here, "most": most})
        return [(row[0], row[1], row[2]) for row in found]

    async def trained(self) -> tuple[int, int]:
        """(when the model was made, from how many labels); zeros without one."""
        row = await self._row(_TRAINED)
        return (row[0], row[1]) if row else (0, 0)

    async def model(self) -> bytes:
        """The model as bytes; none where nothing is learned yet."""
        found = await self._c.execute(_MODEL, self._here)
        return bytes(found.scalar_one_or_none() or b"")

    async def keep_model(self, model: bytes, scheme: int, labels: int, at: int) -> None:
        """A model in the place of the one before."""
        key = {"office_id": self._ref.office}
        await upsert(
            self._c, TopicModelRow, key, trained_at=at, scheme=scheme, labels=labels, model=model
        )


@dataclass(frozen=True, slots=True)
class ToLearn:
    """An office whose labels are worth learning from, by one of its hearings."""

    slug: str
    office: int

    def __str__(self) -> str:
        return f"office {self.office}"


async def offices_to_learn(
    connection: AsyncConnection, least: int, fresh: int, share: int
) -> tuple[ToLearn, ...]:
    """Offices with a scheme and `least` labels, of which `fresh` and a `share`-th of those learned from are
    newer than the model; and those whose scheme is newer than it."""
    labels = func.count(_q.c.id)
    scheme = (
        select(_s.c.office_id, func.max(_s.c.version).label("version"))
        .group_by(_s.c.office_id)
        .subquery()
    )
    counted = (
        select(_q.c.office_id, labels.label("labels"), func.max(_q.c.hearing_id).label("hearing"))
        .join(_runs, _runs.c.id == _q.c.run_id)
        .where(_q.c.topic.is_not(None), _runs.c.kind != "rehearsal")
        .group_by(_q.c.office_id)
        .subquery()
    )
    fresher = (
        select(func.count())
        .select_from(_q)
        .join(_runs, _runs.c.id == _q.c.run_id)
        .where(
            _runs.c.kind != "rehearsal",
            _q.c.office_id == counted.c.office_id,
            _q.c.topic.is_not(None),
            _q.c.topic_at > _m.c.trained_at,
        )
        .correlate(counted, _m)
        .scalar_subquery()
    )
    rows = await connection.execute(
        select(_hearings.c.slug, counted.c.office_id)
        .select_from(counted)
        .join(scheme, scheme.c.office_id == counted.c.office_id)
        .join(_hearings, _hearings.c.id == counted.c.hearing)
        .join(_m, _m.c.office_id == counted.c.office_id, isouter=True)
        .where(
            counted.c.labels >= least,
            or_(
                _m.c.trained_at.is_(None),
                _m.c.scheme != scheme.c.version,
                and_(fresher >= fresh, fresher * share >= _m.c.labels),
            ),
        )
    )
    return tuple(ToLearn(*row) for row in rows)
