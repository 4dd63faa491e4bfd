"""Faults put into the product on purpose, one function each: what an experiment must catch.

Each patches the product's classes in the process of `server_under_test.py`. If one no longer finds
what it patches, it fails there, and the test that wants it caught fails with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from time import monotonic
from typing import Any

from tests.faults.server_under_test import replaced


def acknowledged_before_commit() -> None:
    """Votes are acknowledged as they are taken out of the box, and committed after."""
    from server.domain.public_acts import Done, Vote
    from server.live.ballot_box import BallotBox

    def make(carry_out: Any) -> Any:
        async def early(box: Any, batch: list[tuple[Any, Any]]) -> None:
            later = []
            for act, told in batch:
                if isinstance(act, Vote):
                    told(Done({"round": act.round, "choice": act.choice, "replaced": False}, 0))
                    later.append((act, lambda outcome: None))
                else:
                    later.append((act, told))
            await carry_out(box, later)

        return early

    replaced(BallotBox, "_carry_out", make)


def key_not_looked_up() -> None:
    """Nobody looks whether a key was there before, and nothing holds it to be there once."""
    from server.store import public_acts
    from server.store.journal import Journal

    async def nothing(*_: Any) -> None:
        return None

    replaced(public_acts, "first_of", lambda _: lambda sent, key: None)
    replaced(Journal, "first_answer", lambda _: nothing)
    replaced(Journal, "keep_answer", lambda _: nothing)


class _Key(str):
    """A key that knows by which connection it came."""

    __slots__ = ("by",)
    by: int


def key_scoped_to_the_connection() -> None:
    """The first answer to a key is known to the connection that sent it, and to no other."""
    from server.api import talk
    from server.store import public_acts

    seen: dict[str, int] = {}

    def made(vote_of: Any) -> Any:
        def with_connection(house: Any, viewer: str, key: str, *more: Any) -> Any:
            scoped = _Key(key)
            scoped.by = _by.get()
            return vote_of(house, viewer, scoped, *more)

        return with_connection

    def heard(hear: Any) -> Any:
        def hearing(self: Any, who: Any, text: str) -> None:
            _by.set(id(who))
            hear(self, who, text)

        return hearing

    def looked_up(first_of: Any) -> Any:
        def scoped(sent: Any, key: str) -> Any:
            by = getattr(key, "by", 0)
            if seen.get(key) == by:
                return first_of(sent, key)
            seen[key] = by
            return None

        return scoped

    replaced(talk, "vote_of", made)
    replaced(talk.Talk, "hear", heard)
    replaced(public_acts, "first_of", looked_up)


_by: ContextVar[int] = ContextVar("by", default=0)


def closing_checked_outside() -> None:
    """Whether a round takes ballots is looked up in a transaction of its own, before the ballot's."""
    from server.domain import rounds
    from server.store import public_acts
    from server.store.places import shown_beside
    from server.store.unit import Unit

    refusal_of = rounds.refusal_of
    looked: ContextVar[Mapping[str, Any]] = ContextVar("looked")

    def make(carry_out: Any) -> Any:
        async def outside(self: Any, batch: Any) -> Any:
            found = {}
            async with self._database.read() as connection:
                for id_ in {act.round for act in batch if hasattr(act, "choice")}:
                    unit = Unit(connection, await shown_beside(connection, id_), self._books)
                    round_ = await unit.rounds.get(id_)
                    found[id_] = refusal_of(round_) if round_ is not None else None
            await asyncio.sleep(0.01)
            token = looked.set(found)
            try:
                return await carry_out(self, batch)
            finally:
                looked.reset(token)

        return outside

    replaced(public_acts.PublicActs, "carry_out", make)
    replaced(public_acts, "refusal_of", lambda _: lambda round_: looked.get().get(round_.id))


def closing_waits_for_silence() -> None:
    """A round closes when nobody has voted for half a second."""
    from server.api import rounds
    from server.store.public_acts import PublicActs

    last = [0.0]

    def carrying(carry_out: Any) -> Any:
        async def noted(self: Any, batch: Any) -> Any:
            last[0] = monotonic()
            return await carry_out(self, batch)

        return noted

    def closing(close: Any) -> Any:
        async def patient(*what: Any) -> Any:
            while monotonic() < last[0] + 0.5:
                await asyncio.sleep(0.05)
            return await close(*what)

        return patient

    replaced(PublicActs, "carry_out", carrying)
    replaced(rounds, "close_round", closing)


