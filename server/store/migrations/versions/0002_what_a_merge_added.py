"""A merged question remembers what its merge added to the other one."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("carried_askers", "carried_likes"):
        op.add_column(
            "questions", sa.Column(name, sa.Integer(), nullable=False, server_default="0")
        )
    op.execute(
        "UPDATE questions SET carried_askers = askers + support, carried_likes = likes"
        " WHERE status = 'merged'"
    )
