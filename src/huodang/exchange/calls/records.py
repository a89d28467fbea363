"""Tables of batched calls and of answers that may be used again. What names a person is sealed or a blind index."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Integer, PrimaryKeyConstraint, String, Table, Text

from huodang.store import Instant, RowNumber, metadata

# Batches (批次核验): the signed heads, and who asked for which purpose. One row stands for the look at everybody in it.
batch = Table(
    "exchange_batch",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("batch_id", String(128), nullable=False, unique=True),
    Column("run", String(128), nullable=False),
    Column("piece", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("resource", String(129), nullable=False),
    Column("provider", String(64), nullable=False),
    Column("agreement_id", String(128), nullable=False),
    Column("agreement_version", Integer, nullable=False),
    Column("subjects", Integer, nullable=False),
    Column("grant_head", Text, nullable=False),
    Column("verdict_head", Text),
    Column("failure", String(64)),
    Column("at", Instant, nullable=False),
    Column("answered_at", Instant),
    Column("grant_entry_id", String(32), nullable=False),
    Column("verdict_entry_id", String(32)),
    # The look, as `exchange_look` has it.
    Column("user_id", String(128), nullable=False),
    Column("user_name", String(128), nullable=False),
    Column("role", String(64), nullable=False),
    Column("department", String(64), nullable=False),
    Column("purpose", String(64), nullable=False),
    Column("case_id", String(128), nullable=False, index=True),
    Column("elements", Text, nullable=False),
    Column("policy", String(256), nullable=False),
    Column("mask_level", String(16), nullable=False),
    Column("entry_id", String(32), nullable=False),
    Index("ix_exchange_batch_run", "run", "piece"),
)

# The pages of a batch as they were sent and as they came back, sealed.
page = Table(
    "exchange_batch_page",
    metadata,
    Column("batch", RowNumber, nullable=False),
    Column("page", Integer, nullable=False),
    Column("asked", Text, nullable=False),
    Column("answered", Text),
    PrimaryKeyConstraint("batch", "page"),
    ForeignKeyConstraint(["batch"], ["exchange_batch.number"]),
)

# Who stands in which batch, at which line: by this a person's looks are found.
subject = Table(
    "exchange_batch_subject",
    metadata,
    Column("subject_index", String(32), nullable=False),
    Column("batch", RowNumber, nullable=False),
    Column("line", Integer, nullable=False),
    PrimaryKeyConstraint("subject_index", "batch", "line"),
    ForeignKeyConstraint(["batch"], ["exchange_batch.number"]),
    sqlite_with_rowid=False,
)

# Answers that an agreement lets the consumer use again for a while (缓存), by the blind index of the whole question.
reusable = Table(
    "exchange_reusable",
    metadata,
    Column("question_index", String(32), primary_key=True),
    Column("grant_id", String(128), nullable=False),
    Column("resource", String(129), nullable=False),
    Column("subject_index", String(32), nullable=False, index=True),
    Column("answered_at", Instant, nullable=False),
    ForeignKeyConstraint(["grant_id"], ["exchange_grant.grant_id"]),
)
