"""The tables of certification; persons stand in them as blind indexes."""

from sqlalchemy import Column, Date, Index, Integer, String, Table, Text, UniqueConstraint

from huodang.store import Instant, RowNumber, metadata

# One row a person who is paid. `next_step_on` is the day on which the ladder next looks at the row.
certification = Table(
    "supervision_certification",
    metadata,
    Column("person_index", String(32), primary_key=True),
    Column("identity", Text, nullable=False),
    Column("region", String(6), nullable=False),
    Column("state", String(16), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("since", Date, nullable=False),
    Column("proved_on", Date, nullable=False),
    Column("proved_by", String(32), nullable=False),
    Column("due_on", Date, nullable=False),
    Column("next_step_on", Date),
    Column("reminders", Integer, nullable=False),
    Index("ix_supervision_certification_step", "state", "next_step_on"),
)

# What speaks for a person being alive; counted or not, it is kept.
proof = Table(
    "supervision_proof",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("person_index", String(32), nullable=False),
    Column("proved_on", Date, nullable=False),
    # The same day as a number, by which two weak proofs are found to lie near each other on either database.
    Column("day", Integer, nullable=False),
    Column("means", String(32), nullable=False),
    Column("source", String(128), nullable=False),
    Column("digest", String(64), nullable=False),
    # new (not judged yet), counted, waiting (weak, alone), stale, contradicted (a death stands before it),
    # stranger (not among those paid)
    Column("standing", String(12), nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("run_id", String(64), nullable=False),
    # Proofs of a large file are judged part by part, each in the transaction in which it came in.
    Column("part", Integer, nullable=False),
    UniqueConstraint("person_index", "means", "proved_on", name="uq_supervision_proof_said_once"),
    Index("ix_supervision_proof_run", "run_id", "part", "standing", "proved_on"),
)

# Every event of every person, none ever changed.
certification_history = Table(
    "supervision_certification_history",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("person_index", String(32), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("from_state", String(16), nullable=False),
    Column("event", String(16), nullable=False),
    Column("to_state", String(16), nullable=False),
    Column("by", String(128), nullable=False),
    Column("run_id", String(64), nullable=False),
    UniqueConstraint("person_index", "sequence", name="uq_supervision_certification_history_sequence"),
)

# One row a file that was taken, or a walk of the ladder; `rows_done` is where an interrupted one goes on.
certification_run = Table(
    "supervision_certification_run",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("means", String(32), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("rows_done", Integer, nullable=False),
    Column("counts", Text, nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("by", String(128), nullable=False),
    Column("entry_id", String(32), nullable=False),
)
