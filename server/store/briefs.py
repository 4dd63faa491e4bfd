"""What officials' offices read in advance: what waits for them now, and what they were sent."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from server.domain.brief import (
    IN_BRIEF,
    Brief,
    Sent,
    Source,
    Waiting,
    brief_of,
    line_of,
    line_state,
    private_of,
)
from server.domain.questions import HIDDEN
from server.store.rows import RUN, Repository, inserted_id, one_of, table, upsert
from server.store.tables import BriefReplyRow, BriefRow, QuestionRow

_q, _briefs, _replies = table(QuestionRow), table(BriefRow), table(BriefReplyRow)
_below = _q.alias("below")

_WAITING = (
    select(_q.c.code, _q.c.code.label("root"))
    .where(
        _q.c.run_id == RUN,
        _q.c.subject == bindparam("subject"),
        one_of(_q.c.status, IN_BRIEF),
    )
    .cte("waiting", recursive=True)
)
_WAITING = _WAITING.union(
    select(_below.c.code, _WAITING.c.root).where(
        _below.c.run_id == RUN,
        _below.c.status == "merged",
        _below.c.merged_into == _WAITING.c.code,
    )
)
_STAND_BEHIND = (
    select(
        _WAITING.c.root,
        _q.c.id,
        _q.c.code,
        _q.c.merged_into,
        _q.c.text,
        _q.c.first_text,
        _q.c.title,
        _q.c.external_id,
        _q.c.fields,
        _q.c.district,
        _q.c.source,
        _q.c.askers,
        _q.c.support,
        _q.c.carried_askers,
    )
    .join(_WAITING, _WAITING.c.code == _q.c.code)
    .where(_q.c.run_id == RUN)
    .order_by(_q.c.id)
)


class Briefs(Repository):
    """Of one run."""

    async def now(self, subject: str) -> Brief:
        """What would be sent to the subject's office now."""
        rows = (await self._c.execute(_STAND_BEHIND, {**self._here, "subject": subject})).all()
        carried: defaultdict[str, int] = defaultdict(int)
        behind: defaultdict[str, list[Any]] = defaultdict(list)
        for row in rows:
            if row.code != row.root:
                carried[row.merged_into] += row.carried_askers
            behind[row.root].append(row)
        return brief_of(
            Waiting(
                row.id,
                row.code,
                row.text,
                row.text != row.first_text or row.source == "desk",
                tuple(_source(one, carried[one.code]) for one in behind[row.root]),
            )
            for row in rows
            if row.code == row.root
        )

    async def sent(self, subject: str) -> Sent | None:
        """What the subject's office reads, or None. A question that was escalated since is in nobody's
        sight any more; the others keep their numbers."""
        found = await self._c.execute(
            select(_briefs)
            .where(
                _briefs.c.run_id == self._ref.run,
                _briefs.c.office_id == self._ref.office,
                _briefs.c.subject == subject,
                _briefs.c.taken_back_at.is_(None),
            )
            .order_by(_briefs.c.id.desc())
            .limit(1)
        )
        row = found.one_or_none()
        if row is None:
            return None
        replies = await self._c.execute(
            select(_replies.c.number, _replies.c.text).where(_replies.c.brief_id == row.id)
        )
        hidden = await self._c.execute(
            select(_q.c.id).where(_q.c.id.in_(row.questions), _q.c.status.in_(HIDDEN))
        )
        away = set(hidden.scalars())
        kept = [
            (line_of(line), id_)
            for line, id_ in zip(row.lines, row.questions, strict=True)
            if id_ not in away
        ]
        numbers = {line.number for line, _ in kept}
        return Sent(
            row.id,
            row.subject,
            tuple(line for line, _ in kept),
            tuple(id_ for _, id_ in kept),
            row.hash,
            row.at,
            {one.number: one.text for one in replies if one.number in numbers},
        )

    async def send(self, subject: str, brief: Brief, at: int) -> int:
        """What is read there from now on; gives its id."""
        result = await self._c.execute(
            insert(_briefs).values(
                office_id=self._ref.office,
                run_id=self._ref.run,
                subject=subject,
                lines=[line_state(one) for one in brief.lines],
                questions=list(brief.ids),
                hash=brief.hash,
                at=at,
            )
        )
        return inserted_id(result)

    async def take_back(self, subject: str, at: int) -> bool:
        """Nothing is read there any more; False where nothing was."""
        result = await self._c.execute(
            update(_briefs)
            .where(
                _briefs.c.run_id == self._ref.run,
                _briefs.c.subject == subject,
                _briefs.c.taken_back_at.is_(None),
            )
            .values(taken_back_at=at)
        )
        return result.rowcount > 0

    async def proposed(self) -> dict[int, str]:
        """Question → what an office proposes to reply to it, of what each office reads now."""
        latest = (
            select(func.max(_briefs.c.id))
            .where(
                _briefs.c.run_id == self._ref.run,
                _briefs.c.office_id == self._ref.office,
                _briefs.c.taken_back_at.is_(None),
            )
            .group_by(_briefs.c.subject)
        )
        found = await self._c.execute(
            select(_briefs.c.lines, _briefs.c.questions, _replies.c.number, _replies.c.text)
            .join(_replies, _replies.c.brief_id == _briefs.c.id)
            .where(_briefs.c.id.in_(latest))
        )
        return {
            id_: row.text
            for row in found
            for line, id_ in zip(row.lines, row.questions, strict=True)
            if line_of(line).number == row.number
        }

    async def propose(self, brief: int, number: int, text: str, at: int) -> None:
        """The office's words for a line; the last ones hold."""
        key = {"brief_id": brief, "number": number}
        await upsert(self._c, BriefReplyRow, key, office_id=self._ref.office, text=text, at=at)


def _source(row: Any, carried: int) -> Source:
    """The message itself: what was merged into it stands beside it with its own people. Of a merged one
    count those that its merge added, in which nobody is twice."""
    fields = row.fields or {}
    added = row.askers + row.support if row.merged_into is None else row.carried_askers
    return Source(
        added - carried,
        row.district or str(fields.get("district", "")),
        private_of(row.external_id, fields),
        "" if row.source == "desk" else row.first_text,
        "" if row.source == "desk" else row.title,
    )
