"""Offices, accounts, grants, sessions, cards, tokens. Secrets are stored as hashes only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, Table, bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.roles import Actor, Grant
from server.store.rows import all_rows, inserted_id, locked, only_row, table, upsert
from server.store.tables import (
    Account,
    ApiToken,
    AuditRow,
    Card,
    GrantRow,
    HearingRow,
    Office,
    SeatRow,
    SecretFingerprint,
    SessionRow,
    SubjectRow,
    TakeoverRow,
)

_offices, _accounts, _grants = table(Office), table(Account), table(GrantRow)
_sessions, _cards, _tokens = table(SessionRow), table(Card), table(ApiToken)
_audit, _seats, _hearings = table(AuditRow), table(SeatRow), table(HearingRow)
_subjects = table(SubjectRow)
_fingerprints, _takeovers = table(SecretFingerprint), table(TakeoverRow)


def _with_its_place(signed_in: Table) -> Select[Any]:
    """Sessions or tokens with the path of their office and the name of their seat: every request asks."""
    return (
        select(signed_in, _offices.c.path.label("office_path"), _seats.c.name.label("seat_name"))
        .join(_offices, _offices.c.id == signed_in.c.office_id)
        .outerjoin(_seats, _seats.c.id == signed_in.c.seat_id)
    )


_BY_SESSION = _with_its_place(_sessions).where(
    _sessions.c.id == bindparam("hash"),
    _sessions.c.revoked_at.is_(None),
    _sessions.c.expires_at > bindparam("now"),
)
_BY_TOKEN = _with_its_place(_tokens).where(
    _tokens.c.hash == bindparam("hash"), _tokens.c.revoked_at.is_(None)
)

_ACCOUNT = select(_accounts).where(_accounts.c.id == bindparam("account"))
_GRANTS = (
    select(_grants, _offices.c.path)
    .join(_offices, _offices.c.id == _grants.c.office_id)
    .where(_grants.c.account_id == bindparam("account"), _grants.c.revoked_at.is_(None))
    .order_by(_grants.c.id)
)


@dataclass(frozen=True)
class OfficeNode:
    """An office of the tree; `path` is `/1/4/`."""

    id: int
    parent: int | None
    path: str
    name: str
    level: str


@dataclass(frozen=True)
class AccountRecord:
    """An account with its password's hash."""

    id: int
    office: int
    login: str
    name: str
    password_hash: str
    disabled: bool


APART = frozenset({"subject", "moderator"})
"""Roles whose every session and token is somebody of his own: what one subject hands in, no other adds to;
what one moderator works on, the others leave alone, and none of them seconds himself."""


