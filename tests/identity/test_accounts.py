"""Accounts: a forgotten password is set anew, an account is disabled, and nobody comes by a higher
one that way. Each refusal here is one guard of `people.py`; without the guard its test fails."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from server.domain.refusals import Refusal
from server.domain.roles import ROLES, Actor, may_give
from server.identity import passwords
from server.identity.people import PeopleDesk
from server.identity.secrets import digest
from server.store.identity import Identity, OfficeNode
from tests.house import Home

pytestmark = pytest.mark.anyio
OLD, NEW, OTHER = "the first password", "the second password", "the third password"


class Staff:
    """The accounts of an office, and one office below it."""

    def __init__(self, home: Home) -> None:
        self.database, self.top = home.building.database, home.office
        self.desk = PeopleDesk(self.database, home.house.now)
        self.ids: dict[str, int] = {}
        self.stored = ""

    async def account(self, login: str, *roles: str, **where: Any) -> int:
        """An account with these roles; `home` is its office, `at` where it holds them."""
        home: OfficeNode = where.get("home", self.top)
        at: OfficeNode = where.get("at", home)
        self.stored = self.stored or await passwords.hashed(OLD)
        async with self.database.write() as connection:
            identity = Identity(connection)
            id_ = await identity.add_account(home.id, login, login, self.stored, 0)
            for role in roles:
                await identity.grant(id_, role, at.id, 0, subtree=where.get("subtree", False))
        self.ids[login] = id_
        return id_

    async def below(self, name: str = "下级办") -> OfficeNode:
        """An office below."""
        async with self.database.write() as connection:
            return await Identity(connection).add_office(name, "county", self.top.id, 0)

    async def by(self, login: str) -> Actor:
        """Who acts as this account."""
        async with self.database.read() as connection:
            grants = await Identity(connection).grants(self.ids[login])
        return Actor(f"account:{self.ids[login]}", login, tuple(grant for _, grant in grants))

    async def holds(self, secret: str) -> Actor | None:
        """Whom a session's secret stands for."""
        async with self.database.read() as connection:
            return await Identity(connection).session_actor(digest(secret), 1)

    async def token_holds(self, secret: str) -> bool:
        """Whether an API token is taken."""
        async with self.database.read() as connection:
            return await Identity(connection).token_actor(digest(secret)) is not None

    async def audit(self) -> list[tuple[str, str]]:
        """(who, what) of every line."""
        async with self.database.read() as connection:
            rows = await connection.execute(text("SELECT actor, act FROM audit ORDER BY id"))
            return [(row.actor, row.act) for row in rows]


@pytest.fixture
def staff(lanxi: Home) -> Staff:
    """On every store."""
    return Staff(lanxi)


async def refused(act: Any) -> str:
    """The code of the refusal that an act must meet."""
    with pytest.raises(Refusal) as caught:
        await act
    return caught.value.code


async def test_a_forgotten_password_is_set_anew_and_ends_all_that_was_signed_in(
    staff: Staff,
) -> None:
    await staff.account("office", "office")
    target = await staff.account("host", "host", "moderator")
    by = await staff.by("office")
    session = await staff.desk.sign_in("host", OLD)
    _, token = await staff.desk.add_token(by, staff.top.id, "接口", account=target)
    assert await staff.holds(session.secret)
    assert await staff.token_holds(token)
    assert await refused(staff.desk.reset_password(by, target, "short")) == "password_weak"
    await staff.desk.reset_password(by, target, NEW)
    assert await staff.holds(session.secret) is None
    assert not await staff.token_holds(token)
    assert await refused(staff.desk.sign_in("host", OLD)) == "bad_login"
    assert await staff.holds((await staff.desk.sign_in("host", NEW)).secret)
    assert (by.id, "reset_password") in await staff.audit()


