"""Web: what requests that carry a key of their own were answered with."""

import sqlalchemy as sa
from alembic import op

revision = "0019_web_idempotency"
down_revision = "0018_exchange_more"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "web_idempotency",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("body_index", sa.String(32), nullable=False),
        sa.Column("token", sa.String(32), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.Text()),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_web_idempotency"),
    )
    op.create_index("ix_web_idempotency_expires_at", "web_idempotency", ["expires_at"])


def downgrade() -> None:
    """Take it away."""
    op.drop_table("web_idempotency")
