"""What becomes of a whole sheet that was not sent when its round closes."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "rounds", sa.Column("unsent", sa.String(), nullable=False, server_default="discard")
    )
