"""The tables of sharing in the hub's database. Values and notes are sealed; a person is a blind index."""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from huodang.store import Instant, RowNumber, metadata


def _standing() -> list[Column[object]]:
    """Make the columns by which the engine moves a matter."""
    return [
        Column("state", String(24), nullable=False),
        Column("sequence", Integer, nullable=False),
        Column("step_since", Date, nullable=False),
        Column("due_on", Date),
        Column("due_provisional", Boolean, nullable=False),
        Column("days_used", Integer, nullable=False),
        Column("stopped_state", String(24), nullable=False),
        Column("overdue", Boolean, nullable=False),
    ]


def _history(name: str, key: str) -> Table:
    """Make the history of one process: a row for every event, none ever changed."""
    return Table(
        f"exchange_{name}_history",
        metadata,
        Column("number", RowNumber, primary_key=True),
        Column(key, String(128), nullable=False),
        Column("sequence", Integer, nullable=False),
        Column("at", Instant, nullable=False),
        Column("from_state", String(24), nullable=False),
        Column("event", String(24), nullable=False),
        Column("to_state", String(24), nullable=False),
        Column("by", String(128), nullable=False),
        Column("role", String(64), nullable=False),
        Column("department", String(64), nullable=False),
        Column("policy", String(256), nullable=False),
        Column("note", Text, nullable=False),
        Column("law", Text, nullable=False),
        Column("entry_id", String(32), nullable=False),
        # Named by hand: PostgreSQL takes 63 letters at most.
        ForeignKeyConstraint([key], [f"exchange_{name}.{key}"], name=f"fk_exchange_{name}_history_matter"),
        UniqueConstraint(key, "sequence"),
    )


# Demands (共享需求): what one department wants of another, with the draft of the agreement that came of it.
demand = Table(
    "exchange_demand",
    metadata,
    Column("demand_id", String(128), primary_key=True),
    Column("consumer", String(64), nullable=False, index=True),
    Column("provider", String(64), nullable=False, index=True),
    Column("resource", String(129), nullable=False),
    Column("terms", Text, nullable=False),
    Column("digest", String(64), nullable=False, index=True),
    Column("agreement_id", String(128), nullable=False, index=True),
    Column("agreement_version", Integer, nullable=False),
    Column("draft", Text, nullable=False),
    Column("decided", String(128), nullable=False),
    Column("raised_at", Instant, nullable=False),
    *_standing(),
)
demand_history = _history("demand", "demand_id")

# Corrections (校核纠错) and recalls (数据召回).
correction = Table(
    "exchange_correction",
    metadata,
    Column("correction_id", String(128), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("consumer", String(64), nullable=False, index=True),
    Column("provider", String(64), nullable=False, index=True),
    Column("resource", String(129), nullable=False),
    Column("subject_index", String(32), nullable=False),
    Column("element", String(64), nullable=False),
    Column("identity", Text, nullable=False),
    Column("received", Text, nullable=False),
    Column("believed", Text, nullable=False),
    Column("corrected", Text, nullable=False),
    Column("in_force_from", Date),
    Column("origin", String(16), nullable=False),
    Column("reference", String(256), nullable=False),
    Column("evidence", String(64), nullable=False),
    Column("decided", String(128), nullable=False),
    Column("raised_by", String(128), nullable=False),
    Column("raised_at", Instant, nullable=False),
    Column("accepted_at", Instant),
    *_standing(),
    Index("ix_exchange_correction_subject", "subject_index", "resource", "element"),
)
correction_history = _history("correction", "correction_id")

# What every consumer that got a copy is told, and when it said that it had acted on it.
notice = Table(
    "exchange_correction_notice",
    metadata,
    Column("notice_id", String(128), primary_key=True),
    Column("correction_id", String(128), nullable=False, index=True),
    Column("consumer", String(64), nullable=False, index=True),
    Column("copies", Text, nullable=False),
    Column("envelope", Text, nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("acknowledged_at", Instant),
    Column("acknowledged_by", String(128), nullable=False),
    Column("entry_id", String(32), nullable=False),
    ForeignKeyConstraint(
        ["correction_id"], ["exchange_correction.correction_id"], name="fk_exchange_correction_notice_correction"
    ),
)

# Revocations as signed, and whether the provider's gateway has them.
revocation = Table(
    "exchange_revocation",
    metadata,
    Column("agreement_id", String(128), nullable=False),
    Column("version", Integer, nullable=False),
    Column("signer", String(64), nullable=False),
    Column("envelope", Text, nullable=False),
    Column("taken_at", Instant, nullable=False),
    Column("delivered_at", Instant),
    PrimaryKeyConstraint("agreement_id", "version", "signer"),
)

# Signed acts of departments: each counts once.
act_seen = Table(
    "exchange_sharing_act",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("signer", String(64), nullable=False),
    Column("matter", String(128), nullable=False),
    Column("taken_at", Instant, nullable=False),
)
