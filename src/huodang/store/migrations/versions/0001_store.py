"""The store: jobs as leased rows with fencing tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0001_store"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "job",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("key", sa.String(200)),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("again_at", sa.DateTime(timezone=True)),
        sa.Column("token", sa.BigInteger, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("worker", sa.String(100)),
        sa.Column("leased_until", sa.DateTime(timezone=True)),
        sa.Column("error", sa.String(100)),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
        sa.CheckConstraint("state IN ('ready', 'leased', 'dead')", name="ck_job_state"),
    )
    op.create_index("ix_job_state_kind_run_at", "job", ["state", "kind", "run_at"])
    op.create_index(
        "uq_job_live_key",
        "job",
        ["key"],
        unique=True,
        sqlite_where=sa.text("state <> 'dead'"),
        postgresql_where=sa.text("state <> 'dead'"),
    )


def downgrade() -> None:
    """Take the tables away again."""
    op.drop_table("job")
