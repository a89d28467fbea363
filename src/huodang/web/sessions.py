"""Server-side sessions: the browser holds a random token, the database its digest, whose it is and when it ends.

A session ends after an idle time and, whatever happens, at an absolute end. One table serves pages, the API and
citizens' tickets that come over the ferry.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, delete, insert, or_, select, update

from huodang.web.records import sessions
from huodang.web.settings import SessionRules

# A write on every request would make each page view a transaction; a minute is fine enough for an idle time of thirty.
_NOTE_EVERY: Final = timedelta(seconds=60)


class SessionKind(StrEnum):
    """Where a session's token may be used."""

    PAGE = "page"
    API = "api"
    CITIZEN = "citizen"


def open_session(connection: Connection, kind: SessionKind, holder: str, rules: SessionRules, now: datetime) -> str:
    """Open a session and hand out its token, which is known nowhere else. Sessions that have ended are cleared away."""
    idle_limit = now - timedelta(minutes=rules.idle_minutes)
    connection.execute(delete(sessions).where(or_(sessions.c.ends_at <= now, sessions.c.last_seen_at <= idle_limit)))
    token = secrets.token_urlsafe(32)
    connection.execute(
        insert(sessions).values(
            token_hash=_digest(token),
            kind=kind.value,
            holder=holder,
            created_at=now,
            last_seen_at=now,
            ends_at=now + timedelta(hours=rules.absolute_hours),
        )
    )
    return token


def session_holder(
    connection: Connection, kind: SessionKind, token: str, rules: SessionRules, now: datetime
) -> tuple[str | None, bool]:
    """Whose live session the token is, and whether its last use should be noted; `(None, False)` when it is none."""
    row = (
        connection.execute(
            select(sessions).where(sessions.c.token_hash == _digest(token), sessions.c.kind == kind.value)
        )
        .mappings()
        .one_or_none()
    )
    if row is None or row["ends_at"] <= now or row["last_seen_at"] + timedelta(minutes=rules.idle_minutes) <= now:
        return None, False
    return row["holder"], now - row["last_seen_at"] >= _NOTE_EVERY


def note_use(connection: Connection, token: str, now: datetime) -> None:
    """Note that the session was used now."""
    connection.execute(update(sessions).where(sessions.c.token_hash == _digest(token)).values(last_seen_at=now))


def end_session(connection: Connection, token: str) -> None:
    """End one session."""
    connection.execute(delete(sessions).where(sessions.c.token_hash == _digest(token)))


def end_sessions_of(connection: Connection, holder: str) -> None:
    """End every session of one holder: the account was closed or got a new password."""
    connection.execute(delete(sessions).where(sessions.c.holder == holder))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8")).hexdigest()
