"""The unit of work: one hearing, one transaction, and the acts recorded in it.

Staff's acts write through `HearingStore.act`, a new hearing begins in `new_hearing`, and a batch of
the public's acts makes its own units (`public_acts`). All of them record what happened with
`Unit.record`; the entries take their numbers at the very end, when the head row is locked last of
all locks (round → question or item → head), and are in the same commit as the act itself.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Unpack

from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.events import EVENTS
from server.domain.fairness import Fates, fates
from server.domain.hearing import NewHearing, Place, Ref, Where
from server.domain.journal import Entry
from server.domain.questions import Question
from server.domain.refusals import Refusal
from server.domain.rounds import TAKES_BALLOTS, Round
from server.domain.view import (
    MOST_SUPPORTED,
    NEWEST,
    HearingView,
    QueueView,
    StageView,
    changed_questions,
    hearing_state,
    round_state,
    slot_state,
    stage_state,
)
from server.store.briefs import Briefs
from server.store.bulk_acts import BulkActs
from server.store.bundles import Bundles
from server.store.claims import Claims
from server.store.comments import Comments
from server.store.contests import Contests
from server.store.desk import Desk
from server.store.escalations import Escalations
from server.store.floor import Floor
from server.store.hearings import Hearings
from server.store.journal import Act, Journal
from server.store.matching import Matching
from server.store.paper import Paper
from server.store.people import People
from server.store.places import locate
from server.store.questions import Questions
from server.store.rounds import Rounds
from server.store.rows import OFFICE, RUN, Repository, inserted_id, table
from server.store.runs import Runs
from server.store.sealed import Sealed
from server.store.sources import Sources
from server.store.tables import (
    HearingRow,
    LikesRow,
    Office,
    QuestionRow,
    RoundRow,
    Run,
    SupportRow,
    ViewersRow,
)
from server.store.takeovers import Takeovers
from server.store.topics import Topics
from server.store.transaction import Database
from server.store.votes import Books, Votes

_hearings, _runs, _offices = table(HearingRow), table(Run), table(Office)
_rounds, _questions, _likes = table(RoundRow), table(QuestionRow), table(LikesRow)
_viewers, _supports = table(ViewersRow), table(SupportRow)

VIEWERS_EXPIRE_MS = 10_000
"""A process that has not said how many viewers it holds for this long counts as none."""

Counted = OrderedDict[int, tuple[int, Fates]]
"""run → (where its journal stood, what had become of its questions)."""
COUNTED = 64
"""Runs whose numbers a process keeps."""

_OFFICE_NAME = select(_offices.c.name).where(_offices.c.id == OFFICE)
_VIEWERS_HERE = select(
    func.coalesce(func.sum(_viewers.c.n), 0), func.coalesce(func.max(_viewers.c.load), 0)
).where(_viewers.c.run_id == RUN, _viewers.c.beat > bindparam("since"))
_LIKES_HERE = select(func.coalesce(func.sum(_likes.c.n), 0)).where(_likes.c.run_id == RUN)


@dataclass
class Recorded:
    """One act waiting for its numbers. `touched` are the questions that its cue carries."""

    event: str
    body: dict[str, Any]
    touched: tuple[Question, ...] = ()
    ids: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Numbers:
    """What floods, read in one moment. `turnout` is for staff: {round: (cast, begun, due, a letter
    for each entitled seat: c cast, b begun, - not begun)}; `load` is the highest step of
    `live/ladder.py` on which a process stands."""

    load: int
    viewers: int
    likes: int
    rounds: Mapping[str, Round]
    support: Mapping[str, int]
    turnout: Mapping[str, tuple[int, int, int, str]]
    fates: Fates


class Unit(Repository):
    """One hearing's repositories over one connection."""

    def __init__(
        self,
        connection: AsyncConnection,
        place: Place,
        books: Books,
        counted: Counted | None = None,
    ) -> None:
        super().__init__(connection, place.ref)
        self._counted: Counted = OrderedDict() if counted is None else counted
        self.connection, self.place = connection, place
        self.hearings = Hearings(connection, place.ref)
        self.people = People(connection, place.ref)
        self.questions = Questions(connection, place.ref)
        self.desk = Desk(connection, place.ref)
        self.claims = Claims(connection, place.ref)
        self.escalations = Escalations(connection, place.ref)
        self.bulk_acts = BulkActs(connection, place.ref)
        self.sources = Sources(connection, place.ref)
        self.matching = Matching(connection, place.ref)
        self.topics = Topics(connection, place.ref)
        self.floor = Floor(connection, place.ref)
        self.rounds = Rounds(connection, place.ref)
        self.sealed = Sealed(connection, place.ref)
        self.contests = Contests(connection, place.ref)
        self.bundles = Bundles(connection, place.ref)
        self.paper = Paper(connection, place.ref)
        self.comments = Comments(connection, place.ref)
        self.takeovers = Takeovers(connection, place.ref)
        self.briefs = Briefs(connection, place.ref)
        self.votes = Votes(connection, place.ref, books)
        self.journal = Journal(connection, place.ref)
        self.runs = Runs(connection, place.ref)
        self._recorded: list[Recorded] = []

    def record(
        self,
        event: str,
        *,
        touched: Sequence[Question] = (),
        ids: dict[str, Any] | None = None,
        **body: Any,
    ) -> None:
        """An act to stand in the journal; `ids` (id, code, round) also go to the public cue."""
        if event not in EVENTS:
            raise KeyError(event)
        ids = ids or {}
        self._recorded.append(Recorded(event, {**ids, **body}, tuple(touched), ids))

    @property
    def recorded(self) -> int:
        """How many acts wait for their numbers."""
        return len(self._recorded)

    async def write_down(self, *, actor: str, role: str, at: int) -> int:
        """Gives every recorded act its numbers and its entry; the last `seq`, or 0 for none."""
        if not self._recorded:
            return 0
        head = await self.journal.lock([one.event for one in self._recorded])
        acts = [
            Act(
                one.event,
                one.body,
                await self._cue(one) if "public" in EVENTS[one.event].rooms else None,
            )
            for one in self._recorded
        ]
        await self.journal.append(head, acts, at=at, actor=actor, role=role)
        self._recorded.clear()
        return head.seq

    async def _cue(self, one: Recorded) -> dict[str, Any]:
        """What the public's cue carries: the members that this event changes, and no other is
        read. The head row is locked, so nobody else's act is in between."""
        data: dict[str, Any] = {}
        for member in EVENTS[one.event].members:
            if member == "hearing":
                data[member] = hearing_state(
                    await self.hearings.get(), await self.hearings.screens()
                )
            elif member == "slot":
                data[member] = slot_state(
                    await self.hearings.position(),
                    await self.hearings.items(),
                    await self.people.subjects(),
                )
            elif member == "stage":
                data[member] = stage_state(await self.stage())
            elif member == "rounds":
                data[member] = [round_state(r) for r in await self.rounds.all()]
            elif member == "questions":
                data[member], removed = changed_questions(one.touched)
                if removed:
                    data["removed"] = removed
        return {**data, **one.ids}

    async def stage(self) -> StageView | None:
        """The question on stage."""
        row = await self.floor.stage()
        if row is None:
            return None
        question = await self.questions.get(row.question_id)
        assert question is not None
        return StageView(question, row.asker, row.phase, row.taken_at, row.seat)

    async def queue(self) -> QueueView:
        """The queue with its questions."""
        version, ids, given = await self.floor.queue()
        found = await self.questions.by_ids(ids)
        return QueueView(version, ids, tuple(found[i] for i in ids if i in found), given)

    async def view(self, now: int) -> HearingView:
        """The whole read model of this moment."""
        on_stage = await self.stage()
        settings = await self.hearings.settings()
        office = await self._row(_OFFICE_NAME)
        head = await self.journal.head()
        return HearingView(
            hearing=await self.hearings.get(),
            office_name=office.name,
            stream_url=settings["stream_url"],
            note=settings["note"],
            versions=head.versions,
            subjects=await self.people.subjects(),
            items=await self.hearings.items(),
            position=await self.hearings.position(),
            stage=on_stage,
            rounds=await self.rounds.all(),
            questions=await self.questions.shown(
                MOST_SUPPORTED, NEWEST, on_stage.question.id if on_stage else None
            ),
            queue=await self.queue(),
            requests=await self.floor.requests(),
            takeovers=await self.takeovers.open(),
            notice=await self.hearings.notice(),
            screens=await self.hearings.screens(),
            leases=await self.hearings.leases(),
            seats=await self.people.seats(),
            groups=await self.people.groups(),
            counts=await self.questions.counts(),
            source_counts=await self.questions.source_counts(),
            live_waiting=await self.questions.live_waiting(),
            appeals=await self.questions.appeals(),
            claims=await self.claims.all(),
            refused=await self.questions.refused(),
            viewers=await self.viewers(now),
            likes=await self.likes(),
        )

    async def viewers(self, now: int) -> int:
        """Live connections of every process that still beats."""
        return (await self._beats(now))[0]

    async def _beats(self, now: int) -> tuple[int, int]:
        """(viewers, the highest step of the ladder) of every process that still beats."""
        found = await self._row(_VIEWERS_HERE, since=now - VIEWERS_EXPIRE_MS)
        return int(found[0]), int(found[1])

    async def likes(self) -> int:
        """Applause of this run so far."""
        return int((await self._row(_LIKES_HERE))[0])

    async def entries(self, after: int, limit: int = 256) -> tuple[Entry, ...]:
        """The journal after `after`."""
        return await self.journal.since(after, limit)

    async def done_by(self, viewer: str) -> tuple[dict[str, str], list[str], list[dict[str, str]]]:
        """What a viewer did in this run: {round: choice}, supported codes, own questions."""
        sent = (await self.votes.sent_by([viewer])).get(viewer, ())
        here = {one.id for one in await self.rounds.all()}
        votes = {round_: choice for round_, _, choice in sent if round_ in here}
        supports = await self.connection.execute(
            select(_questions.c.code)
            .join(_supports, _supports.c.question_id == _questions.c.id)
            .where(
                _questions.c.run_id == self.place.ref.run,
                _supports.c.viewer == viewer,
                _supports.c.on.is_(True),
            )
        )
        asked = await self.connection.execute(
            select(_questions.c.code, _questions.c.status)
            .where(_questions.c.run_id == self.place.ref.run, _questions.c.asker == viewer)
            .order_by(_questions.c.id.desc())
            .limit(50)
        )
        questions = [{"code": row.code, "status": row.status} for row in asked]
        return votes, list(supports.scalars()), questions

    async def last_seq(self) -> int:
        """Where the journal stands."""
        return (await self.journal.head()).seq

    async def numbers(self, now: int) -> Numbers:
        """What pulses are made of, in this moment."""
        rounds = {r.id: r for r in await self.rounds.all() if r.status != "ready"}
        turnout: dict[str, tuple[int, int, int, str]] = {}
        for one in rounds.values():
            if one.audience == "panel" and one.status in TAKES_BALLOTS:
                cast, begun = await self.rounds.progress(one.id)
                letters = "".join(
                    "c" if e.seat in cast else "b" if e.seat in begun else "-" for e in one.entitled
                )
                turnout[one.id] = (len(cast), len(begun - cast), len(one.entitled), letters)
        viewers, load = await self._beats(now)
        return Numbers(
            load=load,
            viewers=viewers,
            likes=await self.likes(),
            rounds=rounds,
            support=await self.questions.support(),
            turnout=turnout,
            fates=await self._fates(),
        )

    async def _fates(self) -> Fates:
        """What became of everything that came in. It changes with an entry of the journal only: four
        times a second is too often to count a hundred thousand questions."""
        run, seq = self.place.ref.run, await self.last_seq()
        kept = self._counted.get(run)
        if kept is None or kept[0] != seq:
            found = fates(await self.questions.counts(), await self.questions.refused())
            kept = self._counted[run] = seq, found
            while len(self._counted) > COUNTED:
                self._counted.popitem(last=False)
        return kept[1]


