"""Light rounds say which question they are about; an author rates the answer to his question."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rounds", sa.Column("about", sa.String(), nullable=True))
    op.add_column("questions", sa.Column("rating", sa.String(), nullable=True))