async def test_a_disabled_account_is_out_for_good_and_comes_in_again_only_anew(
    staff: Staff,
) -> None:
    await staff.account("office", "office")
    target = await staff.account("host", "host")
    by = await staff.by("office")
    session = await staff.desk.sign_in("host", OLD)
    _, token = await staff.desk.add_token(by, staff.top.id, "接口", account=target)
    assert (await staff.desk.set_disabled(by, target, True)).disabled
    assert await staff.holds(session.secret) is None
    assert not await staff.token_holds(token)
    assert await refused(staff.desk.sign_in("host", OLD)) == "bad_login"
    assert not (await staff.desk.set_disabled(by, target, False)).disabled
    assert await staff.holds(session.secret) is None
    assert not await staff.token_holds(token)
    assert await staff.holds((await staff.desk.sign_in("host", OLD)).secret)
    await staff.desk.set_disabled(by, target, False)  # Already so: nothing more is noted.
    done = [act for who, act in await staff.audit() if who == by.id and act.endswith("account")]
    assert done == ["disable_account", "enable_account"]


@pytest.mark.parametrize("who", ["office", "security_admin", "system_admin"])
async def test_nobody_takes_over_an_account_whose_roles_he_may_not_grant(
    staff: Staff, who: str
) -> None:
    await staff.account("me", who)
    by = await staff.by("me")
    within = {
        "office": set(ROLES) - {"office", "system_admin", "security_admin", "audit_admin"},
        "security_admin": set(ROLES) - {"system_admin", "audit_admin"},
        "system_admin": {"office", "security_admin", "audit_admin"},
    }[who]
    await staff.account("another-root", "system_admin")
    for role in ROLES:
        # A low role beside the high one makes the account no lower.
        target = await staff.account(f"{role}-x", *sorted({role, min(within)}))
        codes = set()
        for act in (
            lambda id_: staff.desk.reset_password(by, id_, NEW),
            lambda id_: staff.desk.set_disabled(by, id_, True),
            lambda id_: staff.desk.set_disabled(by, id_, False),
        ):
            try:
                await act(target)
            except Refusal as refusal:
                codes.add(refusal.code)
        assert codes == (set() if role in within else {"account_above"}), role
        if role not in within:
            assert await staff.desk.sign_in(f"{role}-x", OLD)


async def test_a_role_anywhere_else_keeps_an_account_out_of_hand(staff: Staff) -> None:
    below = await staff.below()
    await staff.account("below-office", "office", home=below)
    by = await staff.by("below-office")
    # A person of this county who also does something for the city, or for all its counties.
    for login, subtree in (("lent", False), ("lent-wide", True)):
        target = await staff.account(login, "host", home=below, at=staff.top, subtree=subtree)
        assert await refused(staff.desk.reset_password(by, target, NEW)) == "account_above"
    wide = await staff.account("wide", "host", home=below, subtree=True)
    assert await refused(staff.desk.reset_password(by, wide, NEW)) == "account_above"
    plain = await staff.account("plain", "host", home=below)
    assert await staff.desk.reset_password(by, plain, NEW)


async def test_only_who_manages_people_where_the_account_is_at_home(staff: Staff) -> None:
    below = await staff.below()
    beside = await staff.below("旁边办")
    target = await staff.account("target", home=below)
    await staff.account("beside", "office", home=beside)
    await staff.account("above", "office")
    await staff.account("above-all", "office", subtree=True)
    await staff.account("host", "host", home=below)
    for login, code in (("beside", "not_found"), ("above", "not_found"), ("host", "not_allowed")):
        by = await staff.by(login)
        assert await refused(staff.desk.reset_password(by, target, NEW)) == code
        assert await refused(staff.desk.set_disabled(by, target, True)) == code
    by = await staff.by("above-all")
    assert await refused(staff.desk.reset_password(by, 999_999, NEW)) == "not_found"
    assert await staff.desk.reset_password(by, target, NEW)


async def test_nobody_disables_himself_or_sets_his_own_password_without_the_old(
    staff: Staff,
) -> None:
    # A security administrator may grant that role, so that nothing else would keep him from it.
    me = await staff.account("me", "security_admin")
    by = await staff.by("me")
    assert all(may_give(by, grant) for grant in by.grants)
    assert await refused(staff.desk.reset_password(by, me, NEW)) == "account_own"
    assert await refused(staff.desk.set_disabled(by, me, True)) == "account_own"
    assert await staff.desk.sign_in("me", OLD)


