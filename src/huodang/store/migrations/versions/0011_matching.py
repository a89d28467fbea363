"""Matches without handing over."""

import sqlalchemy as sa
from alembic import op

revision = "0011_matching"
down_revision = "0010_calls"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "exchange_match",
        sa.Column("match_id", sa.String(128), nullable=False),
        sa.Column("resource", sa.String(129), nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("agreement_id", sa.String(128), nullable=False),
        sa.Column("agreement_version", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(64), nullable=False),
        sa.Column("case_id", sa.String(128), nullable=False),
        sa.Column("user_id", sa.String(128), nullable=False),
        sa.Column("size_only", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("queried", sa.Integer(), nullable=False),
        sa.Column("set_mark", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("held", sa.Integer()),
        sa.Column("overlap", sa.Integer()),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("entry_id", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("match_id", name="pk_exchange_match"),
    )
    op.create_index("ix_exchange_match_resource", "exchange_match", ["resource", "asked_at"])
    op.create_table(
        "exchange_match_secret",
        sa.Column("agreement_id", sa.String(128), nullable=False),
        sa.Column("agreement_version", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("agreement_id", "agreement_version", name="pk_exchange_match_secret"),
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_table("exchange_match_secret")
    op.drop_index("ix_exchange_match_resource", "exchange_match")
    op.drop_table("exchange_match")
