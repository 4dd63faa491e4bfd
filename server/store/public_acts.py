"""One transaction for a batch of the public's acts (votes, supports, questions).

Each act is decided inside the transaction, under the lock that closing a round takes too, so that
an acknowledged vote is wholly before the close. One bad act is refused alone; when the commit
fails, nobody is answered anything but "unknown" (law 2).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.public_acts import Ask, Done, PublicAct, Support, Vote
from server.domain.questions import SUPPORTABLE
from server.domain.refusals import Refusal
from server.domain.rounds import check_choice, refusal_of
from server.store.places import locate, shown_beside
from server.store.rows import table, upsert
from server.store.tables import LikesRow, QuestionRow, SupportRow, ViewersRow
from server.store.transaction import Database
from server.store.unit import Unit

_VOTER = text("SELECT pg_advisory_xact_lock(hashtextextended(:voter, 0))")
_supports, _questions, _likes = table(SupportRow), table(QuestionRow), table(LikesRow)


@dataclass
class Counted:
    """What a batch changes in a round's running counts. They are written once, when all its votes
    stand: the rows that all votes share are held for as short as can be, in one order."""

    choices: Counter[str] = field(default_factory=Counter)
    voters: int = 0


class PublicActs:
    """Carries batches out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def carry_out(self, batch: Sequence[PublicAct]) -> list[Done | Refusal]:
        """One outcome for each act, in the batch's order; raises `OutcomeUnknown` or `RolledBack`
        for the whole batch."""
        # By round and viewer: two processes with crossing batches lock in the same order.
        order = sorted(range(len(batch)), key=lambda i: (_name(batch[i]), batch[i].viewer, i))
        outcomes: list[Done | Refusal | None] = [None] * len(batch)
        async with self._database.write() as connection:
            units: dict[str, Unit] = {}
            counted: dict[str, Counted] = {}
            # What is asked goes into the run that is shown, and no other begins until then: it would
            # take over what was prepared, without these questions.
            for act in {_name(act): act for act in batch if isinstance(act, Ask)}.values():
                with suppress(Refusal):  # It is refused below, in its turn.
                    await (await _unit(connection, units, act)).hearings.hold_shown()
            supported = _supported(batch)
            for i in order:
                try:
                    unit = await _unit(connection, units, batch[i])
                    codes = supported.pop(_name(batch[i]), None)
                    if codes:
                        await unit.questions.hold(codes)
                    outcomes[i] = await _one(unit, batch[i], counted)
                except Refusal as refusal:
                    outcomes[i] = refusal
            for round_, sums in counted.items():
                await units[f"round {round_}"].rounds.change_counts(
                    round_, sums.choices, sums.voters
                )
            for unit in units.values():
                await unit.write_down(actor="public", role="public", at=batch[0].at)
        return [one if one is not None else Refusal("server_error") for one in outcomes]


def _name(act: PublicAct) -> str:
    """The place of an act, as a key."""
    return f"round {act.round}" if isinstance(act, Vote) else f"slug {act.slug}"


def _supported(batch: Sequence[PublicAct]) -> dict[str, list[str]]:
    """place → codes of the questions that the batch supports there: they are held all at once."""
    codes: dict[str, list[str]] = {}
    for act in batch:
        if isinstance(act, Support):
            codes.setdefault(_name(act), []).append(act.code)
    return codes


async def _unit(connection: AsyncConnection, units: dict[str, Unit], act: PublicAct) -> Unit:
    """The unit of the act's place, made once in a batch."""
    name = _name(act)
    if name not in units:
        # A key is known in the whole hearing: a vote of an earlier run gets its first answer.
        place = await (
            shown_beside(connection, act.round)
            if isinstance(act, Vote)
            else locate(connection, slug=act.slug)
        )
        units[name] = Unit(connection, place)
    return units[name]


async def _one(unit: Unit, act: PublicAct, counted: dict[str, Counted]) -> Done:
    if unit.place.status == "draft":
        raise Refusal("not_found")
    if isinstance(act, Vote):
        return await _vote(unit, act, counted)
    if isinstance(act, Support):
        return await _support(unit, act)
    return await _ask(unit, act)


def _owner(act: PublicAct) -> str:
    """Whose the act's key is, beside the hearing."""
    return f"viewer:{act.viewer}"


async def _first_answer(unit: Unit, act: Support | Ask, digest: str) -> dict[str, Any] | None:
    """What the key was answered first, or None; `key_reused` when that was for something else."""
    first = await unit.journal.first_answer(_owner(act), act.key)
    if first is None:
        # Votes keep their keys in their own table.
        if await unit.rounds.votes_by_key(act.viewer, act.key):
            raise Refusal("key_reused")
        return None
    if first[0] != digest:
        raise Refusal("key_reused")
    return first[2]


def _check_run(unit: Unit, act: PublicAct) -> None:
    """What is new belongs to the run that is shown: asked only once its key is known to be new."""
    if act.epoch is not None and act.epoch != unit.place.epoch:
        raise Refusal("run_changed")
    if unit.place.status == "archived":
        raise Refusal("hearing_archived")