class HearingStore:
    """Finds hearings and opens units of work on them."""

    def __init__(self, database: Database, books: Books) -> None:
        self.database, self.books = database, books
        self._counted: Counted = OrderedDict()

    @asynccontextmanager
    async def act(self, **where: Unpack[Where]) -> AsyncIterator[Unit]:
        """A writing unit on the hearing that is meant."""
        async with self.database.write() as connection:
            yield Unit(connection, await locate(connection, **where), self.books)

    @asynccontextmanager
    async def look(self, **where: Unpack[Where]) -> AsyncIterator[Unit]:
        """A reading unit of one moment."""
        async with self.database.read() as connection:
            yield Unit(connection, await locate(connection, **where), self.books, self._counted)

    @asynccontextmanager
    async def new_hearing(self, **new: Unpack[NewHearing]) -> AsyncIterator[Unit]:
        """A writing unit on a hearing that is made with its preparation run; `slug_taken`."""
        values = dict(new)
        epoch, at = new["epoch"], new["at"]
        del values["epoch"], values["at"]
        async with self.database.write() as connection:
            taken = await connection.execute(
                select(_hearings.c.id).where(_hearings.c.slug == new["slug"])
            )
            if taken.one_or_none() is not None:
                raise Refusal("slug_taken")
            path = await connection.execute(
                select(_offices.c.path).where(_offices.c.id == new["office_id"])
            )
            result = await connection.execute(insert(_hearings).values(created_at=at, **values))
            ref = Ref(new["office_id"], inserted_id(result), 0)
            run = await Runs(connection, ref).add("preparation", epoch, "draft", at)
            yield Unit(
                connection,
                Place(
                    run,
                    str(path.scalar_one()),
                    new["slug"],
                    new["title"],
                    "draft",
                    "preparation",
                    epoch,
                ),
                self.books,
            )
