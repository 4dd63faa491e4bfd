"""Every table. Each row of a hearing carries its office (law 16) and, where it is of one run,
its run: a rehearsal has rows of its own and nothing of it can appear in the real run.

Times are milliseconds since 1970 (UTC) in 64-bit integers. JSON columns hold small documents that
are read and written whole. Migrations in `migrations/` create what stands here; a test compares.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, LargeBinary, Text, UniqueConstraint, false
from sqlmodel import Field, SQLModel


def _big(**options: Any) -> Any:
    return Field(sa_type=BigInteger, **options)


def _json(**options: Any) -> Any:
    return Field(sa_type=JSON, **options)


def _text(**options: Any) -> Any:
    return Field(sa_type=Text, **options)


# ── Offices and people ────────────────────────────────────────────────────────────────────────


class Office(SQLModel, table=True):
    """A node of the office tree; `path` is `/1/4/`, so a subtree is a prefix."""

    __tablename__ = "offices"
    id: int | None = Field(default=None, primary_key=True)
    parent_id: int | None = Field(default=None, foreign_key="offices.id")
    path: str = Field(index=True, default="")
    name: str
    level: str = "county"
    created_at: int = _big()


class Account(SQLModel, table=True):
    __tablename__ = "accounts"
    id: int | None = Field(default=None, primary_key=True)
    office_id: int = Field(foreign_key="offices.id", index=True)
    login: str = Field(unique=True)
    name: str
    password_hash: str = ""
    disabled: bool = False
    created_at: int = _big()


class GrantRow(SQLModel, table=True):
    """A role for an office, its subtree, or one hearing; revoked, never deleted."""

    __tablename__ = "grants"
    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="accounts.id", index=True)
    role: str
    office_id: int = Field(foreign_key="offices.id", index=True)
    subtree: bool = False
    hearing_id: int | None = Field(default=None, foreign_key="hearings.id")
    granted_by: str = ""
    created_at: int = _big()
    revoked_at: int | None = _big(default=None)


class SessionRow(SQLModel, table=True):
    """A signed-in browser; only the hash of its secret is kept. It belongs to an account, or to a
    seat or a device (`seat_id`, `role`) that joined by a card."""

    __tablename__ = "sessions"
    id: str = Field(primary_key=True)
    office_id: int = Field(foreign_key="offices.id", index=True)
    account_id: int | None = Field(default=None, foreign_key="accounts.id", index=True)
    hearing_id: int | None = Field(default=None, foreign_key="hearings.id")
    seat_id: int | None = Field(default=None, foreign_key="seats.id")
    role: str = ""
    label: str = ""
    created_at: int = _big()
    seen_at: int = _big()
    expires_at: int = _big()
    revoked_at: int | None = _big(default=None)


class Card(SQLModel, table=True):
    """A one-time join card (`kind` join), a code for shared tablets (kiosk), or the set-up link of the
    first administrator (setup)."""

    __tablename__ = "cards"
    id: int | None = Field(default=None, primary_key=True)
    hash: str = Field(unique=True)
    kind: str = "join"
    office_id: int | None = Field(default=None, foreign_key="offices.id", index=True)
    hearing_id: int | None = Field(default=None, foreign_key="hearings.id", index=True)
    seat_id: int | None = Field(default=None, foreign_key="seats.id")
    role: str = ""
    label: str = ""
    created_by: str = ""
    created_at: int = _big()
    expires_at: int = _big()
    used_at: int | None = _big(default=None)
    revoked_at: int | None = _big(default=None)


class ApiToken(SQLModel, table=True):
    __tablename__ = "api_tokens"
    id: int | None = Field(default=None, primary_key=True)
    hash: str = Field(unique=True)
    name: str
    office_id: int = Field(foreign_key="offices.id", index=True)
    account_id: int | None = Field(default=None, foreign_key="accounts.id")
    hearing_id: int | None = Field(default=None, foreign_key="hearings.id")
    seat_id: int | None = Field(default=None, foreign_key="seats.id")
    role: str = ""
    created_by: str = ""
    created_at: int = _big()
    revoked_at: int | None = _big(default=None)


class SecretFingerprint(SQLModel, table=True):
    """Which secret signs viewer tokens and seals originals: a process with another one refuses to
    start."""

    __tablename__ = "secret_fingerprints"
    kid: str = Field(primary_key=True)
    fingerprint: str
    created_at: int = _big()


class AuditRow(SQLModel, table=True):
    """Acts outside any run: accounts, grants, cards, sign-ins, set-up."""

    __tablename__ = "audit"
    id: int | None = Field(default=None, primary_key=True)
    office_id: int | None = Field(default=None, foreign_key="offices.id", index=True)
    at: int = _big()
    actor: str
    act: str
    detail: dict[str, Any] = _json(default_factory=dict)


# ── Hearings and runs ─────────────────────────────────────────────────────────────────────────


class HearingRow(SQLModel, table=True):
    """A hearing and its show. `run_id` is the run that `/h/SLUG` shows."""

    __tablename__ = "hearings"
    id: int | None = Field(default=None, primary_key=True)
    office_id: int = Field(foreign_key="offices.id", index=True)
    slug: str = Field(unique=True)
    title: str
    note: str = _text(default="")
    stream_url: str | None = None
    run_id: int | None = None
    signers: list[str] = _json(default_factory=list)
    publishers: list[str] = _json(default_factory=list)
    publication: str = "internal"
    show: dict[str, Any] = _json(default_factory=dict)
    created_at: int = _big()


class Run(SQLModel, table=True):
    """One run of a show: `preparation`, `rehearsal` or `real`, with its status and epoch."""

    __tablename__ = "runs"
    id: int | None = Field(default=None, primary_key=True)
    office_id: int = Field(foreign_key="offices.id", index=True)
    hearing_id: int = Field(foreign_key="hearings.id", index=True)
    kind: str
    epoch: str
    status: str
    version: int = 0
    created_at: int = _big()


class Head(SQLModel, table=True):
    """The run's head row: the last number of the journal and of each room. Locked last of all."""

    __tablename__ = "heads"
    run_id: int = Field(primary_key=True, foreign_key="runs.id")
    seq: int = 0
    hash: str = "0" * 64
    v_public: int = 0
    v_panel: int = 0
    v_desk: int = 0
    v_host: int = 0
    v_card: int = 0
    v_stage: int = 0
    v_overlay: int = 0
    v_podium: int = 0


