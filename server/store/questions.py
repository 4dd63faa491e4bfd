"""Questions of one run: public lists, edits, wordings, merging, imports. The desk's lists: `desk.py`."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Unpack

from sqlalchemy import (
    Integer,
    Row,
    Select,
    String,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from server.domain.fairness import ASKED, DIMENSIONS, Comparison, comparison
from server.domain.open311 import Wanted
from server.domain.questions import PUBLIC, NewQuestion, Question
from server.store.rows import (
    OFFICE,
    RUN,
    Repository,
    among,
    listed,
    locked,
    one_of,
    select_among,
    table,
    upsert,
)
from server.store.tables import (
    ImportRow,
    QuestionRow,
    QuestionTextRow,
    SealedOriginal,
)

_q, _texts, _imports = table(QuestionRow), table(QuestionTextRow), table(ImportRow)
_sealed = table(SealedOriginal)

QUESTION = [one.name for one in fields(Question)]
"""What is read of a question: the domain's fields in their order, and nothing that is not needed."""
PAGE = 50
"""Questions on one page of a list."""


_WORKED_OUT = {
    "appealed": _q.c.appeal.is_not(None).label("appealed"),
    "rewritten": (_q.c.text != _q.c.first_text).label("rewritten"),
}
COLUMNS: list[Any] = [_WORKED_OUT.get(name, _q.c.get(name)) for name in QUESTION]
_TAGS, _FLAGS = QUESTION.index("tags"), QUESTION.index("flags")
_HERE = select(*COLUMNS).where(_q.c.run_id == RUN, _q.c.office_id == OFFICE)
_ONE = _HERE.where(_q.c.id == bindparam("id"))
_ONE_LOCKED = locked(_ONE)
_IDS = func.json_each(bindparam("ids", type_=String)).table_valued("value")
_BY_IDS = {
    True: _HERE.where(_q.c.id.in_(select(_IDS.c.value))),
    False: select(*COLUMNS).where(
        _q.c.id == func.any(bindparam("ids", type_=ARRAY(Integer))),
        _q.c.run_id + 0 == RUN,
        _q.c.office_id + 0 == OFFICE,
    ),
}
"""By whether it is SQLite. The ids are one value: the statement is made, and planned, once. PostgreSQL,
which knows nothing yet of a run that was just imported, would read the whole run for forty ids: `+ 0` leaves
it the ids alone."""
_BY_NUMBERS = select_among(
    select(_q.c.external_id, _q.c.id, _q.c.fields).where(
        _q.c.run_id == RUN, _q.c.source_key == bindparam("source_key")
    ),
    _q.c.external_id,
)
_CODES = select_among(
    select(_q.c.external_id, _q.c.code).where(
        _q.c.run_id == RUN, _q.c.source_key == bindparam("source_key")
    ),
    _q.c.external_id,
)
_MERGED_INTO = _HERE.where(_q.c.merged_into == bindparam("code")).order_by(_q.c.id)
_LISTED = _HERE.where(one_of(_q.c.status, PUBLIC), _q.c.text != "")
_ONE_LISTED = _LISTED.where(_q.c.id == bindparam("id"))
_MOST_SUPPORTED = _LISTED.order_by(_q.c.support.desc(), _q.c.id.desc()).limit(
    bindparam("most", type_=Integer)
)
_NEWEST = _LISTED.order_by(_q.c.approved_at.desc(), _q.c.id.desc()).limit(
    bindparam("most", type_=Integer)
)
# A run is of one office: with its id alone the counts are read off an index, a hundred thousand
# questions in a few milliseconds, which every reading of a hearing needs.
_COUNTS = select(_q.c.status, func.count()).where(_q.c.run_id == RUN).group_by(_q.c.status)
_REFUSED = (
    select(_q.c.reason, func.count())
    .where(_q.c.run_id == RUN, _q.c.status == "rejected")
    .group_by(_q.c.reason)
)
_SOURCE_COUNTS = select(_q.c.source, func.count()).where(_q.c.run_id == RUN).group_by(_q.c.source)
_LIVE_WAITING = select(func.count()).where(
    _q.c.run_id == RUN, _q.c.source == "live", one_of(_q.c.status, ("received", "screened"))
)
APPEAL_WAITS: Any = and_(
    _q.c.status == "rejected", _q.c.appeal.is_not(None), _q.c.appeal_outcome.is_(None)
)
"""The author's appeal is not answered yet. Appeals are few and have an index of their own."""
_APPEALS = select(func.count()).where(_q.c.run_id == RUN, APPEAL_WAITS)
# What was asked, and whatever was merged into it, at whatever remove.
_ASKED = (
    select(_q.c.code)
    .where(
        _q.c.run_id == RUN,
        one_of(_q.c.status, (*ASKED, "closed")),
        or_(_q.c.status != "closed", _q.c.answered_at.is_not(None)),
    )
    .cte("asked", recursive=True)
)
_into = _q.alias("into_it")
_ASKED = _ASKED.union(
    select(_into.c.code).where(
        _into.c.run_id == RUN, _into.c.status == "merged", _into.c.merged_into == _ASKED.c.code
    )
)
_DIMENSIONS: Mapping[str, Any] = {name: _q.c[name] for name in DIMENSIONS}
_RECEIVED_BY = {
    name: select(column, func.count()).where(_q.c.run_id == RUN).group_by(column)
    for name, column in _DIMENSIONS.items()
}
_ASKED_BY = (
    select(*_DIMENSIONS.values(), func.count())
    .join(_ASKED, _ASKED.c.code == _q.c.code)
    .where(_q.c.run_id == RUN)
    .group_by(*_DIMENSIONS.values())
)
_SUPPORT = (
    select(_q.c.code, _q.c.support)
    .where(_q.c.run_id == RUN, one_of(_q.c.status, PUBLIC), _q.c.support > 0)
    .order_by(_q.c.approved_at.desc(), _q.c.id.desc())
)


