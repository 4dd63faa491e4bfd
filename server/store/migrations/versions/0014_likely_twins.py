"""The index by which likely twins of a question are found. Questions that are there already come into
it by themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "questions",
        sa.Column("indexed", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_index("questions_to_index", "questions", ["indexed", "run_id"])
    op.create_table(
        "match_keys",
        sa.Column("hearing_id", sa.Integer(), sa.ForeignKey("hearings.id"), primary_key=True),
        sa.Column("key", sa.BigInteger(), primary_key=True),
        sa.Column("question_id", sa.Integer(), sa.ForeignKey("questions.id"), primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "match_counts",
        sa.Column("hearing_id", sa.Integer(), sa.ForeignKey("hearings.id"), primary_key=True),
        sa.Column("key", sa.BigInteger(), primary_key=True),
        sa.Column("n", sa.Integer(), nullable=False),
        sqlite_with_rowid=False,
    )