class JournalRow(SQLModel, table=True):
    __tablename__ = "journal"
    run_id: int = Field(primary_key=True, foreign_key="runs.id")
    seq: int = Field(primary_key=True)
    at: int = _big()
    event: str
    actor: str
    role: str
    body: dict[str, Any] = _json(default_factory=dict)
    rooms: dict[str, int] = _json(default_factory=dict)
    public: dict[str, Any] | None = _json(default=None)
    prev: str
    hash: str


class SubjectRow(SQLModel, table=True):
    """A subject of the hearing, in the office's order (`ordinal`)."""

    __tablename__ = "subjects"
    id: int | None = Field(default=None, primary_key=True)
    office_id: int = Field(foreign_key="offices.id", index=True)
    hearing_id: int = Field(foreign_key="hearings.id", index=True)
    key: str
    name: str
    post: str = ""
    unit: str
    ordinal: int
    __table_args__ = (UniqueConstraint("hearing_id", "key"),)


class GroupRow(SQLModel, table=True):
    __tablename__ = "groups"
    id: int | None = Field(default=None, primary_key=True)
    office_id: int = Field(foreign_key="offices.id", index=True)
    hearing_id: int = Field(foreign_key="hearings.id", index=True)
    key: str
    name: str
    weight: str
    ordinal: int
    __table_args__ = (UniqueConstraint("hearing_id", "key"),)


class SeatRow(SQLModel, table=True):
    """A panel seat; it belongs to the hearing, so pairings survive a rehearsal."""

    __tablename__ = "seats"
    id: int | None = Field(default=None, primary_key=True)
    office_id: int = Field(foreign_key="offices.id", index=True)
    hearing_id: int = Field(foreign_key="hearings.id", index=True)
    number: int
    name: str
    group_key: str
    unit: str = ""
    __table_args__ = (UniqueConstraint("hearing_id", "number"),)


class PresenceRow(SQLModel, table=True):
    __tablename__ = "presence"
    run_id: int = Field(primary_key=True, foreign_key="runs.id")
    seat_id: int = Field(primary_key=True, foreign_key="seats.id")
    office_id: int = Field(foreign_key="offices.id")
    at: int = _big()


