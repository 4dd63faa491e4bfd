"""Who may do what: every role and every right in one table. Pure.

A right is the name of an act or a view. A person holds roles by grants, each for an office, an
office's whole subtree, or one hearing; the check of the place is `covers`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

ROLES: Mapping[str, tuple[str, str]] = {
    "system_admin": ("系统管理员", "System administrator"),
    "security_admin": ("安全管理员", "Security administrator"),
    "audit_admin": ("审计管理员", "Audit administrator"),
    "office": ("办公室人员", "Office staff"),
    "report_reviewer": ("报告预审员", "Report reviewer"),
    "moderator": ("审核员", "Moderator"),
    "duty": ("值班负责人", "Duty person"),
    "host": ("主持台操作员", "Host console"),
    "card": ("主持人（手卡）", "On-air host (card)"),
    "panelist": ("评议团成员", "Panelist"),
    "screen": ("屏幕", "Screen"),
    "commentator": ("点评人", "Commentator"),
    "subject": ("述法人", "Subject"),
    "teller": ("计票人", "Teller"),
    "scrutineer": ("监票人", "Scrutineer"),
    "approver": ("审定人", "Approver"),
    "handling_unit": ("承办单位", "Handling unit"),
    "verifier": ("核查人", "Verifier"),
    "leader": ("领导（只读）", "Leader (read only)"),
}

RIGHTS: Mapping[str, frozenset[str]] = {
    # pages and their sockets
    "page:panel": frozenset({"panelist"}),
    "page:desk": frozenset({"moderator", "office", "duty"}),
    "page:host": frozenset({"host"}),
    "page:card": frozenset({"card", "host"}),
    "page:stage": frozenset({"screen", "host"}),
    "page:overlay": frozenset({"screen", "host"}),
    "page:podium": frozenset({"screen", "host", "card", "subject"}),
    "open_rounds": frozenset(
        {"host", "teller", "scrutineer", "approver", "office", "leader", "subject"}
    ),
    "page:office": frozenset({"office", "system_admin", "security_admin", "audit_admin"}),
    # acts on questions
    "moderate": frozenset({"moderator"}),
    "edit_question": frozenset({"moderator", "host"}),  # the host: what was asked off the cuff
    "unmask": frozenset({"moderator", "office"}),  # with a reason, and in the journal (law 17)
    "second": frozenset({"moderator", "host", "office"}),
    "escalations": frozenset({"duty"}),  # nobody else sees what was escalated
    "brief": frozenset({"moderator", "office"}),  # what an official's office reads in advance
    "read_brief": frozenset({"subject"}),  # its own only
    "order_queue": frozenset({"moderator", "host"}),
    "import": frozenset({"office", "moderator"}),
    "manage_sources": frozenset({"office"}),
    "manage_topics": frozenset({"office"}),  # of the office itself, not of one hearing alone
    "stage": frozenset({"host"}),
    "request_floor": frozenset({"panelist"}),
    # run of show and rounds
    "run_show": frozenset({"host"}),
    "screens": frozenset({"host"}),
    "acknowledge": frozenset({"screen", "host", "card", "subject"}),
    "rounds": frozenset({"host"}),
    "certify": frozenset({"host", "teller", "scrutineer", "approver"}),
    "override_signature": frozenset({"approver", "office"}),
    "key_paper": frozenset({"teller", "scrutineer", "office"}),
    "publish": frozenset({"host", "approver", "office"}),
    "contest": frozenset({"subject", "teller", "scrutineer", "office"}),
    "cast_ballot": frozenset({"panelist"}),
    "see_turnout": frozenset({"host", "teller", "scrutineer", "office", "approver", "panelist"}),
    "see_internal_result": frozenset(
        {"host", "teller", "scrutineer", "approver", "office", "leader"}
    ),
    "see_hall_result": frozenset({"panelist", "screen", "card", "subject", "commentator"}),
    "see_ballots": frozenset({"teller", "scrutineer", "office"}),
    "review_comments": frozenset({"scrutineer", "office"}),
    "see_journal": frozenset({"audit_admin", "office", "scrutineer"}),
    # the office
    "manage_hearings": frozenset({"office"}),
    "manage_cards": frozenset({"office", "host"}),
    "manage_people": frozenset({"office", "system_admin", "security_admin"}),
    "manage_offices": frozenset({"system_admin"}),
}
"""right → the roles that hold it."""

GRANTABLE: Mapping[str, frozenset[str]] = {
    "system_admin": frozenset({"security_admin", "audit_admin", "office"}),
    "security_admin": frozenset(ROLES) - {"system_admin", "audit_admin"},
    "office": frozenset(ROLES) - {"system_admin", "security_admin", "audit_admin", "office"},
}
"""role → the roles that its holder may grant."""

APART: tuple[frozenset[str], ...] = (
    frozenset({"system_admin", "security_admin"}),
    frozenset({"system_admin", "audit_admin"}),
    frozenset({"security_admin", "audit_admin"}),
    frozenset({"teller", "scrutineer"}),
    frozenset({"panelist", "host"}),
    frozenset({"panelist", "teller"}),
    frozenset({"panelist", "scrutineer"}),
    frozenset({"panelist", "subject"}),
)
"""Pairs that one account may not hold together (three separate administrators; who counts does
not vote and does not supervise himself)."""


@dataclass(frozen=True)
class Grant:
    """A role held for an office (`path` is the office's path), its subtree, or one hearing."""

    role: str
    office: int
    path: str
    subtree: bool = False
    hearing: int | None = None


@dataclass(frozen=True)
class Actor:
    """Who acts: `id` is stable and free of personal data (`account:7`, `seat:12`, `machine`).

    `name` is what colleagues see on their pages; it never enters the public's frames.
    `seat` is set for a panelist, `viewer` for the public, `subject` (a row's id) for an official's office
    that came by a card of that official.
    """

    id: str
    name: str
    grants: tuple[Grant, ...] = ()
    seat: int | None = None
    viewer: str | None = None
    session: str | None = None
    subject: int | None = None


MACHINE = Actor(id="machine", name="Pingyi")
"""The timekeeper, the screener, the tally: acts that no person presses."""


def covers(grant: Grant, office: int, path: str, hearing: int | None) -> bool:
    """Whether the grant reaches a place; `path` is the path of the place's office.

    Paths look like `/1/4/`: an office's subtree is every path that begins with its own.
    """
    if grant.hearing is not None:
        return hearing is not None and grant.hearing == hearing
    if grant.office == office:
        return True
    return grant.subtree and path.startswith(grant.path)


def roles_at(actor: Actor, office: int, path: str, hearing: int | None = None) -> tuple[str, ...]:
    """The roles that the actor holds at a place, in the table's order."""
    held = {g.role for g in actor.grants if covers(g, office, path, hearing)}
    return tuple(role for role in ROLES if role in held)


def roles_below(actor: Actor, path: str) -> tuple[str, ...]:
    """The roles that the actor holds at an office and in everything below it: what reaches a whole
    subtree is given and taken only by whom his own role reaches there (law 16)."""
    held = {
        g.role for g in actor.grants if g.subtree and g.hearing is None and path.startswith(g.path)
    }
    return tuple(role for role in ROLES if role in held)


def may_give(by: Actor, grant: Grant) -> bool:
    """Whether `by` may give and take this grant: one of his roles there is entitled to it, in the
    whole subtree where the grant reaches down (law 16)."""
    below = roles_below(by, grant.path)
    mine = below if grant.subtree else roles_at(by, grant.office, grant.path)
    return any(grant.role in GRANTABLE.get(one, ()) for one in mine)


def has_right(roles: Iterable[str], right: str) -> bool:
    """Whether one of the roles holds the right."""
    return bool(RIGHTS[right].intersection(roles))


def conflict(held: Iterable[str], wanted: str) -> str | None:
    """The role already held that may not stand beside `wanted`, or None."""
    for role in held:
        if frozenset({role, wanted}) in APART:
            return role
    return None
