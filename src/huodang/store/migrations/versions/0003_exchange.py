"""The exchange: catalogue, agreements, grants, verdicts, failures, looks, ferry."""

import sqlalchemy as sa
from alembic import op

revision = "0003_exchange"
down_revision = "0002_ledger"
branch_labels = None
depends_on = None


def _number() -> sa.Column[int]:
    return sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)


def _instant(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "exchange_catalogue",
        _text("resource", 129),
        _text("provider", 64),
        _text("kind", 16),
        sa.Column("entry", sa.Text, nullable=False),
        _instant("updated_at"),
        sa.PrimaryKeyConstraint("resource", name="pk_exchange_catalogue"),
    )
    op.create_table(
        "exchange_agreement",
        _text("agreement_id", 128),
        sa.Column("version", sa.Integer, nullable=False),
        _text("provider", 64),
        _text("consumer", 64),
        _text("resource", 129),
        _text("state", 24),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date),
        sa.Column("envelope", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("agreement_id", "version", name="pk_exchange_agreement"),
    )
    op.create_index("ix_exchange_agreement_resource", "exchange_agreement", ["resource"])
    op.create_table(
        "exchange_agreement_history",
        _number(),
        _text("agreement_id", 128),
        sa.Column("version", sa.Integer, nullable=False),
        _instant("at"),
        _text("from_state", 24),
        _text("event", 24),
        _text("to_state", 24),
        _text("by", 64),
        _text("entry_id", 32),
        sa.PrimaryKeyConstraint("number", name="pk_exchange_agreement_history"),
        sa.ForeignKeyConstraint(
            ["agreement_id", "version"],
            ["exchange_agreement.agreement_id", "exchange_agreement.version"],
            name="fk_exchange_agreement_history_agreement",
        ),
    )
    op.create_index(
        "ix_exchange_agreement_history_agreement", "exchange_agreement_history", ["agreement_id", "version"]
    )
    op.create_table(
        "exchange_grant",
        _text("grant_id", 128),
        _text("resource", 129),
        _text("provider", 64),
        _text("agreement_id", 128),
        sa.Column("agreement_version", sa.Integer, nullable=False),
        _text("purpose", 64),
        _text("case_id", 128),
        _text("subject_index", 32),
        _text("digest", 64),
        sa.Column("envelope", sa.Text, nullable=False),
        _instant("issued_at"),
        _instant("expires_at"),
        _text("state", 16),
        _text("entry_id", 32),
        sa.PrimaryKeyConstraint("grant_id", name="pk_exchange_grant"),
    )
    op.create_index("ix_exchange_grant_case_id", "exchange_grant", ["case_id"])
    op.create_index("ix_exchange_grant_subject_index", "exchange_grant", ["subject_index"])
    op.create_table(
        "exchange_verdict",
        _text("grant_id", 128),
        _text("digest", 64),
        _text("outcome", 16),
        _text("reason", 64),
        _instant("as_of"),
        _text("evidence_hash", 64),
        sa.Column("envelope", sa.Text, nullable=False),
        _instant("recorded_at"),
        _text("entry_id", 32),
        sa.PrimaryKeyConstraint("grant_id", "digest", name="pk_exchange_verdict"),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["exchange_grant.grant_id"], name="fk_exchange_verdict_grant_id_exchange_grant"
        ),
    )
    op.create_table(
        "exchange_failure",
        _number(),
        _text("grant_id", 128),
        _instant("at"),
        _text("code", 64),
        _text("detail", 64),
        _text("received", 64),
        sa.PrimaryKeyConstraint("number", name="pk_exchange_failure"),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["exchange_grant.grant_id"], name="fk_exchange_failure_grant_id_exchange_grant"
        ),
    )
    op.create_index("ix_exchange_failure_grant_id", "exchange_failure", ["grant_id"])
    op.create_table(
        "exchange_look",
        _number(),
        _instant("at"),
        _text("user_id", 128),
        _text("user_name", 128),
        _text("role", 64),
        _text("department", 64),
        _text("purpose", 64),
        _text("case_id", 128),
        _text("subject_index", 32),
        sa.Column("elements", sa.Text, nullable=False),
        _text("policy", 256),
        _text("mask_level", 16),
        _text("what", 200),
        _text("entry_id", 32),
        sa.PrimaryKeyConstraint("number", name="pk_exchange_look"),
    )
    op.create_index("ix_exchange_look_case_id", "exchange_look", ["case_id"])
    op.create_index("ix_exchange_look_subject_index", "exchange_look", ["subject_index"])
    op.create_table(
        "exchange_ferry_seen",
        _text("envelope_id", 128),
        _text("sender", 64),
        _text("kind", 64),
        _instant("received_at"),
        sa.PrimaryKeyConstraint("envelope_id", name="pk_exchange_ferry_seen"),
    )


def downgrade() -> None:
    """Take the tables away again."""
    for table in (
        "exchange_ferry_seen",
        "exchange_look",
        "exchange_failure",
        "exchange_verdict",
        "exchange_grant",
        "exchange_agreement_history",
        "exchange_agreement",
        "exchange_catalogue",
    ):
        op.drop_table(table)
