"""The catalogue's history and the codes it gave."""

import sqlalchemy as sa
from alembic import op

revision = "0007_catalogue"
down_revision = "0006_web"
branch_labels = None
depends_on = None


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "exchange_catalogue_version",
        _text("resource", 129),
        sa.Column("version", sa.Integer, nullable=False),
        _text("event", 16),
        sa.Column("entry", sa.Text, nullable=False),
        _text("by_user", 128),
        _text("by_department", 64),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        _text("digest", 64),
        _text("entry_id", 32),
        sa.PrimaryKeyConstraint("resource", "version", name="pk_exchange_catalogue_version"),
    )
    op.create_table(
        "exchange_catalogue_code",
        _text("code", 64),
        _text("resource", 129),
        sa.PrimaryKeyConstraint("code", name="pk_exchange_catalogue_code"),
    )
    op.create_index("ix_exchange_catalogue_code_resource", "exchange_catalogue_code", ["resource"])


def downgrade() -> None:
    """Take them away."""
    op.drop_index("ix_exchange_catalogue_code_resource", "exchange_catalogue_code")
    op.drop_table("exchange_catalogue_code")
    op.drop_table("exchange_catalogue_version")
