"""Secret rounds: turnout by seat, boxes while they are open, marks without a name after it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rounds", sa.Column("seal", sa.String(), nullable=True))
    op.add_column("rounds", sa.Column("seal_destroyed_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "turnout",
        *_of_a_seat(),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("receipt", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("replacements", sa.Integer(), nullable=False),
    )
    op.create_table(
        "sealed_ballots",
        *_of_a_seat(),
        sa.Column("box", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "secret_marks",
        sa.Column("round_id", sa.String(), sa.ForeignKey("rounds.id"), primary_key=True),
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("office_id", sa.Integer(), sa.ForeignKey("offices.id"), nullable=False),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("rater", "group", "subject", "dimension", "value")
        ),
        sqlite_with_rowid=False,
    )


def _of_a_seat() -> tuple[sa.Column, ...]:
    return (
        sa.Column("round_id", sa.String(), sa.ForeignKey("rounds.id"), primary_key=True),
        sa.Column("seat_id", sa.Integer(), sa.ForeignKey("seats.id"), primary_key=True),
        sa.Column("office_id", sa.Integer(), sa.ForeignKey("offices.id"), nullable=False),
    )
