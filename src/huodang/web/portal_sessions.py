"""Visits at the portal: kept in this process's memory alone, and gone with it.

The portal stores nothing about anybody. While a visit lasts it holds who the visitor says to be, the hub's ticket,
and the answers that have come and were not shown yet.
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from huodang.web.citizen_messages import Action, CitizenAnswer
from huodang.web.settings import SessionRules

MOST_VISITS: Final = 10_000
_MOST_PENDING: Final = 20


@dataclass
class Pending:
    """A request on its way: what it asked, since when, where to go when the answer is there."""

    action: Action
    since: float
    then: str


@dataclass
class Visit:
    """One visitor's visit. `ticket` is empty until the hub has let the visitor in."""

    identity_number: str
    name: str
    ticket: str = ""
    started: float = 0.0
    seen: float = 0.0
    pending: dict[str, Pending] = field(default_factory=dict)
    # By the page that will show it.
    answers: dict[str, CitizenAnswer] = field(default_factory=dict)
    # The form as the visitor typed it and as it was prefilled, to show it again when a field is wrong.
    typed: dict[str, str] = field(default_factory=dict)
    prefilled: dict[str, Any] = field(default_factory=dict)

    @property
    def signed_in(self) -> bool:
        """Whether the hub has let the visitor in."""
        return bool(self.ticket)

    def expect(self, request_id: str, pending: Pending) -> None:
        """Remember a request; the oldest is forgotten when there are too many."""
        self.pending[request_id] = pending
        while len(self.pending) > _MOST_PENDING:
            self.pending.pop(next(iter(self.pending)))


class Visits:
    """All visits. Safe for threads; sweeps out what has ended."""

    def __init__(self, rules: SessionRules, now: Callable[[], float] = time.monotonic) -> None:
        self._rules = rules
        self._now = now
        self._visits: dict[str, Visit] = {}
        self._lock = threading.Lock()

    def begin(self, visit: Visit) -> str:
        """Begin a visit and hand out its token. The oldest visit ends when there are too many."""
        token = secrets.token_urlsafe(32)
        visit.started = visit.seen = self._now()
        with self._lock:
            self._sweep()
            if len(self._visits) >= MOST_VISITS:
                self._visits.pop(next(iter(self._visits)))
            self._visits[_digest(token)] = visit
        return token

    def find(self, token: str) -> Visit | None:
        """The live visit of a token."""
        with self._lock:
            self._sweep()
            visit = self._visits.get(_digest(token))
            if visit is not None:
                visit.seen = self._now()
            return visit

    def end(self, token: str) -> None:
        """End a visit and forget everything about it."""
        with self._lock:
            self._visits.pop(_digest(token), None)

    def _sweep(self) -> None:
        now = self._now()
        ended = [
            key
            for key, visit in self._visits.items()
            if now - visit.seen >= self._rules.idle_minutes * 60
            or now - visit.started >= self._rules.absolute_hours * 3600
        ]
        for key in ended:
            del self._visits[key]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8")).hexdigest()
