"""Hubs above and below."""

import sqlalchemy as sa
from alembic import op

revision = "0013_cascade"
down_revision = "0012_files"
branch_labels = None
depends_on = None


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _long(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "exchange_cascade_offer",
        _text("resource", 129),
        _text("inner", 129),
        _text("state", 16),
        _instant("published_at"),
        _text("published_by", 64),
        sa.PrimaryKeyConstraint("resource", name="pk_exchange_cascade_offer"),
    )
    op.create_table(
        "exchange_cascade_entry",
        _text("resource", 129),
        _text("neighbour", 64),
        _text("origin_hub", 64),
        _text("origin_resource", 129),
        _text("path", 500),
        _text("digest", 64),
        _text("state", 16),
        _instant("changed_at"),
        sa.PrimaryKeyConstraint("resource", name="pk_exchange_cascade_entry"),
    )
    op.create_table(
        "exchange_cascade_attestation",
        _text("neighbour", 64),
        _long("envelope"),
        _instant("received_at"),
        sa.PrimaryKeyConstraint("neighbour", name="pk_exchange_cascade_attestation"),
    )
    op.create_table(
        "exchange_cascade_nonce",
        _text("nonce", 32),
        _instant("expires_at"),
        sa.PrimaryKeyConstraint("nonce", name="pk_exchange_cascade_nonce"),
    )
    op.create_index("ix_exchange_cascade_nonce_expires_at", "exchange_cascade_nonce", ["expires_at"])
    op.create_table(
        "exchange_cascade_relayed",
        _text("grant_digest", 64),
        _text("grant_id", 128),
        _text("neighbour", 64),
        _text("resource", 129),
        _text("inner_grant_id", 128),
        _text("agreement_id", 128),
        _text("purpose", 64),
        _text("path", 500),
        _instant("at"),
        _text("outcome", 64),
        _text("entry_id", 32),
        sa.PrimaryKeyConstraint("grant_digest", name="pk_exchange_cascade_relayed"),
    )
    op.create_index("ix_exchange_cascade_relayed_agreement", "exchange_cascade_relayed", ["agreement_id", "at"])
    op.create_table(
        "exchange_cascade_proof",
        _text("grant_id", 128),
        _text("neighbour", 64),
        _text("origin_hub", 64),
        _text("origin", 64),
        _text("digest", 64),
        _long("chain"),
        _instant("at"),
        _text("entry_id", 32),
        sa.PrimaryKeyConstraint("grant_id", name="pk_exchange_cascade_proof"),
    )
    op.create_table(
        "exchange_cascade_stream",
        _text("resource", 129),
        _text("consumer", 64),
        _text("epoch", 128),
        _number("last"),
        _number("taken"),
        _instant("taken_at", nullable=True),
        sa.PrimaryKeyConstraint("resource", "consumer", name="pk_exchange_cascade_stream"),
    )
    op.create_table(
        "exchange_cascade_batch",
        _text("resource", 129),
        _text("consumer", 64),
        _number("first"),
        _number("last"),
        _text("agreement_id", 128),
        _number("agreement_version"),
        _long("terms"),
        _long("envelope"),
        _long("events"),
        _instant("made_at"),
        sa.PrimaryKeyConstraint("resource", "consumer", "first", name="pk_exchange_cascade_batch"),
    )
    op.create_index("ix_exchange_cascade_batch_made_at", "exchange_cascade_batch", ["made_at"])


def downgrade() -> None:
    """Take them away."""
    for name in ("batch", "stream", "proof", "relayed", "nonce", "attestation", "entry", "offer"):
        op.drop_table(f"exchange_cascade_{name}")
