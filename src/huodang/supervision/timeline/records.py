"""The tables of timeline; persons stand in them as blind indexes."""

from sqlalchemy import Column, Date, Index, Integer, String, Table, Text

from huodang.store import Instant, RowNumber, metadata

# One row a fact that the platform came to know. No row is ever changed: a correction or an annulment is a row of its
# own that names the row which it replaces.
fact = Table(
    "supervision_fact",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("person_index", String(32), nullable=False),
    Column("element", String(64), nullable=False),
    # Empty where the source takes back what it said.
    Column("value", Text, nullable=False),
    Column("valid_from", Date),
    Column("valid_to", Date),
    # When it reached the platform, as the message says; and when it was written down here, which orders what was known.
    Column("known_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("source", String(128), nullable=False),
    Column("evidence", String(128), nullable=False),
    Column("replaces", Integer, nullable=False),
    Column("entry_id", String(32), nullable=False),
    Index("ix_supervision_fact_person", "person_index", "element", "recorded_at"),
    Index("ix_supervision_fact_replaces", "replaces"),
)

# Every recomputation that was signed: what it came to, and the digest of the envelope that was handed out.
statement = Table(
    "supervision_statement",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("person_index", String(32), nullable=False, index=True),
    Column("scheme", String(8), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("envelope", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("entry_id", String(32), nullable=False),
)
