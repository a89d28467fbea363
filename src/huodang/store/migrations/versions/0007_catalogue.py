"""Catalogue versions, demands, corrections and disputes."""

revision = "0007_catalogue"
down_revision = "0006_web"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""


def downgrade() -> None:
    """Take them away."""
