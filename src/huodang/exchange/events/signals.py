"""Cheap signs that a source may have changed: what is waited on between two looks."""

import sqlite3
import threading
import time
from typing import Any, Final, Protocol

import psycopg
import sqlalchemy as sa

_SLICE_SECONDS: Final = 0.25
_SQLITE_SECONDS: Final = 0.02


class Signal(Protocol):
    """Something to wait on.

    Attributes:
        polls: it tells nothing by itself: who waits on it must look each time.
    """

    polls: bool

    def wait(self, seconds: float) -> bool:
        """Wait until the source may have changed; false if it surely hasn't in these seconds."""
        ...

    def close(self) -> None:
        """Let go of what is held."""
        ...


class PollSignal:
    """No sign at all: look whenever the pause is over."""

    polls = True

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping

    def wait(self, seconds: float) -> bool:
        """Wait the whole time."""
        self._stopping.wait(seconds)
        return True

    def close(self) -> None:
        """Hold nothing."""


class SqliteSignal:
    """SQLite counts the commits of others (`PRAGMA data_version`): asking costs microseconds."""

    polls = False

    def __init__(self, url: sa.URL, stopping: threading.Event) -> None:
        self._path = url.database or ""
        self._stopping = stopping
        self._connection: sqlite3.Connection | None = None
        self._seen = -1

    def wait(self, seconds: float) -> bool:
        """Wait until somebody has committed; where the file can't be read, the look that follows tells so."""
        deadline = time.monotonic() + seconds
        while not self._stopping.is_set():
            try:
                version = self._version()
            except sqlite3.Error:
                self.close()
                self._stopping.wait(_SLICE_SECONDS)
                return True
            if version != self._seen:
                self._seen = version
                return True
            if time.monotonic() >= deadline:
                return False
            self._stopping.wait(_SQLITE_SECONDS)
        return False

    def close(self) -> None:
        """Close the connection; the next wait opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._seen = -1

    def _version(self) -> int:
        if self._connection is None:
            self._connection = sqlite3.connect(
                f"file:{self._path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False, timeout=1
            )
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])


class NotifySignal:
    """PostgreSQL's NOTIFY, where the department allows a trigger; whoever misses one is helped by the next look."""

    polls = False

    def __init__(self, url: sa.URL, channel: str, stopping: threading.Event) -> None:
        self._url = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._channel = channel
        self._stopping = stopping
        self._connection: psycopg.Connection[Any] | None = None

    def wait(self, seconds: float) -> bool:
        """Wait until the channel is notified, or the time is over: then a look is due, too."""
        deadline = time.monotonic() + seconds
        while not self._stopping.is_set() and (left := deadline - time.monotonic()) > 0:
            try:
                if self._connection is None:
                    self._connection = psycopg.connect(self._url, autocommit=True, connect_timeout=5)
                    self._connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(self._channel)))
                    return True  # what was notified before isn't heard: look
                for _ in self._connection.notifies(timeout=min(left, _SLICE_SECONDS), stop_after=1):
                    return True
            except psycopg.Error:
                self.close()
                self._stopping.wait(min(left, 1.0))
        return True

    def close(self) -> None:
        """Close the connection; the next wait opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
