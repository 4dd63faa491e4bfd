"""What moderators work with: what a source says of its order, whose matter it is, groups of questions
that ask alike, who works on which, what was verified, seconded or escalated, bulk acts that can be taken
back, and the history of each question."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

WORDS = ("district", "agency", "solved", "approved_by", "seconded_by")


def upgrade() -> None:
    for name in WORDS:
        op.add_column("questions", sa.Column(name, sa.String(), nullable=False, server_default=""))
    op.add_column("questions", sa.Column("proposed", sa.String(), nullable=True))
    op.add_column("questions", sa.Column("cluster", sa.Integer(), nullable=True))
    op.add_column("questions", sa.Column("verification", sa.JSON(), nullable=True))
    op.add_column(
        "subjects", sa.Column("aliases", sa.JSON(), nullable=False, server_default="[]")
    )
    op.add_column("journal", sa.Column("question_id", sa.Integer(), nullable=True))
    postgresql = op.get_bind().dialect.name == "postgresql"
    told = "(body->>'id')" if postgresql else "json_extract(body, '$.id')"
    op.execute(
        f"UPDATE journal SET question_id = CAST({told} AS INTEGER) WHERE event LIKE 'question\\_%' ESCAPE '\\'"
    )
    field = "(fields->>'{}')" if postgresql else "json_extract(fields, '$.{}')"
    for name in ("district", "agency"):
        op.execute(f"UPDATE questions SET {name} = coalesce({field.format(name)}, '')")
    op.execute(
        f"UPDATE questions SET solved = CASE {field.format('resolved')} WHEN '解决' THEN 'solved' "
        "WHEN '已解决' THEN 'solved' WHEN '是' THEN 'solved' WHEN '部分解决' THEN 'partly' "
        "WHEN '未解决' THEN 'unsolved' WHEN '否' THEN 'unsolved' ELSE '' END"
    )
    op.drop_index("questions_by_channel", "questions")
    op.drop_index("questions_to_index", "questions")
    op.create_index("questions_to_index", "questions", ["indexed", "run_id", "cluster"])
    op.create_index("questions_by_channel", "questions", ["run_id", "source", "status"])
    op.create_index("journal_by_question", "journal", ["question_id"])
    # The groups and the list by people are read off these: of a hundred thousand wide rows none is opened.
    op.create_index(
        "questions_by_cluster",
        "questions",
        ["run_id", "cluster", "subject", "proposed", "status", "asker", "solved", "askers", "support"],
    )
    op.create_index("questions_by_heat", "questions", ["run_id", "status", "askers", "support"])
    op.create_index("questions_by_district", "questions", ["run_id", "district", "status"])
    op.create_index("questions_by_target", "questions", ["run_id", "merged_into"])
    op.create_index("questions_by_asker", "questions", ["run_id", "asker"])
    op.create_table(
        "claims",
        sa.Column("question_id", sa.Integer(), sa.ForeignKey("questions.id"), primary_key=True),
        sa.Column("office_id", sa.Integer(), sa.ForeignKey("offices.id"), nullable=False),
        sa.Column("hearing_id", sa.Integer(), sa.ForeignKey("hearings.id"), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("firm", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_claims_hearing_id", "claims", ["hearing_id"])
    op.create_table(
        "escalations",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("office_id", sa.Integer(), sa.ForeignKey("offices.id"), nullable=False),
        sa.Column("hearing_id", sa.Integer(), sa.ForeignKey("hearings.id"), nullable=False),
        sa.Column("question_id", sa.Integer(), sa.ForeignKey("questions.id"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seen_by", sa.String(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_escalations_hearing_id", "escalations", ["hearing_id"])
    op.create_index("ix_escalations_question_id", "escalations", ["question_id"])
    op.create_table(
        "bulk_acts",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("office_id", sa.Integer(), sa.ForeignKey("offices.id"), nullable=False),
        sa.Column("run_id", sa.Integer(), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("undone_at", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_bulk_acts_run_id", "bulk_acts", ["run_id"])
