"""A process says on which step of the ladder it stands."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("viewers", sa.Column("load", sa.Integer(), nullable=False, server_default="0"))