async def _vote(unit: Unit, vote: Vote, counted: dict[str, Counted]) -> Done:
    round_ = await unit.rounds.get(vote.round, share=True)
    hearing = unit.place.ref.hearing
    await _one_at_a_time(unit, vote)
    first = await unit.rounds.votes_by_key(vote.viewer, vote.key)
    if first:
        choice, replaced = first.get(vote.round, (None, False))
        if choice != vote.choice:
            raise Refusal("key_reused")
        return Done({"round": vote.round, "choice": choice, "replaced": replaced}, hearing)
    if await unit.journal.first_answer(_owner(vote), vote.key) is not None:
        raise Refusal("key_reused")
    _check_run(unit, vote)
    if round_ is None or round_.audience != "public":
        raise Refusal("not_found")
    refusal = refusal_of(round_)
    if refusal is not None:
        raise refusal
    check_choice(round_, vote.choice)
    before = await unit.rounds.last_vote(vote.round, vote.viewer)
    if before is not None and round_.replacing == "first":
        raise Refusal("already_cast")
    replaced = before is not None
    await unit.rounds.add_votes(
        [
            {
                "round_id": vote.round,
                "viewer": vote.viewer,
                "key": vote.key,
                "choice": vote.choice,
                "replaced": replaced,
                "at": vote.at,
            }
        ]
    )
    sums = counted.setdefault(vote.round, Counted())
    sums.choices[vote.choice] += 1
    if before is not None:
        sums.choices[before] -= 1
    sums.voters += not replaced
    return Done({"round": vote.round, "choice": vote.choice, "replaced": replaced}, hearing)


async def _one_at_a_time(unit: Unit, vote: Vote) -> None:
    """Two processes that carry out votes of one viewer wait for each other: each takes back what
    the other counted. There is no row to lock before the first vote; SQLite has one writer."""
    if unit.connection.dialect.name == "postgresql":
        await unit.connection.execute(_VOTER, {"voter": f"{vote.round} {vote.viewer}"})


async def _support(unit: Unit, act: Support) -> Done:
    digest = hashlib.sha256(f"support {act.code} {act.on}".encode()).hexdigest()
    hearing = unit.place.ref.hearing
    first = await _first_answer(unit, act, digest)
    if first is not None:
        return Done(first, hearing)
    _check_run(unit, act)
    question = await unit.questions.by_code(act.code, lock=True)
    if question is None:
        raise Refusal("not_found")
    if question.status not in SUPPORTABLE:
        raise Refusal("support_closed")
    stands = (
        await unit.connection.execute(
            select(_supports.c.on).where(
                _supports.c.question_id == question.id, _supports.c.viewer == act.viewer
            )
        )
    ).scalar_one_or_none()
    delta = int(act.on) - int(bool(stands))
    if delta:
        await upsert(
            unit.connection,
            SupportRow,
            {"question_id": question.id, "viewer": act.viewer},
            office_id=unit.place.ref.office,
            on=act.on,
            at=act.at,
        )
        await unit.connection.execute(
            update(_questions)
            .where(_questions.c.id == question.id)
            .values(support=_questions.c.support + delta)
        )
    answer = {"question": act.code, "on": act.on, "support": question.support + delta}
    await unit.journal.keep_answer(_owner(act), act.key, digest, 200, answer, act.at)
    return Done(answer, hearing)


async def _ask(unit: Unit, act: Ask) -> Done:
    hearing = unit.place.ref.hearing
    first = await _first_answer(unit, act, act.digest)
    if first is not None:
        return Done({**first, "secret": act.secret}, hearing)
    _check_run(unit, act)
    if unit.place.status in {"ended", "certified", "archived"}:
        raise Refusal("asking_closed")
    if act.subject is not None and all(s.key != act.subject for s in await unit.people.subjects()):
        raise Refusal("subject_unknown", subject=act.subject)
    question = await unit.questions.add(
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
    if act.sealed is not None:
        await unit.questions.seal(question.id, act.sealed)
    answer = {"code": act.code, "status": "received"}
    await unit.journal.keep_answer(_owner(act), act.key, act.digest, 201, answer, act.at)
    unit.record("question_received", ids={"id": question.id, "code": act.code})
    return Done({**answer, "secret": act.secret}, hearing, entry=True)


class Floods:
    """Likes and live viewers: one row for each (process, run), summed by whoever pulses."""

    def __init__(self, database: Database, process: str) -> None:
        self._database, self._process = database, process

    async def beat(self, numbers: dict[int, tuple[int, int]], now: int) -> None:
        """Adds likes and sets the viewers: {run id: (viewers, new likes)}."""
        async with self._database.write() as connection:
            for run, (viewers, new_likes) in sorted(numbers.items()):
                key = {"process": self._process, "run_id": run}
                await upsert(connection, ViewersRow, key, n=viewers, beat=now)
                if new_likes:
                    await upsert(connection, LikesRow, key)
                    await connection.execute(
                        update(_likes)
                        .where(_likes.c.process == self._process, _likes.c.run_id == run)
                        .values(n=_likes.c.n + new_likes)
                    )
