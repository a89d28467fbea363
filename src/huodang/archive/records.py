"""The archive's tables: the volumes that were filed, and what is paid."""

from sqlalchemy import JSON, CheckConstraint, Column, Index, Integer, String, Table, Text, UniqueConstraint, text

from huodang.store import Instant, MoneyType, MonthType, RowNumber, metadata

# One row a volume. What stands in it lies in the volume's folder; the digests hold the folder to what was filed.
volume = Table(
    "archive_volume",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("archival_code", String(120), nullable=False, unique=True),
    Column("case_id", String(64), nullable=False),
    # 1, and higher for what a reopened case adds after its first volume was filed.
    Column("part", Integer, nullable=False),
    Column("person_index", String(64), nullable=False, index=True),
    Column("scheme", String(8), nullable=False),
    # All of the archival code but the number, and the number counted through within it.
    Column("series", String(110), nullable=False),
    Column("number", Integer, nullable=False),
    Column("items", Integer, nullable=False),
    Column("manifest_sha256", String(64), nullable=False),
    Column("manifest_sm3", String(64), nullable=False),
    Column("ledger_entry", String(32), nullable=False),
    Column("filed_at", Instant, nullable=False),
    UniqueConstraint("case_id", "part"),
    UniqueConstraint("series", "number"),
)

# One row a payment to a person; the constraints, not the code, keep it from being made twice.
payment_record = Table(
    "payment_record",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("person_index", String(64), nullable=False),
    Column("identity_sealed", Text, nullable=False),
    Column("scheme", String(8), nullable=False),
    Column("month", MonthType, nullable=False),
    Column("amount", MoneyType, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("case_id", String(64), nullable=False, index=True),
    Column("status", String(2), nullable=False),
    # What the amount is made of: name → fen as text.
    Column("parts", JSON, nullable=False),
    Column("ledger_entry", String(32), nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("person_index", "scheme", "month", "kind"),
    CheckConstraint("kind IN ('first', 'monthly', 'back_pay')", name="kind"),
    CheckConstraint("amount > 0", name="amount"),
    Index("ix_payment_record_month_scheme", "month", "scheme"),
    # A person is paid for the first time once in a scheme, whichever month that is.
    Index(
        "uq_payment_record_first",
        "person_index",
        "scheme",
        unique=True,
        sqlite_where=text("kind = 'first'"),
        postgresql_where=text("kind = 'first'"),
    ),
)
