"""Files taken in."""

revision = "0012_files"
down_revision = "0011_matching"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""


def downgrade() -> None:
    """Take them away."""
