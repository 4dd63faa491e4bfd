"""What moderators read: lists with their filters, groups that ask alike, a question's history."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import (
    Integer,
    String,
    and_,
    bindparam,
    case,
    distinct,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.desk import ON_THE_WAY, Done, Filters, Group, place_of
from server.domain.hearing import Ref
from server.domain.questions import HIDDEN, Question
from server.domain.topics import SEPARATOR
from server.store.questions import APPEAL_WAITS, Questions
from server.store.rows import RUN, Repository, one_of, table
from server.store.tables import Account, ClaimRow, JournalRow, QuestionRow

_q, _claims, _journal = table(QuestionRow), table(ClaimRow), table(JournalRow)
_accounts = table(Account)

_HEAT: Any = _q.c.askers + _q.c.support
_MATTER_OF: Any = func.coalesce(_q.c.subject, _q.c.proposed)
"""Whose question it is: what a person said, else what its source's unit says."""
_UNSOLVED: Any = func.sum(case((_q.c.solved.in_(("unsolved", "partly")), 1), else_=0))
_URGENT: Any = and_(_UNSOLVED > 0, func.count() > 1)
"""Of a group: several ask, and the source has not settled it."""
GROUPS_COUNTED = 600
"""Groups whose people are counted."""
DISTRICTS = 200
"""Districts that the filter offers."""

_DISTRICTS = (
    select(_q.c.district, func.count())
    .where(_q.c.run_id == RUN, _q.c.district != "", _q.c.status.not_in(sorted(HIDDEN)))
    .group_by(_q.c.district)
    .order_by(func.count().desc(), _q.c.district)
    .limit(DISTRICTS)
)
_HIDDEN_CODES = select(_q.c.code).where(_q.c.run_id == RUN, one_of(_q.c.status, HIDDEN))
_OF_ONE = (
    select(
        _journal.c.at,
        _journal.c.event,
        _journal.c.actor,
        func.coalesce(_accounts.c.name, "").label("name"),
        _journal.c.role,
        _journal.c.body,
    )
    .outerjoin(_accounts, _journal.c.actor == literal("account:") + _accounts.c.id.cast(String))
    .where(_journal.c.question_id == bindparam("question", type_=Integer))
    .order_by(_journal.c.run_id, _journal.c.seq)
)


