"""The exchange's tables in the hub's database. What names a person is sealed or a blind index."""

from sqlalchemy import Column, Date, ForeignKeyConstraint, Index, Integer, PrimaryKeyConstraint, String, Table, Text

from huodang.store import Instant, RowNumber, metadata

# The catalogue (目录): what each department offers.
catalogue = Table(
    "exchange_catalogue",
    metadata,
    Column("resource", String(129), primary_key=True),
    Column("provider", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("entry", Text, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

# Agreements (共享协议) as signed envelopes, each with the state that the transition table gave it.
agreement = Table(
    "exchange_agreement",
    metadata,
    Column("agreement_id", String(128), nullable=False),
    Column("version", Integer, nullable=False),
    Column("provider", String(64), nullable=False),
    Column("consumer", String(64), nullable=False),
    Column("resource", String(129), nullable=False, index=True),
    Column("state", String(24), nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Column("envelope", Text, nullable=False),
    PrimaryKeyConstraint("agreement_id", "version"),
)

agreement_history = Table(
    "exchange_agreement_history",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("agreement_id", String(128), nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("from_state", String(24), nullable=False),
    Column("event", String(24), nullable=False),
    Column("to_state", String(24), nullable=False),
    Column("by", String(64), nullable=False),
    Column("entry_id", String(32), nullable=False),
    ForeignKeyConstraint(
        ["agreement_id", "version"], ["exchange_agreement.agreement_id", "exchange_agreement.version"]
    ),
    Index("ix_exchange_agreement_history_agreement", "agreement_id", "version"),
)

# Grants (调用授权), recorded before anything is asked. The envelope names the person: it is sealed.
grant = Table(
    "exchange_grant",
    metadata,
    Column("grant_id", String(128), primary_key=True),
    Column("resource", String(129), nullable=False),
    Column("provider", String(64), nullable=False),
    Column("agreement_id", String(128), nullable=False),
    Column("agreement_version", Integer, nullable=False),
    Column("purpose", String(64), nullable=False),
    Column("case_id", String(128), nullable=False, index=True),
    Column("subject_index", String(32), nullable=False, index=True),
    Column("digest", String(64), nullable=False),
    Column("envelope", Text, nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("state", String(16), nullable=False),
    Column("entry_id", String(32), nullable=False),
)

# Verdicts (结论): one a grant, and as evidence any second that differs from it.
verdict = Table(
    "exchange_verdict",
    metadata,
    Column("grant_id", String(128), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("as_of", Instant, nullable=False),
    Column("evidence_hash", String(64), nullable=False),
    Column("envelope", Text, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("entry_id", String(32), nullable=False),
    PrimaryKeyConstraint("grant_id", "digest"),
    ForeignKeyConstraint(["grant_id"], ["exchange_grant.grant_id"]),
)

# Calls that brought no verdict, with why.
failure = Table(
    "exchange_failure",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("grant_id", String(128), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("code", String(64), nullable=False),
    Column("detail", String(64), nullable=False),
    Column("received", String(64), nullable=False),
    ForeignKeyConstraint(["grant_id"], ["exchange_grant.grant_id"]),
)

# Looks (查阅): who saw what of whom, for which purpose, by which policy.
look = Table(
    "exchange_look",
    metadata,
    Column("number", RowNumber, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("user_id", String(128), nullable=False),
    Column("user_name", String(128), nullable=False),
    Column("role", String(64), nullable=False),
    Column("department", String(64), nullable=False),
    Column("purpose", String(64), nullable=False),
    Column("case_id", String(128), nullable=False, index=True),
    Column("subject_index", String(32), nullable=False, index=True),
    Column("elements", Text, nullable=False),
    Column("policy", String(256), nullable=False),
    Column("mask_level", String(16), nullable=False),
    Column("what", String(200), nullable=False),
    Column("entry_id", String(32), nullable=False),
)

# Envelopes that came over the ferry (摆渡): each counts once.
ferry_seen = Table(
    "exchange_ferry_seen",
    metadata,
    Column("envelope_id", String(128), primary_key=True),
    Column("sender", String(64), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("received_at", Instant, nullable=False),
)
