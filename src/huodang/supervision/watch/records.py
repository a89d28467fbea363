"""The tables of watch; persons stand in them as blind indexes."""

from sqlalchemy import BigInteger, Column, Date, Index, Integer, PrimaryKeyConstraint, String, Table, Text

from huodang.store import Instant, metadata

# Payees (待遇领取人员): one row a span of months in which a person is paid the same by one list. Rows are kept in the
# order of their key itself, so that "is this person paid anywhere" reads one page. A row counts once its generation is
# the list's; `ended` is the generation that ended it, `last` the last month that was then paid.
payee = Table(
    "supervision_payee",
    metadata,
    Column("person_index", String(32), nullable=False),
    Column("scheme", String(64), nullable=False),
    Column("payer", String(64), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("since", String(6), nullable=False),
    Column("first", String(6), nullable=False),
    Column("last", String(6)),
    Column("fen", BigInteger, nullable=False),
    Column("region", String(12), nullable=False),
    Column("account", String(16), nullable=False),
    Column("ended", Integer),
    PrimaryKeyConstraint("person_index", "scheme", "payer", "generation"),
    sqlite_with_rowid=False,
)

# One row a list (发放清单): which generation of its rows is in force. Moving this number shows a whole month at once.
payee_list = Table(
    "supervision_payee_list",
    metadata,
    Column("payer", String(64), primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("month", String(6), nullable=False),
)

# One row a month that was loaded, or is being loaded; `slices` says how far.
payee_load = Table(
    "supervision_payee_load",
    metadata,
    Column("payer", String(64), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("month", String(6), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("state", String(8), nullable=False),
    Column("slices", Integer, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("fen", BigInteger, nullable=False),
    Column("added", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("gone", BigInteger, nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("taken_at", Instant),
    PrimaryKeyConstraint("payer", "generation"),
)

# One row an event that was watched: when it happened, was recorded, came, and what followed.
watched = Table(
    "supervision_watched_event",
    metadata,
    Column("event_id", String(160), primary_key=True),
    Column("person_index", String(64), nullable=False),
    Column("kind", String(24), nullable=False),
    Column("change", String(12), nullable=False),
    Column("department", String(64), nullable=False),
    Column("row", String(64), nullable=False),
    # Digest of the record as it came, by which a withdrawal takes it back; number of the fact in the timeline.
    Column("digest", String(64), nullable=False),
    Column("fact", BigInteger, nullable=False),
    # First and last day on which it can have happened: equal when known to the day.
    Column("happened_from", Date),
    Column("happened_to", Date),
    Column("recorded_at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("handled_at", Instant, nullable=False),
    Column("payees", Integer, nullable=False),
    Column("clue_id", String(64), nullable=False),
    Column("measure", String(16), nullable=False),
    Column("withdrawn_at", Instant),
    Index("ix_supervision_watched_event_person", "person_index", "kind"),
    Index("ix_supervision_watched_event_received", "kind", "received_at"),
    Index("ix_supervision_watched_event_row", "row"),
)

# One row a clue for which a payment was held or stopped, and since when.
watched_hold = Table(
    "supervision_watched_hold",
    metadata,
    Column("clue_id", String(64), primary_key=True),
    Column("person_index", String(64), nullable=False),
    Column("held_at", Instant, nullable=False),
    Index("ix_supervision_watched_hold_person", "person_index"),
)

# One row a full check that was compared with the events, and one a finding that no event had told.
confirmation = Table(
    "supervision_watch_confirmation",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("compared_at", Instant, nullable=False),
    Column("lines", Text, nullable=False),
)

missed = Table(
    "supervision_watch_missed",
    metadata,
    Column("run_id", String(64), nullable=False),
    Column("rule", String(64), nullable=False),
    Column("person_index", String(64), nullable=False),
    Column("scheme", String(64), nullable=False),
    Column("fen", BigInteger, nullable=False),
    Column("reason", String(24), nullable=False),
    Column("clue_id", String(64), nullable=False),
    PrimaryKeyConstraint("run_id", "rule", "person_index", "scheme"),
)
