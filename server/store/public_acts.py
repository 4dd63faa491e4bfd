"""One transaction for a batch of the public's acts (votes, supports, questions).

Each act is decided inside the transaction, under the lock that closing a round takes too, so that
an acknowledged vote is wholly before the close. All that the decisions stand on is read at once,
all that follows from them is written at once: a batch of thousands takes a few statements. One bad
act is refused alone; when the commit fails, nobody is answered anything but "unknown" (law 2).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.public_acts import Ask, Done, PublicAct, Sent, Support, Vote, first_of, last_in
from server.domain.questions import SUPPORTABLE, NewQuestion, Question
from server.domain.refusals import OutcomeUnknown, Refusal
from server.domain.rounds import Round, check_choice, refusal_of
from server.store.places import locate, shown_beside
from server.store.rows import among, listed, select_among, table, upsert, upsert_many
from server.store.tables import LikesRow, QuestionRow, SupportRow, ViewersRow
from server.store.transaction import Database
from server.store.unit import Unit
from server.store.votes import Books

_supports, _questions, _likes = table(SupportRow), table(QuestionRow), table(LikesRow)

_STANDING = select_among(
    select(_supports.c.question_id, _supports.c.viewer, _supports.c.on).where(
        _supports.c.question_id.in_(bindparam("ids", expanding=True))
    ),
    _supports.c.viewer,
)


class PublicActs:
    """Carries batches out."""

    def __init__(self, database: Database, books: Books) -> None:
        self._database, self._books = database, books

    async def carry_out(self, batch: Sequence[PublicAct]) -> list[Done | Refusal]:
        """One outcome for each act, in the batch's order; raises `OutcomeUnknown` or `RolledBack`
        for the whole batch."""
        outcomes: list[Done | Refusal] = [Refusal("server_error")] * len(batch)
        places: dict[str, _Hearing | Refusal] = {}
        hearings: dict[int, _Hearing] = {}
        try:
            async with self._database.write() as connection:
                for i, act in enumerate(batch):
                    name = f"round {act.round}" if isinstance(act, Vote) else f"slug {act.slug}"
                    place = places.get(name)
                    if place is None:
                        place = places[name] = await self._place(connection, act, hearings)
                    if isinstance(place, Refusal):
                        outcomes[i] = place
                    else:
                        place.acts.append((i, act))
                for _, hearing in sorted(hearings.items()):  # Everyone locks in one order.
                    await hearing.carry_out(outcomes)
        except (OutcomeUnknown, asyncio.CancelledError):  # Committed or not: nor do the books know.
            for id_ in hearings:
                self._books.forget(id_)
            raise
        for id_, hearing in hearings.items():
            if self._database.sqlite and hearing.votes:
                self._books.write(id_, hearing.votes)
        return outcomes

    async def _place(
        self, connection: AsyncConnection, act: PublicAct, hearings: dict[int, _Hearing]
    ) -> _Hearing | Refusal:
        try:
            # A key is known in the whole hearing: a vote of an earlier run gets its first answer.
            place = await (
                shown_beside(connection, act.round)
                if isinstance(act, Vote)
                else locate(connection, slug=act.slug)
            )
        except Refusal as refusal:
            return refusal
        if place.status == "draft":
            return Refusal("not_found")
        id_ = place.ref.hearing
        if id_ not in hearings:
            hearings[id_] = _Hearing(Unit(connection, place, self._books))
        return hearings[id_]


@dataclass
class _Hearing:
    """The acts of one hearing in a batch: what they stand on, and what they change."""

    unit: Unit
    acts: list[tuple[int, PublicAct]] = field(default_factory=list)
    # What was there, and then what this batch added to it.
    rounds: dict[str, Round | None] = field(default_factory=dict)
    questions: dict[str, Question] = field(default_factory=dict)
    subjects: frozenset[str] = frozenset()
    sent: Mapping[str, Sequence[Sent]] = field(default_factory=dict)
    sent_now: dict[str, tuple[Sent, ...]] = field(default_factory=dict)
    answers: dict[tuple[str, str], tuple[str, dict[str, Any]]] = field(default_factory=dict)
    standing: dict[tuple[int, str], bool] = field(default_factory=dict)
    # What is to be written.
    votes: list[Vote] = field(default_factory=list)
    choices: dict[str, Counter[str]] = field(default_factory=dict)
    voters: Counter[str] = field(default_factory=Counter)
    changed: dict[tuple[int, str], tuple[bool, int]] = field(default_factory=dict)
    supported: Counter[int] = field(default_factory=Counter)
    asked: list[Ask] = field(default_factory=list)
    new_answers: list[tuple[str, str, str, int, Mapping[str, Any], int]] = field(
        default_factory=list
    )

    async def carry_out(self, outcomes: list[Done | Refusal]) -> None:
        """Reads, decides one act after the other, writes."""
        await self._read()
        for i, act in self.acts:
            try:
                if isinstance(act, Vote):
                    outcomes[i] = self._vote(act)
                elif isinstance(act, Support):
                    outcomes[i] = self._support(act)
                else:
                    outcomes[i] = self._ask(act)
            except Refusal as refusal:
                outcomes[i] = refusal
        await self._write()

    async def _read(self) -> None:
        unit, acts = self.unit, [act for _, act in self.acts]
        if any(isinstance(act, Ask) for act in acts):
            # What is asked goes into the run that is shown, and no other begins until then: it
            # would take over what was prepared, without these questions.
            await unit.hearings.hold_shown()
            self.subjects = frozenset(s.key for s in await unit.people.subjects())
        if unit.place.status == "archived":
            unit.votes.forget()  # Nobody votes there any more; a repeat still gets its first answer.
        else:
            await unit.votes.hold()
        for id_ in sorted({act.round for act in acts if isinstance(act, Vote)}):
            self.rounds[id_] = await unit.rounds.get(id_, share=True)
        supports = [act for act in acts if isinstance(act, Support)]
        if supports:
            self.questions = await unit.questions.hold(act.code for act in supports)
        self.sent = await unit.votes.sent_by(act.viewer for act in acts)
        self.answers = await unit.journal.first_answers(_owner(act) for act in acts)
        if self.questions:
            rows = await unit.connection.execute(
                among(unit.connection, _STANDING),
                {
                    "ids": [q.id for q in self.questions.values()],
                    "among": listed(unit.connection, (act.viewer for act in supports)),
                },
            )
            self.standing = {(row.question_id, row.viewer): row.on for row in rows}

    # ── deciding ──

    def _done(self, answer: Mapping[str, Any], *, entry: bool = False) -> Done:
        return Done(answer, self.unit.place.ref.hearing, entry)

    def _sent(self, viewer: str) -> Sequence[Sent]:
        before, now = self.sent.get(viewer, ()), self.sent_now.get(viewer)
        return (*before, *now) if now else before

    def _check_run(self, act: PublicAct) -> None:
        """What is new belongs to the run that is shown: asked only once its key is known to be new."""
        if act.epoch is not None and act.epoch != self.unit.place.epoch:
            raise Refusal("run_changed")
        if self.unit.place.status == "archived":
            raise Refusal("hearing_archived")

    def _vote(self, vote: Vote) -> Done:
        sent = self._sent(vote.viewer)
        if sent:
            first = first_of(sent, vote.key)
            if first is not None:
                (round_id, _, choice), replaced = first
                if (round_id, choice) != (vote.round, vote.choice):
                    raise Refusal("key_reused")
                return self._done({"round": round_id, "choice": choice, "replaced": replaced})
        if self.answers and (_owner(vote), vote.key) in self.answers:
            raise Refusal("key_reused")
        self._check_run(vote)
        round_ = self.rounds[vote.round]
        if round_ is None or round_.audience != "public":
            raise Refusal("not_found")
        refusal = refusal_of(round_)
        if refusal is not None:
            raise refusal
        check_choice(round_, vote.choice)
        before = last_in(sent, vote.round)
        if before is not None and round_.replacing == "first":
            raise Refusal("already_cast")
        self.votes.append(vote)
        one = (vote.round, vote.key, vote.choice)
        self.sent_now[vote.viewer] = (*self.sent_now.get(vote.viewer, ()), one)
        counts = self.choices.setdefault(vote.round, Counter())
        counts[vote.choice] += 1
        if before is not None:
            counts[before] -= 1
        else:
            self.voters[vote.round] += 1
        return self._done(
            {"round": vote.round, "choice": vote.choice, "replaced": before is not None}
        )

    def _first_answer(self, act: Support | Ask, digest: str) -> dict[str, Any] | None:
        """What the key was answered first, or None; `key_reused` when that was for something else."""
        first = self.answers.get((_owner(act), act.key))
        if first is None:
            # Votes keep their keys in their own table.
            if first_of(self._sent(act.viewer), act.key) is not None:
                raise Refusal("key_reused")
            return None
        if first[0] != digest:
            raise Refusal("key_reused")
        return first[1]

    def _keep(self, act: Support | Ask, digest: str, status: int, answer: dict[str, Any]) -> None:
        self.answers[_owner(act), act.key] = digest, answer
        self.new_answers.append((_owner(act), act.key, digest, status, answer, act.at))

    def _support(self, act: Support) -> Done:
        digest = hashlib.sha256(f"support {act.code} {act.on}".encode()).hexdigest()
        first = self._first_answer(act, digest)
        if first is not None:
            return self._done(first)
        self._check_run(act)
        question = self.questions.get(act.code)
        if question is None:
            raise Refusal("not_found")
        if question.status not in SUPPORTABLE:
            raise Refusal("support_closed")
        which = (question.id, act.viewer)
        delta = int(act.on) - int(self.standing.get(which, False))
        if delta:
            self.standing[which] = act.on
            self.changed[which] = act.on, act.at
            self.supported[question.id] += delta
            question = replace(question, support=question.support + delta)
            self.questions[act.code] = question
        answer = {"question": act.code, "on": act.on, "support": question.support}
        self._keep(act, digest, 200, answer)
        return self._done(answer)

    def _ask(self, act: Ask) -> Done:
        first = self._first_answer(act, act.digest)
        if first is not None:
            return self._done({**first, "secret": act.secret})
        self._check_run(act)
        if self.unit.place.status in {"ended", "certified", "archived"}:
            raise Refusal("asking_closed")
        if act.subject is not None and act.subject not in self.subjects:
            raise Refusal("subject_unknown", subject=act.subject)
        if act.owed is not None:
            raise Refusal("work_needed", **act.owed._asdict())
        self.asked.append(act)
        answer = {"code": act.code, "status": "received"}
        self._keep(act, act.digest, 201, answer)
        return self._done({**answer, "secret": act.secret}, entry=True)

    # ── writing ──

    async def _write(self) -> None:
        unit = self.unit
        for round_id in sorted(self.choices):
            votes = [vote for vote in self.votes if vote.round == round_id]
            await unit.votes.append(round_id, votes)
            await unit.rounds.change_counts(round_id, self.choices[round_id], self.voters[round_id])
        if self.changed:
            office = unit.place.ref.office
            await upsert_many(
                unit.connection,
                SupportRow,
                ("question_id", "viewer"),
                [
                    {"question_id": id_, "viewer": viewer, "office_id": office, "on": on, "at": at}
                    for (id_, viewer), (on, at) in self.changed.items()
                ],
            )
            for id_, delta in self.supported.items():
                if delta:
                    await unit.connection.execute(
                        update(_questions)
                        .where(_questions.c.id == id_)
                        .values(support=_questions.c.support + delta)
                    )
        if self.asked:
            ids = await unit.questions.add_many([_new(act) for act in self.asked])
            sealed = [
                (id_, act.sealed)
                for id_, act in zip(ids, self.asked, strict=True)
                if act.sealed is not None
            ]
            for id_, box in sealed:
                await unit.questions.seal(id_, box)
            for id_, act in zip(ids, self.asked, strict=True):
                unit.record("question_received", ids={"id": id_, "code": act.code})
        await unit.journal.keep_answers(self.new_answers)
        await unit.write_down(actor="public", role="public", at=self.acts[0][1].at)


def _owner(act: PublicAct) -> str:
    """Whose the act's key is, beside the hearing."""
    return f"viewer:{act.viewer}"


def _new(act: Ask) -> NewQuestion:
    return NewQuestion(
        code=act.code,
        secret_hash=hashlib.sha256(act.secret.encode()).hexdigest(),
        status="received",
        text=act.text,
        source="live",
        source_key="live",
        external_id=act.code,
        subject=act.subject,
        asker=act.viewer,
        created_at=act.at,
    )


class Floods:
    """Likes and live viewers: one row for each (process, run), summed by whoever pulses."""

    def __init__(self, database: Database, process: str) -> None:
        self._database, self._process = database, process

    async def beat(self, numbers: dict[int, tuple[int, int]], now: int, load: int) -> None:
        """Adds likes and sets the viewers: {run id: (viewers, new likes)}; `load` is this process's
        step of the ladder."""
        async with self._database.write() as connection:
            for run, (viewers, new_likes) in sorted(numbers.items()):
                key = {"process": self._process, "run_id": run}
                await upsert(connection, ViewersRow, key, n=viewers, beat=now, load=load)
                if new_likes:
                    await upsert(connection, LikesRow, key)
                    await connection.execute(
                        update(_likes)
                        .where(_likes.c.process == self._process, _likes.c.run_id == run)
                        .values(n=_likes.c.n + new_likes)
                    )
