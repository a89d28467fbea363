"""Supervision: payees, lag, what the events missed."""

revision = "0017_watch"
down_revision = "0016_timeline"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""


def downgrade() -> None:
    """Take them away."""
