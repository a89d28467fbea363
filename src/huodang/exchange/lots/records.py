"""The tables of lots at the hub. What was delivered stands sealed; keys are salted marks, persons blind indexes."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from huodang.store import Instant, RowNumber, metadata

# Holdings (持有副本): one up-to-date copy a resource and agreement. Rows up to `generation` are the copy; a lot at work
# writes the generation after it, and is taken by moving this one number.
holding = Table(
    "exchange_holding",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("agreement_id", String(128), nullable=False),
    Column("resource", String(129), nullable=False, index=True),
    Column("provider", String(64), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("last_generation", Integer, nullable=False),
    Column("open_lot", String(64), nullable=False),
    Column("rows", Integer, nullable=False),
    Column("buckets", Text, nullable=False),
    Column("root", String(64), nullable=False),
    Column("lot_id", String(64), nullable=False),
    Column("as_of", Instant),
    Column("taken_at", Instant),
    UniqueConstraint("agreement_id"),
)

lot = Table(
    "exchange_lot",
    metadata,
    Column("lot_id", String(64), primary_key=True),
    Column("holding", RowNumber, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("agreement_version", Integer, nullable=False),
    Column("mode", String(8), nullable=False),
    Column("content", String(8), nullable=False),
    Column("replaces", Text, nullable=False),
    Column("source", String(200), nullable=False),
    Column("remote", String(128), nullable=False),
    Column("state", String(16), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("as_of", Instant),
    Column("rows", Integer, nullable=False),
    Column("inserted", Integer, nullable=False),
    Column("updated", Integer, nullable=False),
    Column("deleted", Integer, nullable=False),
    Column("late", Integer, nullable=False),
    Column("quarantined", Integer, nullable=False),
    Column("root", String(64), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("quality", Text, nullable=False),
    Column("statement", Text, nullable=False),
    Column("reconciliation", Text, nullable=False),
    Column("entry_id", String(32), nullable=False),
    ForeignKeyConstraint(["holding"], ["exchange_holding.number"]),
    Index("ix_exchange_lot_holding", "holding", "generation"),
)

# Pages that were staged: the same page again changes nothing.
lot_page = Table(
    "exchange_lot_page",
    metadata,
    Column("lot_id", String(64), nullable=False),
    Column("number", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("inserted", Integer, nullable=False),
    Column("updated", Integer, nullable=False),
    Column("deleted", Integer, nullable=False),
    Column("unchanged", Integer, nullable=False),
    PrimaryKeyConstraint("lot_id", "number"),
    ForeignKeyConstraint(["lot_id"], ["exchange_lot.lot_id"]),
)

# Marks that a lot has named, where the hub itself must find twins and what a full delivery leaves out.
lot_mark = Table(
    "exchange_lot_mark",
    metadata,
    Column("lot_id", String(64), nullable=False),
    Column("key_index", String(32), nullable=False),
    Column("twin", Boolean, nullable=False),
    PrimaryKeyConstraint("lot_id", "key_index"),
    ForeignKeyConstraint(["lot_id"], ["exchange_lot.lot_id"]),
)

# What was wrong, counted; the rows themselves stay with the provider.
lot_fault = Table(
    "exchange_lot_fault",
    metadata,
    Column("lot_id", String(64), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("element", String(64), nullable=False),
    Column("source_column", String(200), nullable=False),
    Column("rows", Integer, nullable=False),
    PrimaryKeyConstraint("lot_id", "reason", "element", "source_column"),
    ForeignKeyConstraint(["lot_id"], ["exchange_lot.lot_id"]),
)

# Rows delivered. A row holds from the generation `since` until before `until`; ended rows keep key and digest only.
delivered_row = Table(
    "exchange_delivered_row",
    metadata,
    Column("holding", RowNumber, nullable=False),
    Column("key_index", String(32), nullable=False),
    Column("since", Integer, nullable=False),
    Column("until", Integer),
    Column("subject_index", String(32), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("content", Text, nullable=False),
    Column("recalled_at", Instant),
    PrimaryKeyConstraint("holding", "key_index", "since"),
    ForeignKeyConstraint(["holding"], ["exchange_holding.number"]),
    Index("ix_exchange_delivered_row_subject_index", "subject_index"),
)
Index(
    "ix_exchange_delivered_row_ended",
    delivered_row.c.holding,
    delivered_row.c.until,
    sqlite_where=delivered_row.c.until.is_not(None),
    postgresql_where=delivered_row.c.until.is_not(None),
)
