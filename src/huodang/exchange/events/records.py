"""The hub's tables of events. What names a person is sealed, a blind index, or the provider's pseudonym."""

from sqlalchemy import (
    BigInteger,
    Column,
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

# How far the events of a resource have been taken, and what is wrong if anything is.
stream = Table(
    "exchange_event_stream",
    metadata,
    Column("resource", String(129), primary_key=True),
    Column("provider", String(64), nullable=False),
    Column("epoch", String(128), nullable=False),
    Column("cursor", BigInteger, nullable=False),
    Column("latest", BigInteger, nullable=False),
    Column("answered_at", Instant),
    Column("alarm", String(64), nullable=False),
    Column("alarm_at", Instant),
)

# Signed batches as they came: with one beside it, every event is proved.
batch = Table(
    "exchange_event_batch",
    metadata,
    Column("resource", String(129), nullable=False),
    Column("epoch", String(128), nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("envelope", Text, nullable=False),
    Column("grant_id", String(128), nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("entry_id", String(32), nullable=False),
    PrimaryKeyConstraint("resource", "epoch", "first"),
)

# Events (事件) in the order in which they came. `text` is the CloudEvent as it was signed, its data sealed under a key
# of its own, which stands beside it, sealed. `person` is the blind index of the number, or the provider's pseudonym.
event = Table(
    "exchange_event",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("event_id", String(160), nullable=False),
    Column("resource", String(129), nullable=False),
    Column("provider", String(64), nullable=False),
    Column("epoch", String(128), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("type", String(128), nullable=False),
    Column("change", String(16), nullable=False),
    Column("person", String(32), nullable=False),
    Column("row", String(32), nullable=False),
    Column("noticed_at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("suite", String(16), nullable=False),
    Column("key", String(200), nullable=False),
    Column("batch_first", BigInteger, nullable=False),
    UniqueConstraint("resource", "epoch", "sequence"),
    UniqueConstraint("event_id"),
    Index("ix_exchange_event_person", "person"),
)

# Who is handed events: each named handler with the number up to which it was.
handler = Table(
    "exchange_event_handler",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("position", BigInteger, nullable=False),
)

# What a handler couldn't take yet, what waits behind it for the same person, and what was given up (dead letters).
held = Table(
    "exchange_event_held",
    metadata,
    Column("handler", String(64), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("person", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("run_at", Instant, nullable=False),
    Column("error", String(100), nullable=False),
    Column("changed_at", Instant, nullable=False),
    PrimaryKeyConstraint("handler", "number"),
    ForeignKeyConstraint(["number"], ["exchange_event.number"]),
    Index("ix_exchange_event_held_person", "handler", "person", "number"),
    Index("ix_exchange_event_held_state", "handler", "state", "run_at"),
)

# What went wrong on the way: gaps, forgeries, conflicts, dead letters. Codes only; an administrator sees these.
alarm = Table(
    "exchange_event_alarm",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("resource", String(129), nullable=False),
    Column("code", String(64), nullable=False),
    Column("detail", String(128), nullable=False),
)
