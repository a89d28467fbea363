"""Exchange: the second side of a match between two departments; demands carried between hubs."""

import sqlalchemy as sa
from alembic import op

revision = "0018_exchange_more"
down_revision = "0017_watch"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what was not kept."""
    op.add_column("exchange_match", sa.Column("other", sa.String(129), nullable=False, server_default=sa.text("''")))
    op.create_table(
        "exchange_cascade_demand",
        sa.Column("direction", sa.String(8), nullable=False),
        sa.Column("neighbour", sa.String(64), nullable=False),
        sa.Column("reference", sa.String(128), nullable=False),
        sa.Column("resource", sa.String(129), nullable=False),
        sa.Column("demand_id", sa.String(128), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("envelope", sa.Text(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True)),
        sa.Column("entry_id", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("direction", "neighbour", "reference", name="pk_exchange_cascade_demand"),
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_table("exchange_cascade_demand")
    op.drop_column("exchange_match", "other")
