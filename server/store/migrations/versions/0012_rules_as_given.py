"""A round's rules before its opening added the counts of the hall: what a round held again goes by."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rounds", sa.Column("rules_given", sa.JSON(), nullable=True))
