"""What panelists write beside their marks, and what becomes of it."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "rounds", sa.Column("comments", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("rounds", sa.Column("reason_below", sa.String(), nullable=True))
    op.add_column("ballots", sa.Column("comments", sa.JSON(), nullable=True))
    op.create_table(
        "comments",
        sa.Column("round_id", sa.String(), sa.ForeignKey("rounds.id"), primary_key=True),
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("office_id", sa.Integer(), sa.ForeignKey("offices.id"), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("seat", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sqlite_with_rowid=False,
    )
