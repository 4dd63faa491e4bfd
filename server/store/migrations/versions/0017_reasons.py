"""How many questions are refused for each reason, and how many are for each official, is read off an index."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("questions_by_reason", "questions", ["run_id", "status", "reason"])
    op.create_index("questions_by_subject", "questions", ["run_id", "subject", "status"])
