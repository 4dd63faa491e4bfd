"""decide → save → announce: the frame that every act runs in (law 5).

An action's `work` decides with the pure rules and saves through the unit; `perform` checks the
right, keeps the first answer of a key, writes the journal, commits, and only then rings the bell.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, Unpack

from server.actions.ports import House, Unit
from server.domain.hearing import Place, Where
from server.domain.journal import canonical
from server.domain.public_acts import Done, PublicAct
from server.domain.refusals import Refusal, RolledBack
from server.domain.roles import MACHINE, RIGHTS, Actor, has_right
from server.domain.rounds import Round

KEY_FORM = re.compile(r"[A-Za-z0-9_-]{8,64}")
ATTEMPTS = 3
"""How often an act is tried when PostgreSQL rolls it back by itself (deadlock, serialization)."""


@dataclass(frozen=True)
class Answer:
    """What an act answers: 201 with the new thing, 200 with the thing's present state."""

    body: dict[str, Any]
    status: int = 200


@dataclass(frozen=True)
class Asked:
    """Who asks for what, and under which idempotency key. `body` is what was sent.

    Acts of one hearing are done one after the other, so that none decides by what another is about
    to change, and none is done to a run that is shown no more. `beside`: it needs no such line,
    because all it stands on is locked by itself (ballots, which come many at once; an appeal).
    `kept_as` says what is kept of the body under the key, given the hash of it: of what is secret, no
    hash that anybody could try bodies against.
    """

    by: Actor
    right: str
    key: str | None = None
    body: Mapping[str, Any] | None = None
    lease: str | None = None
    verb: str = ""
    beside: bool = False
    kept_as: Callable[[Unit, str], Awaitable[str]] | None = None


Said = ParamSpec("Said")
Work = Callable[[Unit], Awaitable[Answer]]


def check_key(key: str | None, *, needed: bool = False) -> None:
    """`key_missing` or `key_malformed`."""
    if key is None:
        if needed:
            raise Refusal("key_missing")
    elif not KEY_FORM.fullmatch(key):
        raise Refusal("key_malformed")


def allowed(place: Place, by: Actor, right: str) -> str:
    """The role under which `by` holds `right` at the place; 404 where he has no role at all."""
    if by is MACHINE:
        return "machine"
    roles = place.roles(by)
    if not roles:
        raise Refusal("not_found")
    if not has_right(roles, right):
        raise Refusal("not_allowed")
    return next(role for role in roles if role in RIGHTS[right])


async def perform(house: House, asked: Asked, work: Work, **where: Unpack[Where]) -> Answer:
    """Carries out one act. Raises `Refusal`, `OutcomeUnknown`; changes nothing when it raises
    a refusal. A repeat of a key gets the first answer (with its own `at`) and does nothing."""
    check_key(asked.key)
    for attempt in range(ATTEMPTS):
        try:
            return await _once(house, asked, work, where)
        except RolledBack:
            if attempt == ATTEMPTS - 1:
                raise
        except Refusal:
            first = await _meanwhile(house, asked, where)
            if first is None:
                raise
            return first
    raise AssertionError("unreachable")


async def _meanwhile(house: House, asked: Asked, where: Where) -> Answer | None:
    """The first answer to the key of an act that is refused, for whom the act is still allowed. On
    PostgreSQL the same act, sent twice at once, may have waited for itself: what it was refused for is
    then its own doing, or came after it."""
    if asked.key is None:
        return None
    try:
        async with house.store.look(**where) as unit:
            allowed(unit.place, asked.by, asked.right)
            first = await unit.journal.first_answer(asked.by.id, asked.key)
            digest = await _digest(house, unit, asked, where)
    except Refusal:
        return None
    return None if first is None else _repeat(first, digest, house.now())


async def _once(house: House, asked: Asked, work: Work, where: Where) -> Answer:
    now = house.now()
    async with house.store.act(**where) as unit:
        role = allowed(unit.place, asked.by, asked.right)
        if asked.key is not None:
            digest = await _digest(house, unit, asked, where)
            first = await unit.journal.first_answer(asked.by.id, asked.key)
            if first is not None:
                return _repeat(first, digest, now)
        if not asked.beside and not where.get("line"):
            await unit.hearings.hold()
        if unit.place.status == "archived":
            raise Refusal("hearing_archived")
        if asked.lease is not None:
            await _check_lease(unit, asked)
        answer = await work(unit)
        hearing = unit.place.ref.hearing
        seq = await unit.write_down(actor=asked.by.id, role=role, at=now)
        if asked.key is not None:
            await unit.journal.keep_answer(
                asked.by.id, asked.key, digest, answer.status, answer.body, now
            )
    if seq:
        await house.bell.ring(hearing)
    return answer


async def _digest(house: House, unit: Unit, asked: Asked, where: Where) -> str:
    digest = house.mark(canonical([asked.verb, dict(where), asked.body]).decode())
    return digest if asked.kept_as is None else await asked.kept_as(unit, digest)


def _repeat(first: tuple[str, int, dict[str, Any]], digest: str, now: int) -> Answer:
    """What is kept may be the beginning of a digest: of a secret ballot, once its round has closed."""
    kept, status, body = first
    if not digest.startswith(kept):
        raise Refusal("key_reused")
    if "at" in body:
        body["at"] = now
    return Answer(body, status)


async def _check_lease(unit: Unit, asked: Asked) -> None:
    """A console acts only while it holds the control; a program (no session) is not a console."""
    if asked.by.session is None:
        return
    held = {lease.kind: lease for lease in await unit.hearings.leases()}
    lease = held.get(asked.lease or "")
    if lease is not None and lease.session != asked.by.session:
        raise Refusal("lease_elsewhere", lease=asked.lease, holder=lease.name)


def carried_out(
    act_of: Callable[Concatenate[House, Said], PublicAct],
) -> Callable[Concatenate[House, Said], Coroutine[Any, Any, Done]]:
    """What makes an act of the public, as what also carries it out: it is put into the ballot box and
    answered after its commit. Raises `Refusal` or `OutcomeUnknown`."""

    async def carry_out(house: House, /, *said: Said.args, **more: Said.kwargs) -> Done:
        return await house.box.put(act_of(house, *said, **more))

    return carry_out


async def locked_round(unit: Unit, id_: str) -> Round:
    """The round, which no other act changes until this one has ended. Raises `not_found`."""
    round_ = await unit.rounds.get(id_, lock=True)
    if round_ is None:
        raise Refusal("not_found")
    return round_


def check_version(now: int, sent: int | None, current: Any, *, needed: bool = False) -> None:
    """`version_missing` or `version_stale`; the latter carries the thing as it stands now."""
    if sent is None:
        if needed:
            raise Refusal("version_missing")
    elif sent != now:
        raise Refusal("version_stale", current=current)
