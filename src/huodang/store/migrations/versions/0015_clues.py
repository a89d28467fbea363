"""Supervision: clues, payment control, notices, monthly lists."""

revision = "0015_clues"
down_revision = "0014_sharing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""


def downgrade() -> None:
    """Take them away."""
