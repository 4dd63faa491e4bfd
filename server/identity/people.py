"""Signing in, setting up, accounts, grants and tokens: acts outside any run.

Each is one transaction with its line in the audit. Secrets are returned once and stored hashed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.hearing import Place
from server.domain.refusals import Refusal
from server.domain.roles import (
    ROLES,
    Actor,
    Grant,
    conflict,
    has_right,
    may_give,
    roles_at,
)
from server.identity import passwords
from server.identity.secrets import code, digest, long_secret
from server.identity.sessions import SignedIn, start_session, usable_card
from server.store.identity import AccountRecord, Identity, OfficeNode
from server.store.transaction import Database

SETUP_MS = 24 * 3_600_000
LOGIN = re.compile(r"[a-z0-9._-]{3,40}")


class PeopleDesk:
    """Everything about who may do what."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database, self._now = database, now

    # ── first administrator ──

    async def setup_code(self) -> str | None:
        """A one-time code for the first administrator's set-up, or None when somebody is there.

        Each start makes a new one and ends the older: only the newest printed link works.
        """
        async with self._database.write() as connection:
            identity = Identity(connection)
            if await identity.any_account():
                return None
            now, secret = self._now(), code(16)
            await identity.revoke_cards(now, kind="setup")
            await identity.add_card(
                hash=digest(secret), kind="setup", created_at=now, expires_at=now + SETUP_MS
            )
        return secret

    async def set_up(
        self, secret: str, office: str, level: str, login: str, name: str, password: str
    ) -> SignedIn:
        """The root office and its first administrator; the code is used up."""
        passwords.check_strength(password)
        _check_login(login)
        if not office.strip() or not name.strip():
            raise Refusal("malformed", place="office" if not office.strip() else "name")
        stored = await passwords.hashed(password)
        async with self._database.write() as connection:
            identity, now = Identity(connection), self._now()
            card = await usable_card(identity, now, secret, "setup")
            if await identity.any_account():
                raise Refusal("setup_done")
            root = await identity.add_office(office.strip(), level, None, now)
            account = await identity.add_account(root.id, login, name.strip(), stored, now)
            for role in ("system_admin",):
                await identity.grant(account, role, root.id, now, subtree=True, by="setup")
            await identity.use_card(card.id, now)
            await identity.note(now, f"account:{account}", "set_up", root.id)
            return await start_session(
                identity, now, root.id, f"account-{account}", account=account
            )

    # ── signing in ──

    async def sign_in(self, login: str, password: str) -> SignedIn:
        """A session for the account, or `bad_login` whatever was wrong."""
        async with self._database.read() as connection:
            account = await Identity(connection).account(login=login.strip().lower())
        stored = account.password_hash if account and not account.disabled else None
        if not await passwords.matches(password, stored) or account is None:
            raise Refusal("bad_login")
        async with self._database.write() as connection:
            identity, now = Identity(connection), self._now()
            # A tenth of a second has passed: who was disabled or got another password meanwhile
            # had all sessions ended, and this one would have come just after.
            if await identity.account(id_=account.id, lock=True) != account:
                raise Refusal("bad_login")
            await identity.note(now, f"account:{account.id}", "sign_in", account.office)
            return await start_session(
                identity, now, account.office, f"account-{account.id}", account=account.id
            )

    async def sign_out(self, secret: str) -> None:
        """The session holds no longer."""
        async with self._database.write() as connection:
            await Identity(connection).revoke_session(digest(secret), self._now())

    # ── offices, accounts, grants ──

    async def add_office(self, by: Actor, parent: int, name: str, level: str) -> OfficeNode:
        """An office below one where `by` manages offices."""
        async with self._database.write() as connection:
            identity, now = Identity(connection), self._now()
            above = await self._office(identity, by, parent, "manage_offices")
            if not name.strip():
                raise Refusal("malformed", place="name")
            node = await identity.add_office(name.strip()[:60], level, above.id, now)
            await identity.note(now, by.id, "add_office", node.id, parent=above.id)
            return node

    async def add_account(
        self, by: Actor, office: int, login: str, name: str, password: str
    ) -> int:
        """An account of an office where `by` manages people."""
        async with self._database.read() as connection:
            await self._office(Identity(connection), by, office, "manage_people")
        passwords.check_strength(password)
        _check_login(login)
        if not name.strip():
            raise Refusal("malformed", place="name")
        stored = await passwords.hashed(password)
        async with self._database.write() as connection:
            identity, now = Identity(connection), self._now()
            node = await self._office(identity, by, office, "manage_people")
            if await identity.account(login=login) is not None:
                raise Refusal("login_taken")
            account = await identity.add_account(node.id, login, name.strip()[:40], stored, now)
            await identity.note(now, by.id, "add_account", node.id, account=account)
            return account

    async def reset_password(self, by: Actor, account: int, password: str) -> AccountRecord:
        """Another initial password for somebody else's account. Its sessions and API tokens end:
        whoever held them may be the reason.

        Raises `account_own`, and `account_above` for an account that holds a role which `by` may
        not give: with its password he would hold that role.
        """
        async with self._database.read() as connection:
            await self._other(Identity(connection), by, account)
        passwords.check_strength(password)
        stored = await passwords.hashed(password)
        async with self._database.write() as connection:
            identity, now = Identity(connection), self._now()
            found = await self._other(identity, by, account, lock=True)
            await identity.set_password(found.id, stored)
            await self._throw_out(identity, found.id, now)
            await identity.note(now, by.id, "reset_password", found.office, account=found.id)
            return found

    async def set_disabled(self, by: Actor, account: int, disabled: bool) -> AccountRecord:
        """Nobody may act as somebody else's account any more, or again. Its sessions and API tokens
        end for good: who is enabled again signs in anew.

        Raises `account_own`, `account_last` for the last system administrator, `account_above`.
        """
        async with self._database.write() as connection:
            identity, now = Identity(connection), self._now()
            found = await self._other(identity, by, account, lock=True, ends=disabled)
            if found.disabled == disabled:
                return found
            await identity.set_disabled(found.id, disabled)
            if disabled:
                await self._throw_out(identity, found.id, now)
            act = "disable_account" if disabled else "enable_account"
            await identity.note(now, by.id, act, found.office, account=found.id)
            return replace(found, disabled=disabled)

    async def change_password(self, by: Actor, old: str, new: str) -> None:
        """One's own password, by who knows the present one; every other session of the account ends.

        Raises `not_allowed` for who acts without an account, `password_weak`, `password_wrong`.
        """
        found = await self.own_account(by)
        passwords.check_strength(new)
        if not await passwords.matches(old, found.password_hash):
            # Sent again because its answer was lost, the act finds itself done.
            if await passwords.matches(new, found.password_hash):
                return
            raise Refusal("password_wrong")
        stored = await passwords.hashed(new)
        async with self._database.write() as connection:
            identity, now = Identity(connection), self._now()
            # A password that was reset meanwhile is not put back by who knew the one before.
            if await identity.account(id_=found.id, lock=True) != found:
                raise Refusal("password_wrong")
            await identity.set_password(found.id, stored)
            session = by.session.split(":")[0] if by.session else None
            await identity.revoke_sessions_of(now, account=found.id, but=session)
            await identity.note(now, by.id, "change_password", found.office)

    async def own_account(self, by: Actor) -> AccountRecord:
        """The account that acts; `not_allowed` for a seat or a device, which have no password."""
        kind, _, id_ = by.id.partition(":")
        async with self._database.read() as connection:
            known = kind == "account" and id_.isdigit()
            found = await Identity(connection).account(id_=int(id_)) if known else None
        if found is None:
            raise Refusal("not_allowed")
        return found

    async def rescue(self, login: str, password: str) -> AccountRecord:
        """Another password for any account, by whoever runs the server: nobody else is left to ask.
        Its sessions and API tokens end. Raises `login_unknown`, `password_weak`."""
        passwords.check_strength(password)
        stored = await passwords.hashed(password)
        async with self._database.write() as connection:
            identity, now = Identity(connection), self._now()
            found = await identity.account(login=login, lock=True)
            if found is None:
                raise Refusal("login_unknown", login=login)
            await identity.set_password(found.id, stored)
            await self._throw_out(identity, found.id, now)
            await identity.note(now, "operator", "reset_password", found.office, account=found.id)
            return found

    async def _other(
        self, identity: Identity, by: Actor, account: int, *, lock: bool = False, ends: bool = False
    ) -> AccountRecord:
        """Somebody else's account that `by` may take in hand: he manages people at its office and
        may give every role that it holds, wherever. `ends`: it is about to be disabled.

        `grant` locks the account too, so that no role comes between the look and the act.
        """
        # Locked before the account itself, by everyone: two who disable each other do not deadlock.
        admins = await identity.holders_at_a_root("system_admin") if ends else frozenset()
        found = await identity.account(id_=account, lock=lock)
        if found is None:
            raise Refusal("not_found")
        await self._office(identity, by, found.office, "manage_people")
        if by.id == f"account:{found.id}":
            raise Refusal("account_own")
        if admins == {found.id}:
            raise Refusal("account_last")
        if not all(may_give(by, grant) for _, grant in await identity.grants(found.id)):
            raise Refusal("account_above")
        return found

    @staticmethod
    async def _throw_out(identity: Identity, account: int, now: int) -> None:
        await identity.revoke_sessions_of(now, account=account)
        await identity.revoke_tokens_of(account, now)

    async def grant(
        self,
        by: Actor,
        account: int,
        role: str,
        office: int,
        *,
        subtree: bool = False,
        hearing: Place | None = None,
    ) -> int:
        """A role for an account, if `by` may grant it there and no held role forbids it."""
        if role not in ROLES:
            raise Refusal("malformed", place="role")
        async with self._database.write() as connection:
            identity, now = Identity(connection), self._now()
            node = await self._office(identity, by, office, "manage_people")
            if not may_give(by, Grant(role, node.id, node.path, subtree)):
                raise Refusal("not_allowed")
            if hearing is not None and hearing.ref.office != node.id:
                raise Refusal("not_found")
            # Two grants at once for one person wait for each other: together they may conflict.
            found = await identity.account(id_=account, lock=True)
            if found is None:
                raise Refusal("not_found")
            await self._office(identity, by, found.office, "manage_people")
            held = [grant.role for _, grant in await identity.grants(account)]
            other = conflict(held, role)
            if other is not None:
                raise Refusal("roles_conflict", held=ROLES[other], wanted=ROLES[role])
            id_ = await identity.grant(
                account,
                role,
                node.id,
                now,
                subtree=subtree,
                hearing=hearing.ref.hearing if hearing else None,
                by=by.id,
            )
            await identity.note(now, by.id, "grant", node.id, account=account, role=role)
            return id_

    async def revoke_grant(self, by: Actor, id_: int) -> None:
        """The grant ends; the account's sessions are asked anew at their next act."""
        async with self._database.write() as connection:
            identity, now = Identity(connection), self._now()
            found = await identity.grant_by_id(id_)
            if found is None:
                raise Refusal("not_found")
            account, grant = found
            await self._office(identity, by, grant.office, "manage_people")
            if not may_give(by, grant):
                raise Refusal("not_allowed")
            await identity.revoke_grant(id_, now)
            await identity.note(
                now, by.id, "revoke_grant", grant.office, account=account, role=grant.role
            )

    @staticmethod
    async def _office(identity: Identity, by: Actor, office: int, right: str) -> OfficeNode:
        nodes = [node for node in await identity.offices() if node.id == office]
        if not nodes:
            raise Refusal("not_found")
        roles = roles_at(by, nodes[0].id, nodes[0].path)
        if not roles:
            raise Refusal("not_found")
        if not has_right(roles, right):
            raise Refusal("not_allowed")
        return nodes[0]

    # ── what the demo signs in with ──

    async def open_session(
        self,
        connection: AsyncConnection,
        place: Place,
        *,
        label: str,
        role: str = "",
        seat: int | None = None,
        account: int | None = None,
    ) -> SignedIn:
        """A session without a card or a password: only `pingyi demo` opens such."""
        return await start_session(
            Identity(connection),
            self._now(),
            place.ref.office,
            label,
            account=account,
            seat=seat,
            role=role,
            # Office staff act for their whole office, everyone else in this one hearing.
            hearing=place.ref.hearing if account is None and role != "office" else None,
        )

    async def add_token(
        self,
        by: Actor,
        office: int,
        name: str,
        *,
        place: Place | None = None,
        role: str = "",
        account: int | None = None,
        seat: int | None = None,
    ) -> tuple[int, str]:
        """An API token: its id and its secret, which is shown once."""
        secret = f"pgy_{long_secret()}"
        async with self._database.write() as connection:
            identity = Identity(connection)
            id_ = await identity.add_token(
                hash=digest(secret),
                name=name,
                office_id=office,
                account_id=account,
                hearing_id=place.ref.hearing if place else None,
                seat_id=seat,
                role=role,
                created_by=by.id,
                created_at=self._now(),
            )
            await identity.note(self._now(), by.id, "add_token", office, name=name, role=role)
        return id_, secret

    async def revoke_token(self, by: Actor, id_: int) -> None:
        """The token holds no longer; its maker or whoever manages people there ends it."""
        async with self._database.write() as connection:
            identity = Identity(connection)
            for node in await identity.offices():
                roles = roles_at(by, node.id, node.path)
                mine = [t for t in await identity.tokens(node.id) if t.id == id_]
                if mine and (mine[0].created_by == by.id or has_right(roles, "manage_people")):
                    await identity.revoke_token(id_, node.id, self._now())
                    await identity.note(self._now(), by.id, "revoke_token", node.id, token=id_)
                    return
        raise Refusal("not_found")


def _check_login(login: str) -> None:
    if not LOGIN.fullmatch(login):
        raise Refusal("malformed", place="login")