class Questions(Repository):
    """The questions of one run."""

    def _select(self) -> Select[Any]:
        return select(*COLUMNS).where(
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

    async def boxes(self, question: int) -> list[tuple[int, bytes]]:
        """What masking took away, sealed, by the version of the wording, oldest first."""
        found = await self._c.execute(
            select(_sealed.c.version, _sealed.c.box)
            .where(_sealed.c.question_id == question, _sealed.c.office_id == self._ref.office)
            .order_by(_sealed.c.version)
        )
        return [(row.version, row.box) for row in found]

    async def sent(self, id_: int) -> tuple[str, str]:
        """(title, text) as its source said them, masked, before any moderator wrote."""
        found = await self._c.execute(
            select(_q.c.title, _q.c.first_text).where(_q.c.id == id_, _q.c.run_id == self._ref.run)
        )
        row = found.one()
        return row.title, row.first_text

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
                topic=question.topic,
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
                approved_by=question.approved_by,
                seconded_by=question.seconded_by,
                verification=question.verification,
                appeal_outcome=question.appeal_outcome,
                appeal_note=question.appeal_note,
            )
        )

    async def last_writer(self, id_: int) -> str:
        """Who of the staff wrote the present text: an actor's id, or empty when it is still a citizen's."""
        found = await self._c.execute(
            select(_texts.c.actor)
            .where(_texts.c.question_id == id_, _texts.c.office_id == self._ref.office)
            .order_by(_texts.c.id.desc())
            .limit(1)
        )
        return found.scalar_one_or_none() or str((await self.fields(id_)).get("writer", ""))

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
        """The author's one appeal; False when there is one already. The question has a new version by it:
        whoever looks at it at the desk is told."""
        result = await self._c.execute(
            update(_q)
            .where(_q.c.id == id_, _q.c.appeal.is_(None))
            .values(appeal=text, version=_q.c.version + 1)
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

    async def screen_received(
        self, limit: int, flags: Callable[[str], Sequence[str]] = lambda _: ()
    ) -> int:
        """Moves up to `limit` questions from `received` to `screened`, each with the `flags` of its
        title and text; gives how many."""
        received = locked(
            select(_q.c.id, _q.c.title, _q.c.text)
            .where(_q.c.run_id == self._ref.run, _q.c.status == "received")
            .order_by(_q.c.id)
            .limit(limit)
        )
        rows = (await self._c.execute(received)).all()
        ids = [row.id for row in rows]
        if ids:
            for row in rows:
                if flagged := flags(f"{row.title}\n{row.text}"):
                    await self._c.execute(
                        update(_q).where(_q.c.id == row.id).values(flags=list(flagged))
                    )
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

    async def requests(self, wanted: Wanted) -> tuple[Question, ...]:
        """Questions as service requests of Open311, newest first: those of one source, or those on the
        public list."""
        statement = self._select()
        if wanted.source is not None:
            statement = statement.where(_q.c.source_key == wanted.source)
        else:
            statement = statement.where(_q.c.status.in_(PUBLIC), _q.c.text != "")
        if wanted.codes is not None:
            statement = statement.where(_q.c.code.in_(wanted.codes))
        if wanted.services is not None:
            named = [one for one in wanted.services if one is not None]
            to_nobody = [_q.c.subject.is_(None)] if None in wanted.services else []
            statement = statement.where(or_(_q.c.subject.in_(named), *to_nobody))
        if wanted.statuses is not None:
            statement = statement.where(_q.c.status.in_(wanted.statuses))
        if wanted.since is not None:
            statement = statement.where(_q.c.created_at >= wanted.since)
        if wanted.until is not None:
            statement = statement.where(_q.c.created_at <= wanted.until)
        return await self._many(
            statement.order_by(_q.c.created_at.desc(), _q.c.id.desc())
            .limit(wanted.size)
            .offset((wanted.page - 1) * wanted.size)
        )

    async def counts(self) -> dict[str, int]:
        """How many questions are in each state."""
        return {row[0]: row[1] for row in await self._rows(_COUNTS)}

    async def refused(self) -> dict[str, int]:
        """How many questions are refused for each reason code."""
        return {row[0]: row[1] for row in await self._rows(_REFUSED) if row[0]}

    async def compared(self) -> tuple[Comparison, ...]:
        """What was asked beside what was received, by every dimension. Each is counted off an index, and what was
        asked is found from its own; still it is read for whoever looks at it and not at every act."""
        asked = (await self._c.execute(_ASKED_BY, self._here)).all()
        return tuple(
            [
                comparison(
                    name,
                    [
                        *((value, n, 0) for value, n in await self._received_by(name)),
                        *((row[place], 0, row[-1]) for row in asked),
                    ],
                )
                for place, name in enumerate(DIMENSIONS)
            ]
        )

    async def _received_by(self, dimension: str) -> Sequence[Any]:
        return (await self._c.execute(_RECEIVED_BY[dimension], self._here)).all()

    async def support(self) -> dict[str, int]:
        """code → 同问 of everything on the public list that has any, the newest first."""
        return {row[0]: row[1] for row in await self._rows(_SUPPORT)}

    async def source_counts(self) -> dict[str, int]:
        """How many questions came from each kind of source."""
        return {row[0]: row[1] for row in await self._rows(_SOURCE_COUNTS)}

    async def live_waiting(self) -> int:
        """How many questions of the live page nobody has decided about."""
        return int((await self._row(_LIVE_WAITING))[0])

    async def appeals(self) -> int:
        """How many authors' appeals wait for a moderator."""
        return int((await self._row(_APPEALS))[0])

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
        if not wanted:
            return {}
        rows = await self._rows(
            _BY_IDS[self._sqlite], ids=json.dumps(wanted) if self._sqlite else wanted
        )
        return {row.id: question_of(row) for row in rows}

    async def by_numbers(
        self, source_key: str, numbers: Sequence[str]
    ) -> dict[str, tuple[int, str]]:
        """external_id → (id, content hash) of those with these numbers that came from this source."""
        rows = await self._c.execute(
            among(self._c, _BY_NUMBERS),
            {**self._here, "source_key": source_key, "among": listed(self._c, numbers)},
        )
        return {row.external_id: (row.id, str((row.fields or {}).get("hash", ""))) for row in rows}

    async def codes(self, source_key: str, numbers: Sequence[str]) -> dict[str, str]:
        """external_id → code of those with these numbers that came from this source."""
        rows = await self._c.execute(
            among(self._c, _CODES),
            {**self._here, "source_key": source_key, "among": listed(self._c, numbers)},
        )
        return {row.external_id: row.code for row in rows}

    async def likes_carried_into(self, code: str) -> int:
        """Likes that the questions merged into this one brought along."""
        found = await self._c.execute(
            select(func.coalesce(func.sum(_q.c.carried_likes), 0)).where(
                _q.c.run_id == self._ref.run, _q.c.merged_into == code
            )
        )
        return int(found.scalar_one())

    async def fields(self, id_: int) -> dict[str, Any]:
        """What the source told beside the text."""
        found = await self._c.execute(
            select(_q.c.fields).where(_q.c.id == id_, _q.c.run_id == self._ref.run)
        )
        return dict(found.scalar_one_or_none() or {})

    async def stands_for(self, ids: Collection[int]) -> dict[int, str]:
        """id → who asked: the same for questions of the same person, empty where nobody knows."""
        rows = await self._c.execute(
            select(_q.c.id, _q.c.asker).where(_q.c.id.in_(ids), _q.c.run_id == self._ref.run)
        )
        return {row.id: row.asker for row in rows}

    async def askers_of(self, question: Question) -> set[str]:
        """Everybody who is known to stand behind a question: who asked it, and who asked what was
        merged into it."""
        found, codes = {(await self.stands_for([question.id]))[question.id]}, [question.code]
        while codes:
            rows = await self._c.execute(
                select(_q.c.asker, _q.c.code).where(
                    _q.c.run_id == self._ref.run, _q.c.merged_into.in_(codes)
                )
            )
            codes = []
            for row in rows:
                found.add(row.asker)
                codes.append(row.code)
        return found - {""}

    async def merged_into(self, code: str) -> tuple[Question, ...]:
        """What was merged into the question with this code, by id."""
        return tuple(map(question_of, await self._rows(_MERGED_INTO, code=code)))

    async def set_cluster(self, clusters: Mapping[int, int]) -> None:
        """The label that questions which ask alike share, by id."""
        if clusters:
            await self._c.execute(
                update(_q).where(_q.c.id == bindparam("one")).values(cluster=bindparam("label")),
                [{"one": id_, "label": label} for id_, label in sorted(clusters.items())],
            )

    async def agencies(self) -> tuple[str, ...]:
        """Every handling unit that a question's source names."""
        rows = await self._c.execute(
            select(_q.c.agency)
            .where(_q.c.hearing_id == self._ref.hearing, _q.c.agency != "")
            .distinct()
            .order_by(_q.c.agency)
        )
        return tuple(rows.scalars())

    async def propose(self, agency: str, subject: str | None) -> None:
        """Whose matter the questions are whose source names this unit."""
        await self._c.execute(
            update(_q)
            .where(_q.c.hearing_id == self._ref.hearing, _q.c.agency == agency)
            .values(proposed=subject)
        )

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
    values[_FLAGS] = tuple(values[_FLAGS] or ())
    return Question(*values)
