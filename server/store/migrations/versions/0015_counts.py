"""How many questions came from each channel is read off an index: every reading of a hearing needs it."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("questions_by_channel", "questions", ["run_id", "source"])
