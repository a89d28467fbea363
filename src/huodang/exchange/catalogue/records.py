"""The catalogue's tables beside `exchange_catalogue`, which holds the entries in force: history, and codes given."""

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, String, Table, Text

from huodang.store import Instant, metadata

# Every publication and withdrawal: entries as they were, by whom, what changed.
version = Table(
    "exchange_catalogue_version",
    metadata,
    Column("resource", String(129), nullable=False),
    Column("version", Integer, nullable=False),
    Column("event", String(16), nullable=False),
    Column("entry", Text, nullable=False),
    Column("by_user", String(128), nullable=False),
    Column("by_department", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("entry_id", String(32), nullable=False),
    PrimaryKeyConstraint("resource", "version"),
)

# Codes that were ever given: each belongs to one resource for good.
code = Table(
    "exchange_catalogue_code",
    metadata,
    Column("code", String(64), primary_key=True),
    Column("resource", String(129), nullable=False),
    Index("ix_exchange_catalogue_code_resource", "resource"),
)