class ItemRow(SQLModel, table=True):
    """An agenda item of a run; `key` is its public id, the same in every run of the show."""

    __tablename__ = "items"
    id: int | None = Field(default=None, primary_key=True)
    office_id: int = Field(foreign_key="offices.id", index=True)
    hearing_id: int = Field(foreign_key="hearings.id")
    run_id: int = Field(foreign_key="runs.id", index=True)
    key: str
    title: str
    subject: str | None = None
    steps: list[dict[str, Any]] = _json(default_factory=list)
    ordinal: int
    status: str = "coming"
    deputy: str = ""
    __table_args__ = (UniqueConstraint("run_id", "key"),)


class PositionRow(SQLModel, table=True):
    __tablename__ = "positions"
    run_id: int = Field(primary_key=True, foreign_key="runs.id")
    office_id: int = Field(foreign_key="offices.id")
    item: str
    step: str
    version: int
    started_at: int = _big()
    ends_at: int | None = _big(default=None)
    remaining: int | None = _big(default=None)


class LeaseRow(SQLModel, table=True):
    __tablename__ = "leases"
    run_id: int = Field(primary_key=True, foreign_key="runs.id")
    kind: str = Field(primary_key=True)
    office_id: int = Field(foreign_key="offices.id")
    session: str
    name: str
    at: int = _big()


class NoticeRow(SQLModel, table=True):
    __tablename__ = "notices"
    id: int | None = Field(default=None, primary_key=True)
    office_id: int = Field(foreign_key="offices.id")
    run_id: int = Field(foreign_key="runs.id", index=True)
    text: str
    at: int = _big()
    seen_at: int | None = _big(default=None)


class ScreensRow(SQLModel, table=True):
    __tablename__ = "screens"
    run_id: int = Field(primary_key=True, foreign_key="runs.id")
    office_id: int = Field(foreign_key="offices.id")
    cleared: bool = False
    round_id: str | None = None


# ── Questions ─────────────────────────────────────────────────────────────────────────────────


class QuestionRow(SQLModel, table=True):
    """A question of a run. `text` is masked; the original lies in `sealed_originals`."""

    __tablename__ = "questions"
    id: int | None = Field(default=None, primary_key=True)
    office_id: int = Field(foreign_key="offices.id", index=True)
    hearing_id: int = Field(foreign_key="hearings.id", index=True)
    run_id: int = Field(foreign_key="runs.id")
    code: str = Field(index=True)
    secret_hash: str = ""
    status: str
    before_merge: str | None = None
    merged_into: str | None = None
    text: str = _text()
    first_text: str = _text(default="")
    title: str = ""
    source: str
    source_key: str = ""
    external_id: str = ""
    subject: str | None = None
    tags: list[str] = _json(default_factory=list)
    flags: list[str] = _json(default_factory=list)
    fields: dict[str, Any] = _json(default_factory=dict)
    support: int = 0
    likes: int = 0
    askers: int = 1
    carried_askers: int = 0
    carried_likes: int = 0
    asker: str = ""
    reason: str | None = None
    reply: str | None = _text(default=None)
    rating: str | None = None
    appeal: str | None = _text(default=None)
    off_cuff: bool = False
    version: int = 1
    created_at: int = _big()
    approved_at: int | None = _big(default=None)
    answered_at: int | None = _big(default=None)
    __table_args__ = (
        UniqueConstraint("run_id", "code"),
        Index("questions_by_state", "run_id", "status", "id"),
        Index("questions_by_source", "run_id", "source_key", "external_id"),
    )


class QuestionTextRow(SQLModel, table=True):
    """Every wording that a question ever had, oldest first: nothing is edited away (law 12)."""

    __tablename__ = "question_texts"
    id: int | None = Field(default=None, primary_key=True)
    office_id: int = Field(foreign_key="offices.id")
    question_id: int = Field(foreign_key="questions.id", index=True)
    version: int
    text: str = _text()
    actor: str
    at: int = _big()


