"""Calls about many subjects, and answers that may be used again."""

import sqlalchemy as sa
from alembic import op

revision = "0010_calls"
down_revision = "0009_events"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _text(name: str, length: int, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _batch() -> sa.Column[int]:
    return sa.Column("batch", _NUMBER, nullable=False)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "exchange_batch",
        sa.Column("number", _NUMBER, primary_key=True),
        _text("batch_id", 128),
        _text("run", 128),
        _whole("piece"),
        _text("state", 16),
        _text("resource", 129),
        _text("provider", 64),
        _text("agreement_id", 128),
        _whole("agreement_version"),
        _whole("subjects"),
        sa.Column("grant_head", sa.Text, nullable=False),
        sa.Column("verdict_head", sa.Text),
        _text("failure", 64, nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True)),
        _text("grant_entry_id", 32),
        _text("verdict_entry_id", 32, nullable=True),
        _text("user_id", 128),
        _text("user_name", 128),
        _text("role", 64),
        _text("department", 64),
        _text("purpose", 64),
        _text("case_id", 128),
        sa.Column("elements", sa.Text, nullable=False),
        _text("policy", 256),
        _text("mask_level", 16),
        _text("entry_id", 32),
        sa.PrimaryKeyConstraint("number", name="pk_exchange_batch"),
        sa.UniqueConstraint("batch_id", name="uq_exchange_batch_batch_id"),
    )
    op.create_index("ix_exchange_batch_case_id", "exchange_batch", ["case_id"])
    op.create_index("ix_exchange_batch_run", "exchange_batch", ["run", "piece"])
    op.create_table(
        "exchange_batch_page",
        _batch(),
        _whole("page"),
        sa.Column("asked", sa.Text, nullable=False),
        sa.Column("answered", sa.Text),
        sa.PrimaryKeyConstraint("batch", "page", name="pk_exchange_batch_page"),
        sa.ForeignKeyConstraint(
            ["batch"], ["exchange_batch.number"], name="fk_exchange_batch_page_batch_exchange_batch"
        ),
    )
    op.create_table(
        "exchange_batch_subject",
        _text("subject_index", 32),
        _batch(),
        _whole("line"),
        sa.PrimaryKeyConstraint("subject_index", "batch", "line", name="pk_exchange_batch_subject"),
        sa.ForeignKeyConstraint(
            ["batch"], ["exchange_batch.number"], name="fk_exchange_batch_subject_batch_exchange_batch"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "exchange_reusable",
        _text("question_index", 32),
        _text("grant_id", 128),
        _text("resource", 129),
        _text("subject_index", 32),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("question_index", name="pk_exchange_reusable"),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["exchange_grant.grant_id"], name="fk_exchange_reusable_grant_id_exchange_grant"
        ),
    )
    op.create_index("ix_exchange_reusable_subject_index", "exchange_reusable", ["subject_index"])


def downgrade() -> None:
    """Take them away."""
    for table in ("exchange_reusable", "exchange_batch_subject", "exchange_batch_page", "exchange_batch"):
        op.drop_table(table)
