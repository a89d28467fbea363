"""The ledger: pending entries, leaves, the nodes of the twin trees, checkpoints."""

import sqlalchemy as sa
from alembic import op

revision = "0002_ledger"
down_revision = "0001_store"
branch_labels = None
depends_on = None

ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "ledger_pending",
        sa.Column("position", ROW_NUMBER, primary_key=True),
        sa.Column("entry_id", sa.String(32), nullable=False),
        sa.Column("leaf", sa.Text, nullable=False),
        sa.Column("salt", sa.LargeBinary),
        sa.PrimaryKeyConstraint("position", name="pk_ledger_pending"),
        sa.UniqueConstraint("entry_id", name="uq_ledger_pending_entry_id"),
    )
    op.create_table(
        "ledger_leaf",
        sa.Column("leaf_index", ROW_NUMBER, primary_key=True, autoincrement=False),
        sa.Column("entry_id", sa.String(32), nullable=False),
        sa.Column("leaf", sa.Text, nullable=False),
        sa.Column("salt", sa.LargeBinary),
        sa.PrimaryKeyConstraint("leaf_index", name="pk_ledger_leaf"),
        sa.UniqueConstraint("entry_id", name="uq_ledger_leaf_entry_id"),
    )
    op.create_table(
        "ledger_node",
        sa.Column("number", ROW_NUMBER, primary_key=True, autoincrement=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("sm3", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_ledger_node"),
    )
    op.create_table(
        "ledger_checkpoint",
        sa.Column("tree_size", ROW_NUMBER, primary_key=True, autoincrement=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sha256_note", sa.Text, nullable=False),
        sa.Column("sm3_note", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tree_size", name="pk_ledger_checkpoint"),
    )


def downgrade() -> None:
    """Take the tables away again."""
    for table in ("ledger_checkpoint", "ledger_node", "ledger_leaf", "ledger_pending"):
        op.drop_table(table)
