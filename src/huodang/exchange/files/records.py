"""The table of deliveries of files: each counts once, by the digest of its manifest."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from huodang.store import Instant, metadata

# Deliveries (文件交付). While a delivery is landing, `position` says how far its rows are staged.
delivery = Table(
    "exchange_file_delivery",
    metadata,
    Column("manifest_digest", String(64), primary_key=True),
    Column("department", String(64), nullable=False),
    Column("resource", String(129), nullable=False),
    Column("agreement_id", String(128), nullable=False),
    Column("agreement_version", Integer, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("content", String(8), nullable=False),
    Column("state", String(16), nullable=False),
    Column("folder", String(255), nullable=False),
    Column("lot_id", String(64), nullable=False),
    Column("files", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("quarantined", Integer, nullable=False),
    Column("missing_before", Integer, nullable=False),
    Column("reason", String(64), nullable=False),
    Column("position", Text, nullable=False),
    Column("as_of", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("entry_id", String(32), nullable=False),
    Index("ix_exchange_file_delivery_agreement", "agreement_id", "sequence"),
)
