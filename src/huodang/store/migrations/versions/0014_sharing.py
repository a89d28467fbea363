"""Sharing: demands, corrections, notices, revocations, signed acts."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0014_sharing"
down_revision = "0013_cascade"
branch_labels = None
depends_on = None


def _number() -> sa.Column[int]:
    return sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _string(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _integer(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _boolean(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False)


def _standing() -> list[sa.Column[Any]]:
    return [
        _string("state", 24),
        _integer("sequence"),
        sa.Column("step_since", sa.Date, nullable=False),
        sa.Column("due_on", sa.Date),
        _boolean("due_provisional"),
        _integer("days_used"),
        _string("stopped_state", 24),
        _boolean("overdue"),
    ]


def _create_history(name: str) -> None:
    key, table = f"{name}_id", f"exchange_{name}_history"
    op.create_table(
        table,
        _number(),
        _string(key, 128),
        _integer("sequence"),
        _instant("at"),
        _string("from_state", 24),
        _string("event", 24),
        _string("to_state", 24),
        _string("by", 128),
        _string("role", 64),
        _string("department", 64),
        _string("policy", 256),
        _text("note"),
        _text("law"),
        _string("entry_id", 32),
        sa.PrimaryKeyConstraint("number", name=f"pk_{table}"),
        sa.ForeignKeyConstraint([key], [f"exchange_{name}.{key}"], name=f"fk_{table}_matter"),
        sa.UniqueConstraint(key, "sequence", name=f"uq_{table}_{key}_sequence"),
    )


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "exchange_demand",
        _string("demand_id", 128),
        _string("consumer", 64),
        _string("provider", 64),
        _string("resource", 129),
        _text("terms"),
        _string("digest", 64),
        _string("agreement_id", 128),
        _integer("agreement_version"),
        _text("draft"),
        _string("decided", 128),
        _instant("raised_at"),
        *_standing(),
        sa.PrimaryKeyConstraint("demand_id", name="pk_exchange_demand"),
    )
    for column in ("consumer", "provider", "digest", "agreement_id"):
        op.create_index(f"ix_exchange_demand_{column}", "exchange_demand", [column])
    _create_history("demand")
    op.create_table(
        "exchange_correction",
        _string("correction_id", 128),
        _string("kind", 16),
        _string("consumer", 64),
        _string("provider", 64),
        _string("resource", 129),
        _string("subject_index", 32),
        _string("element", 64),
        _text("identity"),
        _text("received"),
        _text("believed"),
        _text("corrected"),
        sa.Column("in_force_from", sa.Date),
        _string("origin", 16),
        _string("reference", 256),
        _string("evidence", 64),
        _string("decided", 128),
        _string("raised_by", 128),
        _instant("raised_at"),
        _instant("accepted_at", nullable=True),
        *_standing(),
        sa.PrimaryKeyConstraint("correction_id", name="pk_exchange_correction"),
    )
    for column in ("consumer", "provider"):
        op.create_index(f"ix_exchange_correction_{column}", "exchange_correction", [column])
    op.create_index("ix_exchange_correction_subject", "exchange_correction", ["subject_index", "resource", "element"])
    _create_history("correction")
    op.create_table(
        "exchange_correction_notice",
        _string("notice_id", 128),
        _string("correction_id", 128),
        _string("consumer", 64),
        _text("copies"),
        _text("envelope"),
        _instant("issued_at"),
        _instant("acknowledged_at", nullable=True),
        _string("acknowledged_by", 128),
        _string("entry_id", 32),
        sa.PrimaryKeyConstraint("notice_id", name="pk_exchange_correction_notice"),
        sa.ForeignKeyConstraint(
            ["correction_id"],
            ["exchange_correction.correction_id"],
            name="fk_exchange_correction_notice_correction",
        ),
    )
    for column in ("correction_id", "consumer"):
        op.create_index(f"ix_exchange_correction_notice_{column}", "exchange_correction_notice", [column])
    op.create_table(
        "exchange_revocation",
        _string("agreement_id", 128),
        _integer("version"),
        _string("signer", 64),
        _text("envelope"),
        _instant("taken_at"),
        _instant("delivered_at", nullable=True),
        sa.PrimaryKeyConstraint("agreement_id", "version", "signer", name="pk_exchange_revocation"),
    )
    op.create_table(
        "exchange_sharing_act",
        _string("digest", 64),
        _string("signer", 64),
        _string("matter", 128),
        _instant("taken_at"),
        sa.PrimaryKeyConstraint("digest", name="pk_exchange_sharing_act"),
    )


def downgrade() -> None:
    """Take them away."""
    for name in (
        "exchange_sharing_act",
        "exchange_revocation",
        "exchange_correction_notice",
        "exchange_correction_history",
        "exchange_correction",
        "exchange_demand_history",
        "exchange_demand",
    ):
        op.drop_table(name)
