"""The tables of payment control. Persons stand in them as blind indexes; numbers and letters are sealed."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from huodang.store import Instant, MonthType, RowNumber, metadata

# How a payment stands; a payment that nothing was ever done to has no row and is paid.
payment = Table(
    "supervision_payment",
    metadata,
    Column("person_index", String(64), nullable=False),
    Column("scheme", String(8), nullable=False),
    Column("identity", Text, nullable=False),
    Column("region", String(6), nullable=False),
    Column("state", String(16), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("since", Instant, nullable=False),
    PrimaryKeyConstraint("person_index", "scheme"),
    Index("ix_supervision_payment_state", "state"),
)

# Why a payment is held or stopped: one row for each hold and each stop, none ever taken away.
ground = Table(
    "supervision_ground",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("clue_id", String(64), ForeignKey("supervision_clue.clue_id"), nullable=False, index=True),
    Column("person_index", String(64), nullable=False),
    Column("scheme", String(8), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("basis", String(16), nullable=False),
    Column("from_month", MonthType, nullable=False),
    Column("until_month", MonthType),
    Column("begun_at", Instant, nullable=False),
    Column("judged_by", String(128), nullable=False),
    Column("judged_at", Instant),
    Column("ended_at", Instant),
    Column("ended_why", String(16), nullable=False),
    Index("ix_supervision_ground_payment", "person_index", "scheme"),
    # 同一疑点对同一待遇至多暂停一次。At most one hold a clue and payment, kept by the database.
    Index(
        "uq_supervision_ground_hold",
        "clue_id",
        "scheme",
        unique=True,
        sqlite_where=text("kind = 'hold'"),
        postgresql_where=text("kind = 'hold'"),
    ),
)

history = Table(
    "supervision_payment_history",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("person_index", String(64), nullable=False),
    Column("scheme", String(8), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("from_state", String(16), nullable=False),
    Column("event", String(16), nullable=False),
    Column("to_state", String(16), nullable=False),
    Column("clue_id", String(64), nullable=False),
    Column("by", String(128), nullable=False),
    Column("role", String(64), nullable=False),
    Column("policy", String(256), nullable=False),
    Column("note", Text, nullable=False),
    Column("notice_id", String(64), nullable=False),
    Column("entry_id", String(32), nullable=False),
    UniqueConstraint("person_index", "scheme", "sequence"),
)

# What a released list left out: each line to the fen, until it is paid back or for good.
withheld = Table(
    "supervision_withheld",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("list_id", String(64), nullable=False),
    Column("row", BigInteger, nullable=False),
    Column("person_index", String(64), nullable=False),
    Column("scheme", String(8), nullable=False),
    Column("month", MonthType, nullable=False),
    Column("fen", BigInteger, nullable=False),
    Column("clue_id", String(64), nullable=False),
    Column("withheld_at", Instant, nullable=False),
    Column("paid_back_at", Instant),
    Column("payment_id", BigInteger),
    UniqueConstraint("list_id", "row"),
    Index("ix_supervision_withheld_payment", "person_index", "scheme"),
)

# What the person was told, as it was told.
notice = Table(
    "supervision_notice",
    metadata,
    Column("notice_id", String(64), primary_key=True),
    Column("person_index", String(64), nullable=False, index=True),
    Column("scheme", String(8), nullable=False),
    Column("clue_id", String(64), nullable=False, index=True),
    Column("kind", String(32), nullable=False),
    Column("written_at", Instant, nullable=False),
    Column("told", Text, nullable=False),
    Column("entry_id", String(32), nullable=False),
)

paylist = Table(
    "supervision_paylist",
    metadata,
    Column("list_id", String(64), primary_key=True),
    Column("month", MonthType, nullable=False),
    Column("state", String(16), nullable=False),
    # Digests: of the list as it came, of what stood against it, of the two lists made of it.
    Column("digest", String(64), nullable=False),
    Column("controls", String(64), nullable=False),
    Column("clean_digest", String(64), nullable=False),
    Column("withheld_digest", String(64), nullable=False),
    Column("totals", Text, nullable=False),
    Column("checked_by", String(128), nullable=False),
    Column("checked_at", Instant, nullable=False),
    Column("released_by", String(128), nullable=False),
    Column("released_at", Instant),
    Column("entry_id", String(32), nullable=False),
    Index(
        "uq_supervision_paylist_released",
        "digest",
        unique=True,
        sqlite_where=text("state = 'released'"),
        postgresql_where=text("state = 'released'"),
    ),
)

# The lines of a checked list that something stands against: the few thousand, never the whole list.
paylist_line = Table(
    "supervision_paylist_line",
    metadata,
    Column("list_id", String(64), ForeignKey("supervision_paylist.list_id"), nullable=False),
    Column("row", BigInteger, nullable=False),
    Column("person_index", String(64), nullable=False),
    Column("scheme", String(8), nullable=False),
    Column("fen", BigInteger, nullable=False),
    Column("clue_id", String(64), nullable=False),
    # `hold`, `stop`, or `proposed`: a confirmation that waits for its approval and withholds nothing yet.
    Column("why", String(16), nullable=False),
    PrimaryKeyConstraint("list_id", "row"),
)
