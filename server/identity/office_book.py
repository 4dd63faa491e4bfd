"""What the office's pages list, cut to what the asking person reaches; nothing of another office.

Every function that gives rows of offices takes who asks and gives only what his grants cover
(law 16). Acts stay where they are: `people.py` beside this file, and `actions/`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from server.domain.hearing import Place
from server.domain.refusals import Refusal
from server.domain.roles import GRANTABLE, Actor, Grant, has_right, may_give, roles_at
from server.identity.secrets import digest
from server.store.identity import Identity, OfficeNode
from server.store.places import all_places
from server.store.transaction import Database
from server.store.unit import Unit


@dataclass(frozen=True)
class Reached:
    """An office that the person reaches, with the roles held there (not those of one hearing)."""

    node: OfficeNode
    roles: tuple[str, ...]

    def may(self, right: str) -> bool:
        """Whether one of the roles holds the right."""
        return has_right(self.roles, right)


@dataclass(frozen=True)
class Held:
    """A role that an account holds, as far as the asking person may know of it."""

    id: int
    role: str
    office: str
    subtree: bool
    hearing: str
    revocable: bool


@dataclass(frozen=True)
class Person:
    """An account of a reached office."""

    id: int
    login: str
    name: str
    office: OfficeNode
    disabled: bool
    grants: tuple[Held, ...]
    in_hand: bool
    """Whether who asks may reset its password and disable it: every role of it is his to give."""


@dataclass(frozen=True)
class Token:
    """An API token; its secret is nowhere."""

    id: int
    name: str
    office: str
    role: str
    created_at: int
    revoked: bool
    mine: bool


@dataclass(frozen=True)
class SeatCard:
    """The newest join card of a seat (`seat` is the seat's id). `state` is `unused`, `used` or
    `expired`."""

    seat: int
    state: str


async def announced(database: Database) -> tuple[tuple[Place, str], ...]:
    """Every hearing that is no draft, with its office's name: the public's list."""
    async with database.read() as connection:
        names = {node.id: node.name for node in await Identity(connection).offices()}
        places = await all_places(connection)
    return tuple((p, names[p.ref.office]) for p in places if p.status != "draft")


async def offices(database: Database, by: Actor) -> tuple[Reached, ...]:
    """The offices where the person holds a role, in the tree's order."""
    async with database.read() as connection:
        return await _offices(Identity(connection), by)


async def _offices(identity: Identity, by: Actor) -> tuple[Reached, ...]:
    found: dict[int, Reached] = {}
    for path in _roots(grant for grant in by.grants if grant.hearing is None):
        for node in await identity.offices(path):
            roles = roles_at(by, node.id, node.path)
            if roles:
                found[node.id] = Reached(node, roles)
    return tuple(sorted(found.values(), key=lambda one: _order(one.node.path)))


async def office(database: Database, by: Actor, id_: int) -> OfficeNode:
    """The office; `not_found` unless the person holds a role there."""
    async with database.read() as connection:
        for node in await Identity(connection).offices():
            if node.id == id_ and roles_at(by, node.id, node.path):
                return node
    raise Refusal("not_found")


def _roots(grants: Iterable[Grant]) -> tuple[str, ...]:
    """The paths under which the grants lie, none inside another."""
    roots: list[str] = []
    for path in sorted({grant.path for grant in grants}, key=len):
        if not any(path.startswith(root) for root in roots):
            roots.append(path)
    return tuple(roots)


def _order(path: str) -> tuple[int, ...]:
    return tuple(int(part) for part in path.strip("/").split("/") if part)


async def hearings(database: Database, by: Actor) -> tuple[tuple[Place, str, tuple[str, ...]], ...]:
    """The hearings where the person holds a role: (place, office's name, roles), newest first."""
    async with database.read() as connection:
        identity = Identity(connection)
        names: dict[int, str] = {}
        places: dict[int, Place] = {}
        for path in _roots(by.grants):
            names |= {node.id: node.name for node in await identity.offices(path)}
            places |= {p.ref.hearing: p for p in await all_places(connection, path=path)}
    shown = []
    for place in sorted(places.values(), key=lambda p: -p.ref.hearing):
        roles = place.roles(by)
        if roles:
            shown.append((place, names[place.ref.office], roles))
    return tuple(shown)


async def people(database: Database, by: Actor) -> tuple[Person, ...]:
    """Accounts of the offices where the person manages people, by office. Of their roles only
    those are told that lie inside these offices."""
    async with database.read() as connection:
        identity = Identity(connection)
        managed = {r.node.id: r.node for r in await _managed(identity, by)}
        shown: dict[int, Person] = {}
        for path in _roots(by.grants):
            titles = {p.ref.hearing: p.title for p in await all_places(connection, path=path)}
            for one in await identity.accounts(path):
                if one.office not in managed or one.id in shown:
                    continue
                held = await identity.grants(one.id)
                grants = tuple(
                    Held(
                        id_,
                        grant.role,
                        managed[grant.office].name,
                        grant.subtree,
                        titles.get(grant.hearing, "") if grant.hearing is not None else "",
                        may_give(by, grant),
                    )
                    for id_, grant in held
                    if grant.office in managed
                )
                in_hand = by.id != f"account:{one.id}" and all(
                    may_give(by, grant) for _, grant in held
                )
                shown[one.id] = Person(
                    one.id, one.login, one.name, managed[one.office], one.disabled, grants, in_hand
                )
    return tuple(sorted(shown.values(), key=lambda p: (_order(p.office.path), p.id)))


async def _managed(identity: Identity, by: Actor) -> tuple[Reached, ...]:
    return tuple(one for one in await _offices(identity, by) if one.may("manage_people"))


def grantable(reached: Iterable[Reached]) -> frozenset[str]:
    """The roles that may be granted in at least one of the offices."""
    return frozenset(
        role for one in reached for mine in one.roles for role in GRANTABLE.get(mine, ())
    )


async def tokens(database: Database, by: Actor) -> tuple[Token, ...]:
    """The person's own API tokens, and all of the offices where the person manages people."""
    shown = []
    async with database.read() as connection:
        identity = Identity(connection)
        for one in await _offices(identity, by):
            for row in await identity.tokens(one.node.id):
                mine = row.created_by == by.id
                if mine or one.may("manage_people"):
                    shown.append(
                        Token(
                            row.id,
                            row.name,
                            one.node.name,
                            row.role,
                            row.created_at,
                            row.revoked_at is not None,
                            mine,
                        )
                    )
    return tuple(sorted(shown, key=lambda t: (t.revoked, -t.id)))


async def seat_cards(unit: Unit, now: int) -> dict[int, SeatCard]:
    """Seat id → its newest card. The unit's place was checked by the caller."""
    found: dict[int, SeatCard] = {}
    identity = Identity(unit.connection)
    for row in await identity.cards(unit.place.ref.hearing, unit.place.ref.office):
        if row.kind != "join" or row.seat_id in found or row.revoked_at is not None:
            continue
        state = "used" if row.used_at else "expired" if row.expires_at < now else "unused"
        found[row.seat_id] = SeatCard(row.seat_id, state)
    return found


async def check_setup(database: Database, code: str, now: int) -> None:
    """`setup_unknown`, `setup_expired` or `setup_done` unless the set-up link holds. Nothing is
    used up."""
    async with database.read() as connection:
        identity = Identity(connection)
        card = await identity.card(digest(code.strip().upper()))
        if card is None or card.kind != "setup" or card.revoked_at is not None:
            raise Refusal("setup_unknown")
        if card.used_at is not None or await identity.any_account():
            raise Refusal("setup_done")
        if card.expires_at < now:
            raise Refusal("setup_expired")
