"""Lots, what they delivered, and what was quarantined."""

import sqlalchemy as sa
from alembic import op

revision = "0008_lots"
down_revision = "0007_catalogue"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _make_holdings_and_lots()
    op.create_table(
        "exchange_lot_page",
        _text("lot_id", 64),
        *_numbers("number"),
        _text("digest", 64),
        *_numbers("inserted", "updated", "deleted", "unchanged"),
        sa.PrimaryKeyConstraint("lot_id", "number", name="pk_exchange_lot_page"),
        _of_lot("exchange_lot_page"),
    )
    op.create_table(
        "exchange_lot_mark",
        _text("lot_id", 64),
        _text("key_index", 32),
        sa.Column("twin", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("lot_id", "key_index", name="pk_exchange_lot_mark"),
        _of_lot("exchange_lot_mark"),
    )
    op.create_table(
        "exchange_lot_fault",
        _text("lot_id", 64),
        _text("reason", 64),
        _text("element", 64),
        _text("source_column", 200),
        *_numbers("rows"),
        sa.PrimaryKeyConstraint("lot_id", "reason", "element", "source_column", name="pk_exchange_lot_fault"),
        _of_lot("exchange_lot_fault"),
    )
    op.create_table(
        "exchange_delivered_row",
        sa.Column("holding", _BIG, nullable=False),
        _text("key_index", 32),
        *_numbers("since"),
        sa.Column("until", sa.Integer),
        _text("subject_index", 32),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("recalled_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("holding", "key_index", "since", name="pk_exchange_delivered_row"),
        sa.ForeignKeyConstraint(
            ["holding"], ["exchange_holding.number"], name="fk_exchange_delivered_row_holding_exchange_holding"
        ),
    )
    op.create_index("ix_exchange_delivered_row_subject_index", "exchange_delivered_row", ["subject_index"])
    op.create_index(
        "ix_exchange_delivered_row_ended",
        "exchange_delivered_row",
        ["holding", "until"],
        sqlite_where=sa.text("until IS NOT NULL"),
        postgresql_where=sa.text("until IS NOT NULL"),
    )


def downgrade() -> None:
    """Take them away."""
    for table in (
        "exchange_delivered_row",
        "exchange_lot_fault",
        "exchange_lot_mark",
        "exchange_lot_page",
        "exchange_lot",
        "exchange_holding",
    ):
        op.drop_table(table)


def _make_holdings_and_lots() -> None:
    op.create_table(
        "exchange_holding",
        sa.Column("number", _BIG, nullable=False),
        _text("agreement_id", 128),
        _text("resource", 129),
        _text("provider", 64),
        *_numbers("generation", "last_generation"),
        _text("open_lot", 64),
        *_numbers("rows"),
        sa.Column("buckets", sa.Text, nullable=False),
        _text("root", 64),
        _text("lot_id", 64),
        sa.Column("as_of", sa.DateTime(timezone=True)),
        sa.Column("taken_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("number", name="pk_exchange_holding"),
        sa.UniqueConstraint("agreement_id", name="uq_exchange_holding_agreement_id"),
    )
    op.create_index("ix_exchange_holding_resource", "exchange_holding", ["resource"])
    op.create_table(
        "exchange_lot",
        _text("lot_id", 64),
        sa.Column("holding", _BIG, nullable=False),
        *_numbers("generation", "agreement_version"),
        _text("mode", 8),
        _text("content", 8),
        sa.Column("replaces", sa.Text, nullable=False),
        _text("source", 200),
        _text("remote", 128),
        _text("state", 16),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("as_of", sa.DateTime(timezone=True)),
        *_numbers("rows", "inserted", "updated", "deleted", "late", "quarantined"),
        _text("root", 64),
        _text("reason", 64),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("quality", "statement", "reconciliation")),
        _text("entry_id", 32),
        sa.PrimaryKeyConstraint("lot_id", name="pk_exchange_lot"),
        sa.ForeignKeyConstraint(
            ["holding"], ["exchange_holding.number"], name="fk_exchange_lot_holding_exchange_holding"
        ),
    )
    op.create_index("ix_exchange_lot_holding", "exchange_lot", ["holding", "generation"])


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer, nullable=False) for name in names]


def _of_lot(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["lot_id"], ["exchange_lot.lot_id"], name=f"fk_{table}_lot_id_exchange_lot")
