"""Calls about many subjects."""

revision = "0010_calls"
down_revision = "0009_events"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""


def downgrade() -> None:
    """Take them away."""
