"""Tables of accounts, sessions, the ferry desk and kept answers: the only tables that the web room has of its own.

No table here holds a citizen's name or number in the clear: a citizen is known by the blind index (盲索引) of the
identity number alone, and a kept answer is sealed.
"""

from sqlalchemy import Column, Index, Integer, String, Table, Text

from huodang.store import Instant, RowNumber, metadata

users = Table(
    "web_user",
    metadata,
    Column("user_id", String(64), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("role", String(40), nullable=False),
    Column("department", String(40), nullable=False),
    Column("region", String(6), nullable=False),
    # Number of the employer whom an employer's clerk acts for; empty for everybody else.
    Column("employer", String(100), nullable=False),
    Column("password_hash", Text, nullable=False),
    # waiting: proposed by the system administrator, not yet let in by the security administrator
    Column("state", String(10), nullable=False),
    Column("password_changed_at", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(64), nullable=False),
)

account_events = Table(
    "web_account_event",
    metadata,
    Column("event_id", RowNumber, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("user_id", String(64), nullable=False),
    Column("event", String(40), nullable=False),
    Column("by_user", String(64), nullable=False),
    Index(None, "at"),
)

# Failures are counted by the name that was typed, whether there is such an account or not: a lock-out then tells nobody
# which accounts exist. `name_key` is a digest, so that a mistyped password in the name field is not kept in the clear.
sign_in_failures = Table(
    "web_sign_in_failure",
    metadata,
    Column("name_key", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("locked_until", Instant, nullable=True),
)

sessions = Table(
    "web_session",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("kind", String(10), nullable=False),  # page, api, citizen
    Column("holder", String(128), nullable=False),  # user_id, or a citizen's blind index
    Column("created_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Index(None, "holder"),
)

access_codes = Table(
    "web_access_code",
    metadata,
    Column("subject_index", String(128), primary_key=True),
    Column("code_hash", Text, nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("issued_by", String(64), nullable=False),
    Column("valid_until", Instant, nullable=False),
)

ferry_requests = Table(
    "web_ferry_request",
    metadata,
    Column("request_id", String(64), primary_key=True),
    Column("action", String(40), nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("answered_at", Instant, nullable=True),
    Column("outcome", String(60), nullable=True),
)

# What a request with an Idempotency-Key was answered with. `name` is a keyed digest of who asked, where, and of the
# key; `body_index` one of what was sent: an identity number in a body can't be found by trying all numbers.
kept_answers = Table(
    "web_idempotency",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("body_index", String(32), nullable=False),
    Column("token", String(32), nullable=False),  # of the request that holds the name
    Column("claimed_until", Instant, nullable=False),
    Column("answer", Text, nullable=True),  # sealed; none while the request is under way
    Column("expires_at", Instant, nullable=False),
    Index(None, "expires_at"),
)
