"""Handing events over at the gateway: a signed grant and a cursor in, signed batches out, once there are some.

Every grant is admitted as for a single answer: signature, agreement, purpose, time, and none twice. The agreement is
looked up anew when the answer is made, so that a revocation holds also for a request that was being held.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import msgspec

from huodang.exchange.events.event_log import StoredBatch
from huodang.exchange.events.messages import CURSOR, EPOCH
from huodang.exchange.events.publishing import Terms
from huodang.exchange.gateway.admission import admit_delivery, read_grant
from huodang.exchange.gateway.memory import LogLine
from huodang.exchange.gateway.refusals import Refused
from huodang.exchange.gateway.shelf import ShelfContents
from huodang.exchange.values import REFUSAL, Agreement, Grant, Kind, Refusal
from huodang.store import Clock
from huodang.trust import EnvelopeError, SignedEnvelope, Signer, TrustedKeys, sign_envelope

_WAITING_AT_ONCE: Final = 8
_LOOK_AGAIN_SECONDS: Final = 1.0


class Shelf(Protocol):
    """Where a provider's agreements stand."""

    def contents(self) -> ShelfContents:
        """Give what counts now."""


class Memory(Protocol):
    """What a provider remembers."""

    def write(self, lines: Sequence[tuple[str | None, datetime | None, LogLine]]) -> set[int]:
        """Take numbers once, with the lines of the log; give the places of those that were taken before."""


class Provider(Protocol):
    """Who hands events over: a department's gateway, or a hub that passes them on."""

    @property
    def department(self) -> str:
        """Give its name."""

    @property
    def clock(self) -> Clock:
        """Give the time."""

    @property
    def skew(self) -> timedelta:
        """Give how far clocks may differ."""

    @property
    def signer(self) -> Signer:
        """Give its key."""

    @property
    def trusted(self) -> TrustedKeys:
        """Give the keys whose grants count."""

    @property
    def shelf(self) -> Shelf:
        """Give its agreements."""

    @property
    def memory(self) -> Memory:
        """Give what it remembers."""


class Streams(Protocol):
    """Where a provider's events are, by resource and subscriber."""

    def epochs(self, resource: str, consumer: str) -> list[tuple[str, int]]:
        """List a subscriber's epochs in their order, each with its last number."""

    def after(self, resource: str, consumer: str, epoch: str, cursor: int, size: int) -> list[StoredBatch]:
        """Give the batches after a place."""

    def oldest(self, resource: str, consumer: str, epoch: str) -> int:
        """Give the first number that is still kept."""

    def note_taken(self, resource: str, consumer: str, epoch: str, through: int, at: datetime) -> None:
        """Note how far a subscriber says it has taken its events."""


@dataclass(frozen=True)
class Admitted:
    """A grant that may be answered, and where its subscriber stands."""

    envelope: SignedEnvelope
    grant: Grant
    agreement: Agreement
    epoch: str
    cursor: int


