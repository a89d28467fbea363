"""The tables of the cascade: what is offered and known of neighbours, and codes and digests of what was relayed.

No person is named here in the clear: proofs (the signed chain behind an answer) and events are kept sealed.
"""

from sqlalchemy import BigInteger, Column, Index, PrimaryKeyConstraint, String, Table, Text

from huodang.store import Instant, metadata

# What this hub passes on to its neighbours, and under which name.
offer = Table(
    "exchange_cascade_offer",
    metadata,
    Column("resource", String(129), primary_key=True),
    Column("inner", String(129), nullable=False),
    Column("state", String(16), nullable=False),
    Column("published_at", Instant, nullable=False),
    Column("published_by", String(64), nullable=False),
)

# What neighbours offer and this hub has taken into its own catalogue.
entry = Table(
    "exchange_cascade_entry",
    metadata,
    Column("resource", String(129), primary_key=True),
    Column("neighbour", String(64), nullable=False),
    Column("origin_hub", String(64), nullable=False),
    Column("origin_resource", String(129), nullable=False),
    Column("path", String(500), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("changed_at", Instant, nullable=False),
)

# The keys that a neighbour attests, as it signed them last.
attestation = Table(
    "exchange_cascade_attestation",
    metadata,
    Column("neighbour", String(64), primary_key=True),
    Column("envelope", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
)

# Numbers that grants of neighbours bear, each taken once.
nonce = Table(
    "exchange_cascade_nonce",
    metadata,
    Column("nonce", String(32), primary_key=True),
    Column("expires_at", Instant, nullable=False, index=True),
)

# What was relayed for a neighbour: whose grant, by which grant of this hub, with which outcome. Codes and digests only.
relayed = Table(
    "exchange_cascade_relayed",
    metadata,
    Column("grant_digest", String(64), primary_key=True),
    Column("grant_id", String(128), nullable=False),
    Column("neighbour", String(64), nullable=False),
    Column("resource", String(129), nullable=False),
    Column("inner_grant_id", String(128), nullable=False),
    Column("agreement_id", String(128), nullable=False),
    Column("purpose", String(64), nullable=False),
    Column("path", String(500), nullable=False),
    Column("at", Instant, nullable=False),
    Column("outcome", String(64), nullable=False),
    Column("entry_id", String(32), nullable=False),
    Index("ix_exchange_cascade_relayed_agreement", "agreement_id", "at"),
)

# The signed chain behind an answer that came through a neighbour; it names the person, so it is sealed.
proof = Table(
    "exchange_cascade_proof",
    metadata,
    Column("grant_id", String(128), primary_key=True),
    Column("neighbour", String(64), nullable=False),
    Column("origin_hub", String(64), nullable=False),
    Column("origin", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("chain", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("entry_id", String(32), nullable=False),
)

# Events passed on: one stream for each resource and neighbour, and its batches, sealed to that neighbour.
stream = Table(
    "exchange_cascade_stream",
    metadata,
    Column("resource", String(129), nullable=False),
    Column("consumer", String(64), nullable=False),
    Column("epoch", String(128), nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("taken", BigInteger, nullable=False),
    Column("taken_at", Instant),
    PrimaryKeyConstraint("resource", "consumer"),
)
batch = Table(
    "exchange_cascade_batch",
    metadata,
    Column("resource", String(129), nullable=False),
    Column("consumer", String(64), nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("agreement_id", String(128), nullable=False),
    Column("agreement_version", BigInteger, nullable=False),
    Column("terms", Text, nullable=False),
    Column("envelope", Text, nullable=False),
    Column("events", Text, nullable=False),
    Column("made_at", Instant, nullable=False, index=True),
    PrimaryKeyConstraint("resource", "consumer", "first"),
)

# Demands carried to a neighbour (out) or taken from one (in), as signed, with what was told of them last.
demand = Table(
    "exchange_cascade_demand",
    metadata,
    Column("direction", String(8), nullable=False),
    Column("neighbour", String(64), nullable=False),
    Column("reference", String(128), nullable=False),
    Column("resource", String(129), nullable=False),
    Column("demand_id", String(128), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("envelope", Text, nullable=False),
    Column("state", String(32), nullable=False),
    Column("standing", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("told_at", Instant),
    Column("entry_id", String(32), nullable=False),
    PrimaryKeyConstraint("direction", "neighbour", "reference"),
)
