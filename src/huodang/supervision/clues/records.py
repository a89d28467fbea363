"""The tables of clues. Persons stand in them as blind indexes; facts, evidence and notes are sealed."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from huodang.store import Instant, RowNumber, metadata

clue = Table(
    "supervision_clue",
    metadata,
    Column("clue_id", String(64), primary_key=True),
    Column("matter", String(64), nullable=False),
    Column("rule", String(64), nullable=False),
    Column("person_index", String(64), nullable=False),
    Column("identity", Text, nullable=False),
    Column("region", String(6), nullable=False),
    Column("state", String(16), nullable=False),
    Column("sequence", Integer, nullable=False),
    # The most pressing tier is 0, so that a queue is one index.
    Column("tier", Integer, nullable=False),
    Column("measure", String(16), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("fen", BigInteger, nullable=False),
    Column("candidate", Boolean, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("step_since", Date, nullable=False),
    Column("due_on", Date),
    Column("due_provisional", Boolean, nullable=False),
    Column("overdue", Boolean, nullable=False),
    Column("assigned_to", String(128), nullable=False),
    Column("locked_by", String(128), nullable=False),
    Column("proposed_by", String(128), nullable=False),
    Column("decided_by", String(128), nullable=False),
    Column("decided_at", Instant),
    Column("outcome", String(16), nullable=False),
    Column("fact_from", String(10), nullable=False),
    Column("law", Text, nullable=False),
    Column("merged_into", String(64), nullable=False),
    # person and matter while nobody has decided: one open clue a matter, kept by the database.
    Column("live_key", String(160), unique=True),
    Index("ix_supervision_clue_person", "person_index", "matter"),
    Index("ix_supervision_clue_queue", "state", "tier", "fen", "due_on"),
    Index("ix_supervision_clue_due", "due_on"),
)

signal = Table(
    "supervision_clue_signal",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("clue_id", String(64), ForeignKey("supervision_clue.clue_id"), nullable=False),
    Column("register", String(64), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("stance", String(8), nullable=False),
    Column("digest", String(64), nullable=False, index=True),
    Column("copy_of", String(64), nullable=False),
    Column("confirmed", Boolean, nullable=False),
    Column("fuzzy", Boolean, nullable=False),
    Column("fact", Text, nullable=False),
    Column("known_at", Instant, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("withdrawn_at", Instant),
    # `right` or `wrong` where it counts in its register's record.
    Column("counted", String(8), nullable=False),
    UniqueConstraint("clue_id", "digest"),
)

finding = Table(
    "supervision_clue_finding",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("clue_id", String(64), ForeignKey("supervision_clue.clue_id"), nullable=False),
    Column("run_id", String(128), nullable=False),
    Column("rule", String(64), nullable=False),
    Column("scheme", String(8), nullable=False),
    Column("months", Text, nullable=False),
    Column("fen", BigInteger, nullable=False),
    Column("evidence", String(64), nullable=False),
    UniqueConstraint("clue_id", "run_id", "rule", "scheme", "evidence", name="uq_supervision_clue_finding_once"),
)

# Evidence as it was found, frozen: never changed; the ledger commits to it.
evidence = Table(
    "supervision_clue_evidence",
    metadata,
    Column("clue_id", String(64), ForeignKey("supervision_clue.clue_id"), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("sealed", Text, nullable=False),
    Column("run_id", String(128), nullable=False),
    Column("frozen_at", Instant, nullable=False),
    Column("entry_id", String(32), nullable=False),
    PrimaryKeyConstraint("clue_id", "digest"),
)

# What a department was asked about a clue, and what it answered.
opinion = Table(
    "supervision_clue_opinion",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("clue_id", String(64), ForeignKey("supervision_clue.clue_id"), nullable=False, index=True),
    Column("department", String(64), nullable=False),
    Column("asked_by", String(128), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("answer", String(8), nullable=False),
    Column("answered_by", String(128), nullable=False),
    Column("answered_at", Instant),
    Column("evidence", String(64), nullable=False),
    Column("note", Text, nullable=False),
)

history = Table(
    "supervision_clue_history",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("clue_id", String(64), ForeignKey("supervision_clue.clue_id"), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("from_state", String(16), nullable=False),
    Column("event", String(24), nullable=False),
    Column("to_state", String(16), nullable=False),
    Column("by", String(128), nullable=False),
    Column("role", String(64), nullable=False),
    Column("department", String(64), nullable=False),
    Column("policy", String(256), nullable=False),
    Column("note", Text, nullable=False),
    Column("law", Text, nullable=False),
    Column("entry_id", String(32), nullable=False),
    UniqueConstraint("clue_id", "sequence"),
)

# How each register's records turned out: what its error rate is learned from.
register_record = Table(
    "supervision_register_record",
    metadata,
    Column("register", String(64), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("right", Integer, nullable=False),
    Column("wrong", Integer, nullable=False),
    PrimaryKeyConstraint("register", "kind"),
)

# Runs of a check whose findings were taken, each once and whole.
run = Table(
    "supervision_clue_run",
    metadata,
    Column("run_id", String(128), primary_key=True),
    Column("taken_at", Instant, nullable=False),
    Column("taken_by", String(128), nullable=False),
    Column("findings", Integer, nullable=False),
    Column("clues", Integer, nullable=False),
)
