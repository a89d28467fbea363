"""The hub's matches and the secrets that blind them. No value of any set stands here."""

from sqlalchemy import Boolean, Column, Index, Integer, PrimaryKeyConstraint, String, Table, Text, text

from huodang.store import Instant, metadata

# Matches (比对): one row each, however often it was taken up again.
match = Table(
    "exchange_match",
    metadata,
    Column("match_id", String(128), primary_key=True),
    Column("resource", String(129), nullable=False),
    # The second resource of a match between two departments.
    Column("other", String(129), nullable=False, server_default=text("''")),
    Column("provider", String(64), nullable=False),
    Column("agreement_id", String(128), nullable=False),
    Column("agreement_version", Integer, nullable=False),
    Column("purpose", String(64), nullable=False),
    Column("case_id", String(128), nullable=False),
    Column("user_id", String(128), nullable=False),
    Column("size_only", Boolean(create_constraint=False), nullable=False),
    Column("queried", Integer, nullable=False),
    # A mark of the set under the hub's secret: the same match goes on with the same set only.
    Column("set_mark", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("code", String(64), nullable=False),
    Column("held", Integer),
    Column("overlap", Integer),
    Column("receipt", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("entry_id", String(32), nullable=False),
    Index("ix_exchange_match_resource", "resource", "asked_at"),
)

# The secret that blinds under one version of an agreement, sealed.
match_secret = Table(
    "exchange_match_secret",
    metadata,
    Column("agreement_id", String(128), nullable=False),
    Column("agreement_version", Integer, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    PrimaryKeyConstraint("agreement_id", "agreement_version"),
)
