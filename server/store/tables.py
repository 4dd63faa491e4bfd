"""Every table. Each row of a hearing carries its office (law 16) and, where it is of one run,
its run: a rehearsal has rows of its own and nothing of it can appear in the real run.

Times are milliseconds since 1970 (UTC) in 64-bit integers. JSON columns hold small documents that
are read and written whole. Migrations in `migrations/` create what stands here; a test compares.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy import (
    text as sql_text,
)
from sqlmodel import Field, SQLModel


def _big(**options: Any) -> Any:
    return Field(sa_type=BigInteger, **options)


def _json(**options: Any) -> Any:
    return Field(sa_type=JSON, **options)


def _text(**options: Any) -> Any:
    return Field(sa_type=Text, **options)


def _later(default: str = "") -> Any:
    """A word that rows made before it existed have empty."""
    return Field(default=default, sa_column_kwargs={"server_default": default})


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
    question_id: int | None = None
    __table_args__ = (Index("journal_by_question", "question_id"),)


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
    aliases: list[str] = _json(default_factory=list, sa_column_kwargs={"server_default": "[]"})
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
    topic: str | None = None
    topic_at: int | None = _big(default=None)
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
    appeal_outcome: str | None = None
    appeal_note: str | None = _text(default=None)
    off_cuff: bool = False
    indexed: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    district: str = _later()
    agency: str = _later()
    solved: str = _later()
    approved_by: str = _later()
    seconded_by: str = _later()
    proposed: str | None = None
    cluster: int | None = None
    verification: dict[str, Any] | None = _json(default=None)
    version: int = 1
    created_at: int = _big()
    approved_at: int | None = _big(default=None)
    answered_at: int | None = _big(default=None)
    __table_args__ = (
        UniqueConstraint("run_id", "code"),
        Index("questions_by_state", "run_id", "status", "id"),
        Index("questions_by_source", "run_id", "source_key", "external_id"),
        Index("questions_to_index", "indexed", "run_id", "cluster"),
        Index("questions_by_channel", "run_id", "source", "status"),
        Index(
            "questions_by_cluster",
            *("run_id", "cluster", "subject", "proposed", "status"),
            *("asker", "solved", "askers", "support"),
        ),
        Index("questions_by_heat", "run_id", "status", "askers", "support"),
        Index("questions_by_district", "run_id", "district", "status"),
        Index("questions_by_target", "run_id", "merged_into"),
        Index("questions_by_asker", "run_id", "asker"),
        Index("questions_by_topic", "run_id", "topic"),
        Index("questions_by_reason", "run_id", "status", "reason"),
        Index("questions_by_subject", "run_id", "subject", "status"),
        Index(
            "questions_labelled",
            "office_id",
            "topic_at",
            sqlite_where=sql_text("topic IS NOT NULL"),
            postgresql_where=sql_text("topic IS NOT NULL"),
        ),
        Index(
            "questions_appealed",
            "run_id",
            sqlite_where=sql_text("appeal IS NOT NULL"),
            postgresql_where=sql_text("appeal IS NOT NULL"),
        ),
    )


class ClaimRow(SQLModel, table=True):
    """Who works on a question right now."""

    __tablename__ = "claims"
    question_id: int = Field(primary_key=True, foreign_key="questions.id")
    office_id: int = Field(foreign_key="offices.id")
    hearing_id: int = Field(foreign_key="hearings.id", index=True)
    actor: str
    name: str
    at: int = _big()
    firm: bool = False


class EscalationRow(SQLModel, table=True):
    """A question that was handed to the duty person; `outcome` is empty until he has decided."""

    __tablename__ = "escalations"
    id: int | None = Field(default=None, primary_key=True)
    office_id: int = Field(foreign_key="offices.id")
    hearing_id: int = Field(foreign_key="hearings.id", index=True)
    question_id: int = Field(foreign_key="questions.id", index=True)
    kind: str
    note: str = _text(default="")
    by: str
    at: int = _big()
    seen_by: str = ""
    seen_at: int | None = _big(default=None)
    outcome: str = ""
    ended_at: int | None = _big(default=None)


class BulkActRow(SQLModel, table=True):
    """One act on many questions, with what each of them was before."""

    __tablename__ = "bulk_acts"
    id: int | None = Field(default=None, primary_key=True)
    office_id: int = Field(foreign_key="offices.id")
    run_id: int = Field(foreign_key="runs.id", index=True)
    actor: str
    act: str
    at: int = _big()
    items: list[dict[str, Any]] = _json(default_factory=list)
    undone_at: int | None = _big(default=None)


class TopicSchemeRow(SQLModel, table=True):
    """An office's scheme of topics; one that was replaced stays (law 12)."""

    __tablename__ = "topic_schemes"
    office_id: int = Field(primary_key=True, foreign_key="offices.id")
    version: int = Field(primary_key=True)
    topics: list[Any] = _json(default_factory=list)
    file_name: str = ""
    actor: str
    at: int = _big()


