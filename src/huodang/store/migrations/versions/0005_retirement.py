"""The joint case: no tables yet."""

revision = "0005_retirement"
down_revision = "0004_archive"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""


def downgrade() -> None:
    """Take the tables away again."""