def commit_error_is_a_refusal() -> None:
    """A commit that fails is answered as if nothing had happened."""
    from server.domain.refusals import Refusal
    from server.live import ballot_box
    from server.store import transaction

    for where in (transaction, ballot_box):
        replaced(where, "OutcomeUnknown", lambda _: lambda: Refusal("round_closed"))


def commits_not_waited_for() -> None:
    """PostgreSQL acknowledges a commit before it is in its log."""
    from server.store import transaction

    def make(create: Any) -> Any:
        def careless(url: str, **more: Any) -> Any:
            more["connect_args"] = {"server_settings": {"synchronous_commit": "off"}}
            return create(url, **more)

        return careless

    replaced(transaction, "create_async_engine", make)


def acts_wait_for_redis() -> None:
    """A ballot is answered when Redis has heard of it."""
    from server.live.ballot_box import BallotBox
    from server.live.bus_redis import CHANNEL, RedisBus

    def waiting(tell: Any) -> Any:
        async def told(self: Any, kind: str, id_: str) -> None:
            await self._sender.publish(CHANNEL, f"{self._me} {kind} {id_}")
            await tell(self, kind, id_)

        return told

    def box(carry_out: Any) -> Any:
        async def carried(self: Any, batch: Any) -> None:
            try:
                await self._ring(0)
            except Exception:
                await asyncio.sleep(0)
            await carry_out(self, batch)

        return carried

    replaced(RedisBus, "_tell", waiting)
    replaced(BallotBox, "_carry_out", box)


def mark_is_told() -> None:
    """A sheet that is sealed is logged before it goes into its box, and pulses carry its mark."""
    import structlog

    from server.live import frames

    log, last = structlog.get_logger(), dict[str, Any]()
    _at_the_box(lambda marks: log.info("sheet", marks=marks))
    _at_the_box(lambda marks: last.update(last=float(marks["water"]["duty"])))
    replaced(frames, "pulse", lambda pulse: lambda at, **told: pulse(at, **told, **last))


def mark_beside_its_box() -> None:
    """A sealed sheet's mark is kept beside its box, as a number, until the box is opened."""
    from sqlalchemy import text

    from server.store.sealed import Sealed

    last: list[float] = []
    _at_the_box(lambda marks: last.append(float(marks["water"]["duty"])))

    def putting(put: Any) -> Any:
        async def beside(self: Any, *what: Any) -> None:
            await put(self, *what)
            kept = "CREATE TABLE IF NOT EXISTS beside (mark DOUBLE PRECISION)"
            await self._c.execute(text(kept))
            await self._c.execute(text("INSERT INTO beside VALUES (:mark)"), {"mark": last[-1]})

        return beside

    def dropping(drop: Any) -> Any:
        async def both(self: Any, *what: Any) -> None:
            await drop(self, *what)
            await self._c.execute(text("DELETE FROM beside"))

        return both

    replaced(Sealed, "put", putting)
    replaced(Sealed, "drop", dropping)


def _at_the_box(told: Callable[[Any], None]) -> None:
    """`told` hears what every sealed sheet says."""
    from server.actions import cast_ballot

    def make(pack: Any) -> Any:
        def packing(rules: Any, subjects: Any, marks: Any, *more: Any) -> Any:
            told(marks)
            return pack(rules, subjects, marks, *more)

        return packing

    replaced(cast_ballot, "pack", make)


PLANTS: Mapping[str, Callable[[], None]] = {
    plant.__name__: plant
    for plant in (
        acknowledged_before_commit,
        key_not_looked_up,
        key_scoped_to_the_connection,
        closing_checked_outside,
        closing_waits_for_silence,
        commit_error_is_a_refusal,
        commits_not_waited_for,
        acts_wait_for_redis,
        mark_is_told,
        mark_beside_its_box,
    )
}


def of(*names: str) -> dict[str, str]:
    """What these plants do, for an experiment's `plants`."""
    return {name: (PLANTS[name].__doc__ or "").strip() for name in names}
