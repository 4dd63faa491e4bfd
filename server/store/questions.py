"""Questions of one run: lists, edits, wordings, merging, imports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Unpack

from sqlalchemy import Integer, Row, Select, bindparam, exists, func, insert, or_, select, update

from server.domain.questions import PUBLIC, NewQuestion, Question
from server.store.rows import OFFICE, RUN, Repository, locked, table, upsert
from server.store.tables import (
    ImportRow,
    QuestionRow,
    QuestionTextRow,
    SealedOriginal,
)

_q, _texts, _imports = table(QuestionRow), table(QuestionTextRow), table(ImportRow)

QUESTION = [one.name for one in fields(Question)]
"""What is read of a question: the domain's fields in their order, and nothing that is not needed."""
PAGE = 50
"""Questions on one page of a list."""


_WORKED_OUT = {
    "appealed": _q.c.appeal.is_not(None).label("appealed"),
    "rewritten": (_q.c.text != _q.c.first_text).label("rewritten"),
}
_COLUMNS: list[Any] = [_WORKED_OUT.get(name, _q.c.get(name)) for name in QUESTION]
_TAGS = QUESTION.index("tags")
_HERE = select(*_COLUMNS).where(_q.c.run_id == RUN, _q.c.office_id == OFFICE)
_ONE = _HERE.where(_q.c.id == bindparam("id"))
_ONE_LOCKED = locked(_ONE)
_BY_IDS = _HERE.where(_q.c.id.in_(bindparam("ids", expanding=True)))
_LISTED = _HERE.where(_q.c.status.in_(PUBLIC), _q.c.text != "")
_ONE_LISTED = _LISTED.where(_q.c.id == bindparam("id"))
_MOST_SUPPORTED = _LISTED.order_by(_q.c.support.desc(), _q.c.id.desc()).limit(
    bindparam("most", type_=Integer)
)
_NEWEST = _LISTED.order_by(_q.c.approved_at.desc(), _q.c.id.desc()).limit(
    bindparam("most", type_=Integer)
)
_COUNTS = (
    select(_q.c.status, func.count())
    .where(_q.c.run_id == RUN, _q.c.office_id == OFFICE)
    .group_by(_q.c.status)
)
_SOURCE_COUNTS = (
    select(_q.c.source, func.count())
    .where(_q.c.run_id == RUN, _q.c.office_id == OFFICE)
    .group_by(_q.c.source)
)
_SUPPORT = (
    select(_q.c.code, _q.c.support)
    .where(_q.c.run_id == RUN, _q.c.status.in_(PUBLIC), _q.c.support > 0)
    .order_by(_q.c.approved_at.desc(), _q.c.id.desc())
)