async def test_the_last_system_administrator_stays(
    staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody may grant the role, so that today this guard stands behind another; it holds alone."""
    monkeypatch.setattr("server.identity.people.may_give", lambda by, grant: True)
    below = await staff.below()
    await staff.account("security", "security_admin", subtree=True)
    by = await staff.by("security")
    first = await staff.account("root", "system_admin")
    await staff.account("county-root", "system_admin", home=below)  # Is none of the root's.
    assert await refused(staff.desk.set_disabled(by, first, True)) == "account_last"
    assert await staff.desk.sign_in("root", OLD)
    second = await staff.account("root-2", "system_admin")
    assert await staff.desk.set_disabled(by, second, True)
    assert await refused(staff.desk.set_disabled(by, first, True)) == "account_last"
    await staff.desk.set_disabled(by, second, False)
    assert await staff.desk.set_disabled(by, first, True)


async def test_ones_own_password_needs_the_old_one_and_ends_the_other_sessions(
    staff: Staff,
) -> None:
    await staff.account("me", "host")
    here, there = [await staff.desk.sign_in("me", OLD) for _ in range(2)]
    by = await staff.holds(here.secret)
    assert by is not None
    assert await refused(staff.desk.change_password(by, OTHER, NEW)) == "password_wrong"
    assert await refused(staff.desk.change_password(by, OLD, "short")) == "password_weak"
    window = Actor(by.id, by.name, by.grants, session=f"{by.session}:windowone")
    await staff.desk.change_password(window, OLD, NEW)
    assert await staff.holds(here.secret)
    assert await staff.holds(there.secret) is None
    assert await refused(staff.desk.sign_in("me", OLD)) == "bad_login"
    assert await staff.desk.sign_in("me", NEW)
    await staff.desk.change_password(by, OLD, NEW)  # The same act again, its answer was lost.
    assert [act for who, act in await staff.audit() if act == "change_password"] == [
        "change_password"
    ]
    seat = Actor("seat:1", "甲", session=by.session)
    assert await refused(staff.desk.change_password(seat, OLD, NEW)) == "not_allowed"


async def test_who_signs_in_while_the_password_is_set_anew_does_not_slip_in(
    staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    await staff.account("office", "office")
    target = await staff.account("host", "host")
    by = await staff.by("office")
    matches = passwords.matches

    def meanwhile(new: str) -> None:
        """The next password that is looked at is set anew while that takes its time."""

        async def slow(password: str, stored: str | None) -> bool:
            monkeypatch.setattr(passwords, "matches", matches)
            found = await matches(password, stored)
            await staff.desk.reset_password(by, target, new)
            return found

        monkeypatch.setattr(passwords, "matches", slow)

    meanwhile(NEW)
    assert await refused(staff.desk.sign_in("host", OLD)) == "bad_login"
    # Nor does who knew the password of before put his own in the new one's place.
    mine = await staff.holds((await staff.desk.sign_in("host", NEW)).secret)
    assert mine is not None
    meanwhile(OTHER)
    assert await refused(staff.desk.change_password(mine, NEW, "a stolen one")) == "password_wrong"
    assert await staff.desk.sign_in("host", OTHER)


async def test_whoever_runs_the_server_lets_the_only_administrator_in_again(staff: Staff) -> None:
    await staff.account("root", "system_admin")
    session = await staff.desk.sign_in("root", OLD)
    assert await refused(staff.desk.rescue("nobody", NEW)) == "login_unknown"
    assert await refused(staff.desk.rescue("root", "short")) == "password_weak"
    await staff.desk.rescue("root", NEW)
    assert await staff.holds(session.secret) is None
    assert await staff.desk.sign_in("root", NEW)
    assert ("operator", "reset_password") in await staff.audit()