class Desk(Repository):
    """The desk of one run."""

    def __init__(self, connection: AsyncConnection, ref: Ref) -> None:
        super().__init__(connection, ref)
        self._questions = Questions(connection, ref)

    async def page(self, wanted: Filters) -> tuple[Question, ...]:
        """One page of a list. `search` finds any part of a text, two characters too."""
        # The rows are wide: what is put in order are their ids alone.
        statement = select(_q.c.id).where(_q.c.run_id == self._ref.run, *self._where(wanted))
        if not wanted.hidden and (away := await self._out_of_sight()):
            statement = statement.where(
                or_(_q.c.merged_into.is_(None), _q.c.merged_into.not_in(away))
            )
        people, last = place_of(wanted.cursor or 0, wanted.sort)
        order, later = {
            "heat": (
                (_HEAT.desc(), _q.c.id.desc()),
                or_(people > _HEAT, and_(people == _HEAT, _q.c.id < last)),
            ),
            "oldest": ((_q.c.id,), _q.c.id > last),
            "newest": ((_q.c.id.desc(),), _q.c.id < last),
        }[wanted.sort]
        if wanted.cursor is not None:
            statement = statement.where(later)
        ids = list((await self._c.execute(statement.order_by(*order).limit(wanted.size))).scalars())
        found = await self._questions.by_ids(ids)
        return tuple(found[id_] for id_ in ids if id_ in found)

    async def _out_of_sight(self) -> list[str]:
        """Codes of what only the duty person sees, and of what was merged into it at any remove: whatever
        was merged into one of them says the same."""
        found: list[str] = []
        new = list((await self._c.execute(_HIDDEN_CODES, self._here)).scalars())
        while new:
            found += new
            new = list(
                (
                    await self._c.execute(
                        select(_q.c.code).where(
                            _q.c.run_id == self._ref.run, _q.c.merged_into.in_(new)
                        )
                    )
                ).scalars()
            )
        return found

    def _where(self, wanted: Filters) -> list[Any]:
        """The conditions of a list."""
        found: list[Any] = []
        if wanted.status:
            found.append(_q.c.status.in_(wanted.status))
        if not wanted.hidden:
            found.append(_q.c.status.not_in(HIDDEN))
        for value, columns in (
            (wanted.source, (_q.c.source, _q.c.source_key)),
            (wanted.district, (_q.c.district,)),
            (wanted.merged_into, (_q.c.merged_into,)),
            (wanted.asker, (_q.c.asker,)),
        ):
            if value:
                found.append(or_(*(column == value for column in columns)))
        if wanted.subject:
            nobody = wanted.subject == "-"
            found.append(_MATTER_OF.is_(None) if nobody else wanted.subject == _MATTER_OF)
        if wanted.topic:
            below = _q.c.topic.startswith(wanted.topic + SEPARATOR, autoescape=True)
            found.append(or_(_q.c.topic == wanted.topic, below))
        if wanted.cluster is not None:
            found.append(_q.c.cluster == wanted.cluster)
        if wanted.heat:
            found.append(wanted.heat <= _HEAT)
        if wanted.fresh:
            found.append(_q.c.created_at >= wanted.fresh)
        if wanted.old:
            found.append(_q.c.created_at < wanted.old)
        if wanted.unsolved:
            found.append(_q.c.solved.in_(("unsolved", "partly")))
        if wanted.appealed:
            found.append(APPEAL_WAITS)
        if wanted.flagged:
            found.append(func.length(_q.c.flags.cast(String)) > len("[]"))
        if wanted.mine:
            held = select(_claims.c.question_id).where(
                _claims.c.hearing_id == self._ref.hearing, _claims.c.actor == wanted.mine
            )
            found.append(_q.c.id.in_(held))
        if wanted.search:
            found.append(
                or_(
                    _q.c.text.contains(wanted.search, autoescape=True),
                    _q.c.title.contains(wanted.search, autoescape=True),
                    _q.c.code == wanted.search,
                    _q.c.external_id == wanted.search,
                )
            )
        if wanted.tag:
            elements = func.json_each if self._sqlite else func.json_array_elements_text
            one = elements(_q.c.tags).table_valued("value")
            # Few rows hold its letters at all: only those are taken apart.
            found.append(_q.c.tags.cast(String).contains(json.dumps(wanted.tag), autoescape=True))
            found.append(exists(select(1).select_from(one).where(one.c.value == wanted.tag)))
        return found

    async def groups(self, subject: str = "", most: int = 200) -> tuple[Group, ...]:
        """Questions on their way that ask alike, those of one official, or of all: first what several
        people ask and the source has not settled, then by how many people."""
        here = [
            _q.c.run_id == self._ref.run,
            _q.c.status.in_(ON_THE_WAY),
            _q.c.cluster.is_not(None),
        ]
        if subject:
            here.append(_MATTER_OF.is_(None) if subject == "-" else subject == _MATTER_OF)
        # No group has more people than its questions have askers and supporters, so the largest by that
        # sum are enough; who asked in which is counted for these alone.
        largest = (
            select(_q.c.cluster)
            .where(*here)
            .group_by(_q.c.cluster)
            .having(func.sum(_HEAT) > 1)
            .order_by(case((_URGENT, 0), else_=1), func.sum(_HEAT).desc(), _q.c.cluster)
            .limit(GROUPS_COUNTED)
            .cte("largest")
        )
        asker = case((_q.c.asker == "", literal("#") + _q.c.id.cast(String)), else_=_q.c.asker)
        # What was merged into a question and who supports it stand behind it too.
        people = func.count(distinct(asker)) + func.sum(_HEAT - 1)
        rows = (
            await self._c.execute(
                select(
                    _q.c.cluster,
                    _MATTER_OF.label("matter"),
                    func.count().label("questions"),
                    people.label("people"),
                    _UNSOLVED.label("unsolved"),
                    func.sum(case((_q.c.solved == "solved", 1), else_=0)).label("solved"),
                    func.max(_q.c.id).label("newest"),
                )
                .join(largest, largest.c.cluster == _q.c.cluster)
                .where(*here)
                .group_by(_q.c.cluster, _MATTER_OF)
                .having(func.sum(_HEAT) > 1)
                .order_by(
                    case((_URGENT, 0), else_=1),
                    people.desc(),
                    _UNSOLVED.desc(),
                    func.max(_q.c.id).desc(),
                )
                .limit(most)
            )
        ).all()
        words = {
            row.id: row
            for row in await self._c.execute(
                select(_q.c.id, _q.c.text, _q.c.title).where(
                    _q.c.id.in_([row.newest for row in rows])
                )
            )
        }
        return tuple(
            Group(
                row.cluster, row.matter, row.questions, int(row.people), int(row.unsolved),
                int(row.solved), row.newest, words[row.newest].text, words[row.newest].title,
            )
            for row in rows
        )  # fmt: skip

    async def districts(self) -> tuple[str, ...]:
        """Districts of this run's questions, those with most first."""
        return tuple(row[0] for row in await self._rows(_DISTRICTS))

    async def history(self, question: int) -> tuple[Done, ...]:
        """Everything that was done to a question, the oldest first, in its preparation too."""
        rows = await self._c.execute(_OF_ONE, {"question": question})
        return tuple(Done(*row) for row in rows)

    async def merged_into(self, code: str) -> int:
        """How many questions were merged into this one."""
        found = await self._c.execute(
            select(func.count()).where(
                _q.c.run_id == self._ref.run, _q.c.merged_into == code, _q.c.status.not_in(HIDDEN)
            )
        )
        return int(found.scalar_one())

    async def of_same_asker(self, asker: str, without: int) -> int:
        """How many other questions the same person sent."""
        if not asker:
            return 0
        found = await self._c.execute(
            select(func.count()).where(
                _q.c.run_id == self._ref.run,
                _q.c.asker == asker,
                _q.c.id != without,
                _q.c.status.not_in(HIDDEN),
            )
        )
        return int(found.scalar_one())