class Questions(Repository):
    """The questions of one run."""

    def _select(self) -> Select[Any]:
        return select(*_COLUMNS).where(
            _q.c.run_id == self._ref.run, _q.c.office_id == self._ref.office
        )

    async def get(self, id_: int, *, lock: bool = False) -> Question | None:
        """One question by id."""
        row = await self._row(_ONE_LOCKED if lock else _ONE, id=id_)
        return question_of(row) if row else None

    async def by_code(self, code: str, *, lock: bool = False) -> Question | None:
        """One question by the code its author holds."""
        statement = self._select().where(_q.c.code == code)
        if lock:
            statement = locked(statement)
        row = (await self._c.execute(statement)).one_or_none()
        return question_of(row) if row else None

    async def hold(self, codes: Iterable[str]) -> dict[str, Question]:
        """Locks questions in order of id, as everyone does who locks more than one; by code."""
        rows = await self._c.execute(
            locked(self._select().where(_q.c.code.in_(set(codes))).order_by(_q.c.id))
        )
        return {row.code: question_of(row) for row in rows}

    async def secret_hash(self, id_: int) -> str:
        """Hash of the secret that the author got."""
        found = await self._c.execute(
            select(_q.c.secret_hash).where(_q.c.id == id_, _q.c.run_id == self._ref.run)
        )
        return str(found.scalar_one())

    async def add(self, **values: Unpack[NewQuestion]) -> Question:
        """A new question; gives it with its id. Its first wording is kept."""
        (id_,) = await self.add_many([values])
        added = await self.get(id_)
        assert added is not None
        return added

    async def add_many(self, new: Sequence[NewQuestion]) -> list[int]:
        """New questions; gives their ids in the same order."""
        here = {
            "office_id": self._ref.office,
            "hearing_id": self._ref.hearing,
            "run_id": self._ref.run,
        }
        rows = await self._c.execute(
            insert(_q).returning(_q.c.id, sort_by_parameter_order=True),
            [{**here, "first_text": one["text"], **one} for one in new],
        )
        return list(rows.scalars())

    async def seal(self, question: int, box: bytes, version: int = 1) -> None:
        """What masking took away of the wording that the question has from this version on."""
        key = {"question_id": question, "version": version}
        await upsert(self._c, SealedOriginal, key, office_id=self._ref.office, box=box)

    async def save(self, question: Question) -> None:
        """All of it that acts change."""
        await self._c.execute(
            update(_q)
            .where(_q.c.id == question.id, _q.c.run_id == self._ref.run)
            .values(
                status=question.status,
                text=question.text,
                version=question.version,
                subject=question.subject,
                tags=list(question.tags),
                askers=question.askers,
                likes=question.likes,
                support=question.support,
                reason=question.reason,
                merged_into=question.merged_into,
                before_merge=question.before_merge,
                carried_askers=question.carried_askers,
                carried_likes=question.carried_likes,
                approved_at=question.approved_at,
                answered_at=question.answered_at,
                reply=question.reply,
            )
        )

    async def keep_wording(self, question: Question, actor: str, at: int) -> None:
        """The wording that is about to be replaced (law 12)."""
        await self._c.execute(
            insert(_texts).values(
                office_id=self._ref.office,
                question_id=question.id,
                version=question.version,
                text=question.text,
                actor=actor,
                at=at,
            )
        )

    async def wordings(self, id_: int) -> tuple[tuple[int, str], ...]:
        """Earlier wordings as (version, text), oldest first."""
        rows = await self._c.execute(
            select(_texts.c.version, _texts.c.text)
            .where(_texts.c.question_id == id_, _texts.c.office_id == self._ref.office)
            .order_by(_texts.c.id)
        )
        return tuple((row.version, row.text) for row in rows)

    async def set_appeal(self, id_: int, text: str) -> bool:
        """The author's one appeal; False when there is one already."""
        result = await self._c.execute(
            update(_q).where(_q.c.id == id_, _q.c.appeal.is_(None)).values(appeal=text)
        )
        return result.rowcount == 1

    async def set_rating(self, id_: int, rating: str) -> None:
        """What the author says of the answer; the last one holds."""
        await self._c.execute(update(_q).where(_q.c.id == id_).values(rating=rating))

    async def appeal(self, id_: int) -> str | None:
        """The author's appeal, or None."""
        found = await self._c.execute(select(_q.c.appeal).where(_q.c.id == id_))
        appeal: str | None = found.scalar_one()
        return appeal

    async def screen_received(self, limit: int) -> int:
        """Moves up to `limit` questions from `received` to `screened`; gives how many."""
        received = locked(
            select(_q.c.id)
            .where(_q.c.run_id == self._ref.run, _q.c.status == "received")
            .order_by(_q.c.id)
            .limit(limit)
        )
        ids = (await self._c.execute(received)).scalars().all()
        if ids:
            # A moderator may have decided about one of them since: what he did stands.
            changed = await self._c.execute(
                update(_q)
                .where(_q.c.id.in_(ids), _q.c.status == "received")
                .values(status="screened", version=_q.c.version + 1)
            )
            return changed.rowcount
        return 0

    async def public_page(self, cursor: int | None, size: int = PAGE) -> tuple[Question, ...]:
        """Questions of the public list in order of id, the latest first: those before `cursor`."""
        statement = self._select().where(_q.c.status.in_(PUBLIC), _q.c.text != "")
        if cursor is not None:
            statement = statement.where(_q.c.id < cursor)
        return await self._many(statement.order_by(_q.c.id.desc()).limit(size))

    async def desk_page(
        self,
        *,
        status: Sequence[str] = (),
        source: str | None = None,
        tag: str | None = None,
        subject: str | None = None,
        search: str | None = None,
        cursor: int | None = None,
        size: int = PAGE,
    ) -> tuple[Question, ...]:
        """The desk's list, newest first, with its filters; `search` finds any substring."""
        statement = self._select()
        if status:
            statement = statement.where(_q.c.status.in_(status))
        if source:
            statement = statement.where(or_(_q.c.source == source, _q.c.source_key == source))
        if subject:
            statement = statement.where(_q.c.subject == subject)
        if search:
            statement = statement.where(
                or_(
                    _q.c.text.contains(search, autoescape=True),
                    _q.c.title.contains(search, autoescape=True),
                    _q.c.code == search,
                    _q.c.external_id == search,
                )
            )
        if tag:
            sqlite = self._c.dialect.name == "sqlite"
            elements = func.json_each if sqlite else func.json_array_elements_text
            one = elements(_q.c.tags).table_valued("value")
            statement = statement.where(
                exists(select(1).select_from(one).where(one.c.value == tag))
            )
        if cursor is not None:
            statement = statement.where(_q.c.id < cursor)
        return await self._many(statement.order_by(_q.c.id.desc()).limit(size))

    async def counts(self) -> dict[str, int]:
        """How many questions are in each state."""
        return {row[0]: row[1] for row in await self._rows(_COUNTS)}

    async def support(self) -> dict[str, int]:
        """code → 同问 of everything on the public list that has any, the newest first."""
        return {row[0]: row[1] for row in await self._rows(_SUPPORT)}

    async def source_counts(self) -> dict[str, int]:
        """How many questions came from each kind of source."""
        return {row[0]: row[1] for row in await self._rows(_SOURCE_COUNTS)}

    async def shown(self, most: int, newest: int, on_stage: int | None) -> tuple[Question, ...]:
        """The `most` supported, the `newest` approved and the one on stage; newest first."""
        rows = [
            *await self._rows(_MOST_SUPPORTED, most=most),
            *await self._rows(_NEWEST, most=newest),
        ]
        if on_stage is not None and all(row.id != on_stage for row in rows):
            rows += await self._rows(_ONE_LISTED, id=on_stage)
        once = {row.id: row for row in rows}
        found = {id_: question_of(row) for id_, row in once.items()}
        return tuple(sorted(found.values(), key=lambda q: (q.approved_at or 0, q.id), reverse=True))

    async def by_ids(self, ids: Iterable[int]) -> dict[int, Question]:
        """Questions by id; unknown ids are left out."""
        wanted = list(ids)
        rows = await self._rows(_BY_IDS, ids=wanted) if wanted else ()
        return {row.id: question_of(row) for row in rows}

    async def by_source(self, source_key: str) -> dict[str, tuple[int, str]]:
        """external_id → (id, content hash) of everything that came from this source."""
        rows = await self._c.execute(
            select(_q.c.external_id, _q.c.id, _q.c.fields).where(
                _q.c.run_id == self._ref.run, _q.c.source_key == source_key
            )
        )
        return {row.external_id: (row.id, str((row.fields or {}).get("hash", ""))) for row in rows}

    async def likes_carried_into(self, code: str) -> int:
        """Likes that the questions merged into this one brought along."""
        found = await self._c.execute(
            select(func.coalesce(func.sum(_q.c.carried_likes), 0)).where(
                _q.c.run_id == self._ref.run, _q.c.merged_into == code
            )
        )
        return int(found.scalar_one())

    async def update_fields(self, id_: int, values: Mapping[str, object]) -> None:
        """What a newer record of the same work order brings."""
        await self._c.execute(
            update(_q).where(_q.c.id == id_, _q.c.run_id == self._ref.run).values(**values)
        )

    async def add_import(
        self, source_key: str, file_name: str, counts: Mapping[str, int], actor: str, at: int
    ) -> None:
        """The record of one import."""
        await self._c.execute(
            insert(_imports).values(
                office_id=self._ref.office,
                hearing_id=self._ref.hearing,
                source_key=source_key,
                file_name=file_name,
                mapping={},
                counts=dict(counts),
                actor=actor,
                at=at,
            )
        )

    async def _many(self, statement: Select[Any]) -> tuple[Question, ...]:
        return tuple(question_of(row) for row in await self._c.execute(statement))


def question_of(row: Row[Any]) -> Question:
    """The domain's question of a row."""
    values = list(row)
    values[_TAGS] = tuple(values[_TAGS] or ())
    return Question(*values)
