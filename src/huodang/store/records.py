"""The store's own table: jobs."""

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, Index, Integer, String, Table, text

from huodang.store.columns import Instant, RowNumber, metadata

LIVE = "state <> 'dead'"

# A job that is done has no row any more: what it did stands in the tables of the room that did it.
job = Table(
    "job",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("key", String(200)),
    Column("payload", JSON, nullable=False),
    Column("state", String(8), nullable=False),
    Column("run_at", Instant, nullable=False),
    # Asked for again while a worker held it: on completion it becomes ready for this instant instead of going away.
    Column("again_at", Instant),
    Column("token", BigInteger, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("worker", String(100)),
    Column("leased_until", Instant),
    Column("error", String(100)),
    CheckConstraint("state IN ('ready', 'leased', 'dead')", name="state"),
    Index(None, "state", "kind", "run_at"),
    Index(
        "uq_job_live_key",
        "key",
        unique=True,
        sqlite_where=text(LIVE),
        postgresql_where=text(LIVE),
    ),
)
