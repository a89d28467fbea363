"""The archive: no tables yet."""

revision = "0004_archive"
down_revision = "0003_exchange"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""


def downgrade() -> None:
    """Take the tables away again."""