class TopicModelRow(SQLModel, table=True):
    """What an office's own labels taught: weights of features, no text. `scheme` is the version that
    the labels were read by, `labels` how many there were."""

    __tablename__ = "topic_models"
    office_id: int = Field(primary_key=True, foreign_key="offices.id")
    trained_at: int = _big()
    scheme: int
    labels: int
    model: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class MatchKeyRow(SQLModel, table=True):
    """The index of likely twins: which question of a hearing has which key."""

    __tablename__ = "match_keys"
    hearing_id: int = Field(primary_key=True, foreign_key="hearings.id")
    key: int = Field(primary_key=True, sa_type=BigInteger)
    question_id: int = Field(primary_key=True, foreign_key="questions.id")
    __table_args__ = ({"sqlite_with_rowid": False},)


class MatchCountRow(SQLModel, table=True):
    """How many questions of a hearing have a key; under key 0, how many there are."""

    __tablename__ = "match_counts"
    hearing_id: int = Field(primary_key=True, foreign_key="hearings.id")
    key: int = Field(primary_key=True, sa_type=BigInteger)
    n: int
    __table_args__ = ({"sqlite_with_rowid": False},)


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


class BriefRow(SQLModel, table=True):
    """What was sent to an official's office before the questions were asked, as it was then; the newest of
    a subject that was not taken back is what is read there."""

    __tablename__ = "briefs"
    id: int | None = Field(default=None, primary_key=True)
    office_id: int = Field(foreign_key="offices.id")
    run_id: int = Field(foreign_key="runs.id", index=True)
    subject: str
    lines: list[dict[str, Any]] = _json(default_factory=list)
    questions: list[int] = _json(default_factory=list)
    hash: str
    at: int = _big()
    taken_back_at: int | None = _big(default=None)


class BriefReplyRow(SQLModel, table=True):
    """What an official's office proposes to reply to a line of what it was sent."""

    __tablename__ = "brief_replies"
    brief_id: int = Field(primary_key=True, foreign_key="briefs.id")
    number: int = Field(primary_key=True)
    office_id: int = Field(foreign_key="offices.id")
    text: str = _text()
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


class SourceRow(SQLModel, table=True):
    """A source of a hearing's questions; `box` is the secret box around its keys and passwords,
    `state` is where its connector stood."""

    __tablename__ = "sources"
    id: int | None = Field(default=None, primary_key=True)
    office_id: int = Field(foreign_key="offices.id", index=True)
    hearing_id: int = Field(foreign_key="hearings.id")
    key: str
    name: str
    connector: str
    channel: str
    address: str = Field(unique=True)
    paused: bool = False
    settings: dict[str, Any] = _json(default_factory=dict)
    mapping: dict[str, Any] = _json(default_factory=dict)
    state: dict[str, Any] = _json(default_factory=dict)
    box: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    version: int = 1
    next_at: int = _big(default=0)
    last_at: int = _big(default=0)
    counts: dict[str, int] = _json(default_factory=dict)
    totals: dict[str, int] = _json(default_factory=dict)
    error: str = ""
    error_at: int = _big(default=0)
    __table_args__ = (UniqueConstraint("hearing_id", "key"),)


class IntakeMessageRow(SQLModel, table=True):
    """A message that a sender pushed: its id, the hash of what it said and what it was answered, so
    that the same message sent again gets the first answer."""

    __tablename__ = "intake_messages"
    source_id: int = Field(primary_key=True, foreign_key="sources.id")
    message_id: str = Field(primary_key=True)
    office_id: int = Field(foreign_key="offices.id")
    digest: str
    status: int
    answer: dict[str, Any] = _json(default_factory=dict)
    at: int = _big()


class QuarantineRow(SQLModel, table=True):
    """A message that could not be taken in, sealed whole, with the code of why."""

    __tablename__ = "quarantine"
    id: int | None = Field(default=None, primary_key=True)
    source_id: int = Field(foreign_key="sources.id")
    name: str
    office_id: int = Field(foreign_key="offices.id")
    reason: str
    box: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    at: int = _big()
    __table_args__ = (UniqueConstraint("source_id", "name"),)


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