class EventDesk:
    """Answers subscribers.

    Args:
        gateway: whose keys, agreements and memory count.
        log: where the events are.
        resources: what is published here.
        page_bytes: how much one answer holds, about.
        longest_wait: how long a request is held at most.
    """

    def __init__(
        self, gateway: Provider, log: Streams, resources: Sequence[str], *, page_bytes: int, longest_wait: float
    ) -> None:
        self._gateway = gateway
        self._log = log
        self._resources = frozenset(resources)
        self._page_bytes = page_bytes
        self._longest_wait = longest_wait
        self._news = threading.Condition()
        self._made = 0
        self._waiting = 0
        self._leaving = False
        self._taken: dict[tuple[str, str], tuple[str, int]] = {}

    def tell(self) -> None:
        """Let requests that are being held look again: events were made."""
        with self._news:
            self._made += 1
            self._news.notify_all()

    def leave(self) -> None:
        """Answer what is being held, and hold nothing any more."""
        with self._news:
            self._leaving = True
            self._news.notify_all()

    def answer(self, grants: Sequence[bytes | str], wait: float) -> list[dict[str, Any]]:
        """Answer grants, one page each; hold the request up to `wait` seconds if there is nothing for any of them."""
        now = self._gateway.clock.now()
        admitted = self._without_replays([self._admit(raw, now) for raw in grants], now)
        deadline = time.monotonic() + min(wait, self._longest_wait)
        while True:
            made = self._made
            pages = [one if isinstance(one, dict) else self._page(one) for one in admitted]
            left = deadline - time.monotonic()
            if any(page.get("batches") or page.get("refusal") for page in pages) or left <= 0:
                return pages
            if not self._hold(made, left):
                return pages

    def _hold(self, made: int, left: float) -> bool:
        """Wait for events; false if this request isn't to be held."""
        with self._news:
            if self._leaving or self._waiting >= _WAITING_AT_ONCE:
                return False
            self._waiting += 1
            try:
                # Woken also without news, to see an agreement that was revoked meanwhile.
                self._news.wait_for(lambda: self._leaving or self._made != made, min(left, _LOOK_AGAIN_SECONDS))
            finally:
                self._waiting -= 1
            return not self._leaving

    def _admit(self, raw: bytes | str, now: datetime) -> Admitted | dict[str, Any]:
        try:
            envelope = SignedEnvelope.from_json(raw)
        except EnvelopeError:
            return self._refuse(Refused("malformed"), None, "", now)
        grant = read_grant(envelope, self._gateway.trusted, now)
        if isinstance(grant, Refused):
            return self._refuse(grant, None, envelope.digest, now)
        agreement = self._agreement(envelope, grant, now)
        if isinstance(agreement, Refused):
            return self._refuse(agreement, grant, envelope.digest, now)
        cursor = grant.parameters.get(CURSOR, "")
        if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:
            return self._refuse(Refused("parameter_invalid", CURSOR), grant, envelope.digest, now)
        return Admitted(envelope, grant, agreement, grant.parameters.get(EPOCH, ""), int(cursor))

    def _agreement(self, envelope: SignedEnvelope, grant: Grant, now: datetime) -> Agreement | Refused:
        return admit_delivery(
            envelope,
            grant,
            department=self._gateway.department,
            kind=Kind.EVENT,
            resources=self._resources,
            shelf=self._gateway.shelf.contents(),
            now=now,
            skew=self._gateway.skew,
        )

    def _without_replays(
        self, admitted: Sequence[Admitted | dict[str, Any]], now: datetime
    ) -> list[Admitted | dict[str, Any]]:
        """Take the nonces; what was presented before is refused. Said in the gateway's log before anything is said."""
        lines = [
            (
                one.grant.nonce,
                one.grant.expires_at + 2 * self._gateway.skew,
                self._line(one.grant, one.envelope.digest, "events", f"after_{one.cursor}", now),
            )
            for one in admitted
            if isinstance(one, Admitted)
        ]
        late = self._gateway.memory.write(lines) if lines else set()
        answered: list[Admitted | dict[str, Any]] = []
        position = 0
        for one in admitted:
            if isinstance(one, Admitted):
                if position in late:
                    answered.append(self._refuse(Refused("replayed"), one.grant, one.envelope.digest, now))
                else:
                    self._note_taken(one, now)
                    answered.append(one)
                position += 1
            else:
                answered.append(one)
        return answered

    def _note_taken(self, one: Admitted, now: datetime) -> None:
        whose = (one.grant.resource, one.grant.consumer)
        if self._taken.get(whose) != (one.epoch, one.cursor):
            self._taken[whose] = (one.epoch, one.cursor)
            self._log.note_taken(*whose, one.epoch, one.cursor, now)

    def _page(self, one: Admitted) -> dict[str, Any]:
        now = self._gateway.clock.now()
        # The grant was in time when it came; what may have changed since is the agreement.
        present = self._agreement(one.envelope, one.grant, min(now, one.grant.expires_at))
        if isinstance(present, Refused):
            return self._refuse(present, one.grant, one.envelope.digest, now)
        resource, consumer = one.grant.resource, one.grant.consumer
        batches = self._log.after(resource, consumer, one.epoch, one.cursor, self._page_bytes)
        epoch, last = (self._log.epochs(resource, consumer) or [("", 0)])[-1]
        return {
            "resource": resource,
            "latest": last if epoch == one.epoch or batches else one.cursor,
            "oldest": self._log.oldest(resource, consumer, one.epoch) if batches else 0,
            "batches": [_batch(stored, self._withheld(stored, present)) for stored in batches],
        }

    def _withheld(self, stored: StoredBatch, present: Agreement) -> bool:
        """Say whether events made under another agreement go beyond what the present one covers."""
        if (stored.agreement_id, stored.agreement_version) == (present.agreement_id, present.version):
            return False
        return not covers(present, Terms.read(stored.terms))

    def _refuse(self, refused: Refused, grant: Grant | None, digest: str, now: datetime) -> dict[str, Any]:
        chinese, english = refused.sentences()
        line = self._line(grant, digest, REFUSAL, refused.code, now)
        self._gateway.memory.write([(None, None, line)])
        refusal = Refusal(
            grant_id=line.grant_id,
            grant_digest=digest,
            provider=self._gateway.department,
            code=refused.code,
            chinese=chinese,
            english=english,
            answered_at=line.answered_at,
        )
        envelope = sign_envelope(REFUSAL, refusal.to_payload(), self._gateway.signer)
        return {"resource": grant.resource if grant else "", "refusal": msgspec.Raw(envelope.to_json().encode())}

    def _line(self, grant: Grant | None, digest: str, outcome: str, reason: str, now: datetime) -> LogLine:
        return LogLine.of_grant(grant, digest, outcome, reason, now, fields=grant.fields if grant else ())


def covers(present: Agreement, former: Terms) -> bool:
    """Say whether all that a former agreement let out is let out by the present one, too."""
    return set(former.fields) <= set(present.fields) and all(
        name in former.rows and set(former.rows[name]) <= set(values) for name, values in present.rows.items()
    )


def _batch(stored: StoredBatch, withheld: bool) -> dict[str, Any]:  # noqa: FBT001  (one of two forms of a batch)
    return {
        "envelope": msgspec.Raw(stored.envelope.encode()),
        "events": None if withheld else msgspec.Raw(stored.events.encode()),
    }
