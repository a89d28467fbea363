"""Matches without handing over."""

revision = "0011_matching"
down_revision = "0010_calls"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""


def downgrade() -> None:
    """Take them away."""
