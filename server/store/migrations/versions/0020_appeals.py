"""Appeals: what came of each and why, and an index that finds those that wait."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("questions", sa.Column("appeal_outcome", sa.String(), nullable=True))
    op.add_column("questions", sa.Column("appeal_note", sa.Text(), nullable=True))
    # A rejection that was taken back before outcomes were kept had granted the appeal.
    op.execute(
        "UPDATE questions SET appeal_outcome = 'granted'"
        " WHERE appeal IS NOT NULL AND status <> 'rejected'"
    )
    op.create_index(
        "questions_appealed",
        "questions",
        ["run_id"],
        sqlite_where=sa.text("appeal IS NOT NULL"),
        postgresql_where=sa.text("appeal IS NOT NULL"),
    )
