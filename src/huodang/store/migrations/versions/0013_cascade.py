"""Hubs above and below."""

revision = "0013_cascade"
down_revision = "0012_files"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""


def downgrade() -> None:
    """Take them away."""
