"""Exchange: the second side of a match between two departments."""

import sqlalchemy as sa
from alembic import op

revision = "0018_exchange_more"
down_revision = "0017_watch"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what was not kept."""
    op.add_column("exchange_match", sa.Column("other", sa.String(129), nullable=False, server_default=""))


def downgrade() -> None:
    """Take it away."""
    op.drop_column("exchange_match", "other")
