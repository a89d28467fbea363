"""Lots, what they delivered, and what was quarantined."""

revision = "0008_lots"
down_revision = "0007_catalogue"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""


def downgrade() -> None:
    """Take them away."""
