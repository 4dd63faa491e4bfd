"""Topics: an office's scheme, what people chose for each question, and what was learned from it."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("questions", sa.Column("topic", sa.String(), nullable=True))
    op.add_column("questions", sa.Column("topic_at", sa.BigInteger(), nullable=True))
    op.create_index(
        "questions_labelled",
        "questions",
        ["office_id", "topic_at"],
        sqlite_where=sa.text("topic IS NOT NULL"),
        postgresql_where=sa.text("topic IS NOT NULL"),
    )
    op.create_index("questions_by_topic", "questions", ["run_id", "topic"])
    op.create_table(
        "topic_schemes",
        sa.Column("office_id", sa.Integer(), sa.ForeignKey("offices.id"), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "topic_models",
        sa.Column("office_id", sa.Integer(), sa.ForeignKey("offices.id"), primary_key=True),
        sa.Column("trained_at", sa.BigInteger(), nullable=False),
        sa.Column("scheme", sa.Integer(), nullable=False),
        sa.Column("labels", sa.Integer(), nullable=False),
        sa.Column("model", sa.LargeBinary(), nullable=False),
    )
