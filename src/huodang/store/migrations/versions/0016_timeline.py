"""Supervision: facts with two clocks, recoveries, certifications."""

revision = "0016_timeline"
down_revision = "0015_clues"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""


def downgrade() -> None:
    """Take them away."""
