"""What the office's pages of people and of API tokens show.

Pure builders: `server/identity/office_book.py` has cut everything to what the person reaches.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from server.domain.hearing import Place
from server.domain.roles import ROLES, Actor, has_right, roles_below
from server.identity.office_book import Person, Reached, Token, grantable
from server.identity.passwords import LEAST
from web.layout.language import say
from web.layout.texts import side
from web.pages.office.context import Choice
from web.pages.setup.context import LEVELS


@dataclass(frozen=True)
class OfficeRow:
    """An office of the tree with its people; `depth` indents it."""

    id: int
    name: str
    level: str
    depth: int
    manages: bool
    people: tuple[Person, ...]


@dataclass(frozen=True)
class People:
    """Offices with their accounts, and what may be given. `me` is the account that looks."""

    me: int | None
    offices: tuple[OfficeRow, ...]
    roles: tuple[Choice, ...]
    places: tuple[Choice, ...]
    homes: tuple[Choice, ...]
    parents: tuple[Choice, ...]
    levels: tuple[Choice, ...]
    least: int = LEAST


def people_page(
    by: Actor,
    reached: Sequence[Reached],
    people: Sequence[Person],
    hearings: Iterable[tuple[Place, str, tuple[str, ...]]],
    lang: str,
) -> People:
    """The tree of the reached offices, each with its accounts."""
    top = min((one.node.path.count("/") for one in reached), default=0)
    levels = {key: side((zh, en), lang) for key, zh, en in LEVELS}
    managed = [one for one in reached if one.may("manage_people")]
    places = []
    for one in managed:
        node = one.node
        places.append(_place(node.name, {"office": node.id}))
        if has_right(roles_below(by, node.path), "manage_people"):
            below = say(lang, "%(name)s及下级", name=node.name)
            places.append(_place(below, {"office": node.id, "subtree": True}))
    offices = {one.node.id for one in managed}
    for place, office, _ in hearings:
        if place.ref.office in offices:
            where = {"office": place.ref.office, "hearing": place.slug}
            places.append(_place(f"{office} · {place.title}", where))
    return People(
        me=next((p.id for p in people if by.id == f"account:{p.id}"), None),
        offices=tuple(
            OfficeRow(
                one.node.id,
                one.node.name,
                levels.get(one.node.level, one.node.level),
                one.node.path.count("/") - top,
                one.may("manage_people"),
                tuple(p for p in people if p.office.id == one.node.id),
            )
            for one in reached
        ),
        roles=tuple(Choice(r, side(ROLES[r], lang)) for r in ROLES if r in grantable(managed)),
        places=tuple(places),
        homes=tuple(Choice(str(one.node.id), one.node.name) for one in managed),
        parents=tuple(
            Choice(str(one.node.id), one.node.name) for one in reached if one.may("manage_offices")
        ),
        levels=tuple(Choice(key, word) for key, word in levels.items()),
    )


def _place(word: str, where: Mapping[str, object]) -> Choice:
    return Choice(json.dumps(where), word)


@dataclass(frozen=True)
class Password:
    """One's own password is changed. `wrong` names the field that `said` is about, if it is about
    one; what was typed is not kept."""

    login: str
    done: bool = False
    said: str = ""
    wrong: str = ""
    least: int = LEAST


@dataclass(frozen=True)
class Tokens:
    """The tokens; `offices` is empty for a session that no account stands behind."""

    tokens: tuple[Token, ...]
    offices: tuple[Choice, ...]


def tokens_page(by: Actor, reached: Sequence[Reached], tokens: Iterable[Token]) -> Tokens:
    """Own tokens, and those of managed offices."""
    account = by.id.startswith("account:")
    homes = tuple(Choice(str(one.node.id), one.node.name) for one in reached)
    return Tokens(tuple(tokens), homes if account else ())
