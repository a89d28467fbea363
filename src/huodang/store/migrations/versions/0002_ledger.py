"""The ledger: no tables yet."""

revision = "0002_ledger"
down_revision = "0001_store"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""


def downgrade() -> None:
    """Take the tables away again."""