class SealedOriginal(SQLModel, table=True):
    """What masking took away of the wording of this version, in a secret box; opened only by an
    unmasking that is logged."""

    __tablename__ = "sealed_originals"
    question_id: int = Field(primary_key=True, foreign_key="questions.id")
    version: int = Field(default=1, primary_key=True)
    office_id: int = Field(foreign_key="offices.id")
    box: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class ImportRow(SQLModel, table=True):
    """One import of a file: counts and who; the mapping used is kept for the source."""

    __tablename__ = "imports"
    id: int | None = Field(default=None, primary_key=True)
    office_id: int = Field(foreign_key="offices.id", index=True)
    hearing_id: int = Field(foreign_key="hearings.id", index=True)
    source_key: str
    file_name: str
    mapping: dict[str, Any] = _json(default_factory=dict)
    counts: dict[str, int] = _json(default_factory=dict)
    actor: str
    at: int = _big()


class QueueRow(SQLModel, table=True):
    """The queue of a run as one row: its order is what moderators edit, under one version."""

    __tablename__ = "queues"
    run_id: int = Field(primary_key=True, foreign_key="runs.id")
    office_id: int = Field(foreign_key="offices.id")
    version: int = 0
    ids: list[int] = _json(default_factory=list)
    given: dict[str, int] = _json(default_factory=dict)


class StageRow(SQLModel, table=True):
    """The question on stage in a run; no row or `question_id` null = nothing on stage."""

    __tablename__ = "stages"
    run_id: int = Field(primary_key=True, foreign_key="runs.id")
    office_id: int = Field(foreign_key="offices.id")
    question_id: int | None = Field(default=None, foreign_key="questions.id")
    asker: str = ""
    seat: int | None = None
    phase: str = "asking"
    taken_at: int = _big(default=0)


class FloorRow(SQLModel, table=True):
    """A panelist's request to ask or to follow up."""

    __tablename__ = "floor_requests"
    id: int | None = Field(default=None, primary_key=True)
    office_id: int = Field(foreign_key="offices.id")
    run_id: int = Field(foreign_key="runs.id", index=True)
    seat_id: int = Field(foreign_key="seats.id")
    kind: str
    text: str = _text(default="")
    status: str = "open"
    at: int = _big()


class TakeoverRow(SQLModel, table=True):
    """A spare tablet that asks for a seat. Only the hash of its secret is kept; `check` stands on it and
    on the console."""

    __tablename__ = "takeovers"
    id: int | None = Field(default=None, primary_key=True)
    office_id: int = Field(foreign_key="offices.id")
    hearing_id: int = Field(foreign_key="hearings.id")
    run_id: int = Field(foreign_key="runs.id", index=True)
    seat_id: int = Field(foreign_key="seats.id")
    check: str
    secret: str = Field(index=True)
    status: str = "open"
    at: int = _big()
    decided_at: int | None = _big(default=None)


class SupportRow(SQLModel, table=True):
    """同问: one row for each viewer and question; `on` is whether it stands now."""

    __tablename__ = "supports"
    question_id: int = Field(primary_key=True, foreign_key="questions.id")
    viewer: str = Field(primary_key=True)
    office_id: int = Field(foreign_key="offices.id")
    on: bool = True
    at: int = _big()


# ── Rounds and ballots ────────────────────────────────────────────────────────────────────────


class RoundRow(SQLModel, table=True):
    __tablename__ = "rounds"
    id: str = Field(primary_key=True)
    office_id: int = Field(foreign_key="offices.id", index=True)
    hearing_id: int = Field(foreign_key="hearings.id", index=True)
    run_id: int = Field(foreign_key="runs.id", index=True)
    ordinal: int
    title: str
    audience: str
    secrecy: str = "named"
    replacing: str = "last"
    comments: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    reason_below: str | None = None
    unsent: str = Field(default="discard", sa_column_kwargs={"server_default": "discard"})
    subjects: list[str] = _json(default_factory=list)
    item: str | None = None
    choices: list[list[str]] = _json(default_factory=list)
    rules: dict[str, Any] | None = _json(default=None)
    rules_hash: str | None = None
    rules_given: dict[str, Any] | None = _json(default=None)
    labels: dict[str, str] = _json(default_factory=dict)
    show_live: bool = False
    signers: list[str] = _json(default_factory=list)
    publishers: list[str] = _json(default_factory=list)
    status: str = "ready"
    version: int = 1
    entitled: list[list[Any]] = _json(default_factory=list)
    cast: int = 0
    opened_at: int | None = _big(default=None)
    closes_at: int | None = _big(default=None)
    closed_at: int | None = _big(default=None)
    result: dict[str, Any] | None = _json(default=None)
    tally_refused: dict[str, str] | None = Field(
        default=None, sa_column=Column(JSON(none_as_null=True))
    )
    signed: list[str] = _json(default_factory=list)
    published_to: list[str] = _json(default_factory=list)
    reveal: int = 0
    void_reason: str | None = None
    about: str | None = None
    replaces: str | None = None
    seal: str | None = None
    """A secret round's since its opening: the public half of its seal (`identity/seals.py`)."""
    seal_destroyed_at: int | None = _big(default=None)
    root: str | None = None
    overrides: dict[str, Any] | None = Field(
        default=None, sa_column=Column(JSON(none_as_null=True))
    )
    contest_until: int | None = _big(default=None)
    correction: dict[str, Any] | None = Field(
        default=None, sa_column=Column(JSON(none_as_null=True))
    )


