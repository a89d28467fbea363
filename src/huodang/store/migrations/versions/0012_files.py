"""Files taken in."""

import sqlalchemy as sa
from alembic import op

revision = "0012_files"
down_revision = "0011_matching"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "exchange_file_delivery",
        _text("manifest_digest", 64),
        _text("department", 64),
        _text("resource", 129),
        _text("agreement_id", 128),
        sa.Column("agreement_version", sa.Integer, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        _text("content", 8),
        _text("state", 16),
        _text("folder", 255),
        _text("lot_id", 64),
        sa.Column("files", sa.Integer, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("quarantined", sa.Integer, nullable=False),
        sa.Column("missing_before", sa.Integer, nullable=False),
        _text("reason", 64),
        sa.Column("position", sa.Text, nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        _text("entry_id", 32),
        sa.PrimaryKeyConstraint("manifest_digest", name="pk_exchange_file_delivery"),
    )
    op.create_index("ix_exchange_file_delivery_agreement", "exchange_file_delivery", ["agreement_id", "sequence"])


def downgrade() -> None:
    """Take them away."""
    op.drop_table("exchange_file_delivery")


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)
