"""The archive: volumes that were filed, and payment records."""

import sqlalchemy as sa
from alembic import op

revision = "0004_archive"
down_revision = "0003_exchange"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "archive_volume",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("archival_code", sa.String(120), nullable=False),
        sa.Column("case_id", sa.String(64), nullable=False),
        sa.Column("part", sa.Integer, nullable=False),
        sa.Column("person_index", sa.String(64), nullable=False),
        sa.Column("scheme", sa.String(8), nullable=False),
        sa.Column("series", sa.String(110), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("items", sa.Integer, nullable=False),
        sa.Column("manifest_sha256", sa.String(64), nullable=False),
        sa.Column("manifest_sm3", sa.String(64), nullable=False),
        sa.Column("ledger_entry", sa.String(32), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_archive_volume"),
        sa.UniqueConstraint("archival_code", name="uq_archive_volume_archival_code"),
        sa.UniqueConstraint("case_id", "part", name="uq_archive_volume_case_id_part"),
        sa.UniqueConstraint("series", "number", name="uq_archive_volume_series_number"),
    )
    op.create_index("ix_archive_volume_person_index", "archive_volume", ["person_index"])
    op.create_table(
        "payment_record",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("person_index", sa.String(64), nullable=False),
        sa.Column("identity_sealed", sa.Text, nullable=False),
        sa.Column("scheme", sa.String(8), nullable=False),
        sa.Column("month", sa.String(6), nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("case_id", sa.String(64), nullable=False),
        sa.Column("status", sa.String(2), nullable=False),
        sa.Column("parts", sa.JSON, nullable=False),
        sa.Column("ledger_entry", sa.String(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_payment_record"),
        sa.UniqueConstraint(
            "person_index", "scheme", "month", "kind", name="uq_payment_record_person_index_scheme_month_kind"
        ),
        sa.CheckConstraint("kind IN ('first', 'monthly', 'back_pay')", name="ck_payment_record_kind"),
        sa.CheckConstraint("amount > 0", name="ck_payment_record_amount"),
    )
    op.create_index("ix_payment_record_case_id", "payment_record", ["case_id"])
    op.create_index("ix_payment_record_month_scheme", "payment_record", ["month", "scheme"])
    op.create_index(
        "uq_payment_record_first",
        "payment_record",
        ["person_index", "scheme"],
        unique=True,
        sqlite_where=sa.text("kind = 'first'"),
        postgresql_where=sa.text("kind = 'first'"),
    )


def downgrade() -> None:
    """Take the tables away again."""
    op.drop_table("payment_record")
    op.drop_table("archive_volume")