class BallotRow(SQLModel, table=True):
    """A named panel ballot: one row a seat, the last valid one. It is no entry of the journal: the
    round's closing is, with their number, and its tally, with their hash."""

    __tablename__ = "ballots"
    round_id: str = Field(primary_key=True, foreign_key="rounds.id")
    seat_id: int = Field(primary_key=True, foreign_key="seats.id")
    office_id: int = Field(foreign_key="offices.id")
    marks: dict[str, Any] = _json(default_factory=dict)
    recused: list[str] = _json(default_factory=list)
    comments: dict[str, str] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    key: str
    receipt: str
    at: int = _big()
    replacements: int = 0


class CommentRow(SQLModel, table=True):
    """A text of a closed round about one subject (意见建议). In a secret round `seat` is empty, and `id` is
    as random as a mark's; SQLite keeps the rows by `id`."""

    __tablename__ = "comments"
    round_id: str = Field(primary_key=True, foreign_key="rounds.id")
    id: str = Field(primary_key=True)
    office_id: int = Field(foreign_key="offices.id")
    subject: str
    text: str = _text()
    seat: int | None = None
    status: str = "waiting"
    decided_by: str = ""
    decided_at: int | None = _big(default=None)
    __table_args__ = {"sqlite_with_rowid": False}


class TurnoutRow(SQLModel, table=True):
    """That a seat has cast in a secret round, with the receipt of its latest ballot; stays after the
    closing. `owner` is whose first answers to keys are those of this seat's ballots."""

    __tablename__ = "turnout"
    round_id: str = Field(primary_key=True, foreign_key="rounds.id")
    seat_id: int = Field(primary_key=True, foreign_key="seats.id")
    office_id: int = Field(foreign_key="offices.id")
    owner: str
    receipt: str
    at: int = _big()
    replacements: int = 0


class SealedBallotRow(SQLModel, table=True):
    """A seat's ballot in a secret round that is open: a box which only the round's seal opens. Gone
    after the closing."""

    __tablename__ = "sealed_ballots"
    round_id: str = Field(primary_key=True, foreign_key="rounds.id")
    seat_id: int = Field(primary_key=True, foreign_key="seats.id")
    office_id: int = Field(foreign_key="offices.id")
    box: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class SecretMarkRow(SQLModel, table=True):
    """One value of a secret round that has closed. `id` and `rater` are random and say nothing of seat,
    time or receipt; SQLite keeps the rows by `id`, with no row number that would tell their order."""

    __tablename__ = "secret_marks"
    round_id: str = Field(primary_key=True, foreign_key="rounds.id")
    id: str = Field(primary_key=True)
    office_id: int = Field(foreign_key="offices.id")
    rater: str
    group: str
    subject: str
    dimension: str
    value: str
    __table_args__ = {"sqlite_with_rowid": False}


class DraftRow(SQLModel, table=True):
    """That a seat has begun its sheet (填写中): the fact, never a mark."""

    __tablename__ = "drafts"
    round_id: str = Field(primary_key=True, foreign_key="rounds.id")
    seat_id: int = Field(primary_key=True, foreign_key="seats.id")
    office_id: int = Field(foreign_key="offices.id")
    at: int = _big()


