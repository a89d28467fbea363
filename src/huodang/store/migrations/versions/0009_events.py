"""Events from the departments and who has taken them."""

revision = "0009_events"
down_revision = "0008_lots"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""


def downgrade() -> None:
    """Take them away."""