class Identity:
    """Who there is, and how they prove it."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._c = connection

    # ── offices ──

    async def add_office(self, name: str, level: str, parent: int | None, at: int) -> OfficeNode:
        """An office under its parent (None = a root)."""
        result = await self._c.execute(
            insert(_offices).values(
                name=name, level=level, parent_id=parent, path="", created_at=at
            )
        )
        id_ = inserted_id(result)
        above = (await self.office(parent)).path if parent is not None else "/"
        path = f"{above}{id_}/"
        await self._c.execute(update(_offices).where(_offices.c.id == id_).values(path=path))
        return OfficeNode(id_, parent, path, name, level)

    async def office(self, id_: int) -> OfficeNode:
        """One office."""
        row = (await self._c.execute(select(_offices).where(_offices.c.id == id_))).one()
        return OfficeNode(row.id, row.parent_id, row.path, row.name, row.level)

    async def offices(self, path: str = "/") -> tuple[OfficeNode, ...]:
        """The office with this path and everything below it."""
        rows = await self._c.execute(
            select(_offices)
            .where(_offices.c.path.startswith(path, autoescape=True))
            .order_by(_offices.c.path)
        )
        return tuple(OfficeNode(r.id, r.parent_id, r.path, r.name, r.level) for r in rows)

    # ── accounts and grants ──

    async def add_account(
        self, office: int, login: str, name: str, password_hash: str, at: int
    ) -> int:
        """A new account; gives its id."""
        result = await self._c.execute(
            insert(_accounts).values(
                office_id=office,
                login=login,
                name=name,
                password_hash=password_hash,
                disabled=False,
                created_at=at,
            )
        )
        return inserted_id(result)

    async def account(
        self, *, login: str | None = None, id_: int | None = None, lock: bool = False
    ) -> AccountRecord | None:
        """One account by login or id."""
        if login is None and not lock:
            row = await only_row(self._c, _ACCOUNT, account=id_)
        else:
            where = _accounts.c.login == login if login is not None else _accounts.c.id == id_
            statement = select(_accounts).where(where)
            found = await self._c.execute(locked(statement) if lock else statement)
            row = found.one_or_none()
        if row is None:
            return None
        return AccountRecord(
            row.id, row.office_id, row.login, row.name, row.password_hash, row.disabled
        )

    async def accounts(self, path: str) -> tuple[AccountRecord, ...]:
        """Accounts of an office and everything below it."""
        rows = await self._c.execute(
            select(_accounts)
            .join(_offices, _offices.c.id == _accounts.c.office_id)
            .where(_offices.c.path.startswith(path, autoescape=True))
            .order_by(_accounts.c.id)
        )
        return tuple(
            AccountRecord(r.id, r.office_id, r.login, r.name, r.password_hash, r.disabled)
            for r in rows
        )

    async def set_password(self, account: int, password_hash: str) -> None:
        """Another password for the account."""
        await self._c.execute(
            update(_accounts).where(_accounts.c.id == account).values(password_hash=password_hash)
        )

    async def set_disabled(self, account: int, disabled: bool) -> None:
        """Whether nobody may act as this account."""
        await self._c.execute(
            update(_accounts).where(_accounts.c.id == account).values(disabled=disabled)
        )

    async def holders_at_a_root(self, role: str) -> frozenset[int]:
        """Accounts in use that hold the role at an office above all others. They are locked, so that
        two who are disabled at once wait for each other."""
        held = (
            select(_grants.c.account_id)
            .join(_offices, _offices.c.id == _grants.c.office_id)
            .where(
                _grants.c.role == role,
                _grants.c.revoked_at.is_(None),
                _grants.c.hearing_id.is_(None),
                _offices.c.parent_id.is_(None),
            )
        )
        rows = await self._c.execute(
            locked(
                select(_accounts.c.id)
                .where(_accounts.c.id.in_(held), _accounts.c.disabled.is_(False))
                .order_by(_accounts.c.id)
            )
        )
        return frozenset(rows.scalars())

    async def any_account(self) -> bool:
        """Whether somebody is set up already."""
        return bool((await self._c.execute(select(func.count(_accounts.c.id)))).scalar_one())

    async def grant(
        self,
        account: int,
        role: str,
        office: int,
        at: int,
        *,
        subtree: bool = False,
        hearing: int | None = None,
        by: str = "",
    ) -> int:
        """A role for an office, its subtree, or one hearing; gives the grant's id."""
        result = await self._c.execute(
            insert(_grants).values(
                account_id=account,
                role=role,
                office_id=office,
                subtree=subtree,
                hearing_id=hearing,
                granted_by=by,
                created_at=at,
            )
        )
        return inserted_id(result)

    async def revoke_grant(self, id_: int, at: int) -> None:
        """The grant holds no longer."""
        await self._c.execute(update(_grants).where(_grants.c.id == id_).values(revoked_at=at))

    async def grants(self, account: int) -> tuple[tuple[int, Grant], ...]:
        """(grant id, grant) of everything an account holds."""
        rows = await all_rows(self._c, _GRANTS, {"account": account})
        return tuple(
            (r.id, Grant(r.role, r.office_id, r.path, r.subtree, r.hearing_id)) for r in rows
        )

    async def grant_by_id(self, id_: int) -> tuple[int, Grant] | None:
        """(account id, grant) of one grant that holds."""
        row = (
            await self._c.execute(
                select(_grants, _offices.c.path)
                .join(_offices, _offices.c.id == _grants.c.office_id)
                .where(_grants.c.id == id_, _grants.c.revoked_at.is_(None))
            )
        ).one_or_none()
        if row is None:
            return None
        return row.account_id, Grant(row.role, row.office_id, row.path, row.subtree, row.hearing_id)

    # ── sessions and tokens ──

    async def add_session(self, **values: Any) -> None:
        """id (hash), office_id, account_id or seat_id/role/hearing_id, label, created_at,
        seen_at, expires_at."""
        await self._c.execute(insert(_sessions).values(**values))

    async def session_actor(self, hash_: str, now: int) -> Actor | None:
        """Who a session's secret (hashed) stands for, while it holds."""
        row = await only_row(self._c, _BY_SESSION, hash=hash_, now=now)
        return await self._actor(row, hash_[:16]) if row else None

    async def revoke_session(self, hash_: str, at: int) -> None:
        """Signed out, or thrown out."""
        await self._c.execute(
            update(_sessions).where(_sessions.c.id == hash_).values(revoked_at=at)
        )

    async def revoke_sessions_of(
        self,
        at: int,
        *,
        account: int | None = None,
        seat: int | None = None,
        label: str | None = None,
        but: str | None = None,
    ) -> None:
        """Every session of an account or a seat, or those of a seat under a label; `but` the one
        whose actor says that he acts in it (`Actor.session`)."""
        where = [_sessions.c.account_id == account if account else _sessions.c.seat_id == seat]
        if label is not None:
            where.append(_sessions.c.label == label)
        if but is not None:
            where.append(_sessions.c.id.not_like(f"{but}%"))
        await self._c.execute(
            update(_sessions).where(*where, _sessions.c.revoked_at.is_(None)).values(revoked_at=at)
        )

    async def add_token(self, **values: Any) -> int:
        """hash, name, office_id, account_id or hearing_id/seat_id/role, created_by, created_at."""
        result = await self._c.execute(insert(_tokens).values(**values))
        return inserted_id(result)

    async def token_actor(self, hash_: str) -> Actor | None:
        """Who an API token (hashed) stands for, while it holds."""
        row = await only_row(self._c, _BY_TOKEN, hash=hash_)
        return await self._actor(row, None) if row else None

    async def tokens(self, office: int) -> tuple[Any, ...]:
        """Rows of an office's tokens (never their secrets)."""
        rows = await self._c.execute(
            select(_tokens).where(_tokens.c.office_id == office).order_by(_tokens.c.id)
        )
        return tuple(rows)

    async def revoke_token(self, id_: int, office: int, at: int) -> None:
        """The token holds no longer."""
        await self._c.execute(
            update(_tokens)
            .where(_tokens.c.id == id_, _tokens.c.office_id == office)
            .values(revoked_at=at)
        )

    async def revoke_tokens_of(self, account: int, at: int) -> None:
        """Every token that stands for the account."""
        await self._c.execute(
            update(_tokens)
            .where(_tokens.c.account_id == account, _tokens.c.revoked_at.is_(None))
            .values(revoked_at=at)
        )

    async def _actor(self, row: Any, session: str | None) -> Actor | None:
        if row.account_id is not None:
            account = await self.account(id_=row.account_id)
            if account is None or account.disabled:
                return None
            grants = tuple(grant for _, grant in await self.grants(row.account_id))
            return Actor(f"account:{account.id}", account.name, grants, session=session)
        grant = Grant(row.role, row.office_id, row.office_path, False, row.hearing_id)
        if row.seat_id is not None:
            seat = f"seat:{row.seat_id}"
            return Actor(seat, row.seat_name, (grant,), seat=row.seat_id, session=session)
        label = getattr(row, "label", "") or getattr(row, "name", "") or row.role
        of = re.fullmatch(r"subject-(\d{1,9})", getattr(row, "label", ""))
        name = f"{row.role}:{row.hearing_id}"
        if row.role in APART:
            name += f":{str(row.id)[:8]}"
        subject = int(of[1]) if of and row.role == "subject" else None
        return Actor(name, label, (grant,), session=session, subject=subject)

    # ── cards ──

    async def subject_id(self, hearing: int, key: str) -> int | None:
        """The row of the hearing's subject with this key."""
        found = await self._c.execute(
            select(_subjects.c.id).where(_subjects.c.hearing_id == hearing, _subjects.c.key == key)
        )
        id_: int | None = found.scalar_one_or_none()
        return id_

    async def add_card(self, **values: Any) -> int:
        """hash, kind, office_id, hearing_id, seat_id or role, label, created_by, created_at,
        expires_at."""
        result = await self._c.execute(insert(_cards).values(**values))
        return inserted_id(result)

    async def card(self, hash_: str, *, lock: bool = False) -> Any | None:
        """A card by its hashed code, with its hearing's slug and its seat's number and name."""
        statement = (
            select(_cards, _hearings.c.slug, _hearings.c.title, _seats.c.number, _seats.c.name)
            .outerjoin(_hearings, _hearings.c.id == _cards.c.hearing_id)
            .outerjoin(_seats, _seats.c.id == _cards.c.seat_id)
            .where(_cards.c.hash == hash_)
        )
        if lock:
            statement = statement.with_for_update(of=_cards)
        return (await self._c.execute(statement)).one_or_none()

    async def use_card(self, id_: int, at: int) -> bool:
        """Uses the card once; False when it was used or revoked meanwhile."""
        result = await self._c.execute(
            update(_cards)
            .where(_cards.c.id == id_, _cards.c.used_at.is_(None), _cards.c.revoked_at.is_(None))
            .values(used_at=at)
        )
        return result.rowcount == 1

    async def revoke_cards(
        self, at: int, *, seat: int | None = None, kind: str | None = None
    ) -> None:
        """Unused cards of a seat, of a kind, or of both: a new one was issued."""
        where = [
            column == value
            for column, value in ((_cards.c.seat_id, seat), (_cards.c.kind, kind))
            if value is not None
        ]
        await self._c.execute(
            update(_cards)
            .where(*where, _cards.c.used_at.is_(None), _cards.c.revoked_at.is_(None))
            .values(revoked_at=at)
        )

    async def cards(self, hearing: int, office: int) -> tuple[Any, ...]:
        """Rows of a hearing's cards, newest first."""
        rows = await self._c.execute(
            select(_cards)
            .where(_cards.c.hearing_id == hearing, _cards.c.office_id == office)
            .order_by(_cards.c.id.desc())
        )
        return tuple(rows)

    async def takeover(self, secret: str) -> Any | None:
        """A spare tablet's request by the hash of its secret, with its hearing's slug and its seat's
        number."""
        statement = (
            select(_takeovers, _hearings.c.slug, _seats.c.number)
            .join(_hearings, _hearings.c.id == _takeovers.c.hearing_id)
            .join(_seats, _seats.c.id == _takeovers.c.seat_id)
            .where(_takeovers.c.secret == secret)
        )
        return (await self._c.execute(statement)).one_or_none()

    async def takeover_is(self, id_: int, status: str) -> None:
        """What became of the request."""
        await self._c.execute(
            update(_takeovers).where(_takeovers.c.id == id_).values(status=status)
        )

    async def end_takeovers(self, seat: int) -> None:
        """No earlier request of the seat leads to it any more: another tablet was given it."""
        ended = _takeovers.c.seat_id == seat, _takeovers.c.status.in_(("open", "granted", "used"))
        await self._c.execute(update(_takeovers).where(*ended).values(status="past"))

    async def lock_seat(self, id_: int) -> None:
        """Who else is about to do something about this seat waits."""
        await self._c.execute(locked(select(_seats.c.id).where(_seats.c.id == id_)))

    async def seats_of(self, hearing: int, office: int) -> Sequence[Any]:
        """Rows of a hearing's seats by number."""
        rows = await self._c.execute(
            select(_seats)
            .where(_seats.c.hearing_id == hearing, _seats.c.office_id == office)
            .order_by(_seats.c.number)
        )
        return tuple(rows)

    # ── audit, secrets ──

    async def note(
        self, at: int, actor: str, act: str, office: int | None = None, **detail: Any
    ) -> None:
        """One line of the audit: what happened outside any run."""
        await self._c.execute(
            insert(_audit).values(office_id=office, at=at, actor=actor, act=act, detail=detail)
        )

    async def fingerprint(self) -> str | None:
        """That of the secret in use: the one that was written down last."""
        last = select(_fingerprints.c.fingerprint).order_by(_fingerprints.c.created_at.desc())
        return (await self._c.execute(last.limit(1))).scalar()

    async def keep_fingerprint(self, kid: str, fingerprint: str, at: int) -> None:
        """The first process writes down which secret is in use."""
        await upsert(
            self._c, SecretFingerprint, {"kid": kid}, fingerprint=fingerprint, created_at=at
        )
