"""Accounts and sessions: no tables yet."""

revision = "0006_web"
down_revision = "0005_retirement"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""


def downgrade() -> None:
    """Take the tables away again."""