class VoteRow(SQLModel, table=True):
    """A public vote, append-only: a viewer's vote in a round is the last row. Pseudonymous. That no
    key counts twice is held by PostgreSQL's unique index, and in SQLite's one process by
    `votes.Books`: both indexes that it has there grow at their end."""

    __tablename__ = "votes"
    id: int | None = Field(default=None, primary_key=True)
    hearing_id: int = Field(index=True)
    """The round's; which it is looked up with. (No foreign key: the round has it.)"""
    round_id: str = Field(foreign_key="rounds.id", index=True)
    viewer: str
    key: str
    choice: str
    at: int = _big()
    __table_args__ = (
        Index("votes_by_viewer", "hearing_id", "viewer", "key", unique=True).ddl_if(
            dialect="postgresql"
        ),
    )


class CountRow(SQLModel, table=True):
    """Running count of a public round by choice, changed by deltas in the votes' transaction."""

    __tablename__ = "vote_counts"
    round_id: str = Field(primary_key=True, foreign_key="rounds.id")
    choice: str = Field(primary_key=True)
    n: int = 0


class PaperSeatRow(SQLModel, table=True):
    """A seat that votes on paper in this round: its tablet does not."""

    __tablename__ = "paper_seats"
    round_id: str = Field(primary_key=True, foreign_key="rounds.id")
    seat_id: int = Field(primary_key=True, foreign_key="seats.id")
    office_id: int = Field(foreign_key="offices.id")
    at: int = _big()


class PaperEntryRow(SQLModel, table=True):
    """A paper form as one person keyed it in. `cells` are its values by "subject dimension"; in a secret
    round their MACs."""

    __tablename__ = "paper_entries"
    round_id: str = Field(primary_key=True, foreign_key="rounds.id")
    form: int = Field(primary_key=True)
    by: str = Field(primary_key=True)
    office_id: int = Field(foreign_key="offices.id")
    name: str
    at: int = _big()
    cells: dict[str, str] = _json(default_factory=dict)
    counted: bool = False


class BundleRow(SQLModel, table=True):
    """A certified round's bundle as it was made: both editions as zips. The root is the round's."""

    __tablename__ = "bundles"
    round_id: str = Field(primary_key=True, foreign_key="rounds.id")
    office_id: int = Field(foreign_key="offices.id")
    public: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    at: int = _big()


class ContestRow(SQLModel, table=True):
    """复核: a published result contested, and what was decided."""

    __tablename__ = "contests"
    id: int | None = Field(default=None, primary_key=True)
    office_id: int = Field(foreign_key="offices.id")
    hearing_id: int = Field(foreign_key="hearings.id")
    run_id: int = Field(foreign_key="runs.id", index=True)
    round_id: str = Field(foreign_key="rounds.id")
    at: int = _big()
    by: str
    name: str
    role: str
    grounds: str = _text()
    status: str = "open"
    decided_at: int | None = _big(default=None)
    decided_by: str = ""
    decided_as: str = ""
    reason: str = _text(default="")
    correction: str | None = None


class ContestFileRow(SQLModel, table=True):
    """A file handed in with a contest."""

    __tablename__ = "contest_files"
    contest_id: int = Field(primary_key=True, foreign_key="contests.id")
    number: int = Field(primary_key=True)
    office_id: int = Field(foreign_key="offices.id")
    name: str
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class AnswerRow(SQLModel, table=True):
    """The first answer to an idempotency key of (person or viewer, hearing)."""

    __tablename__ = "answers"
    owner: str = Field(primary_key=True)
    hearing_id: int = Field(primary_key=True, foreign_key="hearings.id")
    key: str = Field(primary_key=True)
    body_hash: str
    status: int
    answer: dict[str, Any] = _json(default_factory=dict)
    at: int = _big()


# ── What floods ───────────────────────────────────────────────────────────────────────────────


class LikesRow(SQLModel, table=True):
    __tablename__ = "likes"
    process: str = Field(primary_key=True)
    run_id: int = Field(primary_key=True, foreign_key="runs.id")
    n: int = 0


class ViewersRow(SQLModel, table=True):
    """Live connections of one process; a row without a beat for ten seconds counts as none."""

    __tablename__ = "viewers"
    process: str = Field(primary_key=True)
    run_id: int = Field(primary_key=True, foreign_key="runs.id")
    n: int = 0
    beat: int = _big()
    load: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """The step of `live/ladder.py` on which the process stands."""
